//! Work that must block: closures on a pool of OS threads, while their coroutines wait.
//!
//! A coroutine that calls something that blocks its OS thread (a file on a slow disk, a C library, a
//! long computation) holds up every coroutine of its worker. [`unblock`](unblock()) has it done elsewhere:
//!
//! ```
//! let words = ["polly", "put", "the", "kettle", "on"];
//! kettle::run(|| {
//!     // On another thread; this coroutine waits, its neighbours go on. It may borrow.
//!     let longest = kettle::unblock(|| words.iter().max_by_key(|word| word.len()));
//!     assert_eq!(longest, Some(&"kettle"));
//! });
//! ```
//!
//! # The pool
//!
//! Threads are started as jobs come, up to a bound of 512; above that, jobs wait in the order in which
//! they came. A thread that has had nothing to do for ten seconds ends. Both are [`Builder`]'s to change,
//! for the pool of the process or for a [`Pool`] of one's own. Where the system refuses another thread,
//! the job waits for one of those that there are; where there is none at all, it runs in place, on the
//! worker.
//!
//! Jobs that wait for each other must not be more than there are threads: one that is waited for may be
//! in the queue behind those who wait.
//!
//! The pool of the process ends with it, in the middle of what it does, as threads do at the end of
//! `main`.
//!
//! # What is different inside
//!
//! The closure runs on a plain OS thread: [`thread::current`](crate::thread::current) is that thread,
//! [`thread::park`](crate::thread::park), `join` and all the rest block it, and a coroutine
//! [spawned](crate::thread::spawn) there is one of the default runtime's. A thread that a process is
//! started from counts as its parent for `PR_SET_PDEATHSIG`, and the pool's threads end.

#![allow(unsafe_code)]

mod builder;
mod job;
mod pool;
mod queue;
mod seat;

pub use builder::Builder;

use crate::task::{self, Outcome, Wait, WaitReason, cancel};
use builder::Settings;
use core::fmt;
use job::{Anchored, Settled, TypedJob};
use pool::{Shared, Submitted};
use queue::Ticket;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::sync::{Arc, OnceLock};

/// The pool of the process. Like the default runtime it is never dropped.
static GLOBAL: OnceLock<Pool> = OnceLock::new();

/// Runs `f` on a thread of the process's pool and waits for what it returns: in a coroutine only that one
/// waits.
///
/// `f` may borrow, because it has ended when this returns. Outside of a coroutine (on an OS thread, and
/// so in a closure that is itself run by this) it runs in place; also in a destructor that runs because of a
/// panic, where the worker would be blocked all the same, and in a process that was forked and has not
/// become another program, where the pool's threads are missing.
///
/// It costs a few microseconds where both threads are awake, more where they must be woken: see the
/// benchmark `unblock`.
///
/// It is a cancellation point on the way in, and as long as `f` waits for a thread: `f` is then dropped
/// without having run. Once `f` has begun it is none: the frame that `f` borrows from cannot go, so what
/// has begun is waited for, and its value returned.
///
/// # Panics
///
/// With `f`'s own panic.
///
/// ```
/// let mut line = String::from("a");
/// kettle::run(|| kettle::unblock(|| line.push('b')));
/// assert_eq!(line, "ab");
/// ```
pub fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    if runs_in_place() { f() } else { Pool::global().submit(f) }
}

/// Where there is nobody to make way for.
pub(crate) fn runs_in_place() -> bool {
    task::current_coroutine().is_none() || std::thread::panicking() || task::fork::is_forked()
}

/// Threads for work that must block, beside those of [`unblock`](unblock()): with a bound of its own,
/// where only so many may do something at once.
///
/// ```
/// use kettle::unblock;
///
/// let connections = unblock::Builder::new().threads(4).name("database").build()?;
/// kettle::run(|| connections.run(|| { /* a query, one of four at a time */ }));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Dropping it waits until its threads have left.
pub struct Pool {
    shared: Arc<Shared>,
}

// A panic of a job's is handed to its caller and leaves the pool as it was.
impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}

impl Pool {
    fn new(settings: Settings) -> Self {
        Self { shared: Shared::new(settings) }
    }

    /// The one that [`unblock`](unblock()) uses.
    fn global() -> &'static Self {
        GLOBAL.get_or_init(|| Self::new(Settings::default()))
    }

    /// Runs `f` on a thread of this pool, as [`unblock`](unblock()) does on one of the process's pool.
    ///
    /// # Panics
    ///
    /// With `f`'s own panic.
    pub fn run<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        if runs_in_place() { f() } else { self.submit(f) }
    }

    /// How many threads the pool has now, those included that are about to begin.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.threads()
    }

    fn submit<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        cancel::point();
        let job = TypedJob::new(f);
        let anchored = Anchored;
        // SAFETY: once; the job does not move until it is settled or withdrawn, nor does the frame
        // unwind: `anchored`.
        let submitted = self.shared.submit(unsafe { job.reference() });
        let settled = match submitted {
            Submitted::Started => Some(wait(&job)),
            Submitted::Queued(ticket) => self.wait_in_queue(&job, ticket),
            Submitted::Refused => Some(Settled::Returned),
        };
        core::mem::forget(anchored);
        match settled {
            // SAFETY: done, and the job is used up.
            Some(Settled::Done) => match unsafe { job.into_output() } {
                Ok(value) => value,
                Err(payload) => resume_unwind(payload),
            },
            // SAFETY: returned or refused, and the job is used up.
            Some(Settled::Returned) => (unsafe { job.into_closure() })(),
            None => {
                // SAFETY: withdrawn, and the job is used up.
                drop(unsafe { job.into_closure() });
                cancel::unwind()
            }
        }
    }

    /// Waits until the job is settled; none if it was withdrawn, because the caller is to unwind.
    fn wait_in_queue<F, T>(&self, job: &TypedJob<F, T>, ticket: Ticket) -> Option<Settled>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        loop {
            if let Some(settled) = job.settled() {
                return Some(settled);
            }
            if task::park(Wait::Event, WaitReason::Unblock) == Outcome::Cancelled {
                // If it has begun, it is too late.
                return match self.shared.withdraw(ticket) {
                    Some(_) => None,
                    None => Some(wait(job)),
                };
            }
        }
    }
}

/// Waits until a job that has begun, or will before long, is settled. No cancellation point.
fn wait<F, T>(job: &TypedJob<F, T>) -> Settled
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    loop {
        match job.settled() {
            Some(settled) => return settled,
            None => task::park_masked(Wait::Event, WaitReason::Unblock),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Whoever ran something through it has returned, for they borrowed it: what is left is idle, or
        // about to be.
        self.shared.close(task::current());
        while self.threads() != 0 {
            task::park_masked(Wait::Event, WaitReason::Shutdown);
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads()).finish_non_exhaustive()
    }
}
