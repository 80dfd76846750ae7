//! [`File`].

use super::OpenOptions;
use super::lock::TryLockError;
use crate::sys::file::{self, ReadNow};
use crate::task::spend_budget;
use crate::unblock::{runs_in_place, unblock};
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use rustix::fs::FlockOperation;
use std::fs::{FileTimes, Metadata, Permissions};
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Stdio;
use std::time::SystemTime;

/// Up to so many bytes a read is tried in place: more are copied for longer than handing it over takes.
const LARGEST_IN_PLACE: usize = 256 * 1024;

/// An open file: the mirror of [`std::fs::File`].
///
/// In a coroutine what may wait for a disk is done on the pool of [`unblock`](crate::unblock()), while
/// the coroutine waits. A read whose bytes are in memory already returns at once, where the file system
/// can say so (ext4, xfs and btrfs can, tmpfs and /proc cannot); where only the first of them are, it
/// returns those, fewer than asked for, as [`Read::read`] may. That a file is at its end is asked of the
/// pool, because some kernels (Linux 5.9, 5.10) get it wrong. Each write is handed over, which costs
/// some microseconds: write much at a time, through a [`BufWriter`](std::io::BufWriter).
///
/// Closing is done in place. A file system that writes back when a file is closed, such as NFS, makes the
/// worker wait: call [`sync_all`](Self::sync_all) before.
///
/// A file that is a pipe or a device and has nothing to give holds a thread of the pool for as long.
///
/// ```
/// use kettle::fs::File;
/// use std::io::{Read, Write};
///
/// # let path = std::env::temp_dir().join(format!("kettle-doc-file-{}", std::process::id()));
/// kettle::run(|| {
///     File::create(&path)?.write_all(b"polly")?;
///     let mut text = String::new();
///     File::open(&path)?.read_to_string(&mut text)?;
///     assert_eq!(text, "polly");
///     kettle::fs::remove_file(&path)
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct File {
    file: std::fs::File,
    /// Whether reading without waiting may be tried.
    readable_now: AtomicBool,
    /// How many operations that use the position are on the pool's threads. The kernel lets one at a time
    /// have it: whoever came in place meanwhile would wait for the disk with them.
    moving: AtomicU32,
}

impl File {
    pub(super) fn new(file: std::fs::File) -> Self {
        Self { file, readable_now: AtomicBool::new(true), moving: AtomicU32::new(0) }
    }

    /// Opens a file to read it, as [`std::fs::File::open`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file to write it, empty, as [`std::fs::File::create`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn create<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        OpenOptions::new().write(true).create(true).truncate(true).open(path)
    }

    /// Makes a file that must not have been there, as [`std::fs::File::create_new`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn create_new<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    /// Options to open a file with, as [`std::fs::File::options`].
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Waits until contents and metadata are on the disk, as [`std::fs::File::sync_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn sync_all(&self) -> io::Result<()> {
        unblock(|| self.file.sync_all())
    }

    /// Waits until the contents are on the disk, as [`std::fs::File::sync_data`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn sync_data(&self) -> io::Result<()> {
        unblock(|| self.file.sync_data())
    }

    /// Waits for the file's exclusive lock, as `std::fs::File::lock` (Rust 1.89). A lock that is free is
    /// taken in place; whoever waits for one holds a thread of the pool meanwhile.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn lock(&self) -> io::Result<()> {
        self.lock_as(FlockOperation::NonBlockingLockExclusive, FlockOperation::LockExclusive)
    }

    /// Waits for a shared lock of the file, as `std::fs::File::lock_shared` (Rust 1.89); see
    /// [`lock`](Self::lock).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn lock_shared(&self) -> io::Result<()> {
        self.lock_as(FlockOperation::NonBlockingLockShared, FlockOperation::LockShared)
    }

    fn lock_as(&self, at_once: FlockOperation, waiting: FlockOperation) -> io::Result<()> {
        match file::lock(self.as_fd(), at_once) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                unblock(|| file::lock(self.as_fd(), waiting))
            }
            outcome => outcome,
        }
    }

    /// Takes the file's exclusive lock if it is free, as `std::fs::File::try_lock` (Rust 1.89).
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if it is not, the kernel's otherwise.
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        Ok(file::lock(self.as_fd(), FlockOperation::NonBlockingLockExclusive)?)
    }

    /// Takes a shared lock of the file if nobody has the exclusive one, as
    /// `std::fs::File::try_lock_shared` (Rust 1.89).
    ///
    /// # Errors
    ///
    /// As [`try_lock`](Self::try_lock).
    pub fn try_lock_shared(&self) -> Result<(), TryLockError> {
        Ok(file::lock(self.as_fd(), FlockOperation::NonBlockingLockShared)?)
    }

    /// Gives up the file's lock, as `std::fs::File::unlock` (Rust 1.89). In place: who holds a lock must
    /// not queue behind those who wait for it.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unlock(&self) -> io::Result<()> {
        file::lock(self.as_fd(), FlockOperation::Unlock)
    }

    /// Truncates or extends the file, as [`std::fs::File::set_len`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_len(&self, size: u64) -> io::Result<()> {
        unblock(|| self.file.set_len(size))
    }

    /// What the file system knows of the file, as [`std::fs::File::metadata`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn metadata(&self) -> io::Result<Metadata> {
        unblock(|| self.file.metadata())
    }

    /// Another handle to the same open file, with the same position, as [`std::fs::File::try_clone`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.file.try_clone()?))
    }

    /// Changes who may do what with the file, as [`std::fs::File::set_permissions`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        unblock(|| self.file.set_permissions(perm))
    }

    /// Changes the file's times, as [`std::fs::File::set_times`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_times(&self, times: FileTimes) -> io::Result<()> {
        unblock(|| self.file.set_times(times))
    }

    /// Changes when the file was last modified, as [`std::fs::File::set_modified`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time))
    }

    /// Whether the file is a terminal, as [`IsTerminal::is_terminal`](io::IsTerminal::is_terminal), a
    /// trait that std alone can implement.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&self.file)
    }

    /// Reads in place if that needs no waiting. None if it must be handed over.
    fn read_now(
        &self,
        buffers: &mut [IoSliceMut<'_>],
        offset: Option<u64>,
    ) -> Option<io::Result<usize>> {
        // Relaxed, here and below: hints. A read handed over for nothing is slower; one that waits here
        // for its position is as wrong as a disk is slow, and as rare as readers who share one.
        if !self.readable_now.load(Ordering::Relaxed)
            || (offset.is_none() && self.moving.load(Ordering::Relaxed) != 0)
            || buffers.iter().map(|buffer| buffer.len()).sum::<usize>() > LARGEST_IN_PLACE
            || runs_in_place()
        {
            return None;
        }
        spend_budget();
        match file::read_now(self.as_fd(), buffers, offset) {
            Ok(ReadNow::Read(count)) => return Some(Ok(count)),
            Ok(ReadNow::WouldWait) => {}
            Ok(ReadNow::Unsupported) => self.readable_now.store(false, Ordering::Relaxed),
            Err(error) => return Some(Err(error)),
        }
        None
    }

    /// Hands over what uses the file's position.
    fn moving<T: Send>(&self, f: impl FnOnce(&std::fs::File) -> T + Send) -> T {
        /// Counts out, also if the coroutine unwinds.
        struct Moved<'a>(&'a AtomicU32);

        impl Drop for Moved<'_> {
            fn drop(&mut self) {
                // Relaxed: a hint.
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        // Relaxed: as above.
        self.moving.fetch_add(1, Ordering::Relaxed);
        let _moved = Moved(&self.moving);
        unblock(|| f(&self.file))
    }
}

impl Read for &File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.read_now(&mut [IoSliceMut::new(buf)], None) {
            Some(outcome) => outcome,
            None => self.moving(|mut file| file.read(buf)),
        }
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self.read_now(bufs, None) {
            Some(outcome) => outcome,
            None => self.moving(|mut file| file.read_vectored(bufs)),
        }
    }

    /// All of it in one go.
    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.moving(|mut file| file.read_to_end(buf))
    }

    /// All of it in one go.
    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        self.moving(|mut file| file.read_to_string(buf))
    }
}

impl Write for &File {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.moving(|mut file| file.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.moving(|mut file| file.write_vectored(bufs))
    }

    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        self.moving(|mut file| file.write_all(buf))
    }

    /// Nothing is kept back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        // Relaxed: a hint. Where the end is, a file system across a network must ask.
        if matches!(pos, SeekFrom::End(_)) || self.moving.load(Ordering::Relaxed) != 0 {
            return self.moving(|mut file| file.seek(pos));
        }
        (&self.file).seek(pos)
    }
}

impl Read for File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        (&*self).read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        (&*self).read_to_string(buf)
    }
}

impl Write for File {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        (&*self).write_all(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

impl Seek for File {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        (&*self).seek(pos)
    }
}

impl FileExt for File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        // The kernel takes the largest offset for the file's own position; std's call refuses it.
        let in_place = i64::try_from(offset).is_ok();
        let read = in_place.then(|| self.read_now(&mut [IoSliceMut::new(buf)], Some(offset)));
        match read.flatten() {
            Some(outcome) => outcome,
            None => unblock(|| self.file.read_at(buf, offset)),
        }
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        unblock(|| self.file.write_at(buf, offset))
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        unblock(|| self.file.write_all_at(buf, offset))
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl IntoRawFd for File {
    fn into_raw_fd(self) -> RawFd {
        self.file.into_raw_fd()
    }
}

#[allow(unsafe_code)]
impl FromRawFd for File {
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller's.
        Self::new(unsafe { std::fs::File::from_raw_fd(fd) })
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> Self {
        Self::new(fd.into())
    }
}

impl From<File> for OwnedFd {
    fn from(file: File) -> Self {
        file.file.into()
    }
}

impl From<std::fs::File> for File {
    fn from(file: std::fs::File) -> Self {
        Self::new(file)
    }
}

impl From<File> for std::fs::File {
    fn from(file: File) -> Self {
        file.file
    }
}

impl From<File> for Stdio {
    fn from(file: File) -> Self {
        file.file.into()
    }
}
