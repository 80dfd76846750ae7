//! From a closure to a task in a queue: what may be asked for it, and why there may be none.

#![allow(unsafe_code)]

use super::shared::Shared;
use super::switching::DOOR;
use crate::stack::StackClass;
use crate::task::{Attention, JoinHandle, OnEnd, Origin, TaskRef, fork, new_task};
use std::io;

/// What may be asked for a task.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) name: Option<Box<str>>,
    /// The runtime's own where it is not given.
    pub(crate) class: Option<StackClass>,
    pub(crate) migratable: bool,
    /// To run on the worker that this task runs on; without it, wherever there is time.
    pub(crate) beside: Option<TaskRef>,
}

/// Why a task could not be spawned.
#[derive(Debug)]
pub(crate) enum SpawnError {
    /// The runtime is being dropped.
    Closing,
    /// This is a forked child without workers.
    Forked,
    /// No memory for its block.
    Memory(io::Error),
    /// To be placed beside something that this runtime does not run.
    NotBeside,
}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::Closing => io::Error::other(
                "the kettle runtime is being dropped and takes no more coroutines; spawn them before, \
                 or from a coroutine that it still waits for",
            ),
            SpawnError::Forked => fork::refusal(),
            SpawnError::Memory(error) => error,
            SpawnError::NotBeside => io::Error::new(
                io::ErrorKind::InvalidInput,
                "Builder::beside needs a coroutine of the runtime that is spawned on; this is an OS \
                 thread, or a coroutine of another runtime",
            ),
        }
    }
}

impl Shared {
    /// Makes a task for `f` and lets it run; `on_end` hears of its end.
    ///
    /// # Errors
    ///
    /// As [`SpawnError`] lists them; `f` is dropped, and so is `on_end`, unheard.
    ///
    /// # Safety
    ///
    /// `f`, its output and `on_end` may be used on any worker until `on_end` has been called. If
    /// `migratable`, also its frames may change workers at any wait.
    pub(crate) unsafe fn spawn<F, T, E>(
        &self,
        f: F,
        options: Options,
        on_end: E,
    ) -> Result<JoinHandle<T>, SpawnError>
    where
        F: FnOnce() -> T + Send,
        T: Send,
        E: OnEnd,
    {
        if fork::is_forked() {
            return Err(SpawnError::Forked);
        }
        let Options { name, class, migratable, beside } = options;
        let class = class.unwrap_or(self.class);
        let attention = Attention::of_coroutine(migratable);
        let origin = Origin { door: &DOOR, runtime: self.as_runtime(), class, attention, name };
        let home = match beside {
            None => None,
            Some(task) => self.home_beside(&task)?,
        };
        let make = || {
            // SAFETY: the caller's.
            let (task, joiner) =
                unsafe { new_task(f, origin, on_end) }.map_err(SpawnError::Memory)?;
            // SAFETY: the output's type is `T`, and this is its one join handle.
            Ok((task, unsafe { JoinHandle::new(joiner) }))
        };
        match self.current_worker() {
            Some(worker) => {
                let (task, join) = make()?;
                worker.tally().spawned.increment();
                match home {
                    None => worker.push_new(task),
                    Some(home) => self.place(task, home),
                }
                Ok(join)
            }
            None => {
                let entry = self.enter()?;
                let (task, join) = make()?;
                entry.keep();
                match home {
                    None => self.inject(task),
                    Some(home) => self.place(task, home),
                }
                Ok(join)
            }
        }
    }

    /// The worker that `task` runs on, or from now on will; none if it has ended.
    fn home_beside(&self, task: &TaskRef) -> Result<Option<usize>, SpawnError> {
        // First the address: if the task has not ended after that, its runtime lived meanwhile, and with
        // this one's address it is this one. One that has ended may be of an earlier runtime that lay
        // here, and says nothing.
        let same = task.runtime() == self.as_runtime();
        if task.is_complete() {
            return Ok(None);
        }
        if !same {
            return Err(SpawnError::NotBeside);
        }
        let wanted = match self.current_worker() {
            Some(worker) => worker.index(),
            None => self.least_loaded(),
        };
        Ok(Some(task.claim_home(wanted)))
    }
}
