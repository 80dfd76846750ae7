//! [`Holder`]: what a lock knows of whoever has it.

#![allow(unsafe_code)]

use super::current::current_header;
use super::waits_on::WaitsOn;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Who holds a lock, by a name that leads nowhere. It notes that itself, and takes it back before it gives the lock
/// up. Relaxed everywhere: see [`WaitsOn`].
#[derive(Debug)]
pub(crate) struct Holder(AtomicUsize);

impl Holder {
    pub(crate) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// The running task has it.
    #[inline]
    pub(crate) fn set_current(&self) {
        self.0.store(current_header().addr().get(), Ordering::Relaxed);
    }

    /// Nobody has it, or is known to.
    #[inline]
    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Calls `wait`, in which the running task waits for whoever it is.
    #[inline]
    pub(crate) fn wait_for<T>(&self, wait: impl FnOnce() -> T) -> T {
        /// Takes the place out, however the wait ends.
        struct Noted<'a>(&'a WaitsOn);

        impl Drop for Noted<'_> {
            fn drop(&mut self) {
                self.0.take_place_out();
            }
        }

        // SAFETY: the running task is alive for as long as it runs.
        let waits_on = unsafe { &current_header().as_ref().waits_on };
        // SAFETY: borrowed until this returns; `Noted` takes it out before that (its invariant 1).
        unsafe { waits_on.begin_at(&self.0) };
        let _noted = Noted(waits_on);
        wait()
    }
}
