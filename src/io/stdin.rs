//! Standard input.

use super::waiting::{Patience, Trust, try_else_wait};
use crate::reactor::{Direction, Registration};
use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::sys::pipe;
use crate::unblock::{runs_in_place, unblock};
use core::fmt;
use rustix::io::Errno;
use std::io::{self, BufRead, BufReader, IoSliceMut, Lines, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;

/// The process's standard input: the mirror of [`std::io::stdin`].
///
/// A coroutine that reads it waits like any other: for a terminal, a pipe or a socket in the reactor, so that
/// it can be cancelled; for a file on the pool of [`unblock`](crate::unblock()).
///
/// It has a buffer of its own: who reads by std's too misses what this one has read ahead.
///
/// ```no_run
/// kettle::run(|| {
///     for line in kettle::io::stdin().lines() {
///         println!("the kettle says {}", line?);
///     }
///     Ok::<(), std::io::Error>(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn stdin() -> Stdin {
    static BUFFER: OnceLock<Mutex<BufReader<Raw>>> = OnceLock::new();
    Stdin { buffer: BUFFER.get_or_init(|| Mutex::new(BufReader::new(Raw))) }
}

/// A handle to standard input: the mirror of [`std::io::Stdin`].
pub struct Stdin {
    buffer: &'static Mutex<BufReader<Raw>>,
}

/// Standard input for one alone: the mirror of [`std::io::StdinLock`].
pub struct StdinLock<'a> {
    buffer: MutexGuard<'a, BufReader<Raw>>,
}

/// Standard input without a buffer.
struct Raw;

impl Stdin {
    /// Waits until nobody else has it, and keeps it for the caller. A coroutine parks while it waits.
    #[must_use]
    pub fn lock(&self) -> StdinLock<'static> {
        // Whoever panicked while he had it has left a buffer whose bytes are all there.
        StdinLock { buffer: self.buffer.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Reads a line with its end, and appends it, as [`std::io::Stdin::read_line`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn read_line(&self, buf: &mut String) -> io::Result<usize> {
        self.lock().read_line(buf)
    }

    /// The lines, as [`std::io::Stdin::lines`].
    #[must_use]
    pub fn lines(self) -> Lines<StdinLock<'static>> {
        self.lock().lines()
    }

    /// Whether it is a terminal, as [`IsTerminal::is_terminal`](io::IsTerminal::is_terminal), a trait that
    /// std alone can implement.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&self.as_fd())
    }
}

impl StdinLock<'_> {
    /// Whether it is a terminal; see [`Stdin::is_terminal`].
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&self.as_fd())
    }
}

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buf)])
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        /// Takes standard input out of the reactor, also if the coroutine unwinds: whoever replaces what is
        /// open as descriptor 0 does not find the old one waited for.
        struct Registered(Registration);

        impl Drop for Registered {
            fn drop(&mut self) {
                self.0.release(rustix::stdio::stdin());
            }
        }

        let fd = rustix::stdio::stdin();
        let read = if runs_in_place() {
            rustix::io::readv(fd, bufs).map_err(io::Error::from)
        } else {
            let registered = Registered(Registration::new());
            let read = try_else_wait(
                fd,
                &registered.0,
                Direction::Read,
                Trust::TryFirst,
                || Ok(Patience::Endless),
                || pipe::read(fd, bufs, true),
                |_| false,
            );
            match read {
                // Nothing that one can wait for: a file.
                Err(error) if is(&error, Errno::PERM) => {
                    unblock(|| rustix::io::readv(fd, bufs)).map_err(io::Error::from)
                }
                read => read,
            }
        };
        match read {
            // As std has it: a standard input that is closed has nothing to give.
            Err(error) if is(&error, Errno::BADF) => Ok(0),
            read => read,
        }
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

impl Read for StdinLock<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.buffer.read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.buffer.read_vectored(bufs)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.buffer.read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        self.buffer.read_to_string(buf)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.buffer.read_exact(buf)
    }
}

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.buffer.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.buffer.consume(amount);
    }
}

impl Read for &Stdin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.lock().read_vectored(bufs)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.lock().read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        self.lock().read_to_string(buf)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.lock().read_exact(buf)
    }
}

impl Read for Stdin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.lock().read_vectored(bufs)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.lock().read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        self.lock().read_to_string(buf)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.lock().read_exact(buf)
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        rustix::stdio::stdin()
    }
}

impl AsRawFd for Stdin {
    fn as_raw_fd(&self) -> RawFd {
        rustix::stdio::raw_stdin()
    }
}

impl AsFd for StdinLock<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        rustix::stdio::stdin()
    }
}

impl AsRawFd for StdinLock<'_> {
    fn as_raw_fd(&self) -> RawFd {
        rustix::stdio::raw_stdin()
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdin").finish_non_exhaustive()
    }
}

impl fmt::Debug for StdinLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinLock").finish_non_exhaustive()
    }
}
