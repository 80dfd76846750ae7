//! [`OnceLock`]: the mirror of [`std::sync::OnceLock`].
//!
//! # Invariants
//!
//! 1. The value is there when `once` is complete, and is written by who completes it. After that it changes
//!    only for who has the lock to itself.

#![allow(unsafe_code)]

use super::once::Once;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::panic::{RefUnwindSafe, UnwindSafe};

/// A place for a value that is written once: the mirror of [`std::sync::OnceLock`].
///
/// ```
/// use kettle::sync::OnceLock;
///
/// static TEMPERATURE: OnceLock<u32> = OnceLock::new();
/// assert_eq!(TEMPERATURE.get(), None);
/// assert_eq!(TEMPERATURE.get_or_init(|| 96), &96);
/// assert_eq!(TEMPERATURE.set(100), Err(100));
/// ```
///
/// Where an initialisation panics or is cancelled, nothing is written, and the next one to come tries. To wait
/// for another one's is a cancellation point.
pub struct OnceLock<T> {
    once: Once,
    value: UnsafeCell<MaybeUninit<T>>,
    /// It may drop a `T`.
    _value: PhantomData<T>,
}

// SAFETY: invariant 1. A `T` that one thread has written may be taken out by another, so `Send` for both.
unsafe impl<T: Sync + Send> Sync for OnceLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for OnceLock<T> {}

impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}
impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// An empty one.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            once: Once::new(),
            value: UnsafeCell::new(MaybeUninit::uninit()),
            _value: PhantomData,
        }
    }

    /// The value, if it has been written. Never waits.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: invariant 1.
        self.once.is_completed().then(|| unsafe { self.get_unchecked() })
    }

    /// The value, for changing it.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        // SAFETY: invariant 1.
        self.once.is_completed_mut().then(|| unsafe { self.value.get_mut().assume_init_mut() })
    }

    /// The value; waits until it has been written.
    #[inline]
    pub fn wait(&self) -> &T {
        self.once.wait_force();
        // SAFETY: invariant 1.
        unsafe { self.get_unchecked() }
    }

    /// Writes the value; waits for somebody else who is about to.
    ///
    /// # Errors
    ///
    /// With `value`, if one has been written.
    #[inline]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("taken once"));
        value.map_or(Ok(()), Err)
    }

    /// The value, which `f` makes if there is none. Others who come meanwhile wait for it.
    ///
    /// # Panics
    ///
    /// With `f`'s own panic; then there is still none.
    #[inline]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        if !self.once.is_completed() {
            self.init(f);
        }
        // SAFETY: invariant 1.
        unsafe { self.get_unchecked() }
    }

    #[cold]
    fn init(&self, f: impl FnOnce() -> T) {
        self.once.call_once_force(|_| {
            let value = f();
            // SAFETY: invariant 1: this is who completes it.
            unsafe { (*self.value.get()).write(value) };
        });
    }

    /// Takes the value out; there is none then.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        if !self.once.is_completed_mut() {
            return None;
        }
        self.once = Once::new();
        // SAFETY: invariant 1; from now on there is none.
        Some(unsafe { self.value.get_mut().assume_init_read() })
    }

    /// The value.
    #[inline]
    pub fn into_inner(mut self) -> Option<T> {
        self.take()
    }

    /// # Safety
    ///
    /// The value is there.
    #[inline]
    unsafe fn get_unchecked(&self) -> &T {
        // SAFETY: the caller's.
        unsafe { (*self.value.get()).assume_init_ref() }
    }
}

impl<T> Drop for OnceLock<T> {
    #[inline]
    fn drop(&mut self) {
        if mem::needs_drop::<T>() {
            drop(self.take());
        }
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        let cell = Self::new();
        let set = cell.set(value);
        debug_assert!(set.is_ok(), "it is new");
        cell
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    fn clone(&self) -> Self {
        self.get().cloned().map_or_else(Self::new, Self::from)
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => debug.field(value),
            None => debug.field(&format_args!("<uninit>")),
        };
        debug.finish()
    }
}
