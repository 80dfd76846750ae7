//! A descriptor that coroutines wait for: the core of every socket.
//!
//! # Invariants
//!
//! 1. `options` is null or comes from `Arc::into_raw`; once set it stays.
//! 2. The descriptor is taken out of the reactor before it is closed or given away.

#![allow(unsafe_code)]

use super::waiting::{Patience, Trust, try_else_wait};
use crate::reactor::{Direction, Registration};
use crate::sys::socket::{self, Errno, sockopt};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// Where a descriptor comes from, which says what may be done with its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Made here, with nothing special about it: its calls are told not to wait one by one.
    Plain,
    /// Made here and set to non-blocking, because there are calls on it that cannot be told not to wait. It
    /// is set back when it is given away.
    NonBlocking,
    /// From outside: others may have it too, and rely on its flags. What they are is looked up when first
    /// needed.
    Foreign,
}

/// See the top of the file.
pub(crate) struct Descriptor {
    fd: OwnedFd,
    origin: Origin,
    registration: Registration,
    /// Null as long as all is as usual.
    options: AtomicPtr<Options>,
}

/// What has been asked for, in common to a descriptor and its clones.
#[derive(Debug, Default)]
struct Options {
    /// The user does not want to wait.
    nonblocking: AtomicBool,
    /// Nanoseconds; zero for none.
    read_timeout: AtomicU64,
    write_timeout: AtomicU64,
    /// For foreign descriptors: the above has been looked up.
    known: AtomicBool,
    /// Calls on it may wait in spite of `Origin::NonBlocking`: a clone was given away.
    given_away: AtomicBool,
}

impl Options {
    fn timeout(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::Read => &self.read_timeout,
            Direction::Write => &self.write_timeout,
        }
    }

    /// Looks up what a foreign descriptor was set to before it came here.
    #[cold]
    fn look_up(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // Relaxed, here and below: each value for itself, and whoever looks twice finds the same.
        self.nonblocking.store(socket::is_nonblocking(fd)?, Ordering::Relaxed);
        for direction in [Direction::Read, Direction::Write] {
            // Not everything that comes as a socket is one.
            let timeout = socket::timeout(fd, which(direction)).ok().flatten();
            self.timeout(direction).store(to_nanos(timeout), Ordering::Relaxed);
        }
        self.known.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Zero for none; what does not fit is cut off at 584 years.
fn to_nanos(timeout: Option<Duration>) -> u64 {
    timeout.map_or(0, |timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
}

impl Descriptor {
    pub(crate) fn new(fd: OwnedFd, origin: Origin) -> Self {
        let options = AtomicPtr::new(ptr::null_mut());
        Self { fd, origin, registration: Registration::new(), options }
    }

    #[inline(always)]
    fn options(&self) -> Option<&Options> {
        // Acquire: pairs with the Release in `options_or_new`.
        // SAFETY: invariant 1.
        unsafe { self.options.load(Ordering::Acquire).as_ref() }
    }

    fn options_or_new(&self) -> &Options {
        if let Some(options) = self.options() {
            return options;
        }
        let new = Arc::into_raw(Arc::new(Options::default())).cast_mut();
        let null = ptr::null_mut();
        // Release and Acquire: pair with `options` and with each other.
        match self.options.compare_exchange(null, new, Ordering::Release, Ordering::Acquire) {
            // SAFETY: invariant 1.
            Ok(_) => unsafe { &*new },
            // SAFETY: the new one was never shared; the earlier one by invariant 1.
            Err(earlier) => unsafe {
                drop(Arc::from_raw(new));
                &*earlier
            },
        }
    }

    /// The options, and for a foreign descriptor what it was set to.
    fn known_options(&self) -> io::Result<Option<&Options>> {
        if self.origin != Origin::Foreign {
            return Ok(self.options());
        }
        let options = self.options_or_new();
        // Relaxed: see `look_up`.
        if !options.known.load(Ordering::Relaxed) {
            options.look_up(self.as_fd())?;
        }
        Ok(Some(options))
    }

    /// How long an operation on it is to wait.
    #[inline(always)]
    pub(crate) fn patience(&self, direction: Direction) -> io::Result<Patience> {
        if self.origin != Origin::Foreign && self.options().is_none() {
            return Ok(Patience::Endless);
        }
        self.unusual_patience(direction)
    }

    fn unusual_patience(&self, direction: Direction) -> io::Result<Patience> {
        let Some(options) = self.known_options()? else {
            return Ok(Patience::Endless);
        };
        // Relaxed, both: each for itself.
        if options.nonblocking.load(Ordering::Relaxed) {
            return Ok(Patience::None);
        }
        Ok(match options.timeout(direction).load(Ordering::Relaxed) {
            0 => Patience::Endless,
            nanos => Patience::Limited(Duration::from_nanos(nanos)),
        })
    }

    /// Tries, else waits, as long as the descriptor's options allow; see [`try_else_wait`].
    #[inline]
    pub(crate) fn try_else_wait<T>(
        &self,
        direction: Direction,
        mut attempt: impl FnMut(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> io::Result<T> {
        let fd = self.as_fd();
        let patience = || self.patience(direction);
        let trust = Trust::TryFirst;
        try_else_wait(fd, &self.registration, direction, trust, patience, || attempt(fd), |_| false)
    }

    /// As [`try_else_wait`](Self::try_else_wait), for a kind of descriptor that has nothing more to read
    /// after a read that did not fill its buffer: the next read waits at once.
    #[inline]
    pub(crate) fn read_else_wait(
        &self,
        buffer_len: usize,
        mut attempt: impl FnMut(BorrowedFd<'_>) -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        let fd = self.as_fd();
        let patience = || self.patience(Direction::Read);
        // Relaxed: as in `patience`. Who does not wait must try.
        let tries = |options: &Options| options.nonblocking.load(Ordering::Relaxed);
        let trust = match self.options().is_some_and(tries) {
            true => Trust::TryFirst,
            false => Trust::Known,
        };
        let is_empty = |&read: &usize| 0 < read && read < buffer_len;
        let attempt = || attempt(fd);
        try_else_wait(fd, &self.registration, Direction::Read, trust, patience, attempt, is_empty)
    }

    /// As [`try_else_wait`](Self::try_else_wait), with a patience of the caller's.
    pub(crate) fn try_else_wait_for<T>(
        &self,
        direction: Direction,
        patience: Patience,
        mut attempt: impl FnMut(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> io::Result<T> {
        let fd = self.as_fd();
        let (patience, attempt) = (|| Ok(patience), || attempt(fd));
        let trust = Trust::TryFirst;
        try_else_wait(fd, &self.registration, direction, trust, patience, attempt, |_| false)
    }

    /// Whether a call on it may wait that cannot be told not to.
    pub(crate) fn may_block(&self) -> io::Result<bool> {
        // Relaxed, both: see `look_up`; and a clone that is given away at this moment might as well have been
        // a moment later.
        Ok(match (self.origin, self.known_options()?) {
            (Origin::Foreign, Some(options)) => !options.nonblocking.load(Ordering::Relaxed),
            (_, Some(options)) => options.given_away.load(Ordering::Relaxed),
            (_, None) => self.origin != Origin::NonBlocking,
        })
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        if self.origin != Origin::NonBlocking {
            socket::set_nonblocking(self, nonblocking)?;
        }
        self.known_options()?;
        // Relaxed: as in `patience`.
        self.options_or_new().nonblocking.store(nonblocking, Ordering::Relaxed);
        Ok(())
    }

    /// # Errors
    ///
    /// `InvalidInput` for a timeout of zero, as std has it, and the kernel's.
    pub(crate) fn set_timeout(
        &self,
        direction: Direction,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a timeout of zero cannot be set; None waits for ever, set_nonblocking(true) does not wait",
            ));
        }
        // The kernel keeps it for whoever gets the socket after us, and for `timeout`.
        sockopt::set_socket_timeout(self, which(direction), timeout)?;
        self.known_options()?;
        // Relaxed: as in `patience`.
        let nanos = to_nanos(timeout);
        self.options_or_new().timeout(direction).store(nanos, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn timeout(&self, direction: Direction) -> io::Result<Option<Duration>> {
        Ok(socket::timeout(self.as_fd(), which(direction))?)
    }

    /// Another descriptor of the same thing, with the options in common.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        // As std's: not one of the first three, which are taken for the standard ones.
        let fd = socket::duplicate(self, 3)?;
        self.options_or_new();
        // Acquire: pairs with the Release in `options_or_new`.
        let options = self.options.load(Ordering::Acquire);
        // SAFETY: invariant 1, and `self` keeps its own count.
        unsafe { Arc::increment_strong_count(options) };
        let options = AtomicPtr::new(options);
        Ok(Self { fd, origin: self.origin, registration: Registration::new(), options })
    }

    /// The descriptor, set to wait as its user expects.
    pub(crate) fn into_fd(self) -> OwnedFd {
        if self.origin == Origin::NonBlocking {
            // Relaxed: as in `patience` and `may_block`.
            let wanted =
                self.options().is_some_and(|options| options.nonblocking.load(Ordering::Relaxed));
            if !wanted {
                if let Some(options) = self.options() {
                    options.given_away.store(true, Ordering::Relaxed);
                }
                // It cannot fail on an open descriptor.
                let _ = socket::set_nonblocking(&self, false);
            }
        }
        let mut this = ManuallyDrop::new(self);
        this.release();
        // SAFETY: `this` is not used again; the rest of it was given up by `release`.
        unsafe { ptr::read(&raw const this.fd) }
    }

    /// Invariant 2, and the options.
    fn release(&mut self) {
        let Self { fd, registration, options, .. } = self;
        registration.release(fd.as_fd());
        let options = core::mem::replace(options.get_mut(), ptr::null_mut());
        if !options.is_null() {
            // SAFETY: invariant 1.
            unsafe { drop(Arc::from_raw(options)) };
        }
    }
}

fn which(direction: Direction) -> sockopt::Timeout {
    match direction {
        Direction::Read => sockopt::Timeout::Recv,
        Direction::Write => sockopt::Timeout::Send,
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.release();
    }
}

impl AsFd for Descriptor {
    #[inline(always)]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor").field("fd", &self.fd.as_raw_fd()).finish_non_exhaustive()
    }
}
