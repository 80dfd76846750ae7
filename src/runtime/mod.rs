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

pub use builder::Builder;

use crate::scheduler::{Options, Shared};
use crate::task::JoinHandle;
use core::fmt;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::sync::{Arc, OnceLock};

/// The default runtime. It is never dropped: at the end of `main` its coroutines die as std's threads
/// do.
static GLOBAL: OnceLock<Runtime> = OnceLock::new();

/// A set of worker threads and the coroutines on them.
///
/// Dropping it waits until all its coroutines have ended, then for its workers. From outside it takes
/// no more coroutines from then on; its own may still spawn.
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

    /// A handle to this runtime.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Runtime {
    /// Waits for the runtime's coroutines and workers.
    ///
    /// # Panics
    ///
    /// In one of the runtime's own coroutines: it would wait for itself.
    fn drop(&mut self) {
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
        self.handle.shared.close();
        self.handle.shared.stop();
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
        match unsafe { self.shared.spawn(f, Options::default()) }.map_err(io::Error::from) {
            Ok(join) => join,
            Err(error) => panic!("failed to spawn a coroutine: {error}"),
        }
    }

    /// Runs `f` as a coroutine of the runtime, waits for it, and returns its value. `f` may borrow.
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
        let spawned = unsafe { self.shared.spawn(f, Options::default()) }.map_err(io::Error::from);
        let joined = spawned.map(|coroutine| {
            let guard = MustNotUnwind;
            let joined = coroutine.join();
            core::mem::forget(guard);
            joined
        });
        match joined {
            Ok(Ok(value)) => value,
            Ok(Err(payload)) => resume_unwind(payload),
            Err(error) => panic!("failed to spawn a coroutine: {error}"),
        }
    }
}

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

/// Spawns a coroutine on the runtime of `handle`, or on the current one.
///
/// # Errors
///
/// Where there is no memory for it, the runtime takes no more, or `options` cannot be met.
///
/// # Safety
///
/// `f` and its output may be used until the coroutine has ended; if `migratable`, its frames may change
/// threads at every wait.
pub(crate) unsafe fn spawn_unchecked<F, T>(
    handle: Option<&Handle>,
    f: F,
    options: Options,
) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    // SAFETY: the caller's.
    unsafe {
        match handle {
            Some(handle) => Ok(handle.shared.spawn(f, options)?),
            None => Ok(with_current(|shared| shared.spawn(f, options))??),
        }
    }
}
