//! *Try, else wait*: the one loop in which everything that does I/O in kettle waits.

use crate::reactor::{Direction, Registration, Waited};
use crate::scheduler::current_reactor;
use crate::sys::poll;
use crate::sys::socket::Errno;
use crate::task::spend_budget;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// How long an operation waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not at all: it returns [`WouldBlock`](io::ErrorKind::WouldBlock).
    None,
    /// At most so long.
    Limited(Duration),
    /// For ever.
    Endless,
}

/// Whether what is known of a descriptor is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is tried in any case.
    TryFirst,
    /// Where it is known not to be ready it is waited for at once.
    Known,
}

/// How an attempt says that it could not.
pub(crate) trait Refusal: Into<io::Error> {
    /// It would have had to wait.
    fn would_block(&self) -> bool;
    /// A signal has come.
    fn is_interrupted(&self) -> bool;
}

impl Refusal for Errno {
    #[inline(always)]
    fn would_block(&self) -> bool {
        *self == Self::AGAIN
    }

    #[inline(always)]
    fn is_interrupted(&self) -> bool {
        *self == Self::INTR
    }
}

impl Refusal for io::Error {
    fn would_block(&self) -> bool {
        self.kind() == io::ErrorKind::WouldBlock
    }

    fn is_interrupted(&self) -> bool {
        self.kind() == io::ErrorKind::Interrupted
    }
}

/// Does `attempt` until it says something else than that it would have to wait, and waits in between: in a
/// coroutine it gives the worker to others, on an OS thread it blocks the thread. A signal makes it try
/// again.
///
/// `attempt` must not wait. `is_empty` says of a value whether it shows that no more is to be had for the
/// time being, so that the next one waits before it tries. `patience` is asked when it comes to waiting.
///
/// The wait is a cancellation point. What was received is not lost by it: it comes before the attempt.
///
/// # Errors
///
/// `attempt`'s own; [`WouldBlock`](io::ErrorKind::WouldBlock) where the patience is at its end; and where
/// the descriptor cannot be registered.
#[inline]
pub(crate) fn try_else_wait<T, E: Refusal>(
    fd: BorrowedFd<'_>,
    registration: &Registration,
    direction: Direction,
    trust: Trust,
    patience: impl FnOnce() -> io::Result<Patience>,
    mut attempt: impl FnMut() -> Result<T, E>,
    is_empty: impl Fn(&T) -> bool,
) -> io::Result<T> {
    spend_budget();
    let mut seen = registration.seen();
    if trust == Trust::TryFirst || seen.is_ready(direction) {
        loop {
            match attempt() {
                Ok(value) => {
                    if is_empty(&value) {
                        seen.came_up_short();
                    }
                    return Ok(value);
                }
                Err(error) if error.would_block() => break seen.would_block(direction),
                Err(error) if error.is_interrupted() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let deadline = match patience()? {
        Patience::None => return Err(Errno::AGAIN.into()),
        // A time that the clock does not reach is for ever.
        Patience::Limited(timeout) => Instant::now().checked_add(timeout),
        Patience::Endless => None,
    };
    loop {
        let last = wait(fd, registration, direction, deadline)? == Waited::TimedOut;
        seen = registration.seen();
        match attempt() {
            Ok(value) => {
                if is_empty(&value) {
                    seen.came_up_short();
                }
                return Ok(value);
            }
            Err(error) if error.would_block() && last => return Err(error.into()),
            Err(error) if error.would_block() => seen.would_block(direction),
            Err(error) if error.is_interrupted() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until `fd` may be ready, at the longest until `deadline`.
#[inline(never)]
fn wait(
    fd: BorrowedFd<'_>,
    registration: &Registration,
    direction: Direction,
    deadline: Option<Instant>,
) -> Result<Waited, Errno> {
    match current_reactor() {
        Some(reactor) => registration.wait(fd, direction, reactor, deadline),
        None => wait_in_kernel(fd, direction, deadline),
    }
}

/// Waits with the OS thread.
#[cold]
fn wait_in_kernel(
    fd: BorrowedFd<'_>,
    direction: Direction,
    deadline: Option<Instant>,
) -> Result<Waited, Errno> {
    let events = match direction {
        Direction::Read => poll::Events::IN,
        Direction::Write => poll::Events::OUT,
    };
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let ready = poll::wait(fd, events, left)?;
    let over = left.is_some_and(|left| left.is_zero());
    Ok(if over && !ready { Waited::TimedOut } else { Waited::Ready })
}
