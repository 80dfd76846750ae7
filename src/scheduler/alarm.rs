//! How a worker sleeps, and how others end its sleep: on a futex.

use super::idle::Alarm;
use crate::sys::futex;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

/// A word that is [`RUNG`] from a ring until the sleep that it ends.
#[derive(Debug)]
pub(super) struct FutexAlarm(AtomicU32);

const SILENT: u32 = 0;
const RUNG: u32 = 1;

impl FutexAlarm {
    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(SILENT))
    }

    /// Sleeps until it rings, at most for `timeout`; not at all if it has rung since the last sleep. For
    /// its worker. May end early for no reason.
    pub(super) fn sleep(&self, timeout: Option<Duration>) {
        if !self.silence() {
            futex::wait(&self.0, SILENT, timeout);
            self.silence();
        }
    }

    /// Forgets the rings so far; says whether there were any.
    fn silence(&self) -> bool {
        // Acquire: pairs with the Release in `ring`.
        self.0.swap(SILENT, Ordering::Acquire) == RUNG
    }
}

impl Alarm for FutexAlarm {
    fn ring(&self) {
        // Release: pairs with the Acquire in `silence`: who forgets a ring sees why it rang. A swap, no
        // store, so that of two rings in a row neither hides what the other has to say.
        self.0.swap(RUNG, Ordering::Release);
        futex::wake_one(&self.0);
    }
}
