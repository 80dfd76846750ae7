//! The reactor: coroutines wait for descriptors here, and their workers sleep here.
//!
//! ```text
//!   coroutine                                  worker
//!   try: EAGAIN
//!   wait ──▶ Source (its list of waiters)      sleeps in, or looks into, its epoll
//!    │         │ first time: epoll_ctl            │ events: slot and generation
//!    ▼         ▼                                  ▼
//!   parked ◀── woken ◀──────────────────────── deliver: the slot's Source, if the generation is its own
//! ```
//!
//! Each worker has a [`Reactor`]: an epoll, made when the first descriptor is waited for on the worker, and a
//! [`Bell`](crate::sys::epoll::Bell) that ends a sleep in it; until then the worker sleeps on a word, and
//! nothing here costs it anything. [`source`] is what is known of one descriptor, [`slab`] where that is
//! kept, [`registration`] what a socket holds of it.
//!
//! A descriptor is registered once, edge-triggered, with the worker on which it is first waited for. What an
//! event says is kept in the source until somebody finds that it is so no longer, so no system call is
//! needed to arm anything again. An event carries no pointer, only the number of a slot and the slot's
//! generation: one that was told before the descriptor left, and arrives after, finds another generation.
//!
//! Another kernel interface (io_uring) would be another [`driver`]; what it would have to do is in its three
//! functions: watch, unwatch, and wait.
//!
//! # Invariants
//!
//! 1. A reactor is never freed: whoever wants to wake its worker, or to take a descriptor out of its epoll,
//!    may come late.
//! 2. Its worker alone makes its driver and waits in it; anybody may watch and unwatch descriptors.

#![allow(unsafe_code)]

mod alarm;
mod driver;
mod first;
mod registration;
mod slab;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use registration::Registration;
pub(crate) use source::{Direction, Waited};

use crate::sys::futex;
use crate::sys::socket::Errno;
use crate::util::atomic::futex_word;
use alarm::{Alarm, Bed, SILENT};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use driver::{Driver, Token};
use source::Ready;
use std::os::fd::BorrowedFd;

/// Where one worker sleeps, and what descriptors can wake it.
#[derive(Debug)]
pub(crate) struct Reactor {
    /// Its driver is there from the first descriptor on.
    alarm: Alarm<Driver>,
    /// How many descriptors are watched.
    watched: AtomicUsize,
    /// A worker looks into it.
    served: AtomicBool,
}

impl Reactor {
    pub(crate) fn new() -> Self {
        Self { alarm: Alarm::new(), watched: AtomicUsize::new(0), served: AtomicBool::new(false) }
    }

    /// Ends the worker's sleep, or the next one if it does not sleep. From anywhere.
    pub(crate) fn ring(&self) {
        self.alarm.ring(|bed| match bed {
            Bed::Driver(driver) => driver.ring(),
            Bed::Word(word) => futex::wake_one(futex_word(word)),
        });
    }

    /// Sleeps until it rings or something is ready, at most for `timeout`; not at all if it has rung since
    /// the last sleep. Wakes who waits for what is ready; says whether something is. May end early for no
    /// reason. For its worker.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) -> bool {
        let mut told = false;
        self.alarm.sleep(|bed| match bed {
            Bed::Driver(driver) => told = driver.wait(timeout),
            Bed::Word(word) => futex::wait(futex_word(word), SILENT, timeout),
        });
        told
    }

    /// Wakes who waits for what is ready now; says whether something is. For its worker.
    pub(crate) fn look(&self) -> bool {
        self.alarm.driver().is_some_and(|driver| driver.wait(Some(Duration::ZERO)))
    }

    /// Whether there is anything to look for.
    #[inline(always)]
    pub(crate) fn in_use(&self) -> bool {
        // Relaxed: what this worker has registered itself it sees; the rest comes with a ring.
        self.watched.load(Ordering::Relaxed) != 0
    }

    /// A worker begins to look into it.
    pub(crate) fn open(&self) {
        // SeqCst: as in `close`.
        self.served.store(true, Ordering::SeqCst);
    }

    /// The worker goes home: whoever still waits for something here must wait elsewhere.
    pub(crate) fn close(&'static self) {
        // SeqCst: for a source whose lock is taken after this, `served` says no; who waits for one whose
        // lock was taken before is woken here.
        self.served.store(false, Ordering::SeqCst);
        if self.in_use() {
            slab::for_each(|source| source.wake_if_at(self));
        }
    }

    fn is_served(&self) -> bool {
        // SeqCst: pairs with the stores in `open` and `close`.
        self.served.load(Ordering::SeqCst)
    }

    /// Lets it be known here what `fd` is ready for. On its worker.
    fn watch(&self, fd: BorrowedFd<'_>, token: Token, interest: Ready) -> Result<(), Errno> {
        self.driver_or_new()?.watch(fd, token, interest)?;
        // Relaxed: see `in_use`.
        self.watched.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Lets nothing more be told of `fd`, which is watched here.
    fn unwatch(&self, fd: BorrowedFd<'_>) {
        if let Some(driver) = self.alarm.driver() {
            driver.unwatch(fd);
        }
        // Relaxed: see `in_use`.
        self.watched.fetch_sub(1, Ordering::Relaxed);
    }

    /// The driver, made now if need be. For its worker (invariant 2).
    fn driver_or_new(&self) -> Result<&'static Driver, Errno> {
        if let Some(driver) = self.alarm.driver() {
            return Ok(driver);
        }
        let driver = Box::leak(Box::new(Driver::new()?));
        self.alarm.set_driver(driver);
        Ok(driver)
    }
}
