//! The end of a runtime: who may still come in, and when nobody is left.

use super::shared::{Count, Shared, Tally};
use super::spawn::SpawnError;
use crate::task::{Wait, WaitReason, current, park};
use core::sync::atomic::{Ordering, fence};

impl Shared {
    /// How many tasks have not ended. Exact when it says none.
    fn live(&self) -> usize {
        // Ended first: what it has spawned is counted before a task ends.
        let ended = self.sum(|tally| &tally.ended);
        // Acquire: pairs with the SeqCst in `enter`.
        let injected = self.injected.load(Ordering::Acquire);
        self.sum(|tally| &tally.spawned).wrapping_add(injected).wrapping_sub(ended)
    }

    fn sum(&self, count: impl Fn(&Tally) -> &Count) -> usize {
        let counts = self.remotes.iter().map(|remote| count(&remote.tally).get());
        counts.fold(0, usize::wrapping_add)
    }

    /// Counts a task in from outside.
    pub(super) fn enter(&self) -> Result<Entry<'_>, SpawnError> {
        // SeqCst, both: either the closer counts this one, or this one sees that it closes.
        self.injected.fetch_add(1, Ordering::SeqCst);
        let entry = Entry { shared: self };
        if self.closing.load(Ordering::SeqCst) {
            return Err(SpawnError::Closing);
        }
        Ok(entry)
    }

    /// Takes nothing more from outside and waits until every task has ended.
    pub(crate) fn close(&self) {
        *self.closer.lock() = Some(current());
        // SeqCst: see `enter`.
        self.closing.store(true, Ordering::SeqCst);
        // Pairs with the fence in `Sleep::rest`: a worker that goes to rest after the last task either
        // sees `closing` or is seen here.
        fence(Ordering::SeqCst);
        while self.live() != 0 {
            park(Wait::Event, WaitReason::Shutdown);
        }
        *self.closer.lock() = None;
    }

    /// For a worker that rests, and for who counted itself in and out again: tells the closer, if there
    /// is one and nothing is left. The caller has ordered this after its own counting, by a fence.
    pub(super) fn report_if_quiet(&self) {
        // Relaxed: ordered by the caller's fence.
        if self.closing.load(Ordering::Relaxed) && self.live() == 0 {
            if let Some(closer) = &*self.closer.lock() {
                closer.unpark(Wait::Event);
            }
        }
    }

    /// Sends the workers home. Nothing may be left to run.
    pub(crate) fn stop(&self) {
        // Release: pairs with the Acquire in `stopping`.
        self.stopping.store(true, Ordering::Release);
        for index in 0..self.remotes.len() {
            self.idle.wake(index);
        }
    }

    pub(super) fn stopping(&self) -> bool {
        // Acquire: pairs with the Release in `stop`.
        self.stopping.load(Ordering::Acquire)
    }
}

/// A task counted in, and out again if it does not come.
pub(super) struct Entry<'a> {
    shared: &'a Shared,
}

impl Entry<'_> {
    pub(super) fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // SeqCst: as in `enter`. The fence is what `report_if_quiet` asks for; it pairs with the one in
        // `close`.
        self.shared.injected.fetch_sub(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.shared.report_if_quiet();
    }
}
