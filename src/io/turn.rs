//! A lock for who has a shared stream, whose waiters park: in the order in which they came.
//!
//! # Invariants
//!
//! 1. While `taken`, one [`Turn`] lives, or has been granted to the waiter that was the first.

use crate::task::{self, Outcome, TaskRef, Wait, WaitReason, cancel};
use crate::util::lock::Lock;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::VecDeque;
use std::sync::Arc;

/// See the top of the file.
#[derive(Debug)]
pub(super) struct Turns(Lock<State>);

struct State {
    taken: bool,
    waiters: VecDeque<Arc<Waiter>>,
}

struct Waiter {
    task: TaskRef,
    granted: AtomicBool,
}

/// The right to use what the lock is for, until dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    pub(super) const fn new() -> Self {
        Self(Lock::new(State { taken: false, waiters: VecDeque::new() }))
    }

    /// Waits for a turn. A cancellation point where it has to wait.
    pub(super) fn take(&self) -> Turn<'_> {
        let mut state = self.0.lock();
        if !state.taken {
            state.taken = true;
            return Turn(self);
        }
        let granted = AtomicBool::new(false);
        let waiter = Arc::new(Waiter { task: task::current(), granted });
        state.waiters.push_back(Arc::clone(&waiter));
        drop(state);
        loop {
            let outcome = task::park(Wait::Event, WaitReason::Readable);
            // Acquire: pairs with the Release in `Turn::drop`.
            if waiter.granted.load(Ordering::Acquire) {
                return Turn(self);
            }
            if outcome == Outcome::Cancelled {
                let mut state = self.0.lock();
                state.waiters.retain(|other| !Arc::ptr_eq(other, &waiter));
                // Relaxed: the lock orders it with `Turn::drop`.
                let granted = waiter.granted.load(Ordering::Relaxed);
                drop(state);
                if granted {
                    // Just now: it is the next one's.
                    drop(Turn(self));
                }
                cancel::unwind();
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        match state.waiters.pop_front() {
            None => state.taken = false,
            Some(next) => {
                // Release: pairs with the Acquire in `take`.
                next.granted.store(true, Ordering::Release);
                drop(state);
                next.task.unpark(Wait::Event);
            }
        }
    }
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("State").field("taken", &self.taken).finish_non_exhaustive()
    }
}
