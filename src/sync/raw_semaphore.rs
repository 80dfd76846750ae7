//! The permits of a [`Semaphore`](super::Semaphore): strictly in the order of arrival.
//!
//! | part of `state` | means | changed by |
//! | --- | --- | --- |
//! | `QUEUED` | the list is not empty | under the list's lock |
//! | the count above | permits that nobody has | anybody; while `QUEUED` is set, under the list's lock |
//!
//! Nobody takes permits past those who wait. Who gives some back gives them to the first in the list, when
//! there are as many as that one wants; and where that one gives up, those behind it may have theirs.
//!
//! # No permit is lost
//!
//! `QUEUED` is set by who waits, under the list's lock, in the same change in which it has seen that there are
//! not enough. Who gives permits back either does so before that, and is seen, or finds `QUEUED`, and goes
//! by the list. A waiter that has been given its permits is out of the list and has them, whatever else ends its
//! wait.

#![allow(unsafe_code)]

use super::base::{
    AtomicU64, Lock, Ordering, TaskRef, Told, Wait, WaitReason, Waited, Waiter, Waiters, constant,
};
use std::time::Instant;

const QUEUED: u64 = 1 << 0;
/// One permit.
const PERMIT: u64 = 1 << 1;

/// The most permits that there can be.
pub(super) const MAX: u64 = u64::MAX / PERMIT;

/// How many permits somebody waits for.
#[derive(Debug)]
struct Wanted(u64);

#[derive(Debug)]
pub(super) struct RawSemaphore {
    state: AtomicU64,
    waiters: Lock<Waiters<Wanted>>,
}

impl RawSemaphore {
    constant! {
        pub(super) fn new(permits: u64) -> Self {
            Self {
                state: AtomicU64::new(permits * PERMIT),
                waiters: Lock::new(Waiters::new()),
            }
        }
    }

    pub(super) fn available(&self) -> u64 {
        // Relaxed: a glimpse.
        self.state.load(Ordering::Relaxed) / PERMIT
    }

    /// Takes so many permits if there are as many and nobody waits.
    #[inline]
    pub(super) fn take_if_there(&self, permits: u64) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & QUEUED == 0 && state / PERMIT >= permits {
            // Acquire: pairs with the Release in `release`: what was done with the permits is seen.
            match self.state.compare_exchange_weak(
                state,
                state - permits * PERMIT,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    /// Takes so many permits, and waits for them if need be, at the longest until `deadline`; says which of
    /// the three has ended that. A cancellation point where it has to wait.
    #[inline]
    pub(super) fn take(&self, permits: u64, deadline: Option<Instant>) -> Waited {
        if self.take_if_there(permits) {
            return Waited::Released(Told::Granted);
        }
        self.take_by_waiting(permits, deadline)
    }

    #[cold]
    #[inline(never)]
    fn take_by_waiting(&self, permits: u64, deadline: Option<Instant>) -> Waited {
        assert!(permits <= MAX, "more permits than a semaphore can ever have");
        let waiter = Waiter::new(Wanted(permits));
        {
            let waiters = self.waiters.lock();
            if !self.queue_or_take(permits) {
                return Waited::Released(Told::Granted);
            }
            // SAFETY: it is new, and stays here until it is out.
            unsafe { waiters.push_back(&waiter) };
        }
        waiter.wait(WaitReason::Semaphore, deadline, || self.withdraw(&waiter))
    }

    /// Sets `QUEUED`, or takes the permits after all; says whether to wait. Under the list's lock.
    fn queue_or_take(&self, permits: u64) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let enough = state & QUEUED == 0 && state / PERMIT >= permits;
            let next = if enough { state - permits * PERMIT } else { state | QUEUED };
            // Acquire: as in `take_if_there`.
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return !enough,
                Err(now) => state = now,
            }
        }
    }

    fn withdraw(&self, waiter: &Waiter<Wanted>) {
        let next = {
            let waiters = self.waiters.lock();
            // SAFETY: pushed there by `take_by_waiting`.
            unsafe { waiters.remove(waiter) };
            // Who stood behind it may want less.
            self.give(&waiters, 0)
        };
        self.wake(next);
    }

    /// Gives back so many permits, or adds new ones.
    #[inline]
    pub(super) fn release(&self, permits: u64) {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & QUEUED == 0 {
            // Release: pairs with the Acquires of those who take them.
            match self.state.compare_exchange_weak(
                state,
                Self::sum(state, permits),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
        self.release_to_waiters(permits);
    }

    fn sum(state: u64, permits: u64) -> u64 {
        assert!(permits <= MAX - state / PERMIT, "more permits than a semaphore can count");
        state + permits * PERMIT
    }

    #[cold]
    #[inline(never)]
    fn release_to_waiters(&self, permits: u64) {
        let next = self.give(&self.waiters.lock(), permits);
        self.wake(next);
    }

    /// Adds `permits`, and gives the first in the list its own if there are enough; its task, to be woken.
    /// Keeps `QUEUED` as it must be.
    fn give(&self, waiters: &Waiters<Wanted>, permits: u64) -> Option<TaskRef> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let sum = Self::sum(state, permits);
            let wanted = waiters.first().map(|wanted| wanted.0).filter(|&it| it <= sum / PERMIT);
            // Release: as in `release`. No Acquire for the one who waits: what was given back without the list
            // was so before it has set `QUEUED`, and it has acquired that itself.
            match self.state.compare_exchange_weak(
                state,
                sum - wanted.unwrap_or(0) * PERMIT,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    let task = wanted.and_then(|_| waiters.pop(Told::Granted));
                    if waiters.is_empty() {
                        // Relaxed: nothing hangs on the bit but the list, which has a lock.
                        self.state.fetch_and(!QUEUED, Ordering::Relaxed);
                    }
                    return task;
                }
                Err(now) => state = now,
            }
        }
    }

    /// Wakes one who was given its permits, and then whoever can have theirs.
    fn wake(&self, mut next: Option<TaskRef>) {
        while let Some(task) = next {
            task.unpark(Wait::Event);
            next = self.give(&self.waiters.lock(), 0);
        }
    }
}
