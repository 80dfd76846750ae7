//! Waiting in the kernel: how OS threads wait, and coroutines that must not leave their worker to others.

#![allow(unsafe_code)]

use super::header::Header;
use super::state::{Cancelling, Place, Published, Unparked, Wait};
use crate::sys::futex;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// How many threads wait here without a deadline.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How many OS threads wait in a primitive of kettle's, for ever unless somebody wakes them.
pub(crate) fn waiting_threads() -> usize {
    // Acquire: pairs with the Release in `Counted::new`: what a thread did before it waited is seen.
    WAITING.load(Ordering::Acquire)
}

/// Counts a thread in, until dropped.
struct Counted;

impl Counted {
    fn new() -> Self {
        // Release: pairs with the Acquire in `waiting_threads`.
        WAITING.fetch_add(1, Ordering::Release);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Release: as above.
        WAITING.fetch_sub(1, Ordering::Release);
    }
}

/// Waits in the kernel, the OS thread with it: how OS threads wait, and coroutines that must not leave
/// their worker to others. No cancellation ends it. Says whether the deadline has.
///
/// # Safety
///
/// `header` is the calling task's.
pub(crate) unsafe fn park_in_kernel(
    header: NonNull<Header>,
    wait: Wait,
    deadline: Option<Instant>,
) -> bool {
    // SAFETY: the caller's, and a task is alive while it runs.
    let state = unsafe { &header.as_ref().state };
    if state.publish_park(wait, Place::Kernel, Cancelling::Masked) != Published::Parked {
        return false;
    }
    let _counted = deadline.is_none().then(Counted::new);
    while let Some(value) = state.waits_in_kernel(wait) {
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return state.expire(wait) != Unparked::Noted;
        }
        futex::wait(state.futex(), value, timeout);
    }
    false
}
