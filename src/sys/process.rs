//! Processes.

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;

/// A descriptor of the child with this number, that is readable once it has ended.
///
/// # Errors
///
/// The kernel's: ESRCH if there is none, ENOSYS before Linux 5.3.
pub(crate) fn pidfd(id: u32) -> Result<OwnedFd, Errno> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
    pidfd_open(pid, PidfdFlags::empty())
}
