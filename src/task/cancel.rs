//! Cancellation, and time limits, which cancel a part of what a task does.
//!
//! Both are delivered where a task waits or yields (its *cancellation points*), by unwinding from there
//! with a payload of kettle's own: no panic hook runs. A payload that somebody swallows is thrown again at
//! the next point, because what it came from lasts: `CANCEL` in the task's state for ever, a limit until
//! its closure has ended. Nothing is delivered while the task unwinds, nor while it masks cancellation.
//!
//! A limit and a mask belong to the task that they were made in, not to the stack that they lie on, which
//! may be that of a raw coroutine and outlive it: so both refer to it by a counted pointer and a number,
//! never by an address on a stack.
//!
//! # Invariants
//!
//! 1. `masks` and `limits` of a task are touched only by who has the [`Task`](super::Task), and on the OS
//!    thread that runs it: what changes them is not `Send`.

#![allow(unsafe_code)]

use super::current::{current, current_header, known_header};
use super::header::Header;
use super::payload::{Cancelled, Expired};
use super::pointer::TaskRef;
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

/// Whether a cancellation, or a time limit's end, unwinds the running task: or has, and was caught by somebody
/// who keeps its payload (see [`payload`](super::payload)).
#[inline]
pub(crate) fn is_thrown() -> bool {
    // Relaxed: as in `Thrown::new`.
    known_header().is_some_and(|header| header.thrown.load(Ordering::Relaxed) != 0)
}

/// Calls `f` and returns what it returns; none if it had to be unwound because `deadline` came and it was
/// at a cancellation point then, or came to one later.
pub(crate) fn with_limit<T>(deadline: Instant, f: impl FnOnce() -> T) -> Option<T> {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    /// Takes the limit off its task.
    struct Entered {
        task: TaskRef,
        number: u64,
    }

    impl Drop for Entered {
        fn drop(&mut self) {
            let left = self.task.limits.remove(self.number);
            self.task.attention.set_limited(left);
        }
    }

    // Relaxed: a number, and nothing else hangs on it.
    let entered = Entered { task: current(), number: NEXT.fetch_add(1, Ordering::Relaxed) };
    entered.task.limits.push(entered.number, deadline);
    entered.task.attention.set_limited(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    let number = entered.number;
    drop(entered);
    match result {
        Ok(value) => Some(value),
        Err(payload) => match payload.downcast::<Expired>() {
            Ok(expired) if expired.limit() == number => None,
            Ok(expired) => resume_unwind(expired),
            Err(payload) => resume_unwind(payload),
        },
    }
}

/// Whether something may make the task unwind now, if it has been asked for.
fn may_be_delivered(header: &Header) -> bool {
    !header.is_masked() && !std::thread::panicking()
}

/// By when the task has to be back from its wait for the sake of its limits.
#[cold]
pub(super) fn earliest_limit(header: &Header) -> Option<Instant> {
    if may_be_delivered(header) { header.limits.earliest() } else { None }
}

/// When the time limits end that the running task is within, if they may be delivered.
pub(crate) fn limit_of_current() -> Option<Instant> {
    known_header().and_then(earliest_limit)
}

/// Whether the task is to unwind at the cancellation point where it is. To be asked if it may have to.
#[cold]
pub(crate) fn is_due(header: &Header) -> bool {
    may_be_delivered(header)
        && (header.state.is_cancelled()
            || (header.attention.is_limited() && header.limits.expired().is_some()))
}

/// Unwinds the calling task if it is to: a cancellation point where nothing is waited for.
#[inline]
pub(crate) fn point() {
    if known_header().is_some_and(|header| header.attention.after_wait() && is_due(header)) {
        unwind();
    }
}

/// Unwinds the calling task, which has found that it is to. It holds nothing that anybody waits for.
#[cold]
pub(crate) fn unwind() -> ! {
    let task = current();
    let expired = if task.state.is_cancelled() { None } else { task.limits.expired() };
    resume_unwind(match expired {
        Some(limit) => Box::new(Expired::of(task, limit)),
        None => Box::new(Cancelled::of(task)),
    })
}

/// Whether `payload` unwinds a task, or a part of it, that was to be cancelled.
pub(crate) fn is_cancellation(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Cancelled>() || payload.is::<Expired>()
}

/// Whether the running coroutine has been cancelled. On an OS thread never.
pub(crate) fn is_cancelled() -> bool {
    // SAFETY: the running task's.
    unsafe { current_header().as_ref() }.state.is_cancelled()
}

/// Calls `f`, in which nothing is a cancellation point.
pub(crate) fn masked<T>(f: impl FnOnce() -> T) -> T {
    let _mask = CancellationMask::new();
    f()
}

/// Keeps cancellation, and time limits, from the coroutine that made it until it is dropped. Made by
/// [`thread::mask_cancellation`](crate::thread::mask_cancellation).
#[must_use = "cancellation is masked only while this lives"]
pub struct CancellationMask {
    task: TaskRef,
    /// It belongs to the task, and so to its thread.
    _not_send: PhantomData<*mut ()>,
}

impl CancellationMask {
    pub(crate) fn new() -> Self {
        let task = current();
        // Relaxed, both: invariant 1. As many as a `u32` counts are for good: those were forgotten, or the closure has ended.
        let masks = task.masks.load(Ordering::Relaxed);
        task.masks.store(masks.saturating_add(1), Ordering::Relaxed);
        Self { task, _not_send: PhantomData }
    }
}

impl Drop for CancellationMask {
    fn drop(&mut self) {
        // Relaxed: as in `new`.
        let masks = self.task.masks.load(Ordering::Relaxed);
        if masks != u32::MAX {
            self.task.masks.store(masks - 1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for CancellationMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationMask").finish_non_exhaustive()
    }
}

impl TaskRef {
    /// Cancels the task, for whoever holds it.
    ///
    /// # Errors
    ///
    /// In a program that cannot unwind.
    pub(super) fn try_cancel(&self) -> io::Result<()> {
        if cfg!(panic = "unwind") {
            self.cancel();
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a kettle coroutine is cancelled by unwinding its stack, and this program is built with \
             panic = \"abort\"; build it with panic = \"unwind\", or ask the coroutine to end in \
             another way",
        ))
    }
}
