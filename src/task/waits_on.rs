//! Whom a task waits for, where that is somebody in particular: the holder of a lock, or the task that it joins.
//! So that a circle of them can be named.
//!
//! A lock keeps the address of its holder's header, as a name and nothing else. Who waits for it leaves the place
//! of that name in its own header, for as long as it waits; whoever asks reads it there, so it is today's holder.
//!
//! # Invariants
//!
//! 1. A place lives as long as it is noted: who waits borrows it, and takes it out before that ends, under the
//!    lock.

#![allow(unsafe_code)]

use super::current::current_header;
use super::header::Header;
use crate::util::lock::Lock;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Relaxed everywhere: whoever acts on it reads it twice, and a circle does not change.
#[derive(Debug)]
pub(super) struct WaitsOn {
    /// Nobody (zero); the name of a task, its lowest bit set; or the place of one.
    noted: AtomicUsize,
    /// Held while a place is taken out, and while one is read.
    places: Lock<()>,
}

/// The lowest bit of a name, which no address of a header has set.
const NAME: usize = 1;

/// What the task with this header is called here.
pub(super) fn name(header: &Header) -> usize {
    ptr::from_ref(header).addr()
}

impl WaitsOn {
    pub(super) const fn new() -> Self {
        Self { noted: AtomicUsize::new(0), places: Lock::new(()) }
    }

    /// The name of the task that is waited for, if there is one.
    pub(super) fn get(&self) -> Option<usize> {
        let _held = self.places.lock();
        let noted = self.noted.load(Ordering::Relaxed);
        let name = if noted & NAME != 0 {
            noted & !NAME
        } else {
            let place: *const AtomicUsize = ptr::with_exposed_provenance(noted);
            // SAFETY: null, or a place that is noted (invariant 1), under the lock.
            unsafe { place.as_ref() }.map_or(0, |place| place.load(Ordering::Relaxed))
        };
        (name != 0).then_some(name)
    }

    /// The task begins to wait for another one.
    pub(super) fn begin_join(&self, other: &Header) {
        self.noted.store(name(other) | NAME, Ordering::Relaxed);
    }

    pub(super) fn end_join(&self) {
        self.noted.store(0, Ordering::Relaxed);
    }
}

/// Who holds a lock. It notes that itself, and takes it back before it gives the lock up.
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
                let _held = self.0.places.lock();
                self.0.noted.store(0, Ordering::Relaxed);
            }
        }

        // SAFETY: the running task is alive for as long as it runs.
        let waits_on = unsafe { &current_header().as_ref().waits_on };
        waits_on.noted.store(ptr::from_ref(&self.0).expose_provenance(), Ordering::Relaxed);
        let _noted = Noted(waits_on);
        wait()
    }
}
