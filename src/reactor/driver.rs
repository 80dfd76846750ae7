//! The kernel's side of a reactor: an epoll and a bell.
//!
//! # Invariants
//!
//! 1. `events` is the worker's alone, and used in `wait` alone, which does not call itself: to wake somebody
//!    is to put him into a queue.

#![allow(unsafe_code)]

use super::slab;
use super::source::Ready;
use crate::sys::epoll::{Bell, Epoll, Event, Events};
use crate::sys::socket::Errno;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::time::Duration;
use std::os::fd::BorrowedFd;

/// How many events are taken from the kernel at once. What is left is taken the next time.
const AT_ONCE: usize = 256;

/// The data of the bell's events. No slot has it: there are fewer than `u32::MAX` of them.
const BELL: u64 = u64::MAX;

/// See the top of the file.
pub(super) struct Driver {
    epoll: Epoll,
    bell: Bell,
    events: UnsafeCell<[MaybeUninit<Event>; AT_ONCE]>,
}

// SAFETY: invariant 1; the rest is descriptors, which the kernel shares.
unsafe impl Sync for Driver {}

impl Driver {
    pub(super) fn new() -> Result<Self, Errno> {
        let epoll = Epoll::new()?;
        let bell = Bell::new(&epoll, BELL)?;
        Ok(Self { epoll, bell, events: UnsafeCell::new([MaybeUninit::uninit(); AT_ONCE]) })
    }

    /// Ends a wait, this one or the next.
    pub(super) fn ring(&self) {
        self.bell.ring();
    }

    /// Lets it be known here what `fd` is ready for, as far as `interest` goes: to the source in the slot
    /// that `token` names, as long as that has the token's generation.
    pub(super) fn watch(
        &self,
        fd: BorrowedFd<'_>,
        token: Token,
        interest: Ready,
    ) -> Result<(), Errno> {
        self.epoll.add(fd, token.0, to_events(interest))
    }

    /// As [`watch`](Self::watch), of a descriptor that is watched already. What it is ready for is told
    /// again.
    pub(super) fn watch_more(
        &self,
        fd: BorrowedFd<'_>,
        token: Token,
        interest: Ready,
    ) -> Result<(), Errno> {
        self.epoll.modify(fd, token.0, to_events(interest))
    }

    /// Lets nothing more be told of `fd`. What the worker has taken from the kernel by now may still come.
    pub(super) fn unwatch(&self, fd: BorrowedFd<'_>) {
        // It fails where a duplicate of the number was closed behind our back: then it is not watched.
        let _ = self.epoll.delete(fd);
    }

    /// Waits until something is ready or the bell rings, and wakes who waits for it; says whether anything
    /// is. For the worker.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        let mut told = false;
        // SAFETY: invariant 1.
        let events = self.epoll.wait(unsafe { &mut *self.events.get() }, timeout);
        for event in events {
            let (data, flags) = (event.data.u64(), event.flags);
            if data != BELL {
                told = true;
                let token = Token(data);
                slab::get(token.index()).deliver(token.generation(), from_events(flags));
            }
        }
        told
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("epoll", &self.epoll).finish_non_exhaustive()
    }
}

/// What an event carries: a slot of the slab, and the slot's generation at the time of asking.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token(u64);

impl Token {
    pub(super) fn new(index: u32, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | u64::from(index))
    }

    pub(super) fn index(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

fn to_events(interest: Ready) -> Events {
    let mut events = Events::ET;
    // Urgent data too: a read stops short before it, and more may lie behind.
    events.set(Events::IN | Events::PRI | Events::RDHUP, interest.contains(Ready::READ));
    events.set(Events::OUT, interest.contains(Ready::WRITE));
    events
}

#[inline]
fn from_events(events: Events) -> Ready {
    // What nearly every event is.
    if events == Events::IN {
        return Ready::READ;
    }
    let mut ready = Ready::NONE;
    if events.intersects(Events::IN) {
        ready = ready | Ready::READ;
    }
    if events.intersects(Events::OUT) {
        ready = ready | Ready::WRITE;
    }
    // A read that comes up short need not have emptied the descriptor.
    if events.intersects(Events::RDHUP | Events::PRI) {
        ready = ready | Ready::READ | Ready::READ_ON;
    }
    if events.intersects(Events::HUP | Events::ERR) {
        ready = ready | Ready::READ | Ready::READ_ON | Ready::WRITE;
    }
    ready
}
