//! Who waits for one direction of one descriptor: a list whose nodes lie on the waiting tasks' stacks.
//!
//! ```text
//!   first ──▶ node ⇄ node ⇄ node ─┐        the newest is the oldest's `previous`
//!              ▲──────────────────┘
//! ```
//!
//! # Invariants
//!
//! 1. A node is touched under the lock of the source whose list it is in, by whoever holds that, until it
//!    has been released; after that by its owner alone.
//! 2. A node in a list stays where it is and lives until it comes out, by `pop` or by `remove`.

#![allow(unsafe_code)]

use crate::task::{TaskRef, current};
use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

/// A task that waits.
pub(super) struct Waiter {
    previous: Cell<*const Waiter>,
    next: Cell<*const Waiter>,
    /// Taken by whoever releases it.
    task: Cell<Option<TaskRef>>,
    /// What was known when it began to wait.
    since: Cell<u64>,
    /// Out of the list again, and not by its own doing.
    released: AtomicBool,
}

impl Waiter {
    /// The running task, before it waits.
    pub(super) fn new() -> Self {
        Self {
            previous: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            task: Cell::new(Some(current())),
            since: Cell::new(0),
            released: AtomicBool::new(false),
        }
    }

    /// Whether somebody has taken it out of the list.
    pub(super) fn is_released(&self) -> bool {
        // Acquire: pairs with the Release in `pop`.
        self.released.load(Ordering::Acquire)
    }
}

/// The list, the oldest first.
#[derive(Debug)]
pub(super) struct Waiters {
    /// Null when empty.
    first: Cell<*const Waiter>,
}

// SAFETY: invariant 1: a list is reached under its source's lock.
unsafe impl Send for Waiters {}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { first: Cell::new(ptr::null()) }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// Puts `waiter` at the end.
    ///
    /// # Safety
    ///
    /// It is in no list, and invariants 1 and 2 are kept for it.
    pub(super) unsafe fn push(&self, waiter: &Waiter, since: u64) {
        waiter.since.set(since);
        let this: *const Waiter = waiter;
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

    /// Takes the oldest out, if it has waited since before `now`, and gives its task to be woken.
    pub(super) fn pop(&self, now: u64) -> Option<TaskRef> {
        // SAFETY: invariant 2.
        let first = unsafe { self.first.get().as_ref() }?;
        if first.since.get() >= now {
            return None;
        }
        self.unlink(first);
        let task = first.task.take();
        // Release: pairs with the Acquire in `is_released`. From here on the node may be gone.
        first.released.store(true, Ordering::Release);
        task
    }

    /// Takes `waiter` out, which its owner has given up; if it has been released, it is out.
    ///
    /// # Safety
    ///
    /// It was pushed to this list.
    pub(super) unsafe fn remove(&self, waiter: &Waiter) {
        if !waiter.is_released() {
            self.unlink(waiter);
        }
    }

    fn unlink(&self, waiter: &Waiter) {
        let this: *const Waiter = waiter;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are in it; each one linked both ways.
    fn len(list: &Waiters) -> usize {
        let first = list.first.get();
        let (mut at, mut len) = (first, 0);
        while !at.is_null() {
            // SAFETY: the tests' nodes live.
            unsafe {
                assert!(ptr::eq((*(*at).next.get()).previous.get(), at));
                at = (*at).next.get();
            }
            len += 1;
            if ptr::eq(at, first) {
                break;
            }
        }
        len
    }

    #[test]
    fn the_oldest_comes_first_and_anyone_may_leave() {
        let nodes: Vec<Waiter> = (0..5).map(|_| Waiter::new()).collect();
        let list = Waiters::new();
        for node in &nodes {
            // SAFETY: `nodes` outlives `list`'s use and is not moved.
            unsafe { list.push(node, 1) };
        }
        // SAFETY: pushed above.
        unsafe {
            list.remove(&nodes[0]);
            assert_eq!(len(&list), 4);
            list.remove(&nodes[3]);
            assert_eq!(len(&list), 3);
            list.remove(&nodes[4]);
        }
        assert_eq!(len(&list), 2);
        for node in [&nodes[1], &nodes[2]] {
            assert!(!node.is_released());
            assert!(list.pop(2).is_some());
            assert!(node.is_released());
        }
        assert!(list.is_empty());
        assert!(list.pop(2).is_none());
    }

    #[test]
    fn who_has_come_after_the_event_stays() {
        let (early, late) = (Waiter::new(), Waiter::new());
        let list = Waiters::new();
        // SAFETY: both outlive the list's use.
        unsafe {
            list.push(&early, 1);
            list.push(&late, 2);
        }
        assert!(list.pop(2).is_some());
        assert!(list.pop(2).is_none());
        assert_eq!(len(&list), 1);
        assert!(list.pop(3).is_some());
    }
}
