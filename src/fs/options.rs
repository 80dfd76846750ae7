//! [`OpenOptions`] and [`DirBuilder`]: how files and directories come into being.

use super::File;
use crate::unblock::unblock;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// How to open a file: the mirror of [`std::fs::OpenOptions`].
///
/// ```
/// use kettle::fs::OpenOptions;
/// use std::os::unix::fs::OpenOptionsExt;
///
/// # let path = std::env::temp_dir().join(format!("kettle-doc-options-{}", std::process::id()));
/// kettle::run(|| {
///     let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
///     assert!(OpenOptions::new().write(true).create_new(true).open(&path).is_err());
///     drop(file);
///     kettle::fs::remove_file(&path)
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions(std::fs::OpenOptions);

#[allow(clippy::new_without_default, reason = "std's has no Default either")]
impl OpenOptions {
    /// Nothing asked for, as [`std::fs::OpenOptions::new`].
    #[must_use]
    pub fn new() -> Self {
        Self(std::fs::OpenOptions::new())
    }

    /// To read it.
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.0.read(read);
        self
    }

    /// To write it.
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.0.write(write);
        self
    }

    /// To write at its end, wherever that is by then.
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.0.append(append);
        self
    }

    /// To begin with it empty.
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.0.truncate(truncate);
        self
    }

    /// To make it if it is not there.
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.0.create(create);
        self
    }

    /// To make it, and to fail if it is there.
    pub fn create_new(&mut self, create_new: bool) -> &mut Self {
        self.0.create_new(create_new);
        self
    }

    /// Opens the file, as [`std::fs::OpenOptions::open`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        let path = path.as_ref();
        unblock(|| self.0.open(path)).map(File::new)
    }
}

impl OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.0.custom_flags(flags);
        self
    }
}

/// How to make a directory: the mirror of [`std::fs::DirBuilder`].
#[derive(Debug)]
pub struct DirBuilder(std::fs::DirBuilder);

#[allow(clippy::new_without_default, reason = "std's has no Default either")]
impl DirBuilder {
    /// One directory, whose parent is there, as [`std::fs::DirBuilder::new`].
    #[must_use]
    pub fn new() -> Self {
        Self(std::fs::DirBuilder::new())
    }

    /// Its parents too, where they are missing.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.0.recursive(recursive);
        self
    }

    /// Makes it, as [`std::fs::DirBuilder::create`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn create<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        unblock(|| self.0.create(path))
    }
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }
}
