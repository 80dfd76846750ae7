//! Coroutines in the shape of [`std::thread`]: spawn them by the million, in blocking code.
//!
//! Swap `use std::thread` for `use kettle::thread`: the same calls, and each thread is a coroutine of a
//! page instead of an OS thread. All of it also works on a plain OS thread, which then blocks as it
//! would with std.
//!
//! ```
//! use kettle::thread;
//!
//! let squares: Vec<_> = (0..1_000_u64).map(|n| thread::spawn(move || n * n)).collect();
//! let sum: u64 = squares.into_iter().map(|square| square.join().unwrap()).sum();
//! assert_eq!(sum, 332_833_500);
//! ```
//!
//! # What is as in std, and what is not
//!
//! - A coroutine is never interrupted: the next one runs when this one waits, yields or ends. Code that
//!   computes for long without any of them calls [`yield_now`] now and then.
//! - A coroutine that has started stays on its OS thread. std's `thread_local!`, and what other crates
//!   keep in one, belong to that thread, which its coroutines share; so does `errno`. A coroutine's own
//!   are made by [`kettle::thread_local!`](crate::thread_local).
//! - std's own `sleep`, locks and I/O block the OS thread, and every coroutine on it.
//! - A panic ends the coroutine and is handed to [`JoinHandle::join`]. std's message names the OS
//!   thread; a line of kettle's with the coroutine's name follows it.
//! - While a coroutine unwinds, a wait in one of its destructors blocks the OS thread, because std
//!   counts panics by OS thread. **If what it waits for must come from a coroutine that has started on
//!   the same OS thread, that is a deadlock**: do not join or wait for others in a destructor that may
//!   run because of a panic.
//! - Where memory runs out: a coroutine's own small block is allocated by [`Builder::spawn`], which returns
//!   an error ([`spawn`] panics with it). Its stack is taken when it begins: if there is none, it does not
//!   begin, its closure is dropped, and [`JoinHandle::join`] returns the reason. Neither harms the coroutines
//!   that live, and both work again when there is memory again. Anything else that finds no memory, the
//!   runtime's queues of coroutines that wait to begin among it, ends the process, as std's collections do.
//! - A signal's handler may run on a coroutine's stack, if the kernel picks a worker for it; one that
//!   needs much stack is installed with `SA_ONSTACK`, as for any thread with a small stack.
//! - A coroutine can be cancelled, see below.
//! - In a child process that was forked without exec there are no workers. Spawning fails there with a
//!   sentence, joining panics with it, and no other coroutine runs. A coroutine that has forked goes on in
//!   the child, where it may compute, yield for nothing, and exec; if it waits, the child aborts with the
//!   sentence, and when it ends, the child ends with status 0. `std::process::Command` is not concerned.
//! - At the end of `main` the coroutines of the default runtime end with the process, as threads do.

//! # Cancellation
//!
//! [`JoinHandle::cancel`], the end of a [`Runtime`](crate::runtime::Runtime) and a time limit ([`time::timeout`](crate::time::timeout)) make a coroutine
//! unwind from the *cancellation point* that it waits at, or from the next one that it comes to, so that its
//! destructors run. No panic hook is called and nothing is printed; [`JoinHandle::join`] returns
//! [`Cancelled`].
//!
//! ```
//! use kettle::thread;
//! use std::sync::mpsc;
//!
//! struct Whistle(mpsc::Sender<&'static str>);
//!
//! impl Drop for Whistle {
//!     fn drop(&mut self) {
//!         self.0.send("taken off the stove").unwrap();
//!     }
//! }
//!
//! let (sender, receiver) = mpsc::channel();
//! let kettle = thread::spawn(move || {
//!     let _whistle = Whistle(sender);
//!     loop {
//!         thread::park();
//!     }
//! });
//! kettle.cancel()?;
//! assert!(kettle.join().unwrap_err().is::<thread::Cancelled>());
//! // Of one that had not begun, nothing ever runs but the destructors of what it captures.
//! drop(receiver);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! - The cancellation points are
//!   - [`park`], [`park_timeout`], [`sleep`] and its kin in [`time`](crate::time), and [`yield_now`], on the way
//!     in, also where they need not wait;
//!   - [`JoinHandle::join`], and in [`sync`](crate::sync), [`channel`](crate::channel), [`net`](crate::net),
//!     [`io`](crate::io), [`process`](crate::process) and [`signal`](crate::signal) whatever waits, where it
//!     has to; what lets others run now and then though it need not wait (a socket that is always ready) is
//!     one then;
//!   - [`unblock`](crate::unblock()), and with it [`fs`](crate::fs), until a thread has begun the work;
//!   - the end of a [`scope`], [`Handle::run`](crate::runtime::Handle::run) and [`group`](crate::group)'s
//!     functions, which first cancel what they wait for and see it end.
//!
//!   Each says so where it is described. Nothing else is one: a coroutine that only computes runs on.
//! - What is swallowed by a `catch_unwind` is thrown again at the next point: a coroutine that was cancelled
//!   cannot wait any more. [`is_cancelled`] tells it why.
//! - While a coroutine unwinds, for whatever reason, nothing is a cancellation point, and nothing is once its
//!   closure has ended. Nor is anything while it holds a mask ([`mask_cancellation`]).
//! - It unwinds as after a panic: meanwhile [`panicking`] is true, on this OS thread alone, no other coroutine
//!   of the thread runs, and what is said above of waiting in destructors holds. A lock of std's that is
//!   released by it is poisoned, as std cannot tell the two apart.
//! - In a program built with `panic = "abort"` there is no unwinding: [`JoinHandle::cancel`] returns an error,
//!   and a runtime that is dropped waits for its coroutines.

mod builder;
mod local;
mod scope;

pub use crate::task::{
    AccessError, CancellationMask, Cancelled, JoinHandle, LocalKey, StackUsage, Thread, ThreadId,
};
pub use builder::Builder;
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use std::thread::Result;

use crate::task::{Outcome, Wait, WaitReason, cancel};
use std::io;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// Spawns a coroutine: on the runtime of the coroutine that calls this, outside of one on the default
/// runtime.
///
/// It allocates one small block; a stack is taken when the coroutine first runs.
///
/// As with std, what the closure captures must be allowed on another thread:
///
/// ```compile_fail,E0277
/// let shared = std::rc::Rc::new(1);
/// kettle::thread::spawn(move || *shared);
/// ```
///
/// # Panics
///
/// Where there is no memory for it; [`Builder::spawn`] returns that as an error.
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match Builder::new().spawn(f) {
        Ok(join) => join,
        Err(error) => panic!("failed to spawn a coroutine: {error}"),
    }
}

/// The running coroutine, or the running OS thread outside of one.
#[must_use]
pub fn current() -> Thread {
    Thread::current()
}

/// Waits until somebody calls [`Thread::unpark`] on the caller, or returns at once if somebody has
/// since the last time. What they wrote before is seen here.
///
/// Unlike std's it never returns without that; a loop around it does no harm.
///
/// A cancellation point, also where it would return at once; the wake-up is then there for the next call.
///
/// ```
/// use kettle::thread;
///
/// let waits = thread::spawn(|| {
///     thread::park();
///     "woken"
/// });
/// waits.thread().unpark();
/// assert_eq!(waits.join().unwrap(), "woken");
/// ```
#[inline]
pub fn park() {
    if crate::task::park(Wait::Token, WaitReason::Park) == Outcome::Cancelled {
        cancel::unwind();
    }
}

/// As [`park`], for `timeout` at the longest. Like std's it does not tell what has ended it. A cancellation point,
/// as [`park`] is.
///
/// ```
/// use kettle::thread;
/// use std::time::Duration;
///
/// thread::park_timeout(Duration::from_millis(1)); // nobody wakes it
/// ```
pub fn park_timeout(timeout: Duration) {
    let deadline = Instant::now().checked_add(timeout);
    if crate::task::park_until(Wait::Token, WaitReason::Park, deadline) == Outcome::Cancelled {
        cancel::unwind();
    }
}

/// Waits for `duration`, as [`std::thread::sleep`] does: the coroutine does, or the OS thread outside of one.
/// [`crate::time`] says how exact it is.
///
/// A cancellation point.
pub fn sleep(duration: Duration) {
    crate::time::sleep(duration);
}

/// As [`park_timeout`], in milliseconds.
#[deprecated(note = "replaced by `kettle::thread::park_timeout`, as in std")]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(ms.into()));
}

/// As [`sleep`], in milliseconds.
#[deprecated(note = "replaced by `kettle::thread::sleep`, as in std")]
pub fn sleep_ms(ms: u32) {
    sleep(Duration::from_millis(ms.into()));
}

/// Lets the other coroutines of this worker run once, if there are any that can; on an OS thread, lets
/// the kernel's other threads. A cancellation point on the way in; on the way back it is none.
#[inline(always)]
pub fn yield_now() {
    crate::scheduler::yield_now();
}

/// Whether the caller is unwinding because of a panic.
#[must_use]
pub fn panicking() -> bool {
    // std counts by OS thread, and no other coroutine runs on this one while this one unwinds.
    std::thread::panicking()
}

/// Whether the calling coroutine has been cancelled, masked or not. On an OS thread never.
#[must_use]
pub fn is_cancelled() -> bool {
    cancel::is_cancelled()
}

/// Keeps cancellation and time limits from the calling coroutine until what is returned is dropped: for a step
/// that must not stop half way. They are delivered at the first cancellation point after that.
///
/// ```
/// use kettle::thread;
///
/// let careful = thread::spawn(|| {
///     let mask = thread::mask_cancellation();
///     while !thread::is_cancelled() {
///         thread::yield_now(); // no cancellation point
///     }
///     drop(mask);
///     thread::yield_now();
///     unreachable!("cancelled in the line above");
/// });
/// careful.cancel()?;
/// assert!(careful.join().unwrap_err().is::<thread::Cancelled>());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn mask_cancellation() -> CancellationMask {
    CancellationMask::new()
}

/// How many threads can truly run at once: the cores that the process may use, which is also how many
/// workers the default runtime has unless it is told otherwise.
///
/// # Errors
///
/// As [`std::thread::available_parallelism`].
pub fn available_parallelism() -> io::Result<NonZeroUsize> {
    std::thread::available_parallelism()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Runtime;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// The worker looks at its timers now and then while it chooses who is next: also in the very wait whose
    /// time is up by then.
    #[test]
    fn a_time_that_is_up_before_the_wait_has_begun_ends_it() {
        let runtime = Runtime::builder().workers(1).build().expect("a worker");
        runtime.run(|| {
            let done = Arc::new(AtomicBool::new(false));
            let neighbour = Arc::clone(&done);
            let other = spawn(move || {
                while !neighbour.load(Ordering::SeqCst) {
                    yield_now();
                }
            });
            // So many choices before each wait, of which the worker makes 61 between two looks; an even number
            // of them and an odd one.
            for turn in 0..200 {
                (0..turn % 61).for_each(|_| yield_now());
                if turn % 2 == 0 {
                    spawn(|| ()).join().expect("no panic");
                }
                let deadline = Instant::now();
                while deadline.elapsed() < Duration::from_micros(150) {
                    std::hint::spin_loop();
                }
                let outcome =
                    crate::task::park_until(Wait::Token, WaitReason::Park, Some(deadline));
                assert_eq!(outcome, Outcome::TimedOut);
            }
            done.store(true, Ordering::SeqCst);
            other.join().expect("no panic");
        });
    }
}
