//! What the tests of coroutines have in common.

#![allow(dead_code, reason = "each program uses a part")]

use kettle::runtime::Runtime;
use kettle::thread::{self, Cancelled, JoinHandle};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A runtime with so many workers.
pub(crate) fn workers(count: usize) -> Runtime {
    Runtime::builder().workers(count).build().unwrap()
}

/// Whether somebody joined who was cancelled.
pub(crate) fn is_cancelled(result: Result<impl Sized, Box<dyn Any + Send>>) -> bool {
    result.is_err_and(|payload| payload.is::<Cancelled>())
}

/// Counts how often it is dropped.
pub(crate) struct Counted(pub(crate) Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Waits, in a coroutine or on an OS thread, until `condition` holds.
pub(crate) fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

/// Whether a coroutine waits, in the words of its wait.
pub(crate) fn waits<T>(join: &JoinHandle<T>, what: &str) -> bool {
    format!("{:?}", join.thread()).contains(what)
}

/// Spawns a coroutine that runs `body`, and waits until it waits in it. For what has begun to wait when it
/// says so, on a runtime of one worker, in a coroutine.
pub(crate) fn waiting<T: Send + 'static>(
    what: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let join = thread::spawn(body);
    until(|| waits(&join, what));
    join
}

/// Numbers that look random and are the same each time (Marsaglia's xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
