//! [`Mutex`]: the mirror of [`std::sync::Mutex`].
//!
//! # Invariants
//!
//! 1. The data is touched by who holds the raw lock, or has the mutex to itself. A guard holds the lock from
//!    when it is made until it is dropped.

#![allow(unsafe_code)]

use super::poison::{Before, Flag};
use super::raw_mutex::RawMutex;
use crate::task::cancel;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// Something that one at a time may touch: the mirror of [`std::sync::Mutex`].
///
/// Only the coroutine waits that finds it locked, not its worker; on an OS thread the thread does. It may be
/// held while its holder waits for something else.
///
/// ```
/// use kettle::sync::{Arc, Mutex};
/// use kettle::thread;
///
/// let boiled = Arc::new(Mutex::new(0));
/// let kettles: Vec<_> = (0..1_000)
///     .map(|_| {
///         let boiled = Arc::clone(&boiled);
///         thread::spawn(move || *boiled.lock().unwrap() += 1)
///     })
///     .collect();
/// kettles.into_iter().for_each(|kettle| kettle.join().unwrap());
/// assert_eq!(*boiled.lock().unwrap(), 1_000);
/// ```
///
/// # Fairness
///
/// Eventual. A mutex that is released is free for whoever comes first, which keeps it fast; the one that has
/// waited longest is woken to try, and is handed the mutex if others have been quicker several times.
///
/// # Poisoning
///
/// As with std: a holder that panics poisons it. One that is unwound by a cancellation or a time limit does
/// not, since that may come at any wait, and code that is to be cancelled keeps its data in order; mask it
/// ([`thread::mask_cancellation`](crate::thread::mask_cancellation)) for a step that must not stop half way.
/// A cancellation that was caught, handled, and thrown again through a guard that was taken meanwhile counts
/// as a panic.
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    poison: Flag,
    data: UnsafeCell<T>,
}

// SAFETY: invariant 1: it hands the data from one to the other.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// A panic that leaves the data half changed poisons it.
impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

/// The right to touch what is in a [`Mutex`], which is released when this is dropped: the mirror of
/// [`std::sync::MutexGuard`].
#[must_use = "if it is not kept, the mutex is released at once"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    before: Before,
    /// As std's, it stays on its thread.
    _not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives a shared `T`.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    /// A mutex that is not locked.
    #[inline]
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { raw: RawMutex::new(), poison: Flag::new(), data: UnsafeCell::new(value) }
    }

    /// What is in it, for whoever has it to itself.
    ///
    /// # Errors
    ///
    /// What is in it as well, if it is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.poison.get();
        let data = self.data.into_inner();
        if poisoned { Err(PoisonError::new(data)) } else { Ok(data) }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the mutex can be locked, and locks it.
    ///
    /// # Errors
    ///
    /// With the guard in it, if another holder has panicked.
    ///
    /// # Cancellation
    ///
    /// A cancellation point where it has to wait.
    ///
    /// # Deadlocks
    ///
    /// Who locks it a second time while holding it waits for ever.
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        if self.raw.lock().is_err() {
            cancel::unwind();
        }
        // SAFETY: locked just now.
        unsafe { self.guard() }
    }

    /// Locks the mutex if that is possible at once, also before others who wait.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](TryLockError::WouldBlock) if it is locked; [`Poisoned`](TryLockError::Poisoned), with
    /// the guard in it, as in [`lock`](Self::lock).
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if !self.raw.lock_if_free() {
            return Err(TryLockError::WouldBlock);
        }
        // SAFETY: locked just now.
        Ok(unsafe { self.guard() }?)
    }

    /// # Safety
    ///
    /// The caller holds the lock, and leaves it to the guard.
    #[inline]
    pub(super) unsafe fn guard(&self) -> LockResult<MutexGuard<'_, T>> {
        self.poison.check(MutexGuard { mutex: self, before: Before::now(), _not_send: PhantomData })
    }

    /// Whether it is poisoned. Another thread may change that at any time.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.poison.get()
    }

    /// Takes the poison out: what is in it is in order again.
    #[inline]
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// What is in it, without locking: nobody else can.
    ///
    /// # Errors
    ///
    /// With the reference in it, if it is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.poison.get();
        let data = self.data.get_mut();
        if poisoned { Err(PoisonError::new(data)) } else { Ok(data) }
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => debug.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => debug.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => debug.field("data", &format_args!("<locked>")),
        };
        debug.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex, and its lock; nothing gives that back but [`Mutex::guard`].
    pub(super) fn into_mutex(self) -> &'a Mutex<T> {
        let mutex = self.mutex;
        // What it holds stays held; what has begun since it was made is for the next guard.
        mutex.poison.leave(self.before);
        core::mem::forget(self);
        mutex
    }
}

impl<T: ?Sized> Mutex<T> {
    pub(super) fn raw(&self) -> &RawMutex {
        &self.raw
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariant 1.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariant 1.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.poison.leave(self.before);
        // SAFETY: invariant 1.
        unsafe { self.mutex.raw.unlock() };
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
