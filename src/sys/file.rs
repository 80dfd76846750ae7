//! Files: reading without waiting, and locks.

use rustix::fd::BorrowedFd;
use rustix::fs::FlockOperation;
use rustix::io::{Errno, ReadWriteFlags};
use std::io::{self, IoSliceMut};

/// The offset that stands for the file's own position.
const POSITION: u64 = u64::MAX;

/// What came of an attempt to read without waiting.
#[derive(Debug)]
pub(crate) enum ReadNow {
    /// So many bytes were there, in the page cache.
    Read(usize),
    /// The disk would have to be waited for.
    WouldWait,
    /// This file can only be read the usual way.
    Unsupported,
}

/// Reads what is in memory, from `offset` or from the file's position, which then moves; never waits for
/// a disk.
///
/// # Errors
///
/// The kernel's, as for `read`.
pub(crate) fn read_now(
    file: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    offset: Option<u64>,
) -> io::Result<ReadNow> {
    let offset = offset.unwrap_or(POSITION);
    match rustix::io::preadv2(file, buffers, offset, ReadWriteFlags::NOWAIT) {
        // Not to be taken for the end: Linux 5.9 and 5.10 say so too where the page is not in memory.
        Ok(0) => Ok(ReadNow::WouldWait),
        Ok(count) => Ok(ReadNow::Read(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(ReadNow::WouldWait),
        // Of files that have no such thing, and of filters that do not know the call.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => Ok(ReadNow::Unsupported),
        Err(error) => Err(error.into()),
    }
}

/// Locks a file as `flock` does, or unlocks it.
///
/// # Errors
///
/// The kernel's: [`WouldBlock`](io::ErrorKind::WouldBlock) for the operations that do not wait.
pub(crate) fn lock(file: BorrowedFd<'_>, operation: FlockOperation) -> io::Result<()> {
    Ok(rustix::fs::flock(file, operation)?)
}
