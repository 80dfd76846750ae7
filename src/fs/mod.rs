//! Files and directories in the shape of [`std::fs`]: what may wait for a disk is done on the threads of
//! [`unblock`](crate::unblock()), while the coroutine waits.
//!
//! Swap `use std::fs` for `use kettle::fs`: `docs/mirror.md` lists every path. On a plain OS thread all of it
//! is std's own.
//!
//! ```
//! use kettle::fs;
//!
//! # let path = std::env::temp_dir().join(format!("kettle-doc-fs-{}", std::process::id()));
//! kettle::run(|| {
//!     fs::write(&path, "put the kettle on")?;
//!     assert_eq!(fs::read_to_string(&path)?, "put the kettle on");
//!     assert_eq!(fs::metadata(&path)?.len(), 17);
//!     fs::remove_file(&path)
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What it costs
//!
//! A function is one hand-over to another thread and back, however much it does: some four microseconds
//! where the threads are awake, several times that where they must be woken. [`read`], [`write()`] and
//! [`File`]'s `read_to_end` are one each. For what a [`File`] does in place see there.
//!
//! # Cancellation
//!
//! Each of them is a cancellation point while it waits for a thread, and none once one has begun it: what
//! was begun is done, and its outcome returned.
//!
//! # What is not here
//!
//! The functions of [`Path`] ([`exists`](Path::exists), [`metadata`](Path::metadata) and so on) are
//! std's and block; so are those of `std::os::unix::fs`.

mod directory;
mod file;
mod lock;
mod options;

pub use directory::{DirEntry, ReadDir};
pub use file::File;
pub use lock::TryLockError;
pub use options::{DirBuilder, OpenOptions};
pub use std::fs::{FileTimes, FileType, Metadata, Permissions};

use crate::unblock::unblock;
use std::io;
use std::path::{Path, PathBuf};

/// The absolute path without links, as [`std::fs::canonicalize`].
///
/// # Errors
///
/// As there.
pub fn canonicalize<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    let path = path.as_ref();
    unblock(|| std::fs::canonicalize(path))
}

/// Makes a directory, as [`std::fs::create_dir`].
///
/// # Errors
///
/// As there.
pub fn create_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    unblock(|| std::fs::create_dir(path))
}

/// Makes a directory and its missing parents, as [`std::fs::create_dir_all`].
///
/// # Errors
///
/// As there.
pub fn create_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    unblock(|| std::fs::create_dir_all(path))
}

/// Whether something is there, as [`std::fs::exists`].
///
/// # Errors
///
/// As there.
pub fn exists<P: AsRef<Path>>(path: P) -> io::Result<bool> {
    let path = path.as_ref();
    unblock(|| std::fs::exists(path))
}

/// What the file system knows of a file, links followed, as [`std::fs::metadata`].
///
/// # Errors
///
/// As there.
pub fn metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    let path = path.as_ref();
    unblock(|| std::fs::metadata(path))
}

/// The whole of a file, as [`std::fs::read`].
///
/// # Errors
///
/// As there.
pub fn read<P: AsRef<Path>>(path: P) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    unblock(|| std::fs::read(path))
}

/// The entries of a directory, as [`std::fs::read_dir`].
///
/// # Errors
///
/// As there.
pub fn read_dir<P: AsRef<Path>>(path: P) -> io::Result<ReadDir> {
    let path = path.as_ref();
    unblock(|| ReadDir::open(path))
}

/// Where a symbolic link leads, as [`std::fs::read_link`].
///
/// # Errors
///
/// As there.
pub fn read_link<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    let path = path.as_ref();
    unblock(|| std::fs::read_link(path))
}

/// The whole of a file, which is text, as [`std::fs::read_to_string`].
///
/// # Errors
///
/// As there.
pub fn read_to_string<P: AsRef<Path>>(path: P) -> io::Result<String> {
    let path = path.as_ref();
    unblock(|| std::fs::read_to_string(path))
}

/// Removes an empty directory, as [`std::fs::remove_dir`].
///
/// # Errors
///
/// As there.
pub fn remove_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    unblock(|| std::fs::remove_dir(path))
}

/// Removes a directory with all that is in it, as [`std::fs::remove_dir_all`].
///
/// # Errors
///
/// As there.
pub fn remove_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    unblock(|| std::fs::remove_dir_all(path))
}

/// Removes a file, as [`std::fs::remove_file`].
///
/// # Errors
///
/// As there.
pub fn remove_file<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    unblock(|| std::fs::remove_file(path))
}

/// What the file system knows of a file, links not followed, as [`std::fs::symlink_metadata`].
///
/// # Errors
///
/// As there.
pub fn symlink_metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    let path = path.as_ref();
    unblock(|| std::fs::symlink_metadata(path))
}

/// Copies a file and its permissions; returns how many bytes, as [`std::fs::copy`].
///
/// # Errors
///
/// As there.
pub fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<u64> {
    let (from, to) = (from.as_ref(), to.as_ref());
    unblock(|| std::fs::copy(from, to))
}

/// Makes another name for a file, as [`std::fs::hard_link`].
///
/// # Errors
///
/// As there.
pub fn hard_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> io::Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    unblock(|| std::fs::hard_link(original, link))
}

/// Moves a file or a directory, as [`std::fs::rename`].
///
/// # Errors
///
/// As there.
pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    unblock(|| std::fs::rename(from, to))
}

/// Makes a symbolic link, as [`std::fs::soft_link`], which is deprecated.
///
/// # Errors
///
/// As there.
#[deprecated(note = "as in std: use `std::os::unix::fs::symlink`, in `unblock`")]
pub fn soft_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> io::Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    unblock(|| std::os::unix::fs::symlink(original, link))
}

/// Changes who may do what with a file, as [`std::fs::set_permissions`].
///
/// # Errors
///
/// As there.
pub fn set_permissions<P: AsRef<Path>>(path: P, perm: Permissions) -> io::Result<()> {
    let path = path.as_ref();
    unblock(|| std::fs::set_permissions(path, perm))
}

/// Makes a file with these bytes in it, or replaces what was in it, as [`std::fs::write`].
///
/// # Errors
///
/// As there.
pub fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> io::Result<()> {
    let (path, contents) = (path.as_ref(), contents.as_ref());
    unblock(|| std::fs::write(path, contents))
}
