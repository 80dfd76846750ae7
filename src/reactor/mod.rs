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

mod driver;
mod registration;
mod slab;
mod source;

pub(crate) use registration::Registration;
pub(crate) use source::{Direction, Waited};

use crate::sys::futex;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use core::time::Duration;
use driver::{Driver, Token};
use source::Ready;
use std::io;
use std::os::fd::BorrowedFd;

/// Where one worker sleeps, and what descriptors can wake it.
#[derive(Debug)]
pub(crate) struct Reactor {
    /// [`RUNG`] from a ring until the sleep that it ends.
    word: AtomicU32,
    /// Null until the first descriptor.
    driver: AtomicPtr<Driver>,
    /// How many descriptors are watched.
    watched: AtomicUsize,
    /// A worker looks into it.
    served: AtomicBool,
}

const SILENT: u32 = 0;
const RUNG: u32 = 1;

impl Reactor {
    pub(crate) const fn new() -> Self {
        Self {
            word: AtomicU32::new(SILENT),
            driver: AtomicPtr::new(ptr::null_mut()),
            watched: AtomicUsize::new(0),
            served: AtomicBool::new(false),
        }
    }

    /// Ends the worker's sleep, or the next one if it does not sleep. From anywhere.
    pub(crate) fn ring(&self) {
        // Release: pairs with the Acquire in `silence`: who forgets a ring sees why it rang. A swap, no
        // store, so that of two rings in a row neither hides what the other has to say. Acquire: pairs with
        // the Release in `silence`: where the worker is about to sleep in its driver, the driver is seen.
        if self.word.swap(RUNG, Ordering::AcqRel) == RUNG {
            // That ring is still to be heard, and was made to be.
            return;
        }
        match self.driver() {
            Some(driver) => driver.ring(),
            None => futex::wake_one(&self.word),
        }
    }

    /// Forgets the rings so far; says whether there were any.
    fn silence(&self) -> bool {
        // AcqRel: pairs with the one in `ring`, both ways.
        self.word.swap(SILENT, Ordering::AcqRel) == RUNG
    }

    /// Sleeps until it rings or something is ready, at most for `timeout`; not at all if it has rung since
    /// the last sleep. Wakes who waits for what is ready. May end early for no reason. For its worker.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) {
        if self.silence() {
            return;
        }
        match self.driver() {
            Some(driver) => driver.wait(timeout),
            None => futex::wait(&self.word, SILENT, timeout),
        }
        self.silence();
    }

    /// Wakes who waits for what is ready now. For its worker.
    pub(crate) fn look(&self) {
        if let Some(driver) = self.driver() {
            driver.wait(Some(Duration::ZERO));
        }
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

    #[inline(always)]
    fn driver(&self) -> Option<&'static Driver> {
        // Acquire: pairs with the Release in `driver_or_new`.
        // SAFETY: null, or leaked there.
        unsafe { self.driver.load(Ordering::Acquire).as_ref() }
    }

    /// Lets it be known here what `fd` is ready for. On its worker.
    fn watch(&self, fd: BorrowedFd<'_>, token: Token, interest: Ready) -> io::Result<()> {
        self.driver_or_new()?.watch(fd, token, interest)?;
        // Relaxed: see `in_use`.
        self.watched.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Lets nothing more be told of `fd`, which is watched here.
    fn unwatch(&self, fd: BorrowedFd<'_>) {
        if let Some(driver) = self.driver() {
            driver.unwatch(fd);
        }
        // Relaxed: see `in_use`.
        self.watched.fetch_sub(1, Ordering::Relaxed);
    }

    /// The driver, made now if need be. For its worker (invariant 2).
    fn driver_or_new(&self) -> io::Result<&'static Driver> {
        if let Some(driver) = self.driver() {
            return Ok(driver);
        }
        let driver = Box::leak(Box::new(Driver::new()?));
        // Release: pairs with the Acquire in `driver`.
        self.driver.store(ptr::from_mut(driver), Ordering::Release);
        Ok(driver)
    }
}
