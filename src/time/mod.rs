//! Time, in the shape of [`std::time`]: all of it, and what a coroutine can do with it.
//!
//! ```
//! use kettle::time::{self, Duration};
//! use kettle::thread;
//!
//! let kettles: Vec<_> = (0..1_000)
//!     .map(|n| thread::spawn(move || time::sleep(Duration::from_micros(n))))
//!     .collect();
//! kettles.into_iter().for_each(|kettle| kettle.join().unwrap());
//!
//! let tea = time::timeout(Duration::from_millis(1), || thread::park());
//! assert!(tea.is_err());
//! ```
//!
//! # How exact it is
//!
//! Each worker has a timer wheel with ticks of 65.536 us. Nothing ends before its time. A wait ends in the first
//! tick that is not before its deadline; a worker that sleeps is woken by the kernel then, which adds its own
//! lateness (some 50 us by default, see `PR_SET_TIMERSLACK`). A worker that is busy looks at the clock at every
//! 61st change of coroutines: there the coroutines that run decide how late a wait ends. On a plain OS thread
//! the kernel alone does.

use crate::task::{sleep_until as task_sleep_until, with_limit};
use core::fmt;

pub use std::time::*;

/// Waits for `duration`; other coroutines run meanwhile. On an OS thread it blocks the thread. A time beyond
/// what the clock can tell is for ever.
///
/// A cancellation point, also where it does not wait. With [`Duration::ZERO`] it is
/// [`yield_now`](crate::thread::yield_now).
pub fn sleep(duration: Duration) {
    if duration.is_zero() {
        return crate::scheduler::yield_now();
    }
    task_sleep_until(Instant::now().checked_add(duration));
}

/// Waits until `deadline`; if it has passed, other coroutines run once.
///
/// A cancellation point, as [`sleep`] is.
///
/// ```
/// use kettle::time::{self, Duration, Instant};
///
/// let deadline = Instant::now() + Duration::from_millis(1);
/// time::sleep_until(deadline);
/// assert!(Instant::now() >= deadline);
/// ```
pub fn sleep_until(deadline: Instant) {
    if deadline <= Instant::now() {
        return crate::scheduler::yield_now();
    }
    task_sleep_until(Some(deadline));
}

/// What a [`timeout`] returns whose time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit has been reached")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for std::io::Error {
    /// An error of the kind [`TimedOut`](std::io::ErrorKind::TimedOut).
    fn from(elapsed: Elapsed) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, elapsed)
    }
}

/// Calls `f`, for `duration` at the longest: then it is unwound from the cancellation point where it waits, or
/// from the next one that it comes to. Its destructors run; no panic hook does. Works around any blocking code
/// of kettle's, in itself, and on OS threads.
///
/// ```
/// use kettle::time::{self, Duration};
/// use kettle::thread;
///
/// let worker = thread::spawn(|| thread::park());
/// let joined = time::timeout(Duration::from_millis(1), || worker.join());
/// assert!(joined.is_err(), "nobody wakes it");
/// assert_eq!(time::timeout(Duration::from_secs(1), || 7), Ok(7));
/// ```
///
/// Where `f` returns after its time, because it has come to no cancellation point or has swallowed the
/// unwinding, its value is returned. A limit within another one never extends it. What `f` spawns is not
/// limited, unless `f` waits for it in a [`scope`](crate::thread::scope), which cancels it. Locks of kettle's are
/// not poisoned by this, those of std's are. A raw coroutine that is suspended in `f` takes the limit with it,
/// though not off the one that called.
///
/// # Errors
///
/// [`Elapsed`], if `f` was unwound because its time was up.
///
/// # Panics
///
/// With `f`'s own panic. In a program built with `panic = "abort"`, which cannot unwind, at once.
pub fn timeout<F, T>(duration: Duration, f: F) -> Result<T, Elapsed>
where
    F: FnOnce() -> T,
{
    match Instant::now().checked_add(duration) {
        Some(deadline) => timeout_at(deadline, f),
        None => Ok(f()),
    }
}

/// As [`timeout`], with the time when it ends.
///
/// # Errors
///
/// As there.
///
/// # Panics
///
/// As there.
pub fn timeout_at<F, T>(deadline: Instant, f: F) -> Result<T, Elapsed>
where
    F: FnOnce() -> T,
{
    if cfg!(panic = "abort") {
        panic!(
            "kettle::time::timeout ends its closure by unwinding, and this program is built with \
             panic = \"abort\""
        );
    }
    with_limit(deadline, f).ok_or(Elapsed(()))
}

/// Points in time at equal distances; made by [`interval`].
#[derive(Debug)]
pub struct Interval {
    next: Instant,
    period: Duration,
}

/// Points in time `period` apart, the first of them now.
///
/// ```
/// use kettle::time::{self, Duration};
///
/// let mut interval = time::interval(Duration::from_millis(1));
/// let first = interval.tick();
/// let third = (interval.tick(), interval.tick()).1;
/// assert!(third - first >= Duration::from_millis(2));
/// ```
///
/// # Panics
///
/// If `period` is zero.
#[must_use]
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval needs a period that is not zero");
    Interval { next: Instant::now(), period }
}

impl Interval {
    /// Waits until the next of the points and returns it. Where several have passed since the last time, those
    /// are left out but for the last one, as Go's `Ticker` does it: it comes at once, and the next one is in
    /// time again.
    ///
    /// A cancellation point, where it waits. A point that is not waited for to the end comes next time.
    pub fn tick(&mut self) -> Instant {
        let late = Instant::now().saturating_duration_since(self.next);
        let missed = late.as_nanos() / self.period.as_nanos();
        if let Ok(missed) = u32::try_from(missed) {
            self.next += self.period * missed;
        } else {
            self.next = Instant::now();
        }
        sleep_until(self.next);
        let point = self.next;
        self.next += self.period;
        point
    }

    /// The distance between two points.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }
}
