//! What is known of one descriptor that is waited for: what it is ready for, who waits, and where.
//!
//! # No readiness is lost
//!
//! ```text
//!   whoever wants to read                      an event
//!   1. looks at `readiness` (`seen`)           1. takes the lock
//!   2. tries: EAGAIN                           2. sets READ and counts on the tick
//!   3. clears READ, if still as in `seen`      3. takes out the waiters, and wakes them
//!   4. takes the lock; if READ: back to 1
//!   5. puts itself there, as the first or into
//!      the list
//! ```
//!
//! What becomes ready after step 2 of the reader makes an event after it. If that comes before step 3, the
//! tick has changed and READ stays; if between 3 and 4, step 4 sees READ; if after that, it finds the
//! waiter. A descriptor that is registered anew tells of what it is ready for already.
//!
//! # Invariants
//!
//! 1. `generation` changes whenever a descriptor leaves an epoll: events told for an earlier one are
//!    another's. The tick never goes back, from one descriptor in the slot to the next neither.
//! 2. Who waits borrows the descriptor, which is therefore not released while the lists hold anybody.

#![allow(unsafe_code)]

use super::Reactor;
use super::driver::Token;
use super::first::{First, Mark};
use super::slab;
use crate::sys::socket::Errno;
use crate::task::Waited as Ended;
use crate::task::{Outcome, Told, Wait, WaitReason, Waiter, Waiters, cancel, park_until};
use crate::util::lock::{Lock, Locked};
use core::ops::BitOr;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};
use std::os::fd::BorrowedFd;
use std::time::Instant;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Something to read, or to accept.
    Read,
    /// Room to write, or a connection that is made.
    Write,
}

impl Direction {
    fn ready(self) -> Ready {
        match self {
            Self::Read => Ready::READ,
            Self::Write => Ready::WRITE,
        }
    }

    /// All that says that it may be so.
    #[inline(always)]
    fn any(self) -> Ready {
        match self {
            Self::Read => Ready::READ | Ready::READ_ON,
            Self::Write => Ready::WRITE,
        }
    }

    fn reason(self) -> WaitReason {
        match self {
            Self::Read => WaitReason::Readable,
            Self::Write => WaitReason::Writable,
        }
    }
}

/// What came of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// It is worth another try.
    Ready,
    /// There was no more time.
    TimedOut,
}

/// A set of what a descriptor is, or may be, ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready(u8);

impl Ready {
    pub(super) const NONE: Self = Self(0);
    pub(super) const READ: Self = Self(1 << 0);
    pub(super) const WRITE: Self = Self(1 << 1);
    /// A read that comes up short says nothing of the next one: the other side has hung up, say.
    pub(super) const READ_ON: Self = Self(1 << 2);
    const ALL: Self = Self(0b111);

    #[inline(always)]
    pub(super) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Ready {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A descriptor's readiness at one moment: the tick, which counts the events, above the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness(u64);

impl Readiness {
    const TICK: u64 = 1 << 8;

    /// Of a descriptor that nothing is known of.
    pub(super) const UNKNOWN: Self = Self(Ready::ALL.0 as u64);

    /// Whether it is worth a try.
    #[inline(always)]
    pub(crate) fn is_ready(self, direction: Direction) -> bool {
        self.0 & u64::from(direction.any().0) != 0
    }

    #[inline(always)]
    fn without(self, ready: Ready) -> Self {
        Self(self.0 & !u64::from(ready.0))
    }

    fn tick(self) -> u64 {
        self.0 / Self::TICK
    }
}

/// See the top of the file. A cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Source {
    inner: Lock<Inner>,
    readiness: AtomicU64,
    /// Who waits to read and who to write, one of each.
    first: [First; 2],
    index: u32,
}

const _: () = assert!(size_of::<Source>() == 64);

/// The tick that a waiter knew when it began to wait.
#[derive(Debug)]
struct Since(u64);

#[derive(Debug)]
struct Inner {
    generation: u32,
    /// What is told of it.
    interest: Ready,
    /// Whose epoll it is in.
    home: Option<&'static Reactor>,
    /// Who else waits, for whichever direction. Any event wakes them all: there is seldom anybody.
    others: Waiters<Since>,
}

impl Source {
    pub(super) fn new(index: u32) -> Self {
        let inner =
            Inner { generation: 0, interest: Ready::NONE, home: None, others: Waiters::new() };
        Self {
            inner: Lock::new(inner),
            readiness: AtomicU64::new(0),
            first: [First::new(), First::new()],
            index,
        }
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Begins with a descriptor of which nothing is known yet.
    pub(super) fn start(&self) {
        self.raise(Ready::ALL);
    }

    #[inline(always)]
    pub(super) fn readiness(&self) -> Readiness {
        // Acquire: pairs with the Release in `raise`.
        Readiness(self.readiness.load(Ordering::Acquire))
    }

    /// Sets flags and counts on the tick, which it returns.
    fn raise(&self, ready: Ready) -> u64 {
        let mut old = self.readiness.load(Ordering::Relaxed);
        loop {
            let new = (old + Readiness::TICK) | u64::from(ready.0);
            // Release: pairs with the Acquire in `readiness`.
            match self.readiness.compare_exchange_weak(
                old,
                new,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Readiness(new).tick(),
                Err(now) => old = now,
            }
        }
    }

    /// Somebody has tried, and would have had to wait: it is not ready, unless something has changed since
    /// `seen`.
    #[inline]
    pub(super) fn clear(&self, direction: Direction, seen: Readiness) {
        self.replace(seen, seen.without(direction.any()));
    }

    /// A read has come up short, so nothing is left to read, unless something has changed since `seen`, or
    /// the other side has closed: then there is still that to be read, and `READ_ON` stays.
    #[inline]
    pub(super) fn clear_after_short_read(&self, seen: Readiness) {
        self.replace(seen, seen.without(Ready::READ));
    }

    #[inline(always)]
    fn replace(&self, seen: Readiness, next: Readiness) {
        // Relaxed: what is forgotten leads to nothing. Where it fails there is news, which is what is wanted.
        let _ =
            self.readiness.compare_exchange(seen.0, next.0, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What an event says of the descriptor.
    #[inline]
    pub(super) fn deliver(&self, generation: u32, ready: Ready) {
        let inner = self.inner.lock();
        // Invariant 1: if it is another, this is about a descriptor that has left.
        if inner.generation == generation {
            self.wake(inner, ready);
        }
    }

    /// Wakes who waits here, if the descriptor is in this reactor's epoll, whose worker goes home.
    pub(super) fn wake_if_at(&self, reactor: &Reactor) {
        let inner = self.inner.lock();
        if inner.home.is_some_and(|home| ptr::eq(home, reactor)) {
            self.wake(inner, Ready::ALL);
        }
    }

    fn somebody_waits(&self, inner: &Inner) -> bool {
        self.first.iter().any(|first| !first.is_empty()) || !inner.others.is_empty()
    }

    /// Wakes who waits for `ready`. Not under the lock: to wake somebody may take a system call.
    #[inline(always)]
    fn wake(&self, inner: Locked<'_, Inner>, ready: Ready) {
        let now = self.raise(ready);
        let take = |direction: Direction| {
            ready.contains(direction.ready()).then(|| self.first[direction as usize].take())?
        };
        let (reader, writer) = (take(Direction::Read), take(Direction::Write));
        let others_wait = !inner.others.is_empty();
        drop(inner);
        if let Some(task) = reader {
            task.unpark(Wait::Event);
        }
        if let Some(task) = writer {
            task.unpark(Wait::Event);
        }
        if others_wait {
            self.wake_others(now);
        }
    }

    /// Wakes everybody in the list who has waited since before the tick `now`.
    #[cold]
    fn wake_others(&self, now: u64) {
        loop {
            // The slot may be another's by now, but who waits there has come after `now` (invariant 1).
            let inner = self.inner.lock();
            let first = inner.others.first().filter(|since| since.0 < now);
            let Some(task) = first.and_then(|_| inner.others.pop(Told::TryAgain)) else { return };
            drop(inner);
            task.unpark(Wait::Event);
        }
    }

    /// Waits until `fd` may be ready, at the longest until `deadline`, in a coroutine of the worker whose
    /// reactor is given. A cancellation point.
    ///
    /// # Errors
    ///
    /// Where the descriptor cannot be registered.
    #[inline(always)]
    pub(super) fn wait(
        &self,
        fd: BorrowedFd<'_>,
        direction: Direction,
        reactor: &'static Reactor,
        deadline: Option<Instant>,
    ) -> Result<Waited, Errno> {
        let mut inner = self.inner.lock();
        let readiness = self.readiness();
        if readiness.is_ready(direction) {
            return Ok(Waited::Ready);
        }
        self.watch(&mut inner, fd, direction, reactor)?;
        let first = &self.first[direction as usize];
        if !first.is_empty() {
            return Ok(self.wait_with_others(inner, readiness, direction, deadline));
        }
        let mark = first.set();
        drop(inner);
        loop {
            let outcome = park_until(Wait::Event, direction.reason(), deadline);
            if !first.holds(&mark) {
                return Ok(Waited::Ready);
            }
            // Else a wake-up that was meant for an earlier wait.
            if outcome != Outcome::Woken {
                return Ok(self.give_up(direction, &mark, outcome));
            }
        }
    }

    /// The end of a wait of the first for a direction that time or a cancellation has ended.
    #[cold]
    fn give_up(&self, direction: Direction, mark: &Mark, outcome: Outcome) -> Waited {
        let inner = self.inner.lock();
        let withdrawn = self.first[direction as usize].withdraw(mark);
        drop(inner);
        match outcome {
            // An event was quicker; a cancellation is heard of at the next wait.
            _ if !withdrawn => Waited::Ready,
            Outcome::Cancelled => cancel::unwind(),
            _ => Waited::TimedOut,
        }
    }

    /// Waits in the list.
    #[cold]
    fn wait_with_others(
        &self,
        inner: Locked<'_, Inner>,
        readiness: Readiness,
        direction: Direction,
        deadline: Option<Instant>,
    ) -> Waited {
        let waiter = Waiter::new(Since(readiness.tick()));
        // SAFETY: it is new, and stays here until it is out, which `wait` sees to.
        unsafe { inner.others.push_back(&waiter) };
        drop(inner);
        // SAFETY: pushed there above.
        let withdraw = || unsafe { self.inner.lock().others.remove(&waiter) };
        match waiter.wait(direction.reason(), deadline, withdraw) {
            Ended::Released(_) => Waited::Ready,
            Ended::TimedOut => Waited::TimedOut,
            Ended::Cancelled => {
                drop(waiter);
                cancel::unwind()
            }
        }
    }

    /// Lets events for `direction` come, to this reactor if nobody waits at another.
    #[inline(always)]
    fn watch(
        &self,
        inner: &mut Inner,
        fd: BorrowedFd<'_>,
        direction: Direction,
        reactor: &'static Reactor,
    ) -> Result<(), Errno> {
        if inner.home.is_some_and(|home| ptr::eq(home, reactor))
            && inner.interest.contains(direction.ready())
        {
            return Ok(());
        }
        self.watch_anew(inner, fd, direction, reactor)
    }

    #[cold]
    fn watch_anew(
        &self,
        inner: &mut Inner,
        fd: BorrowedFd<'_>,
        direction: Direction,
        reactor: &'static Reactor,
    ) -> Result<(), Errno> {
        let wanted = inner.interest | direction.ready();
        match inner.home {
            Some(home)
                if ptr::eq(home, reactor) || (home.is_served() && self.somebody_waits(inner)) =>
            {
                if wanted != inner.interest {
                    let token = Token::new(self.index, inner.generation);
                    home.driver_or_new()?.watch_more(fd, token, wanted)?;
                }
            }
            earlier => {
                // In here first: if that fails, all is as it was.
                let generation = inner.generation.wrapping_add(1);
                reactor.watch(fd, Token::new(self.index, generation), wanted)?;
                inner.generation = generation;
                inner.home = Some(reactor);
                if let Some(earlier) = earlier {
                    earlier.unwatch(fd);
                }
            }
        }
        inner.interest = wanted;
        Ok(())
    }

    /// Takes the descriptor, which is still open, out of the epoll that it is in, and gives up the slot.
    pub(super) fn release(&self, fd: BorrowedFd<'_>) {
        self.leave(fd);
        slab::give_back(self.index);
    }

    fn leave(&self, fd: BorrowedFd<'_>) {
        let mut inner = self.inner.lock();
        debug_assert!(!self.somebody_waits(&inner), "invariant 2");
        inner.generation = inner.generation.wrapping_add(1);
        inner.interest = Ready::NONE;
        if let Some(home) = inner.home.take() {
            home.unwatch(fd);
        }
    }
}

/// Single steps, for the tests that force what comes in between.
#[cfg(test)]
impl Source {
    pub(super) fn watch_for_test(
        &self,
        fd: BorrowedFd<'_>,
        direction: Direction,
        reactor: &'static Reactor,
    ) {
        self.watch(&mut self.inner.lock(), fd, direction, reactor).unwrap();
    }

    pub(super) fn leave_for_test(&self, fd: BorrowedFd<'_>) {
        self.leave(fd);
    }

    pub(super) fn generation_for_test(&self) -> u32 {
        self.inner.lock().generation
    }
}
