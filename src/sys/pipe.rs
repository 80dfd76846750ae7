//! Pipes, and whatever else is a stream of bytes and no socket: reading and writing without waiting.
//!
//! A descriptor that is non-blocking is read as it is. For the others, whose flags are not ours to change,
//! `RWF_NOWAIT` says with each call that it must not wait; where the kernel does not know it for that kind
//! (terminals; pipes before Linux 6.4), `poll` is asked first. Then only another reader or writer of the
//! same pipe, who is quicker between the two calls, can make the call wait.

use super::poll;
use core::time::Duration;
use rustix::io::{Errno, ReadWriteFlags, preadv2, pwritev2, readv, writev};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{BorrowedFd, OwnedFd};

/// A pipe whose ends are non-blocking and closed on exec: where it is read, where it is written.
///
/// # Errors
///
/// The kernel's: EMFILE, ENFILE.
pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
}

/// The offset that stands for the descriptor's own position, if it has one.
const POSITION: u64 = u64::MAX;

/// What a pipe that is ready for writing takes at least (`PIPE_BUF`).
const SURE_TO_FIT: usize = 4096;

/// Reads without waiting; `may_block` says that the descriptor is not known to be non-blocking.
#[inline]
pub(crate) fn read(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    may_block: bool,
) -> Result<usize, Errno> {
    if !may_block {
        return readv(fd, buffers);
    }
    // Nothing is had at once, and is not asked of `poll`.
    if buffers.iter().all(|buffer| buffer.is_empty()) {
        return Ok(0);
    }
    match preadv2(fd, buffers, POSITION, ReadWriteFlags::NOWAIT) {
        // Not to be taken for the end: Linux 5.9 and 5.10 say so of a file whose page is not in memory.
        Ok(0) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            if poll::wait(fd, poll::Events::IN, Some(Duration::ZERO))? {
                readv(fd, buffers)
            } else {
                Err(Errno::AGAIN)
            }
        }
        outcome => outcome,
    }
}

/// Writes without waiting, as [`read`] reads.
#[inline]
pub(crate) fn write(
    fd: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    may_block: bool,
) -> Result<usize, Errno> {
    if !may_block || parts.iter().all(|part| part.is_empty()) {
        return writev(fd, parts);
    }
    match pwritev2(fd, parts, POSITION, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            if !poll::wait(fd, poll::Events::OUT, Some(Duration::ZERO))? {
                return Err(Errno::AGAIN);
            }
            let part = parts.iter().find(|part| !part.is_empty()).map_or(&[][..], |part| part);
            rustix::io::write(fd, &part[..part.len().min(SURE_TO_FIT)])
        }
        outcome => outcome,
    }
}
