//! [`Notify`]: to wake somebody, without anything to go with it.

#![allow(unsafe_code)]

use crate::task::{TaskRef, Told, Wait, WaitReason, Waited, Waiter, Waiters, cancel};
use crate::util::lock::Lock;
use core::fmt;
use std::time::{Duration, Instant};

/// Lets others go on who wait for it. One notification is kept if nobody waits: so whoever looks, finds
/// nothing to do, and waits, misses nothing that comes in between.
///
/// ```
/// use kettle::sync::{Arc, Notify};
/// use kettle::thread;
///
/// let whistle = Arc::new(Notify::new());
/// let cook = thread::spawn({
///     let whistle = Arc::clone(&whistle);
///     move || whistle.wait()
/// });
/// whistle.notify_one(); // before or after the cook waits
/// cook.join().unwrap();
/// ```
///
/// # Fairness
///
/// Strict: who has waited longest is notified first.
///
/// # Cancellation
///
/// A wait is a cancellation point. A notification that comes at the same moment is not lost: the wait returns
/// with it.
pub struct Notify {
    inner: Lock<Inner>,
}

struct Inner {
    /// Nobody has waited when the last one came.
    kept: bool,
    /// How often all were notified.
    round: u64,
    /// Each with the rounds that there had been.
    waiters: Waiters<u64>,
}

impl Notify {
    /// One without a notification.
    #[must_use]
    pub const fn new() -> Self {
        Self { inner: Lock::new(Inner { kept: false, round: 0, waiters: Waiters::new() }) }
    }

    /// Lets the one go on who has waited longest, or the next one who comes to wait. Several for which nobody
    /// waits are kept as one.
    pub fn notify_one(&self) {
        let task = {
            let mut inner = self.inner.lock();
            let task = inner.waiters.pop(Told::Granted);
            inner.kept |= task.is_none();
            task
        };
        if let Some(task) = task {
            task.unpark(Wait::Event);
        }
    }

    /// Lets all go on who wait now. Nothing is kept for those who come later.
    pub fn notify_all(&self) {
        let round = {
            let mut inner = self.inner.lock();
            inner.round += 1;
            inner.round
        };
        while let Some(task) = self.pop_older(round) {
            task.unpark(Wait::Event);
        }
    }

    fn pop_older(&self, round: u64) -> Option<TaskRef> {
        let inner = self.inner.lock();
        inner.waiters.first().filter(|&&since| since < round)?;
        inner.waiters.pop(Told::Granted)
    }

    /// Waits for a notification; takes one at once that was kept.
    pub fn wait(&self) {
        let notified = self.wait_until(None);
        debug_assert!(notified, "without a deadline there is no end of time");
    }

    /// As [`wait`](Self::wait), for `timeout` at the longest; says whether there was a notification.
    #[must_use = "it says whether there was a notification"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(timeout))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let waiter;
        {
            let mut inner = self.inner.lock();
            if core::mem::take(&mut inner.kept) {
                return true;
            }
            waiter = Waiter::new(inner.round);
            // SAFETY: it is new, and stays here until it is out.
            unsafe { inner.waiters.push_back(&waiter) };
        }
        // SAFETY: pushed there above.
        let withdraw = || unsafe { self.inner.lock().waiters.remove(&waiter) };
        match waiter.wait(WaitReason::Notify, deadline, withdraw) {
            Waited::Released(_) => true,
            Waited::TimedOut => false,
            Waited::Cancelled => cancel::unwind(),
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}
