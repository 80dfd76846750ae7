//! [`Semaphore`]: a number of permits, for those who come first.
//!
//! | part of `state` | means | changed by |
//! | --- | --- | --- |
//! | `QUEUED` | the list is not empty | under the list's lock |
//! | the count above | permits that nobody has | anybody; while `QUEUED` is set, under the list's lock |
//!
//! Nobody takes permits past those who wait. Who gives some back gives them to the first in the list, when
//! there are as many as that one wants.

#![allow(unsafe_code)]

use crate::task::{TaskRef, Told, Wait, WaitReason, Waited, Waiter, Waiters, cancel};
use crate::util::lock::Lock;
use core::fmt;
use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

const QUEUED: usize = 1 << 0;
/// One permit.
const PERMIT: usize = 1 << 1;

/// A number of permits: who has one goes on, who comes when there are none waits until one is given back.
/// For limiting how many do something at the same time.
///
/// ```
/// use kettle::sync::{Arc, Semaphore};
/// use kettle::thread;
///
/// let hobs = Arc::new(Semaphore::new(2));
/// let kettles: Vec<_> = (0..10)
///     .map(|_| {
///         let hobs = Arc::clone(&hobs);
///         thread::spawn(move || {
///             let _hob = hobs.acquire(); // given back when it is dropped
///             thread::yield_now(); // two at the most are here
///         })
///     })
///     .collect();
/// kettles.into_iter().for_each(|kettle| kettle.join().unwrap());
/// assert_eq!(hobs.available_permits(), 2);
/// ```
///
/// # Fairness
///
/// Strict: in the order of arrival. Who wants many permits is not overtaken by those who want few.
///
/// # Cancellation
///
/// A wait is a cancellation point. Who is cancelled or has no more time holds no permit; one that is given
/// at that moment it keeps, and returns.
pub struct Semaphore {
    state: AtomicUsize,
    waiters: Lock<Waiters<Wanted>>,
}

/// How many permits somebody waits for.
#[derive(Debug)]
struct Wanted(usize);

/// Permits of a [`Semaphore`], which go back when this is dropped.
#[must_use = "if it is not kept, the permits go back at once"]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

/// Permits of a [`Semaphore`] that is shared, which go back when this is dropped.
#[must_use = "if it is not kept, the permits go back at once"]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

impl Semaphore {
    /// The most permits that there can be.
    pub const MAX_PERMITS: usize = usize::MAX / PERMIT;

    /// A semaphore with so many permits.
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "more permits than a semaphore can count");
        Self { state: AtomicUsize::new(permits * PERMIT), waiters: Lock::new(Waiters::new()) }
    }

    /// How many permits nobody has. A glimpse: others change it.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        // Relaxed: a glimpse.
        self.state.load(Ordering::Relaxed) / PERMIT
    }

    /// Takes a permit, and waits for it if need be.
    #[inline]
    pub fn acquire(&self) -> SemaphorePermit<'_> {
        self.acquire_many(1)
    }

    /// Takes so many permits, all at once, and waits for them if need be. Of none it takes none, but waits
    /// behind others.
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    pub fn acquire_many(&self, permits: usize) -> SemaphorePermit<'_> {
        let taken = self.take(permits, None);
        debug_assert!(taken, "without a deadline there is no end of time");
        SemaphorePermit { semaphore: self, permits }
    }

    /// As [`acquire`](Self::acquire), for `timeout` at the longest.
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<SemaphorePermit<'_>> {
        self.acquire_many_timeout(1, timeout)
    }

    /// As [`acquire_many`](Self::acquire_many), for `timeout` at the longest.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn acquire_many_timeout(
        &self,
        permits: usize,
        timeout: Duration,
    ) -> Option<SemaphorePermit<'_>> {
        if !self.take(permits, Instant::now().checked_add(timeout)) {
            return None;
        }
        Some(SemaphorePermit { semaphore: self, permits })
    }

    /// Takes a permit if there is one and nobody waits.
    #[inline]
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes so many permits if there are as many and nobody waits.
    #[inline]
    pub fn try_acquire_many(&self, permits: usize) -> Option<SemaphorePermit<'_>> {
        if !self.take_if_there(permits) {
            return None;
        }
        Some(SemaphorePermit { semaphore: self, permits })
    }

    /// As [`acquire`](Self::acquire), for a permit that can be kept and sent.
    pub fn acquire_owned(self: Arc<Self>) -> OwnedSemaphorePermit {
        self.acquire_many_owned(1)
    }

    /// As [`acquire_many`](Self::acquire_many), for permits that can be kept and sent.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn acquire_many_owned(self: Arc<Self>, permits: usize) -> OwnedSemaphorePermit {
        self.acquire_many(permits).forget();
        OwnedSemaphorePermit { semaphore: self, permits }
    }

    /// As [`try_acquire`](Self::try_acquire), for a permit that can be kept and sent.
    pub fn try_acquire_owned(self: Arc<Self>) -> Option<OwnedSemaphorePermit> {
        self.try_acquire()?.forget();
        Some(OwnedSemaphorePermit { semaphore: self, permits: 1 })
    }

    /// Adds permits that nobody has taken: new ones, or such as were forgotten.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS) then.
    pub fn add_permits(&self, permits: usize) {
        if permits != 0 {
            self.release(permits);
        }
    }

    #[inline]
    fn take_if_there(&self, permits: usize) -> bool {
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

    #[inline]
    fn take(&self, permits: usize, deadline: Option<Instant>) -> bool {
        self.take_if_there(permits) || self.take_by_waiting(permits, deadline)
    }

    #[cold]
    #[inline(never)]
    fn take_by_waiting(&self, permits: usize, deadline: Option<Instant>) -> bool {
        assert!(permits <= Self::MAX_PERMITS, "more permits than a semaphore can ever have");
        let waiter = Waiter::new(Wanted(permits));
        {
            let waiters = self.waiters.lock();
            if !self.queue_or_take(permits) {
                return true;
            }
            // SAFETY: it is new, and stays here until it is out.
            unsafe { waiters.push_back(&waiter) };
        }
        match waiter.wait(WaitReason::Semaphore, deadline, || self.withdraw(&waiter)) {
            Waited::Released(_) => true,
            Waited::TimedOut => false,
            Waited::Cancelled => cancel::unwind(),
        }
    }

    /// Sets `QUEUED`, or takes the permits after all; says whether to wait. Under the list's lock.
    fn queue_or_take(&self, permits: usize) -> bool {
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

    /// Gives back so many permits.
    #[inline]
    fn release(&self, permits: usize) {
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

    fn sum(state: usize, permits: usize) -> usize {
        assert!(
            permits <= Self::MAX_PERMITS - state / PERMIT,
            "more permits than a semaphore can count"
        );
        state + permits * PERMIT
    }

    #[cold]
    #[inline(never)]
    fn release_to_waiters(&self, permits: usize) {
        let next = self.give(&self.waiters.lock(), permits);
        self.wake(next);
    }

    /// Adds `permits`, and gives the first in the list its own if there are enough; its task, to be woken.
    /// Keeps `QUEUED` as it must be.
    fn give(&self, waiters: &Waiters<Wanted>, permits: usize) -> Option<TaskRef> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let sum = Self::sum(state, permits);
            let wanted = waiters.first().map(|wanted| wanted.0).filter(|&it| it <= sum / PERMIT);
            // AcqRel: as in `release`, and as in `take_if_there`; from here it goes on to the task by way of
            // the list.
            match self.state.compare_exchange_weak(
                state,
                sum - wanted.unwrap_or(0) * PERMIT,
                Ordering::AcqRel,
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

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .finish_non_exhaustive()
    }
}

impl SemaphorePermit<'_> {
    /// Keeps the permits from the semaphore for good; [`Semaphore::add_permits`] makes new ones.
    pub fn forget(self) {
        mem::forget(self);
    }

    /// How many it is.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.add_permits(self.permits);
    }
}

impl fmt::Debug for SemaphorePermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SemaphorePermit").field("permits", &self.permits).finish_non_exhaustive()
    }
}

impl OwnedSemaphorePermit {
    /// Keeps the permits from the semaphore for good; [`Semaphore::add_permits`] makes new ones.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// How many it is.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that they are of.
    #[must_use]
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.semaphore.add_permits(self.permits);
    }
}

impl fmt::Debug for OwnedSemaphorePermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedSemaphorePermit")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}
