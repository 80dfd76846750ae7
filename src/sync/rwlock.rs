//! [`RwLock`]: the mirror of [`std::sync::RwLock`].
//!
//! # Invariants
//!
//! 1. The data is read by who holds the raw lock to read or to write, changed by who holds it to write, or by
//!    who has the lock to itself. A guard holds it from when it is made until it is dropped.

#![allow(unsafe_code)]

use super::poison::{Before, Flag};
use super::raw_rwlock::RawRwLock;
use crate::task::cancel;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// Something that many may read or one may change: the mirror of [`std::sync::RwLock`].
///
/// ```
/// use kettle::sync::RwLock;
///
/// let menu = RwLock::new(vec!["tea"]);
/// assert_eq!(menu.read().unwrap().len(), 1);
/// menu.write().unwrap().push("coffee");
/// assert_eq!(*menu.read().unwrap(), ["tea", "coffee"]);
/// ```
///
/// # Fairness
///
/// Strict: in the order of arrival. A reader that comes while a writer waits waits behind it, so neither
/// starve. Who reads must therefore not read once more under the same lock before it has let go of it: with a
/// writer in between that is a deadlock, as it may be with std.
///
/// # Poisoning
///
/// By a panic of who writes, as with std; not by a cancellation: see [`Mutex`](super::Mutex).
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    poison: Flag,
    data: UnsafeCell<T>,
}

// SAFETY: invariant 1: it hands the data from one to the other.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above, and lends it to many.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

// A panic that leaves the data half changed poisons it.
impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

/// The right to read what is in an [`RwLock`]: the mirror of [`std::sync::RwLockReadGuard`].
#[must_use = "if it is not kept, the lock is released at once"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// As std's, it stays on its thread.
    _not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives a shared `T`.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}

/// The right to change what is in an [`RwLock`]: the mirror of [`std::sync::RwLockWriteGuard`].
#[must_use = "if it is not kept, the lock is released at once"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    before: Before,
    /// As std's, it stays on its thread.
    _not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives a shared `T`.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T> RwLock<T> {
    /// A lock that nobody holds.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { raw: RawRwLock::new(), poison: Flag::new(), data: UnsafeCell::new(value) }
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

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes or waits to, and lets the caller read.
    ///
    /// # Errors
    ///
    /// With the guard in it, if somebody has panicked who wrote.
    ///
    /// # Panics
    ///
    /// If there are some thousand million readers already.
    ///
    /// # Cancellation
    ///
    /// A cancellation point where it has to wait.
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        if self.raw.read().is_err() {
            cancel::unwind();
        }
        self.poison.check(RwLockReadGuard { lock: self, _not_send: PhantomData })
    }

    /// Lets the caller read if that is possible at once, and nobody waits.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](TryLockError::WouldBlock) if it is not; [`Poisoned`](TryLockError::Poisoned), with the
    /// guard in it, as in [`read`](Self::read).
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        if !self.raw.try_read() {
            return Err(TryLockError::WouldBlock);
        }
        Ok(self.poison.check(RwLockReadGuard { lock: self, _not_send: PhantomData })?)
    }

    /// Waits until nobody reads or writes, and lets the caller write.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    ///
    /// # Cancellation
    ///
    /// A cancellation point where it has to wait.
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        if self.raw.write().is_err() {
            cancel::unwind();
        }
        // SAFETY: taken just now.
        unsafe { self.write_guard() }
    }

    /// Lets the caller write if that is possible at once, and nobody waits.
    ///
    /// # Errors
    ///
    /// As for [`try_read`](Self::try_read).
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        if !self.raw.try_write() {
            return Err(TryLockError::WouldBlock);
        }
        // SAFETY: taken just now.
        Ok(unsafe { self.write_guard() }?)
    }

    /// # Safety
    ///
    /// The caller holds the lock to write, and leaves it to the guard.
    unsafe fn write_guard(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.poison.check(RwLockWriteGuard {
            lock: self,
            before: Before::now(),
            _not_send: PhantomData,
        })
    }

    /// Whether it is poisoned. Another thread may change that at any time.
    pub fn is_poisoned(&self) -> bool {
        self.poison.get()
    }

    /// Takes the poison out: what is in it is in order again.
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

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on to read, without anybody writing in between; others who wait to read may join.
    ///
    /// ```
    /// use kettle::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let mut writing = lock.write().unwrap();
    /// *writing = 2;
    /// let reading = RwLockWriteGuard::downgrade(writing);
    /// assert_eq!((*reading, *lock.read().unwrap()), (2, 2));
    /// ```
    pub fn downgrade(this: Self) -> RwLockReadGuard<'a, T> {
        let lock = this.lock;
        lock.poison.leave(this.before);
        mem::forget(this);
        // SAFETY: the guard held it to write, and is gone.
        unsafe { lock.raw.downgrade() };
        RwLockReadGuard { lock, _not_send: PhantomData }
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => debug.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => debug.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => debug.field("data", &format_args!("<locked>")),
        };
        debug.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: invariant 1.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: invariant 1.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariant 1.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: invariant 1.
        unsafe { self.lock.raw.unlock_read() };
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.poison.leave(self.before);
        // SAFETY: invariant 1.
        unsafe { self.lock.raw.unlock_write() };
    }
}

macro_rules! show_the_data {
    ($($guard:ident)*) => {$(
        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    )*};
}

show_the_data!(RwLockReadGuard RwLockWriteGuard);
