//! Waiting: the one way in which anything in kettle waits.

#![allow(unsafe_code)]

use super::cancel;
use super::current::current_header;
use super::header::Header;
use super::state::Wait;
use super::wait_reason::WaitReason;
use super::whereabouts;
use core::ptr::NonNull;
use std::time::Instant;

/// How a wait has ended. In each case what was waited for may have come to pass as well, so look first
/// whether it has: a wake-up that was meant for this task and is not used must be handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// Somebody has woken the task.
    Woken,
    /// The deadline has come.
    TimedOut,
    /// The task is to unwind: it cleans up whatever says that it waits, and calls
    /// [`unwind`](cancel::unwind).
    Cancelled,
}

/// Waits until the calling task is woken from `wait`; at once if it has been already. A cancellation
/// point. What it was woken for may be over again: look, in a loop.
///
/// In a coroutine it gives the worker to the next one, on an OS thread it blocks the thread.
///
/// Inlined, because where there is no deadline little is left of it.
#[inline(always)]
pub(crate) fn park(wait: Wait, reason: WaitReason) -> Outcome {
    park_until(wait, reason, None)
}

/// As [`park`], at the longest until `deadline`.
#[inline(always)]
pub(crate) fn park_until(wait: Wait, reason: WaitReason, deadline: Option<Instant>) -> Outcome {
    let current = current_header();
    // SAFETY: the calling task's, which is alive while it runs.
    let header = unsafe { current.as_ref() };
    // A user's park is a point also where it need not wait: wake-ups that do not end would keep it from
    // unwinding for ever. They are taken by nobody then.
    if wait == Wait::Token && header.attention.after_wait() && cancel::is_due(header) {
        return Outcome::Cancelled;
    }
    if header.state.take(wait) {
        return Outcome::Woken;
    }
    let until = if header.attention.is_limited() { limited(header, deadline) } else { deadline };
    header.set_reason(reason);
    // SAFETY: the calling task's.
    let timed_out = unsafe { (header.door().park)(current, wait, until) };
    if header.attention.after_wait() {
        return pay_attention(current, wait, until, timed_out, deadline.is_some());
    }
    header.set_reason(WaitReason::None);
    if timed_out { Outcome::TimedOut } else { Outcome::Woken }
}

/// What a task does that comes back from a wait and has something to look at: it says where it is if it was
/// asked, and waits on; then it looks whether it is to unwind. `limited` is whether the wait itself had a deadline.
#[cold]
fn pay_attention(
    current: NonNull<Header>,
    wait: Wait,
    until: Option<Instant>,
    mut timed_out: bool,
    limited: bool,
) -> Outcome {
    // SAFETY: the calling task's, which is alive while it runs.
    let header = unsafe { current.as_ref() };
    while header.attention.take_asked() {
        whereabouts::tell(header);
        if !timed_out && !header.state.take(wait) && !cancel::is_due(header) {
            // SAFETY: as above.
            timed_out = unsafe { (header.door().park)(current, wait, until) };
        }
    }
    header.set_reason(WaitReason::None);
    if cancel::is_due(header) {
        Outcome::Cancelled
    } else if timed_out && limited {
        Outcome::TimedOut
    } else {
        // Where only a limit's time was up and it is not to be delivered any more, a wake-up for nothing.
        Outcome::Woken
    }
}

/// As [`park`], but no cancellation point.
pub(crate) fn park_masked(wait: Wait, reason: WaitReason) {
    let _ = cancel::masked(|| park(wait, reason));
}

/// Waits until `deadline`, for ever if there is none. A cancellation point.
pub(crate) fn sleep_until(deadline: Option<Instant>) {
    loop {
        match park_until(Wait::Event, WaitReason::Sleep, deadline) {
            // A wake-up that was meant for an earlier wait.
            Outcome::Woken => {}
            Outcome::TimedOut => return,
            Outcome::Cancelled => cancel::unwind(),
        }
    }
}

#[cold]
fn limited(header: &Header, deadline: Option<Instant>) -> Option<Instant> {
    match (deadline, cancel::earliest_limit(header)) {
        (Some(deadline), Some(limit)) => Some(deadline.min(limit)),
        (deadline, limit) => deadline.or(limit),
    }
}
