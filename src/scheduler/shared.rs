//! What the workers of one runtime know of each other, and how work reaches them from outside.

#![allow(unsafe_code)]

use super::idle::Idle;
use super::switching::DOOR;
use super::worker::Worker;
use crate::stack::StackClass;
use crate::task::{
    Header, JoinHandle, Origin, Task, TaskRef, Wait, WaitReason, current, new_task, park,
};
use crate::util::list::Inbox;
use crate::util::lock::Lock;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crossbeam_deque::{Injector, Stealer};
use crossbeam_utils::CachePadded;
use std::io;
use std::sync::Arc;

/// From how many waiting tasks on there is work for one more worker without a doubt.
pub(super) const BACKLOG: usize = 16;

/// One runtime, as its workers, handles and tasks see it.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Of the stacks of tasks that do not ask for another.
    class: StackClass,
    pub(super) remotes: Box<[CachePadded<Remote>]>,
    pub(super) injector: Injector<Task>,
    /// Outlives the runtime.
    pub(super) idle: &'static Idle,
    /// How many tasks came in from outside.
    injected: AtomicUsize,
    /// Nothing more comes in from outside, and whoever waits in `closer` wants to know of the end.
    closing: AtomicBool,
    /// The workers are to go home.
    stopping: AtomicBool,
    closer: Lock<Option<TaskRef>>,
}

// No user's code runs while any of it is being changed.
impl UnwindSafe for Shared {}
impl RefUnwindSafe for Shared {}

/// What others may touch of one worker.
#[derive(Debug)]
pub(super) struct Remote {
    /// Tasks of this worker that others have woken or placed here.
    inbox: Inbox<Header>,
    pub(super) stealer: Stealer<Task>,
    /// How many tasks others have placed here before they had started.
    received: AtomicUsize,
    pub(super) tally: CachePadded<Tally>,
}

/// A worker's own counts: written by it alone, read by all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Tasks spawned on the worker.
    pub(super) spawned: Count,
    /// Tasks that the worker took on itself, not having received them.
    pub(super) started: Count,
    /// Tasks that ended on the worker.
    pub(super) ended: Count,
    /// How often the worker has looked round.
    pub(super) rounds: Count,
    /// The worker runs tasks; otherwise it looks for some, or rests.
    pub(super) busy: AtomicBool,
}

/// A number that one thread writes.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicUsize);

impl Count {
    /// For the one that writes.
    #[inline(always)]
    pub(super) fn increment(&self) {
        // Release: pairs with the Acquire in `get`: a reader that sees a task ended sees what it had
        // spawned before.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    #[inline(always)]
    pub(super) fn get(&self) -> usize {
        // Acquire: pairs with the Release in `increment`.
        self.0.load(Ordering::Acquire)
    }
}

impl Remote {
    pub(super) fn new(stealer: Stealer<Task>) -> Self {
        Self {
            inbox: Inbox::new(),
            stealer,
            received: AtomicUsize::new(0),
            tally: CachePadded::default(),
        }
    }

    pub(super) fn inbox(&self) -> &Inbox<Header> {
        &self.inbox
    }

    /// How many tasks live here that have started, or are bound to start here.
    pub(super) fn live(&self) -> usize {
        let tally = &self.tally;
        // Relaxed: for placement, where a stale number does no harm.
        let taken_on = tally.started.get().wrapping_add(self.received.load(Ordering::Relaxed));
        // A migratable task may end elsewhere: never below zero.
        (taken_on.wrapping_sub(tally.ended.get()) as isize).max(0) as usize
    }
}

/// Where a new task is to run.
#[derive(Clone, Debug)]
pub(crate) enum Placement {
    /// Wherever there is time for it.
    Anywhere,
    /// On the worker that this task runs on.
    Beside(TaskRef),
}

/// Why a task could not be spawned.
#[derive(Debug)]
pub(crate) enum SpawnError {
    /// The runtime is being dropped.
    Closing,
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
    pub(super) fn new(remotes: Box<[CachePadded<Remote>]>, class: StackClass) -> Self {
        Self {
            class,
            idle: Idle::take(remotes.len()),
            remotes,
            injector: Injector::new(),
            injected: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            closer: Lock::new(None),
        }
    }

    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.remotes.len()
    }

    fn as_runtime(&self) -> *const () {
        (&raw const *self).cast()
    }

    /// The runtime of the running coroutine, if one is running.
    #[inline]
    pub(crate) fn current<'a>() -> Option<&'a Arc<Self>> {
        Worker::current().filter(|worker| worker.runs_a_task()).map(Worker::shared_handle)
    }

    /// Whether the running coroutine is one of this runtime's.
    pub(crate) fn is_current(&self) -> bool {
        self.current_worker().is_some()
    }

    fn current_worker(&self) -> Option<&Worker> {
        Worker::current().filter(|worker| worker.belongs_to(self) && worker.runs_a_task())
    }

    /// Makes a task for `f` and lets it run.
    ///
    /// # Errors
    ///
    /// As [`SpawnError`] lists them; `f` is dropped.
    ///
    /// # Safety
    ///
    /// `f` and its output may be used on any worker until the task has ended. If `migratable`, also its
    /// frames may change workers at any wait.
    pub(crate) unsafe fn spawn<F, T>(
        &self,
        f: F,
        name: Option<Box<str>>,
        class: Option<StackClass>,
        migratable: bool,
        placement: Placement,
    ) -> Result<JoinHandle<T>, SpawnError>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        let class = class.unwrap_or(self.class);
        let origin = Origin { door: &DOOR, runtime: self.as_runtime(), class, migratable, name };
        let home = match &placement {
            Placement::Anywhere => None,
            Placement::Beside(task) => self.home_beside(task)?,
        };
        // SAFETY: the caller's.
        let make = || unsafe { new_task(f, origin) }.map_err(SpawnError::Memory);
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

    /// Gives a task that has not started to the worker `home`, to start there.
    pub(super) fn place(&self, task: Task, home: usize) {
        let home = task.claim_home(home);
        // Relaxed: for placement.
        self.remotes[home].received.fetch_add(1, Ordering::Relaxed);
        self.deliver(task, home);
    }

    /// Puts a task into the inbox of the worker that it belongs to.
    pub(super) fn deliver(&self, task: Task, home: usize) {
        // Once the task is in the inbox it may run and end, and with it the runtime: after the push
        // nothing of `self` may be touched.
        let idle = self.idle;
        // SAFETY: the `Task` is handed over, and the runtime's reference with it.
        unsafe { self.remotes[home].inbox.push(task.into_raw()) };
        idle.wake(home);
    }

    /// Puts a task where any worker finds it.
    pub(super) fn inject(&self, task: Task) {
        // As in `deliver`.
        let idle = self.idle;
        self.injector.push(task);
        idle.work_injected();
    }

    /// The worker with the fewest live tasks.
    pub(super) fn least_loaded(&self) -> usize {
        (0..self.remotes.len()).min_by_key(|&index| self.remotes[index].live()).unwrap_or(0)
    }

    /// The last searcher has found work: if there is more, the next one must search.
    pub(super) fn search_ended(&self) {
        // Pairs with the fence in `Idle::look`: work that a maker left to this searcher is seen here.
        fence(Ordering::SeqCst);
        if !self.injector.is_empty() {
            self.idle.work_injected();
        } else if let Some(waiting) =
            self.remotes.iter().map(|remote| remote.stealer.len()).filter(|&len| len > 0).max()
        {
            self.idle.work_pushed(waiting);
        }
    }

    /// How many tasks have not ended. Exact when it says none.
    fn live(&self) -> usize {
        // Ended first: what it has spawned is counted before a task ends.
        let ended = self.sum(|tally| &tally.ended);
        // Acquire: pairs with the SeqCst in `enter`.
        let injected = self.injected.load(Ordering::Acquire);
        self.sum(|tally| &tally.spawned).wrapping_add(injected).wrapping_sub(ended)
    }

    fn sum(&self, count: impl Fn(&Tally) -> &Count) -> usize {
        let counts = self.remotes.iter().map(|remote| count(&remote.tally).get());
        counts.fold(0, usize::wrapping_add)
    }

    /// Counts a task in from outside.
    fn enter(&self) -> Result<Entry<'_>, SpawnError> {
        // SeqCst, both: either the closer counts this one, or this one sees that it closes.
        self.injected.fetch_add(1, Ordering::SeqCst);
        let entry = Entry { shared: self };
        if self.closing.load(Ordering::SeqCst) {
            return Err(SpawnError::Closing);
        }
        Ok(entry)
    }

    /// Takes nothing more from outside and waits until every task has ended.
    pub(crate) fn close(&self) {
        *self.closer.lock() = Some(current());
        // SeqCst: see `enter`.
        self.closing.store(true, Ordering::SeqCst);
        // Pairs with the fence in `Sleep::rest`: a worker that goes to rest after the last task either
        // sees `closing` or is seen here.
        fence(Ordering::SeqCst);
        while self.live() != 0 {
            park(Wait::Event, WaitReason::Shutdown);
        }
        *self.closer.lock() = None;
    }

    /// For a worker that rests, and for who counted itself in and out again: tells the closer, if there
    /// is one and nothing is left. The caller has ordered this after its own counting, by a fence.
    pub(super) fn report_if_quiet(&self) {
        // Relaxed: ordered by the caller's fence.
        if self.closing.load(Ordering::Relaxed) && self.live() == 0 {
            if let Some(closer) = &*self.closer.lock() {
                closer.unpark(Wait::Event);
            }
        }
    }

    /// Sends the workers home. Nothing may be left to run.
    pub(crate) fn stop(&self) {
        // Release: pairs with the Acquire in `stopping`.
        self.stopping.store(true, Ordering::Release);
        for index in 0..self.remotes.len() {
            self.idle.wake(index);
        }
    }

    pub(super) fn stopping(&self) -> bool {
        // Acquire: pairs with the Release in `stop`.
        self.stopping.load(Ordering::Acquire)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.idle.give_back();
    }
}

/// A task counted in, and out again if it does not come.
struct Entry<'a> {
    shared: &'a Shared,
}

impl Entry<'_> {
    fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // SeqCst: as in `enter`. The fence is what `report_if_quiet` asks for; it pairs with the one in
        // `close`.
        self.shared.injected.fetch_sub(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.shared.report_if_quiet();
    }
}
