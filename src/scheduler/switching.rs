//! How one task makes way for the next: yield, park, end, and the first steps on a new stack.
//!
//! Every switch hands over two things: the address of the cell where the side that was left is to be
//! kept (whoever arrives puts it there), and what else must be done once nobody stands on that stack
//! any more ([`After`]), or null for nothing.
//!
//! # Invariants
//!
//! 1. A stack is switched to once for each time that it was left; a [`Task`] is the right to do so.
//! 2. `After` lies on the stack that was left. Whoever arrives moves it away before acting on it: the
//!    act may set the task loose. It has no destructor, so what is left behind does no harm.
//! 3. A task that stays on its worker may be queued before its stack is left, because only this worker
//!    will take it out again, after the switch. One that may be taken by others is queued after.

#![allow(unsafe_code)]

use super::shared::Shared;
use super::timed::park_until;
use super::worker::Worker;
use crate::context::{Arrival, Context, Value, last_switch, switch};
use crate::stack::Stack;
use crate::task::{Door, Header, Place, Published, Task, Wait, cancel, fork, park_in_kernel};
use crate::util::fallible;
use core::cell::Cell;
use core::ptr::{self, NonNull};
use std::time::Instant;

/// How this scheduler's tasks wait and are woken.
pub(super) static DOOR: Door = Door { park, schedule, yield_now: || yield_now() };

/// What is to be done once the side that was left is off its stack.
enum After {
    /// Let it be known that it waits, or let it run again if it has been woken since.
    Park(Task, Wait),
    /// Put it where others may find it.
    Requeue(Task),
    /// The stack is free.
    Retire(Stack),
}

impl After {
    /// The value for the switch; null for nothing.
    #[inline(always)]
    fn to_value(after: *mut Self) -> Value {
        Value::new(after.cast())
    }
}

/// What whoever arrives on a stack does first, with what the switch brought.
///
/// # Safety
///
/// The switch was made by this scheduler, just now.
#[inline(always)]
unsafe fn arrive(from: Context, word: usize, value: Value) {
    // SAFETY: every switch of this file hands over a cell that outlives it, and a value.
    unsafe {
        let kept: *const Cell<Context> = ptr::with_exposed_provenance(word);
        (*kept).set(from);
        let after = value.assume_init().cast::<After>();
        if !after.is_null() {
            act(after.read());
        }
    }
}

/// Does what the side that was left could not do itself.
fn act(after: After) {
    // SAFETY: called on arrival: from a task or a root.
    let worker = unsafe { Worker::current_unchecked() };
    match after {
        After::Park(task, wait) => match task.publish_park(wait, Place::Scheduler) {
            Published::Parked => {}
            Published::Woken | Published::Cancelled => worker.push_awake(task),
        },
        After::Requeue(task) => worker.push_new(task),
        After::Retire(stack) => worker.put_stack(stack),
    }
}

/// Leaves the running stack for `to`. Returns when somebody has come back to it, having done what they
/// left to do.
///
/// # Safety
///
/// `kept` is where those who would come back look for the running side, and `after` is null or lives on
/// the running stack. Invariant 1 for `to`. On return the worker may be another.
#[inline(always)]
unsafe fn leave(to: Context, kept: *const Cell<Context>, after: *mut After) {
    // SAFETY: the caller's.
    unsafe {
        let Arrival { from, word, value } =
            switch(to, kept.expose_provenance(), After::to_value(after));
        arrive(from, word, value);
    }
}

impl Worker {
    /// Makes `task` the one that runs, and gives the context to switch to: the task's, or that of a
    /// stack where it will begin. None if it cannot begin now.
    #[inline(always)]
    fn enter(&self, task: Task) -> Option<Context> {
        let context = task.context.get();
        if context.is_some() {
            self.local.task.set(Some(task.into_raw()));
            return Some(context);
        }
        self.enter_new(task)
    }

    #[inline]
    fn enter_new(&self, task: Task) -> Option<Context> {
        let (stack, entry) = match self.take_stack(task.class()) {
            Ok(stack) => {
                task.stack.set(&stack);
                (stack, begin as crate::context::Entry)
            }
            Err(error) => match self.spare.take() {
                Some(spare) => {
                    self.refusal.set(fallible::message(&error));
                    (spare, refuse as crate::context::Entry)
                }
                None => {
                    // SAFETY: ours to queue.
                    unsafe { self.starved.push_back(task.into_raw()) };
                    return None;
                }
            },
        };
        let first_frame = stack.first_frame();
        // SAFETY: the stack is ours and empty; its first frame is a multiple of 64.
        let context = unsafe { Context::new(first_frame, entry, stack.into_raw()) };
        self.local.task.set(Some(task.into_raw()));
        Some(context)
    }

    /// The next task that can run, and where. None also if there was no stack for it: then the root
    /// goes on, after whoever asks has given up the stack that it may be about to leave.
    #[inline(always)]
    fn next_context(&self) -> Option<Context> {
        self.enter(self.next()?)
    }

    /// Takes a task that waited and was woken before it had gone.
    fn push_awake(&self, task: Task) {
        if task.attention.may_migrate() { self.push_new(task) } else { self.push_woken(task) }
    }
}

/// Lets the other tasks of this worker run once. On an OS thread, lets the kernel's other threads. A
/// cancellation point, on the way in.
///
/// Inlined into its callers, all the way: a `ret` after a switch would be predicted to return to where
/// the side that was left had called from.
#[inline(always)]
pub(crate) fn yield_now() {
    let Some(worker) = Worker::current().filter(|worker| worker.runs_a_task()) else {
        return crate::sys::yield_thread();
    };
    // What std counts per OS thread must not be seen by a neighbour; see `park`.
    if std::thread::panicking() {
        return crate::sys::yield_thread();
    }
    // SAFETY: a task is running, and it is this.
    let task = unsafe { Task::from_raw(worker.local.task.get().unwrap_unchecked()) };
    let kept: *const Cell<Context> = &raw const task.context;
    if task.attention.is_wanted() {
        match pay_attention(worker) {
            Way::Own => {}
            Way::Any => return yield_migratable(worker, task),
            Way::None => return,
        }
    }
    let Some(next) = worker.next() else {
        // Alone: the task just goes on.
        let _ = task.into_raw();
        return;
    };
    let this = task.into_raw();
    // SAFETY: invariant 3: it stays on this worker.
    unsafe { worker.queue.push_back(this) };
    let context = next.context.get();
    let to = if context.is_some() {
        worker.local.task.set(Some(next.into_raw()));
        context
    } else {
        match enter_new_or_another(worker, next, this) {
            Some(to) => to,
            None => return,
        }
    };
    // SAFETY: `to` was just taken; the task's own cell is where it is looked for.
    unsafe { leave(to, kept, ptr::null_mut()) };
}

/// Where a task that yields goes on to, if the next one is new; none if there was no stack for it, nor for any
/// other that came before the one that yields.
#[inline(never)]
fn enter_new_or_another(worker: &Worker, new: Task, yielding: NonNull<Header>) -> Option<Context> {
    let mut next = new;
    loop {
        if let Some(to) = worker.enter(next) {
            return Some(to);
        }
        match worker.next() {
            Some(other) if !other.is(yielding) => next = other,
            // Back to itself, and it has not left: it just goes on.
            _ => return None,
        }
    }
}

/// How a task may make way for others.
enum Way {
    /// Its own worker goes on with it.
    Own,
    /// Any worker may go on with it.
    Any,
    /// It stays.
    None,
}

/// What a task does that yields and has something to look at: it gets itself listed, and unwinds if it is
/// to.
#[cold]
fn pay_attention(worker: &Worker) -> Way {
    // SAFETY: a task is running, and alive.
    let task = unsafe {
        let task = worker.local.task.get().unwrap_unchecked();
        if task.as_ref().attention.is_forked() {
            return Way::None;
        }
        worker.ensure_listed(task);
        task.as_ref()
    };
    if cancel::is_due(task) {
        cancel::unwind();
    }
    if task.attention.may_migrate() { Way::Any } else { Way::Own }
}

/// As [`yield_now`], for a task that others may take as soon as it is queued.
#[cold]
fn yield_migratable(worker: &Worker, task: Task) {
    let kept: *const Cell<Context> = &raw const task.context;
    let Some(to) = worker.next_context() else {
        let _ = task.into_raw();
        return;
    };
    let mut after = After::Requeue(task);
    // SAFETY: as in `yield_now`; `after` is on this stack and is moved away by whoever arrives.
    unsafe { leave(to, kept, &raw mut after) };
}

/// Makes the running task wait.
///
/// # Safety
///
/// `header` is the running task's.
unsafe fn park(header: NonNull<Header>, wait: Wait, deadline: Option<Instant>) -> bool {
    // std counts panics by OS thread. Were a neighbour to run now, its `panicking()` would be true: it
    // would poison the locks that it releases, and its own panic would abort. So the worker waits.
    if std::thread::panicking() {
        // SAFETY: the running task's block is alive; the caller's.
        return unsafe {
            if header.as_ref().attention.is_forked() {
                fork::abort();
            }
            park_in_kernel(header, wait, deadline)
        };
    }
    // SAFETY: as above.
    let task = unsafe { header.as_ref() };
    // SAFETY: a task is running, and it is this.
    let worker = unsafe { Worker::current_unchecked() };
    if task.attention.is_wanted() {
        if task.attention.is_forked() {
            fork::abort();
        }
        // SAFETY: the running task's.
        unsafe { worker.ensure_listed(header) };
        if cancel::is_due(task) {
            return false;
        }
    }
    match deadline {
        // SAFETY: the caller's.
        None => unsafe { leave_parked(worker, header, wait, || ()) },
        // SAFETY: the caller's.
        Some(deadline) => return unsafe { park_until(worker, header, wait, deadline) },
    }
    false
}

/// Leaves the stack of the running task, which then waits; returns when it has been woken. `prepare` is called
/// when it is settled who is next: from there on until the wait is published, the worker looks at nothing else,
/// no timer fires, and what belongs to the wait finds it parked.
///
/// # Safety
///
/// `header` is the running task's, on `worker`.
#[inline(always)]
pub(super) unsafe fn leave_parked(
    worker: &Worker,
    header: NonNull<Header>,
    wait: Wait,
    prepare: impl FnOnce(),
) {
    // SAFETY: the running task's block is alive.
    let kept: *const Cell<Context> = unsafe { &raw const (*header.as_ptr()).context };
    // SAFETY: as above.
    unsafe { header.as_ref() }.set_since(worker.local.clock.get());
    let to = worker.next_context().unwrap_or_else(|| worker.enter_root());
    prepare();
    // SAFETY: the running task's, which its worker has.
    let mut after = After::Park(unsafe { Task::from_raw(header) }, wait);
    // SAFETY: as in `yield_migratable`.
    unsafe { leave(to, kept, &raw mut after) };
}

/// Makes a task run that waited and whose `parked` the caller has cleared.
///
/// # Safety
///
/// The task is this scheduler's.
unsafe fn schedule(task: Task) {
    // SAFETY: a task that has not ended keeps its runtime alive, and this one does not run before it is
    // queued below.
    let shared = unsafe { &*task.runtime().cast::<Shared>() };
    let here = Worker::current().filter(|worker| worker.belongs_to(shared));
    if task.attention.may_migrate() {
        return match here.filter(|worker| worker.runs_a_task()) {
            Some(worker) => worker.push_new(task),
            // Also where the worker is in its deque's code (worker invariant 4).
            None => shared.inject(task),
        };
    }
    // A task that has started has a home.
    let home = task.home().unwrap_or(0);
    match here {
        Some(worker) if worker.index() == home => worker.push_woken(task),
        _ => shared.deliver(task, home),
    }
}

/// The first function on a task's stack: runs one task after the other, for as long as the next one is
/// new too and fits the stack. Then it leaves the stack for good.
unsafe extern "C" fn begin(word: usize, value: Value, from: Context, stack: *mut ()) -> ! {
    // SAFETY: entered by a switch of this file; `enter_new` has given up just this stack.
    let stack = unsafe {
        arrive(from, word, value);
        Stack::from_raw(stack)
    };
    loop {
        // SAFETY: each task that is made the running one without a context is run once, here.
        unsafe { end(run_current(|task| run(task))) };
        // SAFETY: a task's stack; the worker may have changed if the task was migratable.
        let worker = unsafe { Worker::current_unchecked() };
        let Some(next) = worker.next() else { leave_for_good(worker.enter_root(), stack) };
        if next.context.get().is_some() || next.class() != stack.class() {
            let to = worker.enter(next).or_else(|| worker.next_context());
            leave_for_good(to.unwrap_or_else(|| worker.enter_root()), stack);
        }
        next.stack.set(&stack);
        worker.local.task.set(Some(next.into_raw()));
    }
}

/// Runs a task that begins.
///
/// # Safety
///
/// Once, on its stack.
#[inline(always)]
unsafe fn run(task: &Task) {
    // SAFETY: the caller's.
    unsafe {
        if Worker::current_unchecked().shared().closing() && cfg!(panic = "unwind") {
            task.attention.set_cancelled();
        }
        task.run();
    }
}

/// The first function on a spare stack: ends the task for which no other stack was to be had.
unsafe extern "C" fn refuse(word: usize, value: Value, from: Context, stack: *mut ()) -> ! {
    // SAFETY: as in `begin`.
    let stack = unsafe {
        arrive(from, word, value);
        Stack::from_raw(stack)
    };
    // SAFETY: as in `begin`.
    unsafe {
        let reason = Worker::current_unchecked().refusal.take().unwrap_or_default();
        end(run_current(|task| task.refuse(reason)));
        let worker = Worker::current_unchecked();
        leave_for_good(worker.next_context().unwrap_or_else(|| worker.enter_root()), stack)
    }
}

/// Runs the running task by `how`, to its end, and gives it back.
///
/// # Safety
///
/// On the task's stack; `how` is right for it.
#[inline(always)]
unsafe fn run_current(how: impl FnOnce(&Task)) -> Task {
    // SAFETY: a task is running.
    unsafe {
        let task = Task::from_raw(Worker::current_unchecked().local.task.get().unwrap_unchecked());
        how(&task);
        task
    }
}

/// Counts a task out and gives up its block.
fn end(task: Task) {
    if task.attention.is_forked() {
        fork::end();
    }
    // SAFETY: on the task's stack.
    let worker = unsafe { Worker::current_unchecked() };
    // SAFETY: it has ended here.
    unsafe { worker.shared().unlist(&task) };
    // From here on the worker is between two tasks: what is freed below has no user's destructor.
    worker.local.task.set(None);
    worker.tally().ended.increment();
    drop(task.into_ref());
}

/// Leaves a stack that nothing lives on any more for `to`.
fn leave_for_good(to: Context, stack: Stack) -> ! {
    let mut after = After::Retire(stack);
    last_switch();
    // SAFETY: on a task's stack. `to` was just taken; nobody comes back for what is kept in `nowhere`.
    unsafe {
        let nowhere: *const Cell<Context> = &raw const Worker::current_unchecked().nowhere;
        leave(to, nowhere, &raw mut after);
        core::hint::unreachable_unchecked()
    }
}

impl Worker {
    /// Puts the running task into its roster, if it is in none yet.
    ///
    /// # Safety
    ///
    /// It is the running task.
    #[inline]
    unsafe fn ensure_listed(&self, task: NonNull<Header>) {
        // SAFETY: the caller's: it is alive, and nobody else lists it.
        unsafe {
            if !task.as_ref().attention.is_listed() {
                self.shared().list(task);
            }
        }
    }

    /// Makes the root the one that runs.
    fn enter_root(&self) -> Context {
        self.local.task.set(None);
        self.root.get()
    }

    /// Runs tasks, from the root, until there is none that can run.
    pub(super) fn run_tasks(&self) {
        while let Some(to) = self.next_context() {
            // SAFETY: `to` was just taken; the root is looked for in its cell.
            unsafe { leave(to, &raw const self.root, ptr::null_mut()) };
            self.note_that_it_ran();
        }
    }
}
