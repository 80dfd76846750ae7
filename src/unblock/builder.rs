//! The shape of a pool.

use super::{GLOBAL, Pool};
use core::time::Duration;
use std::io;

/// The shape of a [`Pool`], or of the one that [`unblock`](crate::unblock()) uses.
///
/// ```standalone_crate
/// use std::time::Duration;
///
/// // Before anything blocks.
/// kettle::unblock::Builder::new()
///     .threads(64)
///     .keep_alive(Duration::from_secs(60))
///     .build_global()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until `build` or `build_global`"]
pub struct Builder {
    settings: Settings,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) threads: usize,
    pub(super) keep_alive: Duration,
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: 512,
            keep_alive: Duration::from_secs(10),
            name: "kettle-unblock".to_string(),
            stack_size: None,
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// At most 512 threads, each of which ends when it has been idle for ten seconds.
    pub fn new() -> Self {
        Self { settings: Settings::default() }
    }

    /// The most threads that the pool may have at once, at least one; 512 by default.
    pub fn threads(mut self, most: usize) -> Self {
        self.settings.threads = most;
        self
    }

    /// How long a thread waits for another job before it ends; ten seconds by default.
    /// [`Duration::MAX`] keeps threads for ever.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.settings.keep_alive = keep_alive;
        self
    }

    /// The name of the threads; `kettle-unblock` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// The stack size of the threads in bytes; std's default by default.
    pub fn stack_size(mut self, size: usize) -> Self {
        self.settings.stack_size = Some(size);
        self
    }

    /// Makes a pool. Its threads start as they are needed.
    ///
    /// # Errors
    ///
    /// For a bound of no threads at all, and for a name with a NUL in it.
    pub fn build(self) -> io::Result<Pool> {
        if self.settings.threads == 0 {
            return Err(invalid(
                "a pool without threads could run nothing; choose a bound of 1 or more",
            ));
        }
        if self.settings.name.contains('\0') {
            return Err(invalid("the pool threads' name contains a NUL"));
        }
        Ok(Pool::new(self.settings))
    }

    /// Gives the pool that [`unblock`](crate::unblock()) uses this shape.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and if that pool is in use already.
    pub fn build_global(self) -> io::Result<()> {
        GLOBAL.set(self.build()?).map_err(|_| {
            io::Error::new(
                io::ErrorKind::AlreadyExists,
                "kettle's pool for work that must block is in use already; configure it before the \
                 first `unblock`, and before files, names or processes are used in a coroutine",
            )
        })
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
