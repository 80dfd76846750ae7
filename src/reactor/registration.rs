//! What the owner of a descriptor holds of the reactor: nothing until the first wait, then a slot.
//!
//! # Invariants
//!
//! 1. `source` is null, or the slot that is this registration's alone until `release`.

#![allow(unsafe_code)]

use super::Reactor;
use super::slab;
use super::source::{Direction, Readiness, Source, Waited};
use crate::sys::socket::Errno;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::os::fd::BorrowedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Instant;

/// See the top of the file. Whoever owns it calls [`release`](Self::release) before the descriptor is closed
/// or given away.
#[derive(Debug)]
pub(crate) struct Registration {
    source: AtomicPtr<Source>,
}

// What a panic in the middle of a change could leave broken is not reachable through it.
impl UnwindSafe for Registration {}
impl RefUnwindSafe for Registration {}

/// What was known of a descriptor before a try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    source: Option<&'static Source>,
    readiness: Readiness,
}

impl Seen {
    /// Whether it is worth a try.
    #[inline(always)]
    pub(crate) fn is_ready(&self, direction: Direction) -> bool {
        self.readiness.is_ready(direction)
    }

    /// The try would have had to wait.
    #[inline]
    pub(crate) fn would_block(&self, direction: Direction) {
        if let Some(source) = self.source {
            source.clear(direction, self.readiness);
        }
    }

    /// The try was a read that has come up short, of a kind of descriptor that is empty then.
    #[inline(always)]
    pub(crate) fn came_up_short(&self) {
        if let Some(source) = self.source {
            source.clear_after_short_read(self.readiness);
        }
    }
}

impl Registration {
    pub(crate) const fn new() -> Self {
        Self { source: AtomicPtr::new(ptr::null_mut()) }
    }

    #[inline(always)]
    fn source(&self) -> Option<&'static Source> {
        // Acquire: pairs with the Release in `new_source`.
        // SAFETY: null, or a slot, which is never freed.
        unsafe { self.source.load(Ordering::Acquire).as_ref() }
    }

    #[inline]
    fn source_or_new(&self) -> &'static Source {
        self.source().unwrap_or_else(|| self.new_source())
    }

    #[cold]
    fn new_source(&self) -> &'static Source {
        let new = slab::take();
        new.start();
        // Release: pairs with the Acquires in `source` and here.
        match self.source.compare_exchange(
            ptr::null_mut(),
            ptr::from_ref(new).cast_mut(),
            Ordering::Release,
            Ordering::Acquire,
        ) {
            Ok(_) => new,
            Err(earlier) => {
                slab::give_back(new.index());
                // SAFETY: not null, so a slot.
                unsafe { &*earlier }
            }
        }
    }

    /// What is known now, to be asked before a try.
    #[inline(always)]
    pub(crate) fn seen(&self) -> Seen {
        let source = self.source();
        let readiness = source.map_or(Readiness::UNKNOWN, Source::readiness);
        Seen { source, readiness }
    }

    /// Waits until `fd` may be ready, at the longest until `deadline`, in a coroutine of the worker whose
    /// reactor is given. A cancellation point.
    ///
    /// # Errors
    ///
    /// Where the descriptor cannot be registered.
    #[inline(always)]
    pub(crate) fn wait(
        &self,
        fd: BorrowedFd<'_>,
        direction: Direction,
        reactor: &'static Reactor,
        deadline: Option<Instant>,
    ) -> Result<Waited, Errno> {
        self.source_or_new().wait(fd, direction, reactor, deadline)
    }

    /// Takes the descriptor, which is still open, out of the reactor; it may come back.
    pub(crate) fn release(&mut self, fd: BorrowedFd<'_>) {
        let source = core::mem::replace(self.source.get_mut(), ptr::null_mut());
        // SAFETY: as in `source`.
        if let Some(source) = unsafe { source.as_ref() } {
            source.release(fd);
        }
    }
}
