//! What ends a worker's sleep: a word, on which the worker sleeps as long as it has nothing better, and
//! where it sleeps once it has.
//!
//! ```text
//!   whoever rings                      the worker
//!   1. word := RUNG; was it that       1. word := SILENT; was it RUNG, then it does not sleep
//!      already, then that is all       2. sleeps in its driver, if it has one, else on the word
//!   2. rings the driver's bell, if     3. word := SILENT
//!      there is one, else wakes who
//!      sleeps on the word
//! ```
//!
//! Both sides change the word by swaps, so each sees what the other did before its last one: the worker, why
//! it rang; who rings, the driver, if the worker may be about to sleep in it. The bell remembers a ring, and
//! nobody sleeps on a word that says `RUNG`; so a ring between the worker's steps ends its sleep too.

#![allow(unsafe_code)]

use crate::util::atomic::{AtomicPtr, AtomicU32, Ordering};
use core::ptr;

/// See the top of the file. It never frees its driver.
#[derive(Debug)]
pub(super) struct Alarm<D: 'static> {
    /// [`RUNG`] from a ring until the sleep that it ends.
    word: AtomicU32,
    /// Null until the worker has one.
    driver: AtomicPtr<D>,
}

pub(super) const SILENT: u32 = 0;
const RUNG: u32 = 1;

/// Where the worker sleeps.
#[derive(Debug)]
pub(super) enum Bed<'a, D: 'static> {
    /// On this word, while it is [`SILENT`].
    Word(&'a AtomicU32),
    Driver(&'static D),
}

impl<D> Alarm<D> {
    pub(super) fn new() -> Self {
        Self { word: AtomicU32::new(SILENT), driver: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Ends the worker's sleep, or the next one if it does not sleep. Where it sleeps, `wake` wakes it.
    pub(super) fn ring(&self, wake: impl FnOnce(Bed<'_, D>)) {
        // Release: pairs with the Acquire in `silence`: who forgets a ring sees why it rang. A swap, no
        // store, so that of two rings in a row neither hides what the other has to say. Acquire: pairs with
        // the Release in `silence`: where the worker is about to sleep in its driver, the driver is seen.
        if self.word.swap(RUNG, Ordering::AcqRel) == SILENT {
            wake(self.bed());
        }
        // Otherwise that ring is still to be heard, and was made to be.
    }

    /// Lets the worker sleep by `sleep`; not at all if it has rung since the last time.
    pub(super) fn sleep(&self, sleep: impl FnOnce(Bed<'_, D>)) {
        if !self.silence() {
            sleep(self.bed());
            self.silence();
        }
    }

    /// Forgets the rings so far; says whether there were any.
    fn silence(&self) -> bool {
        // AcqRel: pairs with the one in `ring`, both ways.
        self.word.swap(SILENT, Ordering::AcqRel) == RUNG
    }

    fn bed(&self) -> Bed<'_, D> {
        self.driver().map_or(Bed::Word(&self.word), Bed::Driver)
    }

    #[inline(always)]
    pub(super) fn driver(&self) -> Option<&'static D> {
        // Acquire: pairs with the Release in `set_driver`.
        // SAFETY: null, or from there.
        unsafe { self.driver.load(Ordering::Acquire).as_ref() }
    }

    /// From now on the worker sleeps in `driver`. For the worker, awake, once.
    pub(super) fn set_driver(&self, driver: &'static D) {
        // Release: pairs with the Acquire in `driver`.
        self.driver.store(ptr::from_ref(driver).cast_mut(), Ordering::Release);
    }
}

#[cfg(all(test, kettle_loom))]
mod model;
