//! Waiting for one descriptor in the kernel, the OS thread with it.

use core::time::Duration;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::BorrowedFd;

pub(crate) use rustix::event::PollFlags as Events;

/// Waits until one of `events` is so of `fd`, or an error or hang-up is, at most for `timeout`; says whether
/// it is. May return early, with a no, where a signal comes.
///
/// # Errors
///
/// The kernel's: ENOMEM.
pub(crate) fn wait(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    timeout: Option<Duration>,
) -> Result<bool, Errno> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match poll(&mut [PollFd::from_borrowed_fd(fd, events)], timeout.as_ref()) {
        Ok(ready) => Ok(ready != 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}
