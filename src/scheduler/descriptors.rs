//! What a worker does for descriptors: it sleeps in its reactor, and looks into it now and then.

#![allow(unsafe_code)]

use super::idle::Alarm;
use super::worker::Worker;
use crate::reactor::Reactor;
use core::time::Duration;

impl Alarm for Reactor {
    fn ring(&self) {
        Self::ring(self);
    }
}

impl Worker {
    /// Sleeps until somebody rings, a descriptor is ready or a timer is due, at most for `timeout`. May end
    /// early for no reason. For the root.
    pub(super) fn sleep(&self, timeout: Option<Duration>) {
        let told = self.in_order(|| self.reactor().sleep(self.until_next_timer(timeout)));
        if told {
            self.led_by_descriptors.set(true);
        } else if !self.remote().inbox().is_empty() {
            self.led_by_descriptors.set(false);
        }
        self.fire_due();
    }

    /// Puts those into the queue whose descriptors are ready.
    pub(super) fn look_at_descriptors(&self) {
        if self.in_order(|| self.reactor().look()) {
            self.led_by_descriptors.set(true);
        }
    }

    /// What gave this worker something to do when it last had nothing was a descriptor, and not another
    /// worker. Then it waits in the kernel at once: it waits for the network, and not for a partner on another
    /// core, and spinning would use more time than the requests do.
    pub(super) fn is_led_by_descriptors(&self) -> bool {
        self.reactor().in_use() && self.led_by_descriptors.get()
    }

    /// Does what wakes tasks of this worker so that they run in the order in which they are woken, and after
    /// those that were.
    fn in_order(&self, wake: impl FnOnce() -> bool) -> bool {
        self.queue_the_last_woken();
        let told = wake();
        self.queue_the_last_woken();
        told
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
