//! How a runtime is shaped and started.

use super::{GLOBAL, Handle, Runtime};
use crate::scheduler::{OnDeadlock, Worker};
use crate::stack::{DEFAULT_STACK_SIZE, StackClass};
use crate::sys;
use crate::task::fork;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::thread;

/// The most workers that a runtime may have.
const MOST_WORKERS: usize = 1024;

/// The shape of a [`Runtime`].
#[derive(Clone, Debug)]
#[must_use = "a builder starts nothing until `build` or `build_global`"]
pub struct Builder {
    workers: Option<usize>,
    name: String,
    stack_size: usize,
    pin_to_cores: bool,
    on_deadlock: OnDeadlock,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A worker for each core, stacks of 1 MiB.
    pub fn new() -> Self {
        Self {
            workers: None,
            name: "kettle-worker".to_string(),
            stack_size: DEFAULT_STACK_SIZE,
            pin_to_cores: false,
            on_deadlock: OnDeadlock::default(),
        }
    }

    /// How many worker threads, from 1 to 1024; by default as many as there are cores.
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = Some(count);
        self
    }

    /// The name of the worker threads, to which a number is added; `kettle-worker` by default.
    pub fn worker_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The stack size of coroutines that do not ask for one, in bytes, as
    /// [`thread::Builder::stack_size`](crate::thread::Builder::stack_size) has it.
    pub fn stack_size(mut self, size: usize) -> Self {
        self.stack_size = size;
        self
    }

    /// Binds each worker to one of the cores that the process may use; off by default.
    pub fn pin_to_cores(mut self, pin: bool) -> Self {
        self.pin_to_cores = pin;
        self
    }

    /// What to do when none of the runtime's coroutines can go on any more and nobody is left who could wake
    /// one: every other thread of the process waits, without a deadline, in a primitive of kettle's. By
    /// default it is reported. It is looked for when the workers have had nothing to do for a while.
    pub fn on_deadlock(mut self, action: OnDeadlock) -> Self {
        self.on_deadlock = action;
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    ///
    /// For a number of workers or a stack size that cannot be, and where a worker cannot be started.
    pub fn build(self) -> io::Result<Runtime> {
        if fork::is_forked() {
            return Err(fork::refusal());
        }
        let count = match self.workers {
            None => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            Some(count @ 1..=MOST_WORKERS) => count,
            Some(count) => {
                return Err(invalid(format!(
                    "a kettle runtime cannot have {count} workers; choose from 1 to {MOST_WORKERS}"
                )));
            }
        };
        if self.name.contains('\0') {
            return Err(invalid("the worker threads' name contains a NUL".to_string()));
        }
        let class = StackClass::fitting(self.stack_size)?;
        let (shared, deques) = Worker::prepare(count, class, self.on_deadlock);
        let mut runtime =
            Runtime { handle: Handle { shared: Arc::clone(&shared) }, workers: Vec::new() };
        for (index, deque) in deques.into_iter().enumerate() {
            let (sender, ready) = mpsc::channel();
            let shared = Arc::clone(&shared);
            let pin = self.pin_to_cores;
            let worker =
                thread::Builder::new().name(format!("{}-{index}", self.name)).spawn(move || {
                    let ready = |outcome| drop(sender.send(outcome));
                    if pin {
                        if let Err(error) = sys::pin_thread_to_core(index) {
                            return ready(Err(error));
                        }
                    }
                    Worker::serve(shared, index, deque, ready);
                })?;
            // Whatever fails from here on: dropping the runtime stops the workers that have begun.
            runtime.workers.push(worker);
            ready.recv().map_err(io::Error::other)??;
        }
        Ok(runtime)
    }

    /// Starts the default runtime, which [`crate::thread::spawn`] uses outside of coroutines.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and if the default runtime has been started already, by this or by
    /// the first spawn.
    pub fn build_global(self) -> io::Result<()> {
        let started = || {
            io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the default kettle runtime runs already; configure it before the first spawn",
            )
        };
        if GLOBAL.get().is_some() {
            return Err(started());
        }
        GLOBAL.set(self.build()?).map_err(|_| started())
    }
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
