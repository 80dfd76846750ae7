//! The end of a runtime: who may still come in, and when nobody is left.

use super::census::Count;
use super::shared::{Shared, Tally};
use super::spawn::SpawnError;
use crate::sys;
use crate::task::{
    CancellationMask, Outcome, TaskRef, Thread, Wait, WaitReason, current, park_until,
};
use core::fmt;
use core::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a runtime that is being dropped waits before it says for whom; then twice as long each time.
const FIRST_REPORT: Duration = Duration::from_secs(1);

/// How many of those that are waited for are named.
const NAMED: usize = 10;

/// The tasks that a runtime could not end.
#[derive(Debug)]
pub(crate) struct Left {
    /// How many.
    pub(crate) live: usize,
    /// Those of them that have waited at least once, and can be named.
    pub(crate) threads: Vec<Thread>,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.live == 1 { "" } else { "s" };
        write!(f, "{} coroutine{plural} of a runtime that is to end", self.live)?;
        let mut separator = ": ";
        for thread in self.threads.iter().take(NAMED) {
            let name = thread.name().unwrap_or("<unnamed>");
            let masked = if thread.task().is_masked() { ", cancellation masked" } else { "" };
            let reason = thread.task().reason();
            write!(f, "{separator}'{name}' ({:?}, {reason}{masked})", thread.id())?;
            separator = ", ";
        }
        let unnamed = self.live.saturating_sub(self.threads.len().min(NAMED));
        if unnamed > 0 && !self.threads.is_empty() {
            write!(f, " and {unnamed} more")?;
        }
        if self.threads.len() < self.live {
            write!(
                f,
                "; some have never waited since they began: they compute, or block their worker"
            )?;
        }
        Ok(())
    }
}

impl Shared {
    /// How many tasks have not ended. Exact when it says none.
    pub(crate) fn live(&self) -> usize {
        self.census.live(|| self.sum(|tally| &tally.spawned), || self.sum(|tally| &tally.ended))
    }

    fn sum(&self, count: impl Fn(&Tally) -> &Count) -> usize {
        let counts = self.remotes.iter().map(|remote| count(&remote.tally).get());
        counts.fold(0, usize::wrapping_add)
    }

    /// Counts a task in from outside.
    pub(super) fn enter(&self) -> Result<Entry<'_>, SpawnError> {
        let may_come = self.census.enter();
        let entry = Entry { shared: self };
        if may_come { Ok(entry) } else { Err(SpawnError::Closing) }
    }

    /// Takes nothing more from outside, cancels every task, and waits until all have ended: until `deadline`
    /// at the longest. While that takes long it says on standard error whom it waits for.
    ///
    /// # Errors
    ///
    /// Who is left at the deadline.
    pub(crate) fn close(&self, deadline: Option<Instant>) -> Result<(), Left> {
        let mask = CancellationMask::new();
        *self.closer.lock() = Some(current());
        self.census.close();
        // What is not listed yet sees that it is closing: in `Shared::list`, or before it begins.
        self.for_each_listed(TaskRef::cancel);
        let mut patience = FIRST_REPORT;
        let mut report = Instant::now() + patience;
        while self.live() != 0 {
            let until = deadline.map_or(report, |deadline| deadline.min(report));
            if park_until(Wait::Event, WaitReason::Shutdown, Some(until)) != Outcome::TimedOut {
                continue;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                let left = self.left();
                if left.live != 0 {
                    *self.closer.lock() = None;
                    return Err(left);
                }
            } else {
                sys::write_to_stderr(
                    format!("kettle: still waiting for {}\n", self.left()).as_bytes(),
                );
                patience *= 2;
                report = Instant::now() + patience;
            }
        }
        *self.closer.lock() = None;
        drop(mask);
        Ok(())
    }

    /// Who has not ended.
    fn left(&self) -> Left {
        let mut threads = Vec::new();
        self.for_each_listed(|task| threads.push(Thread::new(task.clone())));
        Left { live: self.live(), threads }
    }

    /// For a worker that rests, and for who counted itself in and out again: tells the closer, if there
    /// is one and nothing is left. The caller has ordered this after its own counting, by a fence.
    pub(super) fn report_if_quiet(&self) {
        let spawned = || self.sum(|tally| &tally.spawned);
        if self.census.is_over(spawned, || self.sum(|tally| &tally.ended)) {
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
        self.shared.census.leave();
        self.shared.report_if_quiet();
    }
}
