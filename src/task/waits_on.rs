//! Whom a task waits for, where that is somebody in particular: the holder of a lock, or the task that it joins.
//! So that a circle of them can be named.
//!
//! A lock keeps the address of its holder's header, as a name and nothing else ([`holder`](super::holder)). Who
//! waits for it leaves the place of that name in its own header, for as long as it waits; whoever asks reads it
//! there, so it is today's holder.
//!
//! # Invariants
//!
//! 1. A place lives as long as it is noted: who waits borrows it, and takes it out before that ends, under the
//!    lock.

#![allow(unsafe_code)]

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

    /// The task begins to wait for the one of this name.
    pub(super) fn begin_join(&self, other: usize) {
        self.noted.store(other | NAME, Ordering::Relaxed);
    }

    pub(super) fn end_join(&self) {
        self.noted.store(0, Ordering::Relaxed);
    }

    /// The task begins to wait for whoever's name is at `place`.
    ///
    /// # Safety
    ///
    /// `place` lives until [`take_place_out`](Self::take_place_out) has returned.
    pub(super) unsafe fn begin_at(&self, place: &AtomicUsize) {
        self.noted.store(ptr::from_ref(place).expose_provenance(), Ordering::Relaxed);
    }

    pub(super) fn take_place_out(&self) {
        let _held = self.places.lock();
        self.noted.store(0, Ordering::Relaxed);
    }
}
