//! Where a thread of the pool waits for a job that is its own.

use super::job::JobRef;
use crate::sys::futex;
use crate::util::lock::Lock;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::time::Instant;

const EMPTY: u32 = 0;
const CALLED: u32 = 1;

/// A place to wait: whoever takes it out of the pool's list of idle ones calls it, once.
#[derive(Debug)]
pub(super) struct Seat {
    word: AtomicU32,
    call: Lock<Call>,
}

/// What a waiting thread is told.
#[derive(Debug)]
pub(super) enum Call {
    /// Here is a job.
    Job(JobRef),
    /// The pool is closed.
    Leave,
}

impl Seat {
    pub(super) fn new() -> Self {
        Self { word: AtomicU32::new(EMPTY), call: Lock::new(Call::Leave) }
    }

    /// Gives the thread that waits here, or is about to, what it waits for.
    pub(super) fn call(&self, call: Call) {
        *self.call.lock() = call;
        // Release: pairs with the Acquire in `wait`.
        self.word.store(CALLED, Ordering::Release);
        futex::wake_one(&self.word);
    }

    /// Waits to be called, in the kernel, for at most `timeout`; none if that is over.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Option<Call> {
        // One too far away to be told apart from never is never.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            // Acquire: pairs with the Release in `call`.
            if self.word.load(Ordering::Acquire) == CALLED {
                // Relaxed: whoever calls next got to know this seat through the pool's lock.
                self.word.store(EMPTY, Ordering::Relaxed);
                return Some(core::mem::replace(&mut *self.call.lock(), Call::Leave));
            }
            let left = match deadline {
                None => None,
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    Some(left)
                }
            };
            futex::wait(&self.word, EMPTY, left);
        }
    }
}
