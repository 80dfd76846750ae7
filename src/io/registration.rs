//! [`Registration`]: waiting for descriptors that kettle knows nothing of.
//!
//! # Invariants
//!
//! 1. The descriptor is taken out of the reactor before whoever has it gets it back or is dropped.

#![allow(unsafe_code)]

use super::waiting::{Patience, Trust, try_else_wait};
use crate::reactor::{self, Direction};
use crate::sys::poll;
use crate::sys::socket::Errno;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// That there is something to read, or to accept, or that the other end has closed.
    Readable,
    /// That there is room to write, or that the other end has closed.
    Writable,
}

impl Interest {
    fn direction(self) -> Direction {
        match self {
            Self::Readable => Direction::Read,
            Self::Writable => Direction::Write,
        }
    }

    fn events(self) -> poll::Events {
        match self {
            Self::Readable => poll::Events::IN,
            Self::Writable => poll::Events::OUT,
        }
    }
}

/// Lets coroutines wait for a descriptor of your own: a pipe, an inotify or timer descriptor, a socket of
/// another library's. Anything that epoll can wait for.
///
/// Its calls must be such that they do not wait: have it set to non-blocking, or use calls that are told
/// not to. Several coroutines may wait at once; on an OS thread a wait blocks the thread. Each wait is a
/// cancellation point.
///
/// The descriptor must stay the same for as long as the registration lives. It is registered when it is first
/// waited for, once; a second `Registration` of the same descriptor gets `AlreadyExists` then.
///
/// ```
/// use kettle::io::{Interest, Registration};
/// use kettle::thread;
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream; // std's, which knows nothing of coroutines
///
/// let (reader, mut writer) = UnixStream::pair()?;
/// reader.set_nonblocking(true)?;
/// let reader = thread::spawn(move || {
///     let reader = Registration::new(reader);
///     let mut word = [0; 16];
///     let len = reader.try_io(Interest::Readable, |mut stream| stream.read(&mut word))?;
///     Ok::<_, std::io::Error>(word[..len].to_vec())
/// });
/// writer.write_all(b"water")?;
/// assert_eq!(reader.join().unwrap()?, b"water");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Registration<T: AsFd> {
    io: T,
    registration: reactor::Registration,
}

impl<T: AsFd> Registration<T> {
    /// For `io`, which stays as it is: nothing is registered before somebody has to wait.
    pub const fn new(io: T) -> Self {
        Self { io, registration: reactor::Registration::new() }
    }

    /// What it was made for.
    pub const fn get_ref(&self) -> &T {
        &self.io
    }

    /// Gives back what it was made for, which is registered nowhere then.
    pub fn into_inner(self) -> T {
        let mut this = ManuallyDrop::new(self);
        this.release();
        // SAFETY: `this` is not used again, and invariant 1.
        unsafe { ptr::read(&raw const this.io) }
    }

    /// Waits until there is something to read, or nothing ever will be.
    ///
    /// # Errors
    ///
    /// What the kernel says of a descriptor that it cannot wait for; `AlreadyExists`, as said above.
    pub fn readable(&self) -> io::Result<()> {
        self.until(Interest::Readable)
    }

    /// Waits until there is room to write, or nobody is left to write to.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    pub fn writable(&self) -> io::Result<()> {
        self.until(Interest::Writable)
    }

    fn until(&self, interest: Interest) -> io::Result<()> {
        let fd = self.io.as_fd();
        self.wait(interest, || match poll::wait(fd, interest.events(), Some(Duration::ZERO)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Errno::AGAIN),
            Err(error) => Err(error),
        })
    }

    /// Calls `f` until it says something else than `WouldBlock`, and waits in between. `Interrupted` makes
    /// it call again at once. This is the loop that kettle's own sockets use.
    ///
    /// # Errors
    ///
    /// `f`'s other ones, and as [`readable`](Self::readable).
    pub fn try_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.wait(interest, || f(&self.io))
    }

    fn wait<R, E>(&self, interest: Interest, attempt: impl FnMut() -> Result<R, E>) -> io::Result<R>
    where
        E: super::waiting::Refusal,
    {
        let (fd, direction) = (self.io.as_fd(), interest.direction());
        let patience = || Ok(Patience::Endless);
        let (trust, is_empty) = (Trust::TryFirst, |_: &R| false);
        try_else_wait(fd, &self.registration, direction, trust, patience, attempt, is_empty)
    }

    fn release(&mut self) {
        self.registration.release(self.io.as_fd());
    }
}

impl<T: AsFd> Drop for Registration<T> {
    fn drop(&mut self) {
        self.release();
    }
}

impl<T: AsFd> AsFd for Registration<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl<T: AsFd> AsRawFd for Registration<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Registration<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("io", &self.io).finish_non_exhaustive()
    }
}
