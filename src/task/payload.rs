//! The payloads that unwind a task that was cancelled, or a part of one whose time is up.
//!
//! A lock that is released while its holder unwinds wants to know whether that is because of one of these, which
//! leaves it sound, or of a panic, which poisons it. The payloads tell: each counts on its task for as long as it
//! exists. std has no way to ask which payload is on its way, so somebody who has caught one of these and keeps
//! it, then panics, could be taken for cancelled; a lock that was taken meanwhile therefore does not ask
//! ([`cancel::is_thrown`](super::cancel::is_thrown)).

use super::pointer::TaskRef;
use core::fmt;
use core::sync::atomic::Ordering;
use std::any::Any;

/// What a coroutine that was cancelled unwinds with: the payload that [`JoinHandle::join`] returns for
/// it, in the place of a panic's.
///
/// ```
/// use kettle::thread;
///
/// let sleeper = thread::spawn(|| thread::park());
/// sleeper.cancel()?;
/// assert!(sleeper.join().unwrap_err().is::<thread::Cancelled>());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// [`JoinHandle::join`]: crate::thread::JoinHandle::join
pub struct Cancelled {
    /// None once the task has ended, and where it never began.
    thrown: Option<Thrown>,
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").finish_non_exhaustive()
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the coroutine was cancelled")
    }
}

impl std::error::Error for Cancelled {}

impl Cancelled {
    /// The payload of a task that is cancelled before it begins.
    pub(super) fn payload() -> Box<dyn Any + Send> {
        Box::new(Self { thrown: None })
    }

    /// For `task` to unwind with.
    pub(super) fn of(task: TaskRef) -> Self {
        Self { thrown: Some(Thrown::new(task)) }
    }

    /// `payload` has unwound a task to its end.
    pub(super) fn settle(payload: &mut (dyn Any + Send)) {
        if let Some(cancelled) = payload.downcast_mut::<Self>() {
            cancelled.thrown = None;
        }
    }
}

/// What unwinds out of a time limit.
pub(super) struct Expired {
    limit: u64,
    _thrown: Thrown,
}

impl Expired {
    /// For `task` to unwind with, out of limit number `limit`.
    pub(super) fn of(task: TaskRef, limit: u64) -> Self {
        Self { limit, _thrown: Thrown::new(task) }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }
}

/// Counts a payload on its task while it exists, wherever it goes.
struct Thrown(TaskRef);

impl Thrown {
    fn new(task: TaskRef) -> Self {
        // Relaxed: the task's own question, and whoever drops the payload on another thread got it from there.
        task.thrown.fetch_add(1, Ordering::Relaxed);
        Self(task)
    }
}

impl Drop for Thrown {
    fn drop(&mut self) {
        // Relaxed: as above.
        self.0.thrown.fetch_sub(1, Ordering::Relaxed);
    }
}
