//! How many tasks a runtime has, and whether it takes more from outside.
//!
//! Each worker counts its own tasks, so that no task pays for a number that all share; they are added up
//! when somebody rests. Why the end is not missed stands in `PROTOCOL.md`.

use crate::util::atomic::{AtomicUsize, Ordering, fence};

/// A number that one thread writes.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicUsize);

impl Count {
    /// For the one that writes.
    #[inline(always)]
    pub(super) fn increment(&self) {
        // Release: pairs with the Acquire in `get`: a reader that sees a task ended sees what it had
        // spawned before.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    #[inline(always)]
    pub(super) fn get(&self) -> usize {
        // Acquire: pairs with the Release in `increment`.
        self.0.load(Ordering::Acquire)
    }
}

/// How many tasks came in from outside, in twos, and whether no more may: one word, so that who comes in and
/// who closes are in one order.
#[derive(Debug, Default)]
pub(super) struct Census(AtomicUsize);

const CLOSING: usize = 1;
const TASK: usize = 2;

impl Census {
    /// Counts a task in from outside; says whether it may come. If not, [`leave`](Self::leave).
    #[must_use]
    pub(super) fn enter(&self) -> bool {
        // Relaxed: the order of this one word is all that counts.
        self.0.fetch_add(TASK, Ordering::Relaxed) & CLOSING == 0
    }

    /// Counts a task out again that does not come. Whoever calls this then asks [`is_over`](Self::is_over),
    /// like a worker that rests.
    pub(super) fn leave(&self) {
        // Relaxed: as in `enter`.
        self.0.fetch_sub(TASK, Ordering::Relaxed);
        // Pairs with the one in `close`.
        fence(Ordering::SeqCst);
    }

    /// Takes nothing more from outside. Whoever calls this then asks [`live`](Self::live), and again
    /// whenever somebody says that it is over.
    pub(super) fn close(&self) {
        // Relaxed: as in `enter`.
        self.0.fetch_or(CLOSING, Ordering::Relaxed);
        // Pairs with the fences in `Sleep::rest` and `leave`: who goes to rest after the last task either
        // sees that it is closed, or is seen here.
        fence(Ordering::SeqCst);
    }

    #[inline(always)]
    pub(super) fn is_closing(&self) -> bool {
        // Relaxed: whoever must not miss it looks under a lock (`Shared::list`) or behind a fence.
        self.0.load(Ordering::Relaxed) & CLOSING != 0
    }

    /// How many tasks have not ended, of which `spawned` and `ended` on the workers are the sums. Exact when
    /// it says none.
    pub(super) fn live(
        &self,
        spawned: impl FnOnce() -> usize,
        ended: impl FnOnce() -> usize,
    ) -> usize {
        // Ended first: what it has spawned is counted before a task ends, and so is the task itself.
        let ended = ended();
        // Relaxed: who has ended was counted in before; `ended` has seen that.
        let entered = self.0.load(Ordering::Relaxed) / TASK;
        spawned().wrapping_add(entered).wrapping_sub(ended)
    }

    /// Whether it is closed and nothing is left, for a worker that rests: after the fence in `Sleep::rest`.
    pub(super) fn is_over(
        &self,
        spawned: impl FnOnce() -> usize,
        ended: impl FnOnce() -> usize,
    ) -> bool {
        self.is_closing() && self.live(spawned, ended) == 0
    }
}

#[cfg(all(test, kettle_loom))]
mod model;
