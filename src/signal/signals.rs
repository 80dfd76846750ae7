//! [`Signals`]: what a handler leaves, and who waits for it.
//!
//! # No signal is lost
//!
//! ```text
//!   the handler                    whoever waits
//!   1. sets the signal's bit       1. takes a bit, if one is set
//!   2. writes to the eventfd       2. empties the eventfd
//!                                  3. takes a bit, if one is set by now
//!                                  4. waits for the eventfd
//! ```
//!
//! If the write comes before step 2, the bit was set before, so step 3 sees it; if after, step 4 does not
//! wait.
//!
//! # Invariants
//!
//! 1. The action does nothing that a signal handler may not: an atomic operation and a system call of our
//!    own.

#![allow(unsafe_code)]

use crate::io::{Descriptor, Direction, Origin};
use crate::sys::signal::{event, reset_event, set_event};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use rustix::io::Errno;
use signal_hook_registry::{FORBIDDEN, SigId, register, unregister};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

/// Signals that may be waited for: as long as it lives they are collected, whether somebody waits or not.
///
/// ```
/// use kettle::signal::{SIGUSR1, SIGUSR2, Signals};
///
/// let signals = Signals::new(&[SIGUSR1, SIGUSR2])?;
/// # unsafe extern "C" { safe fn raise(signal: i32) -> i32; }
/// raise(SIGUSR1);
/// assert_eq!(kettle::run(|| signals.wait())?, SIGUSR1);
/// assert_eq!(signals.pending().count(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Signals {
    shared: Arc<Shared>,
    actions: Vec<SigId>,
    numbers: Vec<i32>,
}

struct Shared {
    /// A bit for each signal that has come and has not been taken; signal 1 has the lowest.
    came: AtomicU64,
    /// Readable when there is something to look at.
    event: Descriptor,
}

/// The largest number of a signal.
const LARGEST: i32 = 64;

impl Signals {
    /// Begins to collect the signals with these numbers.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for numbers that no signal has, and for signals that
    /// cannot be waited for: SIGKILL and SIGSTOP, which the kernel lets nobody catch, and SIGSEGV, SIGILL and
    /// SIGFPE, which say that the program is broken. Where no descriptor is left.
    pub fn new(signals: &[i32]) -> io::Result<Self> {
        for &signal in signals {
            if !(1..=LARGEST).contains(&signal) {
                return Err(invalid(format!("there is no signal {signal}; choose from 1 to 64")));
            }
            if FORBIDDEN.contains(&signal) {
                return Err(invalid(format!(
                    "signal {signal} cannot be waited for: the kernel does not allow it, or it says that \
                     the program is broken"
                )));
            }
        }
        let shared = Arc::new(Shared {
            came: AtomicU64::new(0),
            event: Descriptor::new(event()?, Origin::NonBlocking),
        });
        // From here on dropping it takes back what has been done.
        let mut this = Self { shared, actions: Vec::new(), numbers: Vec::new() };
        for &signal in signals {
            if this.numbers.contains(&signal) {
                continue;
            }
            let shared = Arc::clone(&this.shared);
            // SAFETY: invariant 1.
            let action = unsafe { register(signal, move || shared.arrived(signal)) }?;
            this.actions.push(action);
            this.numbers.push(signal);
        }
        Ok(this)
    }

    /// Waits for one of the signals and takes it; at once if one has come already.
    ///
    /// # Errors
    ///
    /// Where the system refuses to wait: no memory.
    pub fn wait(&self) -> io::Result<i32> {
        let shared = &self.shared;
        shared.event.try_else_wait(Direction::Read, |event| {
            if let Some(signal) = shared.take() {
                return Ok(signal);
            }
            reset_event(event);
            shared.take().ok_or(Errno::AGAIN)
        })
    }

    /// The signals that have come and have not been taken, taken one after the other, without waiting.
    pub fn pending(&self) -> impl Iterator<Item = i32> + '_ {
        core::iter::from_fn(|| self.shared.take())
    }

    /// The signals as they come, for ever; see [`wait`](Self::wait).
    pub fn iter(&self) -> Iter<'_> {
        Iter { signals: self }
    }
}

impl Shared {
    /// For the handler.
    fn arrived(&self, signal: i32) {
        // Release: pairs with the Acquire in `take`.
        self.came.fetch_or(1 << (signal - 1), Ordering::Release);
        set_event(self.event.as_fd());
    }

    /// Takes the signal with the smallest number of those that have come.
    fn take(&self) -> Option<i32> {
        let mut came = self.came.load(Ordering::Relaxed);
        while came != 0 {
            let rest = came & (came - 1);
            // Acquire: pairs with the Release in `arrived`: what the signal's sender in this process wrote
            // before is seen.
            match self.came.compare_exchange_weak(came, rest, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => {
                    if rest != 0 {
                        // For another one who waits: step 2 may have emptied what was to wake that one.
                        set_event(self.event.as_fd());
                    }
                    return Some(came.trailing_zeros() as i32 + 1);
                }
                Err(now) => came = now,
            }
        }
        None
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for &action in &self.actions {
            unregister(action);
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").field("signals", &self.numbers).finish_non_exhaustive()
    }
}

/// The signals of a [`Signals`] as they come: it has no end. It panics where [`Signals::wait`] would return an
/// error.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    signals: &'a Signals,
}

impl Iterator for Iter<'_> {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        match self.signals.wait() {
            Ok(signal) => Some(signal),
            Err(error) => panic!("failed to wait for a signal: {error}"),
        }
    }
}

impl<'a> IntoIterator for &'a Signals {
    type Item = i32;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
