//! The time for those who only want to know how long ago something was.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;

/// Milliseconds of the monotonic clock. They wrap round after 49 days, and so does every difference.
pub(crate) fn milliseconds() -> u32 {
    let mut now = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: writes to `now`, and cannot fail for a clock that every Linux has; it is read without a system
    // call.
    let now = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, now.as_mut_ptr());
        now.assume_init()
    };
    (now.tv_sec as u32).wrapping_mul(1_000).wrapping_add(now.tv_nsec as u32 / 1_000_000)
}
