//! Sleeping in the kernel until a word changes.

use core::sync::atomic::AtomicU32;
use core::time::Duration;
use rustix::thread::futex::{Flags, Timespec};

/// Sleeps while `word` holds `expected`, at most for `timeout`. May return early for no reason.
pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    // The errors are EAGAIN (the word differs), EINTR and ETIMEDOUT: each a reason to look again,
    // which the caller does.
    let _ = rustix::thread::futex::wait(word, Flags::PRIVATE, expected, timeout.as_ref());
}

/// Wakes one thread that sleeps on `word`.
pub(crate) fn wake_one(word: &AtomicU32) {
    // The only errors are for addresses that no reference can hold.
    let _ = rustix::thread::futex::wake(word, Flags::PRIVATE, 1);
}

/// Keeps the calling thread from ever doing anything again.
pub(crate) fn wait_for_ever() -> ! {
    let nobody_wakes = AtomicU32::new(0);
    loop {
        wait(&nobody_wakes, 0, None);
    }
}
