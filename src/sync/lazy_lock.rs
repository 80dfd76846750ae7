//! [`LazyLock`]: the mirror of [`std::sync::LazyLock`].
//!
//! # Invariants
//!
//! 1. `once` says what `stage` holds: the closure while it is incomplete, the value once it is complete,
//!    nothing while the closure runs and where it has panicked.

#![allow(unsafe_code)]

use super::once::Once;
use crate::task::cancel;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};

/// A value that is made when it is first asked for: the mirror of [`std::sync::LazyLock`].
///
/// ```
/// use kettle::sync::LazyLock;
///
/// static TEAS: LazyLock<Vec<&str>> = LazyLock::new(|| vec!["assam", "ceylon"]);
/// assert_eq!(TEAS.len(), 2);
/// ```
///
/// # Poisoning
///
/// As with std: if its closure panics, whoever asks for the value panics too.
///
/// # Cancellation
///
/// To wait for another one who makes the value is a cancellation point. Nothing in the closure is, and no
/// [`timeout`](crate::time::timeout) ends in it: it can be called once only, and those who will need the value
/// are others than the one who is cancelled.
pub struct LazyLock<T, F = fn() -> T> {
    once: Once,
    stage: UnsafeCell<Stage<T, F>>,
}

union Stage<T, F> {
    closure: ManuallyDrop<F>,
    value: ManuallyDrop<T>,
}

// SAFETY: the closure is called by one thread, perhaps another than made it; the value is shared, and may be
// dropped by another than made it.
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}

impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` will make.
    #[inline]
    #[must_use]
    pub const fn new(f: F) -> Self {
        let stage = UnsafeCell::new(Stage { closure: ManuallyDrop::new(f) });
        Self { once: Once::new(), stage }
    }

    /// The value, made now if need be. `*` and `.` do the same.
    ///
    /// # Panics
    ///
    /// With the closure's own panic, or if it has panicked before.
    #[inline]
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        this.once.call_once(|| {
            // SAFETY: invariant 1: it is incomplete, and this is who completes it or leaves it poisoned.
            unsafe {
                let stage = &mut *this.stage.get();
                let f = ManuallyDrop::take(&mut stage.closure);
                stage.value = ManuallyDrop::new(cancel::masked(f));
            }
        });
        // SAFETY: invariant 1: it is complete.
        unsafe { &(*this.stage.get()).value }
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    #[inline]
    #[must_use]
    pub fn get(this: &Self) -> Option<&T> {
        if !this.once.is_completed() {
            return None;
        }
        // SAFETY: invariant 1: it is complete.
        Some(unsafe { &(*this.stage.get()).value })
    }

    /// The value, if it has been made, for changing it.
    #[inline]
    #[must_use]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        if !this.once.is_completed_mut() {
            return None;
        }
        // SAFETY: invariant 1: it is complete.
        Some(unsafe { &mut this.stage.get_mut().value })
    }
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// As [`force`](Self::force), for changing the value.
    ///
    /// # Panics
    ///
    /// As there.
    #[inline]
    pub fn force_mut(this: &mut Self) -> &mut T {
        Self::force(this);
        // SAFETY: invariant 1: it is complete.
        unsafe { &mut this.stage.get_mut().value }
    }
}

impl<T, F> Drop for LazyLock<T, F> {
    fn drop(&mut self) {
        let (complete, poisoned) = (self.once.is_completed_mut(), self.once.is_poisoned());
        let stage = self.stage.get_mut();
        // SAFETY: invariant 1; nothing runs any more.
        unsafe {
            if complete {
                ManuallyDrop::drop(&mut stage.value);
            } else if !poisoned {
                ManuallyDrop::drop(&mut stage.closure);
            }
        }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("LazyLock");
        match Self::get(self) {
            Some(value) => debug.field(value),
            None => debug.field(&format_args!("<uninit>")),
        };
        debug.finish()
    }
}
