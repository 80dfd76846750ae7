//! What a worker does for descriptors: it sleeps in its reactor, looks into it now and then, and sees to it
//! that those who never have to wait leave time to the others.

#![allow(unsafe_code)]

use super::idle::Alarm;
use super::switching::yield_now;
use super::worker::Worker;
use crate::reactor::Reactor;
use core::time::Duration;

/// So many operations of a worker's coroutines may go by without one of them yielding.
pub(super) const IO_RUN: u32 = 128;

impl Alarm for Reactor {
    fn ring(&self) {
        Self::ring(self);
    }
}

impl Worker {
    /// Sleeps until somebody rings, a descriptor is ready or a timer is due, at most for `timeout`. May end
    /// early for no reason. For the root.
    pub(super) fn sleep(&self, timeout: Option<Duration>) {
        self.in_order(|| self.reactor().sleep(self.until_next_timer(timeout)));
        self.fire_due();
    }

    /// Puts those into the queue whose descriptors are ready.
    pub(super) fn look_at_descriptors(&self) {
        self.in_order(|| self.reactor().look());
    }

    /// Does what wakes tasks of this worker so that they run in the order in which they are woken, and after
    /// those that were.
    fn in_order(&self, wake: impl FnOnce()) {
        self.queue_the_last_woken();
        wake();
        self.queue_the_last_woken();
    }
}

/// The reactor for the running coroutine to wait in. None on an OS thread, and in a coroutine that must not
/// leave its worker to others (see `park`): those wait in the kernel.
#[inline]
pub(crate) fn current_reactor() -> Option<&'static Reactor> {
    let worker = Worker::current().filter(|worker| worker.runs_a_task())?;
    if std::thread::panicking() {
        return None;
    }
    Some(worker.reactor())
}

/// To be called before an operation that may go by without waiting: every so often it yields, or whoever is
/// always served at once would keep the others from running. Before, and not after, so that a cancellation
/// that comes meanwhile does not lose what was received.
#[inline(always)]
pub(crate) fn spend_io_budget() {
    if let Some(worker) = Worker::current() {
        let left = worker.io_budget.get() - 1;
        worker.io_budget.set(left);
        if left == 0 {
            used_up(worker);
        }
    }
}

#[cold]
#[inline(never)]
fn used_up(worker: &Worker) {
    worker.io_budget.set(IO_RUN);
    yield_now();
}
