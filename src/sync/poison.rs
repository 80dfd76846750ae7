//! Poisoning: what a panic leaves behind that ends while it holds a lock.

use crate::task::cancel;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, PoisonError};
use std::thread::panicking;

/// Whether a holder has panicked.
#[derive(Debug)]
pub(super) struct Flag(AtomicBool);

/// What was so when a lock was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// Its holder was unwinding already: it cannot tell whether it would have been without.
    panicking: bool,
    /// A cancellation had been thrown, and somebody had caught it: whatever unwinds later is no news of one.
    thrown: bool,
}

impl Before {
    #[inline]
    pub(super) fn now() -> Self {
        Self { panicking: panicking(), thrown: cancel::is_thrown() }
    }

    /// Whether a panic has begun since then and is on its way.
    #[inline]
    pub(super) fn has_panicked_since(self) -> bool {
        !self.panicking && panicking() && !self.is_cancelled_since()
    }

    /// Whether a cancellation has been thrown since then that is not over.
    pub(super) fn is_cancelled_since(self) -> bool {
        !self.thrown && cancel::is_thrown()
    }
}

impl Flag {
    pub(super) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    // Relaxed, all: the lock orders what is looked at under it; without it, a glimpse.

    #[inline]
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// To be called when a lock is released that was taken `before`.
    #[inline]
    pub(super) fn leave(&self, before: Before) {
        if before.has_panicked_since() {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// `value`, as an error where it is poisoned.
    #[inline]
    pub(super) fn check<T>(&self, value: T) -> LockResult<T> {
        if self.get() { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}
