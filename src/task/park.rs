//! Waiting: the one way in which anything in kettle waits.

#![allow(unsafe_code)]

use super::current::current_header;
use super::header::Header;
use super::state::{Place, Published, Wait};
use crate::sys::futex;
use core::fmt;
use core::ptr::NonNull;

/// Why a task waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WaitReason {
    /// It does not.
    None,
    /// `thread::park`.
    Park,
    /// A coroutine to end.
    Join,
    /// All coroutines of a runtime to end.
    Shutdown,
}

impl WaitReason {
    pub(super) fn from_u8(number: u8) -> Self {
        [Self::None, Self::Park, Self::Join, Self::Shutdown]
            .into_iter()
            .find(|&reason| reason as u8 == number)
            .unwrap_or(Self::None)
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "not waiting",
            Self::Park => "parked",
            Self::Join => "waiting for a coroutine to end",
            Self::Shutdown => "waiting for a runtime's coroutines to end",
        })
    }
}

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

/// Waits in the kernel, the OS thread with it: how OS threads wait, and coroutines that must not leave
/// their worker to others.
///
/// # Safety
///
/// `header` is the calling task's.
pub(crate) unsafe fn park_in_kernel(header: NonNull<Header>, wait: Wait) {
    // SAFETY: the caller's, and a task is alive while it runs.
    let header = unsafe { header.as_ref() };
    match header.publish_park(wait, Place::Kernel) {
        Published::Woken => {}
        Published::Parked => {
            while let Some(value) = header.state.waits_in_kernel(wait) {
                futex::wait(header.state.futex(), value, None);
            }
        }
    }
}
