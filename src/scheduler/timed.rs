//! Waits with a deadline: a worker's timers and what they wake.
//!
//! A timer lies on the stack of the task that waits, and its worker alone sets it, takes it out and lets it
//! fire. So a migratable task is bound to the worker for as long as it waits with one.

#![allow(unsafe_code)]

use super::switching::leave_parked;
use super::worker::Worker;
use crate::sys;
use crate::task::{Header, Wait};
use crate::timer::{Timer, Wheel};
use core::cell::Cell;
use core::pin::pin;
use core::ptr::NonNull;
use std::time::{Duration, Instant};

/// Whom a timer wakes, and from what.
#[derive(Debug)]
pub(super) struct Waiting {
    task: NonNull<Header>,
    wait: Wait,
    /// It was the timer that ended the wait.
    expired: Cell<bool>,
}

/// A worker's timers.
pub(super) type Timers = Wheel<Waiting>;

/// Makes the running task wait, at the longest until `deadline`; says whether that has ended it.
///
/// # Safety
///
/// `header` is the running task's, on `worker`.
#[cold]
pub(super) unsafe fn park_until(
    worker: &Worker,
    header: NonNull<Header>,
    wait: Wait,
    deadline: Instant,
) -> bool {
    let timer = pin!(Timer::new(Waiting { task: header, wait, expired: Cell::new(false) }));
    // SAFETY: the running task is alive.
    let task = unsafe { header.as_ref() };
    task.bind_to(worker.index());
    // Not before it is settled who is next: the worker may look at its timers then, and one that fired would
    // find nobody who waits.
    // SAFETY: taken out below, on the same worker.
    let set = || unsafe { worker.timers.insert(timer.as_ref(), deadline) };
    // SAFETY: the caller's.
    unsafe { leave_parked(worker, header, wait, set) };
    // SAFETY: in a task; bound, it goes on where it left.
    unsafe { Worker::current_unchecked() }.timers.remove(timer.as_ref());
    task.unbind();
    timer.content().expired.get()
}

impl Worker {
    /// Lets every timer fire whose time has come.
    #[inline]
    pub(super) fn fire_due(&self) {
        if !self.timers.is_empty() {
            self.fire_due_at(Instant::now());
        }
    }

    /// As [`fire_due`](Self::fire_due), for who has looked at the clock.
    pub(super) fn fire_due_at(&self, now: Instant) {
        self.timers.advance(now, |waiting| {
            // SAFETY: a task that waits is alive, and so is one that has been woken and has not run since.
            if unsafe { waiting.task.as_ref() }.expire(waiting.wait) {
                waiting.expired.set(true);
                // SAFETY: its `parked` was cleared just now, and it belongs to this worker.
                unsafe { self.queue.push_back(waiting.task) };
            }
        });
    }

    /// Looks at the clock, for those who say how long they have waited.
    pub(super) fn look_at_clock(&self) {
        self.local.clock.set(sys::clock::milliseconds());
    }

    /// How long the worker may sleep, of `timeout`, before the next timer wants to be looked at.
    pub(super) fn until_next_timer(&self, timeout: Option<Duration>) -> Option<Duration> {
        let Some(next) = self.timers.next() else { return timeout };
        let until = next.saturating_duration_since(Instant::now());
        Some(timeout.map_or(until, |timeout| timeout.min(until)))
    }
}
