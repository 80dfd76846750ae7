//! Runtimes: the worker threads that coroutines run on.
//!
//! Most programs never name one: the default runtime starts when the first coroutine is spawned, with a
//! worker for each core. [`Builder::build_global`] configures it before that; [`Runtime`] makes others
//! beside it.
//!
//! ```
//! use kettle::runtime::Runtime;
//!
//! let runtime = Runtime::builder().workers(2).stack_size(64 * 1024).build()?;
//! let answer = runtime.spawn(|| 6 * 7);
//! assert_eq!(answer.join().unwrap(), 42);
//! # Ok::<(), std::io::Error>(())
//! ```

#![allow(unsafe_code)]

mod builder;
mod dump;

pub use crate::scheduler::OnDeadlock;
pub use builder::Builder;
pub use dump::{Deadlock, Dump, Waiting};

use crate::scheduler::{Left, Options, Shared};
use crate::task::{Cancelled, JoinHandle, OnEnd, Thread, cancel, fork};
use core::fmt;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The default runtime. It is never dropped: at the end of `main` its coroutines die as std's threads
/// do.
static GLOBAL: OnceLock<Runtime> = OnceLock::new();

/// A set of worker threads and the coroutines on them.
///
/// Dropping it cancels its coroutines, each of which unwinds on its own worker, and waits until all have
/// ended, then for its workers. From outside it takes no more coroutines from then on; its own may still
/// spawn, but what has not begun by then never does. To have them finish instead, join them first.
pub struct Runtime {
    handle: Handle,
    workers: Vec<std::thread::JoinHandle<()>>,
}

// A panic elsewhere leaves the workers as they were.
impl UnwindSafe for Runtime {}
impl RefUnwindSafe for Runtime {}

/// A reference to a [`Runtime`] that can be kept, cloned and sent, for spawning on it.
///
/// It does not keep the runtime alive: a spawn on one that is being dropped fails.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Runtime {
    /// A runtime with a worker for each core.
    ///
    /// # Errors
    ///
    /// Where the workers cannot be started.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// For a runtime of another shape.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Spawns a coroutine on this runtime, as [`crate::thread::spawn`] does on the current one.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.handle.spawn(f)
    }

    /// Runs `f` as a coroutine of this runtime, waits for it, and returns its value. `f` may borrow.
    ///
    /// # Panics
    ///
    /// With `f`'s own panic, and as [`crate::thread::spawn`].
    pub fn run<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        self.handle.run(f)
    }

    /// Cancels the runtime's coroutines and waits until they have ended, at the longest for `timeout`; then
    /// for the workers. From the start it takes no more coroutines from outside.
    ///
    /// No cancellation point.
    ///
    /// ```
    /// use kettle::runtime::Runtime;
    /// use kettle::thread;
    /// use std::time::Duration;
    ///
    /// let runtime = Runtime::builder().workers(1).build()?;
    /// runtime.spawn(|| thread::park());
    /// runtime.shutdown(Duration::from_secs(10))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Says who was left when the time was up. These are given up: what they own is leaked, whoever joins one
    /// waits for ever, and so does who called [`run`](Handle::run) for one; their stacks stay
    /// mapped. One that still runs goes on until it waits. The OS threads that they are on sleep for ever after
    /// that: a coroutine may have lent others what it has borrowed from a thread-local.
    ///
    /// # Panics
    ///
    /// In one of the runtime's own coroutines, as dropping it does.
    pub fn shutdown(mut self, timeout: Duration) -> Result<(), ShutdownError> {
        if fork::is_forked() || self.handle.shared.is_current() {
            // Panics, unless in a forked child.
            drop(self);
            return Ok(());
        }
        // A time beyond what the clock can tell is no limit.
        let Err(left) = self.handle.shared.close(Instant::now().checked_add(timeout)) else {
            // Nobody is left to be waited for.
            return Ok(());
        };
        // Somebody may still wake those who are left, and finds the runtime through them.
        core::mem::forget(Arc::clone(&self.handle.shared));
        self.stop();
        self.workers.clear();
        Err(ShutdownError { left })
    }

    /// Sends the workers home.
    fn stop(&self) {
        self.handle.shared.stop();
    }

    /// A handle to this runtime.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Runtime {
    /// Cancels the runtime's coroutines and waits for them and for the workers. Standard error is told after a
    /// second, and now and then from there on, whom it still waits for: one that masks cancellation, or that
    /// never waits. In a program built with `panic = "abort"` nothing is cancelled, only waited for.
    ///
    /// # Panics
    ///
    /// In one of the runtime's own coroutines: it would wait for itself.
    fn drop(&mut self) {
        if self.workers.is_empty() {
            // Shut down already.
            return;
        }
        if fork::is_forked() {
            // There is nobody to wait for, and nothing of theirs may be touched.
            core::mem::forget(core::mem::take(&mut self.workers));
            return;
        }
        if self.handle.shared.is_current() {
            // The workers go on; nothing waits for them any more.
            self.workers.clear();
            if std::thread::panicking() {
                return;
            }
            panic!(
                "a kettle runtime was dropped in one of its own coroutines, which would wait for itself; \
                 drop it outside, or keep a Handle inside"
            );
        }
        let left = self.handle.shared.close(None);
        debug_assert!(left.is_ok(), "without a deadline nobody is left");
        self.stop();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so on standard error.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}

impl Handle {
    /// The runtime of the running coroutine; outside of one the default runtime, which is started if it
    /// has not been yet.
    ///
    /// # Panics
    ///
    /// Where the default runtime cannot be started.
    #[must_use]
    pub fn current() -> Self {
        match Self::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("failed to start the default kettle runtime: {error}"),
        }
    }

    fn try_current() -> io::Result<Self> {
        with_current(|shared| Self { shared: Arc::clone(shared) })
    }

    /// Spawns a coroutine on the runtime, as [`crate::thread::spawn`] does on the current one.
    ///
    /// # Panics
    ///
    /// As there, and if the runtime is being dropped.
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: `'static` and `Send`; not migratable.
        match unsafe { self.shared.spawn(f, Options::default(), ()) }.map_err(io::Error::from) {
            Ok(join) => join,
            Err(error) => panic!("failed to spawn a coroutine: {error}"),
        }
    }

    /// Runs `f` as a coroutine of the runtime, waits for it, and returns its value. `f` may borrow.
    ///
    /// A cancellation point: a caller that is cancelled meanwhile cancels `f`, waits for its end, and unwinds
    /// then, unless `f` has come to its end all the same.
    ///
    /// # Panics
    ///
    /// With `f`'s own panic, and as [`spawn`](Self::spawn).
    pub fn run<F, T>(&self, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        /// What `f` borrows must not go while the coroutine may use it.
        struct MustNotUnwind;

        impl Drop for MustNotUnwind {
            fn drop(&mut self) {
                crate::sys::write_to_stderr(
                    b"fatal runtime error: kettle could not wait for a coroutine that borrows, \
                      aborting\n",
                );
                std::process::abort();
            }
        }

        // SAFETY: what `f` borrows outlives this function, which does not return before the coroutine
        // has ended, and does not unwind before that either: the guard sees to it.
        let spawned =
            unsafe { self.shared.spawn(f, Options::default(), ()) }.map_err(io::Error::from);
        let mut handed_on = false;
        let joined = spawned.map(|coroutine| {
            let guard = MustNotUnwind;
            let joined = coroutine.join_to_the_end(|task| {
                handed_on = true;
                task.cancel();
            });
            core::mem::forget(guard);
            joined
        });
        match joined {
            Ok(Ok(value)) => value,
            // For the caller's own reason, which may be a time limit.
            Ok(Err(payload)) if handed_on && payload.is::<Cancelled>() => cancel::unwind(),
            Ok(Err(payload)) => resume_unwind(payload),
            Err(error) => panic!("failed to spawn a coroutine: {error}"),
        }
    }
}

/// Why [`Runtime::shutdown`] could not end all coroutines: its time was up.
pub struct ShutdownError {
    left: Left,
}

impl ShutdownError {
    /// The coroutines that were left, but for those that have never waited since they began: those are only
    /// [counted](Self::count).
    #[must_use]
    pub fn left(&self) -> &[Thread] {
        &self.left.threads
    }

    /// How many coroutines were left.
    #[must_use]
    pub fn count(&self) -> usize {
        self.left.live
    }
}

impl fmt::Debug for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownError").field("left", &self.left).finish()
    }
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gave up waiting for {}", self.left)
    }
}

impl std::error::Error for ShutdownError {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("workers", &self.shared.workers()).finish_non_exhaustive()
    }
}

/// Calls `f` with the runtime of the running coroutine; outside of one with the default runtime, which
/// is started if it has not been yet.
fn with_current<R>(f: impl FnOnce(&Arc<Shared>) -> R) -> io::Result<R> {
    if let Some(shared) = Shared::current() {
        return Ok(f(shared));
    }
    if GLOBAL.get().is_none() {
        // Two threads may get here at once. The loser's runtime is dropped, which waits for nothing.
        let _ = GLOBAL.set(Runtime::new()?);
    }
    Ok(f(&GLOBAL.get().expect("set just now").handle.shared))
}

/// Spawns a coroutine on the runtime of `handle`, or on the current one; `on_end` hears of its end.
///
/// # Errors
///
/// Where there is no memory for it, the runtime takes no more, or `options` cannot be met.
///
/// # Safety
///
/// As for [`Shared::spawn`].
pub(crate) unsafe fn spawn_unchecked<F, T, E>(
    handle: Option<&Handle>,
    f: F,
    options: Options,
    on_end: E,
) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send,
    T: Send,
    E: OnEnd,
{
    // SAFETY: the caller's.
    unsafe {
        match handle {
            Some(handle) => Ok(handle.shared.spawn(f, options, on_end)?),
            None => Ok(with_current(|shared| shared.spawn(f, options, on_end))??),
        }
    }
}
