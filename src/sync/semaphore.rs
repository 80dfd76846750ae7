//! [`Semaphore`]: a number of permits, for those who come first.

use super::raw_semaphore::{self, RawSemaphore};
use crate::task::{Waited, cancel};
use core::fmt;
use core::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    raw: RawSemaphore,
}

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
    pub const MAX_PERMITS: usize = raw_semaphore::MAX as usize;

    /// A semaphore with so many permits.
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "more permits than a semaphore can count");
        Self { raw: RawSemaphore::new(permits as u64) }
    }

    /// How many permits nobody has. A glimpse: others change it.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.raw.available() as usize
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
        if !self.raw.take_if_there(permits as u64) {
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
            self.raw.release(permits as u64);
        }
    }

    #[inline]
    fn take(&self, permits: usize, deadline: Option<Instant>) -> bool {
        match self.raw.take(permits as u64, deadline) {
            Waited::Released(_) => true,
            Waited::TimedOut => false,
            Waited::Cancelled => cancel::unwind(),
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
