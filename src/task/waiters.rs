//! Who waits for something: a list whose nodes lie on the waiting tasks' stacks, so that waiting allocates
//! nothing and cannot fail.
//!
//! ```text
//!   first ──▶ node ⇄ node ⇄ node ─┐        the newest is the oldest's `previous`
//!              ▲──────────────────┘
//! ```
//!
//! The list lies under the lock of whatever is waited for. Who releases a waiter takes it out and tells it
//! why under that lock, and wakes its task after it.
//!
//! # Invariants
//!
//! 1. A node is touched under the lock of the list that it is in, by whoever holds that, until it has been
//!    released; after that by its owner alone.
//! 2. A node in a list stays where it is and lives until it comes out, by `pop` or by `remove`.

#![allow(unsafe_code)]

use super::current::current;
use super::park::{Outcome, park_until};
use super::pointer::TaskRef;
use super::state::Wait;
use super::wait_reason::WaitReason;
use crate::util::atomic::{AtomicU32, Cell, Ordering};
use core::fmt;
use core::ptr;
use std::time::Instant;

/// What a waiter is told when it is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// What it waited for is its own.
    Granted,
    /// It is worth another try.
    TryAgain,
}

/// `Waiter::told`, while it is in the list.
const NOTHING: u32 = 0;
const GRANTED: u32 = 1;
const TRY_AGAIN: u32 = 2;

/// How a wait in a list has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Waited {
    /// Somebody has taken it out. That is never lost: also where a deadline or a cancellation has come at
    /// the same time.
    Released(Told),
    /// It has taken itself out, because there was no more time.
    TimedOut,
    /// It has taken itself out, and calls [`unwind`](super::cancel::unwind) when it has cleaned up.
    Cancelled,
}

/// A task that waits, and what others have to know of it.
pub(crate) struct Waiter<T> {
    previous: Cell<*const Self>,
    next: Cell<*const Self>,
    /// Taken by whoever releases it.
    task: Cell<Option<TaskRef>>,
    told: AtomicU32,
    content: T,
}

impl<T> Waiter<T> {
    /// The running task, before it waits.
    pub(crate) fn new(content: T) -> Self {
        Self {
            previous: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            task: Cell::new(Some(current())),
            told: AtomicU32::new(NOTHING),
            content,
        }
    }

    pub(crate) fn content(&self) -> &T {
        &self.content
    }

    /// What it was told, if somebody has taken it out of the list.
    #[inline]
    pub(crate) fn told(&self) -> Option<Told> {
        // Acquire: pairs with the Release in `Waiters::pop`.
        match self.told.load(Ordering::Acquire) {
            NOTHING => None,
            GRANTED => Some(Told::Granted),
            _ => Some(Told::TryAgain),
        }
    }

    /// Waits until it is released, at the longest until `deadline`. A cancellation point. `withdraw` takes it
    /// out of the list, under the lock, as [`Waiters::remove`] does; it is called if time or a cancellation
    /// ends the wait.
    #[inline(always)]
    pub(crate) fn wait(
        &self,
        reason: WaitReason,
        deadline: Option<Instant>,
        withdraw: impl FnOnce(),
    ) -> Waited {
        loop {
            let outcome = park_until(Wait::Event, reason, deadline);
            if let Some(told) = self.told() {
                return Waited::Released(told);
            }
            let waited = match outcome {
                // A wake-up that was meant for an earlier wait.
                Outcome::Woken => continue,
                Outcome::TimedOut => Waited::TimedOut,
                Outcome::Cancelled => Waited::Cancelled,
            };
            withdraw();
            return self.told().map_or(waited, Waited::Released);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Waiter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("content", &self.content).finish_non_exhaustive()
    }
}

/// The list, the oldest first.
pub(crate) struct Waiters<T> {
    /// Null when empty. Not one that a model watches: those cannot be made in constants.
    first: core::cell::Cell<*const Waiter<T>>,
}

// SAFETY: invariant 1: a list is reached under its lock, and the nodes' contents with it.
unsafe impl<T: Send> Send for Waiters<T> {}

impl<T> Waiters<T> {
    pub(crate) const fn new() -> Self {
        Self { first: core::cell::Cell::new(ptr::null()) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// What is known of the oldest.
    #[inline]
    pub(crate) fn first(&self) -> Option<&T> {
        // SAFETY: invariant 2; it comes out through this list only.
        unsafe { self.first.get().as_ref() }.map(|first| &first.content)
    }

    /// Puts `waiter` at the end.
    ///
    /// # Safety
    ///
    /// It is in no list, and invariants 1 and 2 are kept for it.
    pub(crate) unsafe fn push_back(&self, waiter: &Waiter<T>) {
        let this: *const Waiter<T> = waiter;
        // SAFETY: invariant 2.
        match unsafe { self.first.get().as_ref() } {
            None => {
                waiter.previous.set(this);
                waiter.next.set(this);
                self.first.set(this);
            }
            Some(first) => {
                let last = first.previous.get();
                waiter.previous.set(last);
                waiter.next.set(first);
                // SAFETY: invariant 2: a node of this list.
                unsafe { (*last).next.set(this) };
                first.previous.set(this);
            }
        }
    }

    /// Puts `waiter` where the oldest is.
    ///
    /// # Safety
    ///
    /// As for [`push_back`](Self::push_back).
    pub(crate) unsafe fn push_front(&self, waiter: &Waiter<T>) {
        // SAFETY: the caller's.
        unsafe { self.push_back(waiter) };
        // In a ring the newest stands before the oldest.
        self.first.set(waiter);
    }

    /// Takes the oldest out, tells it something, and gives its task to be woken.
    pub(crate) fn pop(&self, told: Told) -> Option<TaskRef> {
        // SAFETY: invariant 2.
        let first = unsafe { self.first.get().as_ref() }?;
        self.unlink(first);
        let task = first.task.take();
        let told = match told {
            Told::Granted => GRANTED,
            Told::TryAgain => TRY_AGAIN,
        };
        // Release: pairs with the Acquire in `Waiter::told`. From here on the node may be gone.
        first.told.store(told, Ordering::Release);
        task
    }

    /// Moves the oldest to the end of `other`, as it is.
    ///
    /// # Safety
    ///
    /// The caller holds the locks of both lists, and there is an oldest.
    pub(crate) unsafe fn move_first(&self, other: &Self) {
        // SAFETY: the caller's; invariant 2.
        unsafe {
            let first = &*self.first.get();
            self.unlink(first);
            other.push_back(first);
        }
    }

    /// Takes `waiter` out, which its owner has given up; if it has been released, it is out.
    ///
    /// # Safety
    ///
    /// It was pushed to this list, or moved to it.
    pub(crate) unsafe fn remove(&self, waiter: &Waiter<T>) {
        if waiter.told().is_none() {
            self.unlink(waiter);
        }
    }

    fn unlink(&self, waiter: &Waiter<T>) {
        let this: *const Waiter<T> = waiter;
        let (previous, next) = (waiter.previous.get(), waiter.next.get());
        if ptr::eq(next, this) {
            self.first.set(ptr::null());
            return;
        }
        // SAFETY: invariant 2: nodes of this list.
        unsafe {
            (*previous).next.set(next);
            (*next).previous.set(previous);
        }
        if ptr::eq(self.first.get(), this) {
            self.first.set(next);
        }
    }
}

impl<T> fmt::Debug for Waiters<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiters").field("is_empty", &self.is_empty()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(kettle_loom)))]
mod tests {
    use super::*;

    /// What is in it, the oldest first; each one linked both ways.
    fn contents(list: &Waiters<u32>) -> Vec<u32> {
        let first = list.first.get();
        let (mut at, mut contents) = (first, Vec::new());
        while !at.is_null() {
            // SAFETY: the tests' nodes live.
            unsafe {
                assert!(ptr::eq((*(*at).next.get()).previous.get(), at));
                contents.push((*at).content);
                at = (*at).next.get();
            }
            if ptr::eq(at, first) {
                break;
            }
        }
        contents
    }

    #[test]
    fn the_oldest_comes_first_and_anyone_may_leave() {
        let nodes: Vec<Waiter<u32>> = (0..5).map(Waiter::new).collect();
        let list = Waiters::new();
        for node in &nodes {
            // SAFETY: `nodes` outlives `list`'s use and is not moved.
            unsafe { list.push_back(node) };
        }
        // SAFETY: pushed above.
        unsafe {
            list.remove(&nodes[0]);
            assert_eq!(contents(&list), [1, 2, 3, 4]);
            list.remove(&nodes[3]);
            assert_eq!(contents(&list), [1, 2, 4]);
            list.remove(&nodes[4]);
        }
        for (node, told) in [(&nodes[1], Told::Granted), (&nodes[2], Told::TryAgain)] {
            assert_eq!(list.first(), Some(node.content()));
            assert_eq!(node.told(), None);
            assert!(list.pop(told).is_some());
            assert_eq!(node.told(), Some(told));
            // SAFETY: pushed above; it is out already.
            unsafe { list.remove(node) };
        }
        assert!(list.is_empty() && list.first().is_none());
        assert!(list.pop(Told::Granted).is_none());
    }

    #[test]
    fn who_is_put_in_front_or_moved_keeps_its_place() {
        let nodes: Vec<Waiter<u32>> = (0..4).map(Waiter::new).collect();
        let (list, other) = (Waiters::new(), Waiters::new());
        // SAFETY: `nodes` outlives the lists' use and is not moved.
        unsafe {
            list.push_front(&nodes[0]);
            list.push_back(&nodes[1]);
            list.push_front(&nodes[2]);
            other.push_back(&nodes[3]);
            assert_eq!(contents(&list), [2, 0, 1]);
            list.move_first(&other);
            assert_eq!((contents(&list), contents(&other)), (vec![0, 1], vec![3, 2]));
            list.move_first(&other);
            list.move_first(&other);
        }
        assert!(list.is_empty());
        assert_eq!(contents(&other), [3, 2, 0, 1]);
    }
}
