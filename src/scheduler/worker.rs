//! A worker: an OS thread, the tasks that are its own, and the choice of the next one.
//!
//! # Invariants
//!
//! 1. A worker is touched by its own thread alone; what others may touch is its [`Remote`]. Many
//!    tasks run on that thread, each for a while, so what changes lies in cells and lists: no reference
//!    to what is in one lives across a switch.
//! 2. A worker lives until its root has returned, which is after its last task has ended or moved.
//! 3. A `Worker` reference is good until the next switch: a migratable task may come back elsewhere.
//! 4. While the worker is in a deque's code no task is the running one ([`Worker::apart`]): what a program has
//!    deferred with crossbeam-epoch may be called there, and must neither switch nor come to this deque.

#![allow(unsafe_code)]

use super::idle::BACKLOG;
use super::shared::{Remote, Shared, Tally};
use super::stuck::OnDeadlock;
use super::timed::Timers;
use super::trimming::Trimming;
use crate::context::{Context, set_thread_word, thread_word};
use crate::reactor::Reactor;
use crate::stack::overflow::{self, AlternateStack};
use crate::stack::pool::Magazines;
use crate::stack::{Stack, StackClass, StackError, pool};
use crate::sys::futex;
use crate::task::{BUDGET, Blocks, Header, Local, Task, describe_current, fork};
use crate::util::list::Fifo;
use core::cell::{Cell, RefCell};
use core::ptr::{self, NonNull};
use crossbeam_deque::{Steal, Stealer};
use crossbeam_utils::CachePadded;
use std::io;
use std::sync::Arc;

/// Every so many tasks the worker looks at what it would not see otherwise. Prime, so that it does not
/// fall into step with a program's own period (as in Go's scheduler).
const TICKS: u32 = 61;

/// How often in a row the task that was woken last may overtake the queue.
const LIFO_RUNS: u32 = 16;

/// The running side of a worker.
#[repr(C)]
pub(crate) struct Worker {
    /// First: its address is the thread's word.
    pub(super) local: Local,
    /// Where the worker's own stack goes on, while a task runs.
    pub(super) root: Cell<Context>,
    /// Where a stack that has ended leaves a context that nobody will use.
    pub(super) nowhere: Cell<Context>,
    /// How many more tasks until the next look round.
    ticks: Cell<u32>,
    lifo_runs: Cell<u32>,
    /// The task of this worker that was woken last, by the worker itself.
    lifo: Cell<Option<NonNull<Header>>>,
    /// Tasks of this worker that are to run.
    pub(super) queue: Fifo<Header>,
    /// Tasks that any worker may take: new ones, and migratable ones.
    pub(super) deque: crossbeam_deque::Worker<Task>,
    /// The deque may hold something.
    deque_used: Cell<bool>,
    /// How many live tasks there may be before the next look at the other workers' numbers.
    pub(super) live_limit: Cell<usize>,
    /// Which worker was looked at last for that, and how often it had looked round.
    pub(super) rounds_seen: Cell<(usize, usize)>,
    pub(super) timers: Timers,
    pub(super) magazines: RefCell<Magazines>,
    /// A stack for dropping the closures of tasks for which there is none.
    pub(super) spare: Cell<Option<Stack>>,
    /// Why the task that is about to begin on the spare stack has to end there.
    pub(super) refusal: Cell<Option<String>>,
    /// New tasks for which there was no stack, not even the spare one.
    pub(super) starved: Fifo<Header>,
    pub(super) trimming: Trimming,
    index: usize,
    /// See `is_led_by_descriptors`.
    pub(super) led_by_descriptors: Cell<bool>,
    /// Where the worker sleeps, and what its tasks wait for descriptors with.
    reactor: &'static Reactor,
    shared: Arc<Shared>,
}

impl Worker {
    /// The worker whose thread this is, read afresh.
    #[inline(always)]
    pub(crate) fn current<'a>() -> Option<&'a Self> {
        // SAFETY: null, or the worker that `serve` lives for (invariant 2); for how long, says
        // invariant 3.
        unsafe { thread_word().cast::<Self>().as_ref() }
    }

    /// As [`current`](Self::current), where there is one for certain.
    ///
    /// # Safety
    ///
    /// Called from a task or a root.
    #[inline(always)]
    pub(super) unsafe fn current_unchecked<'a>() -> &'a Self {
        // SAFETY: the caller's, and as in `current`.
        unsafe { &*thread_word().cast::<Self>() }
    }

    /// Makes the shared part for `count` workers, and their deques.
    pub(crate) fn prepare(
        count: usize,
        class: StackClass,
        on_deadlock: OnDeadlock,
    ) -> (Arc<Shared>, Vec<crossbeam_deque::Worker<Task>>) {
        overflow::set_describe(describe_current);
        fork::watch();
        let deques: Vec<_> = (0..count).map(|_| crossbeam_deque::Worker::new_lifo()).collect();
        let remotes = deques.iter().map(|deque| CachePadded::new(Remote::new(deque.stealer())));
        (Arc::new(Shared::new(remotes.collect(), class, on_deadlock)), deques)
    }

    /// Is worker `index` of `shared` until the runtime stops. `ready` learns whether it could begin. Does not
    /// return where a coroutine is left that had begun here.
    pub(crate) fn serve(
        shared: Arc<Shared>,
        index: usize,
        deque: crossbeam_deque::Worker<Task>,
        ready: impl FnOnce(io::Result<()>),
    ) {
        let spare = match pool::take(StackClass::SMALLEST) {
            Ok(spare) => spare,
            Err(error) => return ready(Err(error.into())),
        };
        // An overflow's handler cannot run on the stack that is full. Signals stay as they are: blocking
        // them here, to keep the program's own handlers off coroutines' stacks, was tried and dropped,
        // because a child process inherits the mask and could not be terminated.
        let _alternate_stack = AlternateStack::ensure();
        let worker = Self {
            local: Local {
                task: Cell::new(None),
                clock: Cell::new(0),
                budget: Cell::new(BUDGET),
                blocks: Blocks::new(),
            },
            root: Cell::new(Context::NONE),
            nowhere: Cell::new(Context::NONE),
            ticks: Cell::new(TICKS),
            lifo_runs: Cell::new(0),
            lifo: Cell::new(None),
            queue: Fifo::new(),
            deque,
            deque_used: Cell::new(false),
            live_limit: Cell::new(0),
            rounds_seen: Cell::new((usize::MAX, 0)),
            timers: Timers::new(),
            magazines: RefCell::new(Magazines::new()),
            spare: Cell::new(Some(spare)),
            refusal: Cell::new(None),
            starved: Fifo::new(),
            trimming: Trimming::default(),
            index,
            led_by_descriptors: Cell::new(false),
            reactor: shared.idle.alarm(index),
            shared,
        };
        worker.reactor.open();
        set_thread_word((&raw const worker).cast_mut().cast());
        ready(Ok(()));
        worker.run_root();
        worker.reactor.close();
        set_thread_word(ptr::null_mut());
        if let Some(spare) = worker.spare.take() {
            pool::put(spare);
        }
        let left = !worker.remote().roster.is_empty();
        drop(worker);
        if left {
            // What these coroutines have borrowed from this thread's locals they may have lent to others, who go
            // on: the locals must not go.
            futex::wait_for_ever();
        }
    }

    #[inline(always)]
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    #[inline(always)]
    pub(super) fn index(&self) -> usize {
        self.index
    }

    #[inline(always)]
    pub(super) fn reactor(&self) -> &'static Reactor {
        self.reactor
    }

    #[inline(always)]
    pub(super) fn remote(&self) -> &Remote {
        &self.shared.remotes[self.index]
    }

    #[inline(always)]
    pub(super) fn tally(&self) -> &Tally {
        &self.remote().tally
    }

    #[inline(always)]
    pub(super) fn belongs_to(&self, shared: &Shared) -> bool {
        ptr::eq(Arc::as_ptr(&self.shared), shared)
    }

    /// Whether this is asked from a task, and not from the root.
    pub(super) fn runs_a_task(&self) -> bool {
        self.local.task.get().is_some()
    }

    /// Calls `f`, which works on a deque (invariant 4). crossbeam-deque frees its old buffers by
    /// crossbeam-epoch, and that calls what has been deferred in the process, by whomever. In there kettle's
    /// calls take the caller for an OS thread: what waits, blocks it; what is spawned or woken goes elsewhere.
    #[inline(always)]
    fn apart<R>(&self, f: impl FnOnce() -> R) -> R {
        /// A list that is half changed, or a waiter that nobody takes out, must not be left behind.
        struct MustNotUnwind;

        impl Drop for MustNotUnwind {
            fn drop(&mut self) {
                crate::sys::write_to_stderr(
                    b"fatal runtime error: a function deferred with crossbeam-epoch has panicked in kettle's \
                      scheduler, aborting\n",
                );
                std::process::abort();
            }
        }

        let task = self.local.task.take();
        let guard = MustNotUnwind;
        let result = f();
        core::mem::forget(guard);
        self.local.task.set(task);
        result
    }

    /// Takes a new task, or a migratable one that is to run: any worker may have it.
    #[inline]
    pub(super) fn push_new(&self, task: Task) {
        self.apart(|| self.deque.push(task));
        self.deque_used.set(true);
        if self.shared.workers() > 1 {
            self.shared.idle.work_pushed(self.deque.len());
        }
    }

    /// Takes a task of this worker that was woken on it: it runs soon, while what woke it is warm.
    #[inline]
    pub(super) fn push_woken(&self, task: Task) {
        if let Some(earlier) = self.lifo.replace(Some(task.into_raw())) {
            // SAFETY: out of the slot, so ours to queue.
            unsafe { self.queue.push_back(earlier) };
        }
    }

    /// Puts the task that was woken last behind those that were woken before.
    pub(super) fn queue_the_last_woken(&self) {
        if let Some(last) = self.lifo.take() {
            // SAFETY: out of the slot, so ours to queue.
            unsafe { self.queue.push_back(last) };
        }
    }

    /// The task to run next, of those that this worker knows of.
    #[inline(always)]
    pub(super) fn next(&self) -> Option<Task> {
        let ticks = self.ticks.get() - 1;
        self.ticks.set(ticks);
        if ticks == 0 {
            self.look_round();
        }
        if let Some(task) = self.lifo.take() {
            let runs = self.lifo_runs.get();
            if runs < LIFO_RUNS {
                self.lifo_runs.set(runs + 1);
                // SAFETY: out of the slot, so ours to run.
                return Some(unsafe { Task::from_raw(task) });
            }
            // SAFETY: as above, to queue.
            unsafe { self.queue.push_back(task) };
        }
        self.lifo_runs.set(0);
        match self.queue.pop_front() {
            // SAFETY: out of the queue, so ours to run.
            Some(task) => Some(unsafe { Task::from_raw(task) }),
            None => self.next_new(),
        }
    }

    /// The next task of those that nobody has taken on yet, then of those that others have sent.
    #[inline(never)]
    fn next_new(&self) -> Option<Task> {
        while self.deque_used.get() {
            match self.apart(|| self.deque.pop()) {
                Some(task) => {
                    if let Some(task) = self.take_on(task) {
                        return Some(task);
                    }
                }
                None => self.deque_used.set(false),
            }
        }
        self.next_sent()
    }

    /// The next task that others have sent.
    fn next_sent(&self) -> Option<Task> {
        if self.remote().inbox().is_empty() {
            return None;
        }
        self.remote().inbox().take_all(&self.queue);
        // SAFETY: out of the queue, so ours to run.
        self.queue.pop_front().map(|task| unsafe { Task::from_raw(task) })
    }

    /// Looks at what a busy worker would never see: descriptors, the inbox, its timers, the injector, the
    /// oldest new task.
    #[cold]
    fn look_round(&self) {
        self.ticks.set(TICKS);
        self.live_limit.set(0);
        self.tally().rounds.increment();
        if self.reactor.in_use() {
            self.look_at_descriptors();
        }
        self.remote().inbox().take_all(&self.queue);
        self.fire_due();
        self.take_injected();
        self.trim_while_busy();
        // The deque gives the newest first; without this the oldest might wait for ever.
        if let Steal::Success(task) = self.apart(|| self.oldest().steal()) {
            if let Some(task) = self.take_on(task) {
                // SAFETY: out of the deque, so ours to queue.
                unsafe { self.queue.push_back(task.into_raw()) };
            }
        }
    }

    fn oldest(&self) -> &Stealer<Task> {
        &self.remote().stealer
    }

    /// Moves a share of the injected tasks to the deque, all of a few: those that were spawned together
    /// should start together. Says whether there were any.
    pub(super) fn take_injected(&self) -> bool {
        if self.shared.injector.is_empty() {
            return false;
        }
        self.fill_deque(BACKLOG, || self.shared.injector.steal_batch(&self.deque))
    }

    /// Moves tasks from elsewhere to the deque, batch by batch, until there are no more or the deque holds
    /// `enough`. Says whether there were any.
    pub(super) fn fill_deque(&self, enough: usize, steal_batch: impl Fn() -> Steal<()>) -> bool {
        let mut taken = false;
        loop {
            match self.apart(&steal_batch) {
                Steal::Success(()) => taken = true,
                Steal::Empty => break,
                Steal::Retry => continue,
            }
            if self.deque.len() >= enough {
                break;
            }
        }
        if taken {
            self.deque_used.set(true);
        }
        taken
    }

    /// Puts one task that had no stack back into the queue: there may be one now.
    pub(super) fn retry_a_starved(&self) {
        if let Some(task) = self.starved.pop_front() {
            // SAFETY: out of one list, into the other.
            unsafe { self.queue.push_back(task) };
        }
    }

    /// A stack for a new task.
    #[inline]
    pub(super) fn take_stack(&self, class: StackClass) -> Result<Stack, StackError> {
        self.magazines.borrow_mut().take(class)
    }

    /// Takes back a stack that nothing lives on any more.
    #[inline]
    pub(super) fn put_stack(&self, stack: Stack) {
        self.retry_a_starved();
        if stack.class() == StackClass::SMALLEST {
            // The spare one comes first.
            match self.spare.take() {
                None => return self.spare.set(Some(stack)),
                spare => self.spare.set(spare),
            }
        }
        self.magazines.borrow_mut().put(stack);
    }

    /// Whether anything waits in this worker's own lists; for the root, about to rest.
    pub(super) fn has_work(&self) -> bool {
        !self.remote().inbox().is_empty() || !self.queue.is_empty() || self.lifo.get().is_some()
    }
}

impl Shared {
    /// The runtime of the running coroutine, if one is running.
    #[inline]
    pub(crate) fn current<'a>() -> Option<&'a Arc<Self>> {
        Worker::current().filter(|worker| worker.runs_a_task()).map(|worker| &worker.shared)
    }

    /// Whether the running coroutine is one of this runtime's.
    pub(crate) fn is_current(&self) -> bool {
        self.current_worker().is_some()
    }

    /// The worker that runs the running coroutine, if that is one of this runtime's.
    pub(super) fn current_worker(&self) -> Option<&Worker> {
        Worker::current().filter(|worker| worker.belongs_to(self) && worker.runs_a_task())
    }
}
