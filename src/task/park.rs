//! Waiting: the one way in which anything in kettle waits.

#![allow(unsafe_code)]

use super::current::current_header;
use super::state::Wait;
use super::wait_reason::WaitReason;

/// Waits until the calling task is woken from `wait`; at once if it has been already. Never returns for
/// another reason, but what it was woken for may be over again: look, in a loop.
///
/// In a coroutine it gives the worker to the next one, on an OS thread it blocks the thread.
#[inline]
pub(crate) fn park(wait: Wait, reason: WaitReason) {
    let current = current_header();
    // SAFETY: the calling task's, which is alive while it runs.
    let header = unsafe { current.as_ref() };
    if header.state.take(wait) {
        return;
    }
    header.set_reason(reason);
    // SAFETY: the calling task's.
    unsafe { (header.door().park)(current, wait) };
    header.set_reason(WaitReason::None);
}
