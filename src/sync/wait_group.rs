//! [`WaitGroup`]: to wait until a number of things are done.

#![allow(unsafe_code)]

use crate::task::{Told, Wait, WaitReason, Waited, Waiter, Waiters, cancel};
use crate::util::lock::Lock;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Waits until all its clones are gone, in the shape of crossbeam's: each task gets a clone and drops it when
/// it is done, also by unwinding.
///
/// ```
/// use kettle::sync::WaitGroup;
/// use kettle::thread;
///
/// let group = WaitGroup::new();
/// for _ in 0..10 {
///     let member = group.clone();
///     thread::spawn(move || {
///         // ...
///         drop(member);
///     });
/// }
/// group.wait();
/// ```
///
/// # Cancellation
///
/// A wait is a cancellation point.
pub struct WaitGroup {
    /// Taken by who waits, who is then no member any more.
    inner: Arc<Inner>,
}

struct Inner {
    members: AtomicUsize,
    waiters: Lock<Waiters<()>>,
}

impl WaitGroup {
    /// A group of one, the caller.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner { members: AtomicUsize::new(1), waiters: Lock::new(Waiters::new()) };
        Self { inner: Arc::new(inner) }
    }

    /// Gives up this member, and waits until all others are gone.
    pub fn wait(self) {
        let done = self.wait_until(None);
        debug_assert!(done, "without a deadline there is no end of time");
    }

    /// As [`wait`](Self::wait), for `timeout` at the longest; says whether all others are gone.
    #[must_use = "it says whether all others are gone"]
    pub fn wait_timeout(self, timeout: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(timeout))
    }

    fn wait_until(self, deadline: Option<Instant>) -> bool {
        let inner = Arc::clone(&self.inner);
        drop(self);
        inner.wait_until(deadline)
    }
}

impl Inner {
    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let waiter = Waiter::new(());
        {
            let waiters = self.waiters.lock();
            // Acquire: pairs with the Release in `WaitGroup::drop`: what they did is seen. Under the lock: who
            // drops the last one takes it after that.
            if self.members.load(Ordering::Acquire) == 0 {
                return true;
            }
            // SAFETY: it is new, and stays here until it is out.
            unsafe { waiters.push_back(&waiter) };
        }
        // SAFETY: pushed there above.
        let withdraw = || unsafe { self.waiters.lock().remove(&waiter) };
        match waiter.wait(WaitReason::WaitGroup, deadline, withdraw) {
            Waited::Released(_) => true,
            Waited::TimedOut => false,
            Waited::Cancelled => cancel::unwind(),
        }
    }
}

impl Clone for WaitGroup {
    fn clone(&self) -> Self {
        // Relaxed: a new member is made from one that exists.
        self.inner.members.fetch_add(1, Ordering::Relaxed);
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl Drop for WaitGroup {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `wait_until`. Acquire: pairs with the Release of the others, for
        // those whom this one wakes.
        if self.inner.members.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        loop {
            let Some(task) = self.inner.waiters.lock().pop(Told::Granted) else {
                return;
            };
            task.unpark(Wait::Event);
        }
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: for people.
        let members = self.inner.members.load(Ordering::Relaxed);
        f.debug_struct("WaitGroup").field("members", &members).finish()
    }
}
