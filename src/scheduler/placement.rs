//! On which worker a task starts, which is where it stays.
//!
//! Tasks that are spawned together start together, because they may talk to each other: a worker takes
//! its own new tasks, and keeps them. But long after a trickle of tasks has started on one worker they
//! would all still be there, so what is weighed is not the length of a queue but how many started tasks
//! live where, and a new one goes to another worker where that has far fewer.

use super::shared::{Remote, Shared};
use super::worker::Worker;
use crate::task::Task;
use core::sync::atomic::Ordering;

/// By how many live tasks, and by what part of them, one worker may have more than another before new
/// ones go to the other: enough to keep tasks together that are spawned together.
const SLACK: usize = 16;
const SLACK_SHIFT: u32 = 5;

impl Remote {
    /// How many tasks live here that have started, or are bound to start here.
    pub(super) fn live(&self) -> usize {
        let tally = &self.tally;
        // Relaxed: for placement, where a stale number does no harm.
        let taken_on = tally.taken_on.get().wrapping_add(self.received.load(Ordering::Relaxed));
        // A migratable task may end elsewhere: never below zero.
        (taken_on.wrapping_sub(tally.ended.get()) as isize).max(0) as usize
    }
}

impl Shared {
    /// Gives a task that has not started to the worker `home`, to start there.
    pub(super) fn place(&self, task: Task, home: usize) {
        let home = task.claim_home(home);
        // Relaxed: for placement.
        self.remotes[home].received.fetch_add(1, Ordering::Relaxed);
        self.deliver(task, home);
    }

    /// The worker with the fewest live tasks.
    pub(super) fn least_loaded(&self) -> usize {
        (0..self.remotes.len()).min_by_key(|&index| self.remotes[index].live()).unwrap_or(0)
    }
}

impl Worker {
    /// Takes a task out of the deque on this worker, unless it is bound for another, to which it then
    /// goes.
    #[inline]
    pub(super) fn take_on(&self, task: Task) -> Option<Task> {
        if task.context.get().is_some() {
            // Migratable, and started.
            return Some(task);
        }
        if self.remote().live() >= self.live_limit.get() && self.shared().workers() > 1 {
            if let Some(other) = self.worker_with_room() {
                self.shared().place(task, other);
                return None;
            }
        }
        let home = task.claim_home(self.index());
        if home == self.index() {
            self.tally().taken_on.increment();
            return Some(task);
        }
        self.shared().place(task, home);
        None
    }

    /// Another worker, if it has so many fewer live tasks that the next one should start there: long
    /// after a trickle of tasks has started here, it would all still be here.
    #[cold]
    fn worker_with_room(&self) -> Option<usize> {
        let live = self.remote().live();
        let other = self.shared().least_loaded();
        let remote = &self.shared().remotes[other];
        let there = remote.live();
        let allowed = there + SLACK + (there >> SLACK_SHIFT);
        // What is placed there cannot be stolen back: only if that worker gets round to it.
        let rounds = remote.tally.rounds.get();
        let seen = self.rounds_seen.replace((other, rounds));
        // Relaxed: for placement.
        let busy = remote.tally.busy.load(Ordering::Relaxed);
        if live > allowed && (!busy || seen != (other, rounds)) {
            return Some(other);
        }
        self.live_limit.set((live + SLACK / 2).max(allowed));
        None
    }
}
