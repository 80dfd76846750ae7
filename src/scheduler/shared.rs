//! What the workers of one runtime know of each other, and how work reaches them from outside.

#![allow(unsafe_code)]

use super::census::{Census, Count};
use super::idle::{BACKLOG, Idle};
use super::roster::Roster;
use super::stuck::OnDeadlock;
use crate::stack::StackClass;
use crate::task::{Header, Task, TaskRef};
use crate::util::list::Inbox;
use crate::util::lock::Lock;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::sync::atomic::{AtomicBool, AtomicUsize};
use crossbeam_deque::{Injector, Stealer};
use crossbeam_utils::CachePadded;

/// One runtime, as its workers, handles and tasks see it.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Of the stacks of tasks that do not ask for another.
    pub(super) class: StackClass,
    pub(super) remotes: Box<[CachePadded<Remote>]>,
    /// The migratable tasks.
    pub(super) migratable: Roster,
    pub(super) injector: Injector<Task>,
    /// Outlives the runtime.
    pub(super) idle: &'static Idle,
    /// When it is closed, whoever waits in `closer` wants to know of the end.
    pub(super) census: Census,
    /// The workers are to go home.
    pub(super) stopping: AtomicBool,
    pub(super) closer: Lock<Option<TaskRef>>,
    pub(super) on_deadlock: OnDeadlock,
    /// A deadlock has been reported.
    pub(super) reported: AtomicBool,
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
    pub(super) received: AtomicUsize,
    pub(super) roster: Roster,
    /// The worker sleeps, and only another thread can end that; see `stuck`.
    pub(super) stuck: AtomicBool,
    pub(super) tally: CachePadded<Tally>,
}

/// A worker's own counts: written by it alone, read by all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Tasks spawned on the worker.
    pub(super) spawned: Count,
    /// Tasks that the worker took on itself, not having received them.
    pub(super) taken_on: Count,
    /// Tasks that ended on the worker.
    pub(super) ended: Count,
    /// How often the worker has looked round.
    pub(super) rounds: Count,
    /// The worker runs tasks; otherwise it looks for some, or rests.
    pub(super) busy: AtomicBool,
}

impl Remote {
    pub(super) fn new(stealer: Stealer<Task>) -> Self {
        Self {
            inbox: Inbox::new(),
            stealer,
            received: AtomicUsize::new(0),
            roster: Roster::new(),
            stuck: AtomicBool::new(false),
            tally: CachePadded::default(),
        }
    }

    pub(super) fn inbox(&self) -> &Inbox<Header> {
        &self.inbox
    }
}

impl Shared {
    pub(super) fn new(
        remotes: Box<[CachePadded<Remote>]>,
        class: StackClass,
        on_deadlock: OnDeadlock,
    ) -> Self {
        Self {
            class,
            idle: Idle::take(remotes.len()),
            remotes,
            migratable: Roster::new(),
            injector: Injector::new(),
            census: Census::default(),
            stopping: AtomicBool::new(false),
            closer: Lock::new(None),
            on_deadlock,
            reported: AtomicBool::new(false),
        }
    }

    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.remotes.len()
    }

    pub(super) fn as_runtime(&self) -> *const () {
        (&raw const *self).cast()
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

    /// How many tasks wait for a worker to take them, as [`Idle::end_search`] asks.
    pub(super) fn waiting(&self) -> usize {
        if !self.injector.is_empty() {
            return BACKLOG;
        }
        self.remotes.iter().map(|remote| remote.stealer.len()).max().unwrap_or(0)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.idle.give_back();
    }
}
