//! [`Condvar`]: the mirror of [`std::sync::Condvar`].
//!
//! Who is notified needs the mutex before it can go on, and mostly the notifier holds that. So it is not
//! woken: it moves to the mutex's own list, and whoever unlocks that wakes one after the other.
//!
//! # Invariants
//!
//! 1. Who waits holds the mutex that its node names until it is in the list here, and borrows it until it
//!    holds it again.
//! 2. A node goes from this list to its mutex's under both locks, this one taken first.

#![allow(unsafe_code)]

use super::mutex::MutexGuard;
use super::raw_mutex::{Comer, RawMutex};
use crate::task::{TaskRef, Wait, WaitReason, Waited, Waiter, Waiters, cancel};
use crate::util::lock::Lock;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, PoisonError};
use std::time::{Duration, Instant};

/// Waiting under a [`Mutex`](super::Mutex) for something to become true: the mirror of
/// [`std::sync::Condvar`].
///
/// ```
/// use kettle::sync::{Arc, Condvar, Mutex};
/// use kettle::thread;
///
/// let tea = Arc::new((Mutex::new(false), Condvar::new()));
/// let brewer = thread::spawn({
///     let tea = Arc::clone(&tea);
///     move || {
///         *tea.0.lock().unwrap() = true;
///         tea.1.notify_one();
///     }
/// });
/// let ready = tea.1.wait_while(tea.0.lock().unwrap(), |ready| !*ready).unwrap();
/// assert!(*ready);
/// # drop(ready);
/// # brewer.join().unwrap();
/// ```
///
/// # Fairness
///
/// Who has waited longest is notified first. `notify_all` wakes nobody before the mutex is free, and then
/// one at a time. Nobody returns without having been notified, though what it waited for may be over again.
///
/// # Cancellation
///
/// Each wait is a cancellation point. It locks the mutex again before it unwinds, so that the guards around
/// it mean what they say. One that was notified just before returns, and is cancelled at its next point: no
/// notification is lost.
pub struct Condvar {
    /// There is somebody in the list. Written under its lock.
    in_use: AtomicBool,
    waiters: Lock<Waiters<Comer>>,
}

/// Whether a wait has ended because its time was up: the mirror of [`std::sync::WaitTimeoutResult`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait has ended because its time was up.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[must_use]
    pub const fn new() -> Self {
        Self { in_use: AtomicBool::new(false), waiters: Lock::new(Waiters::new()) }
    }

    /// Unlocks the mutex of `guard`, waits until notified, and locks it again.
    ///
    /// # Errors
    ///
    /// With the guard in it, if the mutex is poisoned when it is locked again.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_until(guard, None).0
    }

    /// Waits while `condition` says so; it is asked under the mutex.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As [`wait`](Self::wait), for `duration` at the longest, and says whether that has ended it.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        duration: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (guard, timed_out) = self.wait_until(guard, Instant::now().checked_add(duration));
        let result = WaitTimeoutResult(timed_out);
        match guard {
            Ok(guard) => Ok((guard, result)),
            Err(poison) => Err(PoisonError::new((poison.into_inner(), result))),
        }
    }

    /// As [`wait_timeout`](Self::wait_timeout), in milliseconds; the `bool` is false if the time was up.
    ///
    /// # Errors
    ///
    /// As there.
    #[deprecated(note = "replaced by `kettle::sync::Condvar::wait_timeout`")]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        match self.wait_timeout(guard, Duration::from_millis(ms.into())) {
            Ok((guard, result)) => Ok((guard, !result.timed_out())),
            Err(poison) => {
                let (guard, result) = poison.into_inner();
                Err(PoisonError::new((guard, !result.timed_out())))
            }
        }
    }

    /// As [`wait_while`](Self::wait_while), for `duration` at the longest; the time was up if the condition
    /// is still so.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        duration: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let start = Instant::now();
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let Some(left) = duration.checked_sub(start.elapsed()) else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            guard = self.wait_timeout(guard, left)?.0;
        }
    }

    /// Notifies the one who has waited longest, if anybody waits.
    #[inline]
    pub fn notify_one(&self) {
        if self.is_in_use() {
            self.notify(1);
        }
    }

    /// Notifies all who wait.
    #[inline]
    pub fn notify_all(&self) {
        if self.is_in_use() {
            self.notify(usize::MAX);
        }
    }

    #[inline]
    fn is_in_use(&self) -> bool {
        // Relaxed: who waits has written it while it held the mutex. Who notifies of something done under the
        // mutex has held it later, and so sees it.
        self.in_use.load(Ordering::Relaxed)
    }

    #[cold]
    fn notify(&self, count: usize) {
        let mut woken: Option<TaskRef> = None;
        {
            let waiters = self.waiters.lock();
            for _ in 0..count {
                if waiters.is_empty() {
                    break;
                }
                // SAFETY: this is the lock of that list, and there is somebody in it.
                if let Some(task) = unsafe { RawMutex::adopt_first(&waiters) } {
                    // More than one only where they wait with different mutexes.
                    if let Some(earlier) = woken.replace(task) {
                        earlier.unpark(Wait::Event);
                    }
                }
            }
            self.note_use(&waiters);
        }
        if let Some(task) = woken {
            task.unpark(Wait::Event);
        }
    }

    fn note_use(&self, waiters: &Waiters<Comer>) {
        // Relaxed: as in `is_in_use`.
        self.in_use.store(!waiters.is_empty(), Ordering::Relaxed);
    }

    /// As [`wait`](Self::wait), until `deadline`; says whether that has ended it.
    fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (LockResult<MutexGuard<'a, T>>, bool) {
        let mutex = guard.into_mutex();
        let waited = self.wait_raw(mutex.raw(), deadline);
        // SAFETY: it is locked again.
        let guard = unsafe { mutex.guard() };
        if waited == Waited::Cancelled {
            cancel::unwind();
        }
        (guard, waited == Waited::TimedOut)
    }

    /// Unlocks `mutex`, waits, and locks it again.
    fn wait_raw(&self, mutex: &RawMutex, deadline: Option<Instant>) -> Waited {
        let waiter = Waiter::new(Comer::through(mutex));
        {
            let waiters = self.waiters.lock();
            // SAFETY: it is new, and stays here until it is out.
            unsafe { waiters.push_back(&waiter) };
            self.note_use(&waiters);
        }
        // SAFETY: `wait_until` had the guard.
        unsafe { mutex.unlock() };
        let waited = waiter.wait(WaitReason::Condvar, deadline, || {
            let waiters = self.waiters.lock();
            if !waiter.content().has_moved() {
                // SAFETY: then it is still in this list.
                unsafe { waiters.remove(&waiter) };
                self.note_use(&waiters);
            }
        });
        mutex.lock_again(&waiter, waited);
        // Who has moved has been notified, whatever came after that.
        match waiter.told() {
            Some(told) => Waited::Released(told),
            None => waited,
        }
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
