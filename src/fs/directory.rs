//! [`ReadDir`] and [`DirEntry`]: what is in a directory.

use crate::unblock::unblock;
use core::fmt;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{FileType, Metadata};
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};

/// How many entries are fetched at a time: the hand-over to the pool is theirs to share.
const AT_A_TIME: usize = 128;

/// The entries of a directory: the mirror of [`std::fs::ReadDir`].
///
/// They are fetched some hundred at a time; what comes into the directory or goes meanwhile may be seen or
/// not, as with std.
pub struct ReadDir {
    directory: std::fs::ReadDir,
    fetched: VecDeque<io::Result<DirEntry>>,
    /// Whether the directory has said that there are no more.
    ended: bool,
}

/// An entry of a directory: the mirror of [`std::fs::DirEntry`].
pub struct DirEntry {
    entry: std::fs::DirEntry,
    /// As most file systems give it with the entry; none where it could not be had.
    file_type: Option<FileType>,
}

// Entries are put in and taken out whole.
impl UnwindSafe for ReadDir {}
impl RefUnwindSafe for ReadDir {}

impl ReadDir {
    /// Opens the directory and fetches the first entries. Blocks.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let directory = std::fs::read_dir(path)?;
        let mut this = Self { directory, fetched: VecDeque::new(), ended: false };
        this.fetch();
        Ok(this)
    }

    /// Blocks.
    fn fetch(&mut self) {
        while self.fetched.len() < AT_A_TIME {
            match self.directory.next() {
                None => {
                    self.ended = true;
                    return;
                }
                Some(Ok(entry)) => {
                    let file_type = entry.file_type().ok();
                    self.fetched.push_back(Ok(DirEntry { entry, file_type }));
                }
                Some(Err(error)) => {
                    self.fetched.push_back(Err(error));
                    return;
                }
            }
        }
    }
}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fetched.is_empty() && !self.ended {
            unblock(|| self.fetch());
        }
        self.fetched.pop_front()
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.directory.fmt(f)
    }
}

impl DirEntry {
    /// The directory's path with the entry's name, as [`std::fs::DirEntry::path`].
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// What the file system knows of it, links not followed, as [`std::fs::DirEntry::metadata`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn metadata(&self) -> io::Result<Metadata> {
        unblock(|| self.entry.metadata())
    }

    /// What it is, links not followed, as [`std::fs::DirEntry::file_type`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn file_type(&self) -> io::Result<FileType> {
        match self.file_type {
            Some(file_type) => Ok(file_type),
            None => unblock(|| self.entry.file_type()),
        }
    }

    /// Its name, as [`std::fs::DirEntry::file_name`].
    #[must_use]
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }
}

impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.entry.ino()
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}
