//! Who runs on this OS thread right now.
//!
//! The answer may change at every switch, so it is never kept: [`thread_word`] is read afresh each
//! time. It leads to a worker's [`Local`]; a thread without one is a task of its own.

#![allow(unsafe_code)]

use super::attention::Attention;
use super::block::Blocks;
use super::cell::{drop_locals, new_task};
use super::header::{Door, Header, Origin};
use super::kernel::park_in_kernel;
use super::pointer::{Task, TaskRef};
use crate::context::thread_word;
use crate::stack::StackClass;
use crate::stack::overflow::NameBuffer;
use core::cell::Cell;
use core::ptr::NonNull;

/// What a worker keeps for this floor, at the address that is its thread's word.
#[derive(Debug)]
pub(crate) struct Local {
    /// The task that runs; none while the worker looks for one.
    pub(crate) task: Cell<Option<NonNull<Header>>>,
    /// The time, as the worker last looked at it, in milliseconds.
    pub(crate) clock: Cell<u32>,
    /// Memory for tasks.
    pub(crate) blocks: Blocks,
    /// How many more operations that need not wait until one of them yields.
    pub(crate) budget: Cell<u32>,
}

/// So many operations of a worker's coroutines may go by without one of them yielding.
pub(crate) const BUDGET: u32 = 128;

/// How an OS thread waits.
static THREAD_DOOR: Door = Door {
    park: park_in_kernel,
    schedule: |_| unreachable!("an OS thread parks in the kernel only"),
    yield_now: crate::sys::yield_thread,
};

thread_local! {
    /// The task that this OS thread is, made when it first waits or is asked for. Without a destructor,
    /// so that it is the same one for as long as the thread runs anything at all.
    static THREAD: Cell<Option<NonNull<Header>>> = const { Cell::new(None) };

    /// Gives up `THREAD`'s reference when the thread's locals go. What still asks for it after that,
    /// from the destructor of a local that is older, gets a new one that is never freed.
    static OWNER: Owner = const { Owner };
}

struct Owner;

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(header) = THREAD.get() {
            // SAFETY: the reference that `thread_header` put there, which is given up below.
            drop_locals(unsafe { header.as_ref() });
            THREAD.set(None);
            // SAFETY: as above.
            drop(unsafe { TaskRef::from_raw(header) });
        }
    }
}

fn thread_task() -> TaskRef {
    let origin = Origin {
        door: &THREAD_DOOR,
        runtime: core::ptr::null(),
        class: StackClass::DEFAULT,
        attention: Attention::of_thread(),
        name: std::thread::current().name().map(Box::from),
    };
    // SAFETY: a closure that is never run and captures nothing.
    let (task, joiner) =
        unsafe { new_task(|| (), origin, ()) }.expect("memory for an OS thread's header");
    drop(joiner);
    Task::into_ref(task)
}

/// The calling thread's word, as this floor uses it.
#[inline(always)]
pub(super) fn local<'a>() -> Option<&'a Local> {
    // SAFETY: null, or the worker's `Local`, which lives as long as the worker runs. The reference is
    // used up before the next switch.
    unsafe { thread_word().cast::<Local>().as_ref() }
}

/// The coroutine that is running, if one is.
#[inline(always)]
pub(crate) fn current_coroutine() -> Option<NonNull<Header>> {
    local()?.task.get()
}

/// The running task: a coroutine, or the OS thread. Alive for as long as it runs.
#[inline(always)]
pub(super) fn current_header() -> NonNull<Header> {
    match current_coroutine() {
        Some(header) => header,
        None => thread_header(),
    }
}

/// The running task's header, unless it is an OS thread that nobody has asked for yet.
#[inline(always)]
pub(super) fn known_header<'a>() -> Option<&'a Header> {
    let header = match current_coroutine() {
        Some(header) => Some(header),
        None => THREAD.get(),
    };
    // SAFETY: it runs, so it is alive; used up before the task ends or waits.
    header.map(|header| unsafe { header.as_ref() })
}

/// A number for the worker whose thread this is, the same for as long as the worker lives; zero on other threads.
#[inline(always)]
pub(crate) fn worker_tag() -> u32 {
    // A worker is aligned to more than these bits; two of one tag only cost a guess.
    (thread_word().addr() >> 4) as u32
}

#[cold]
fn thread_header() -> NonNull<Header> {
    if let Some(header) = THREAD.get() {
        return header;
    }
    let header = thread_task().into_raw();
    THREAD.set(Some(header));
    if OWNER.try_with(|_| ()).is_err() {
        // The thread's locals are gone, and what began now would never be destroyed.
        // SAFETY: made just now.
        unsafe { header.as_ref() }.locals().close();
    }
    header
}

/// To be called before an operation that may go by without waiting: every so often it yields, or whoever is
/// always served at once would keep the others from running. Before, and not after, so that a cancellation
/// that comes meanwhile does not lose what was received.
#[inline(always)]
pub(crate) fn spend_budget() {
    if let Some(local) = local() {
        let left = local.budget.get() - 1;
        local.budget.set(left);
        if left == 0 {
            local.budget.set(BUDGET);
            used_up();
        }
    }
}

#[cold]
#[inline(never)]
fn used_up() {
    // SAFETY: the running task is alive.
    let yield_now = unsafe { current_header().as_ref() }.door().yield_now;
    yield_now();
}

/// A counted pointer to the running task.
#[inline]
pub(crate) fn current() -> TaskRef {
    // SAFETY: it runs, so it is alive.
    unsafe { TaskRef::another(current_header()) }
}

/// Gives the name of the running coroutine, without allocating: for the overflow handler.
pub(crate) fn describe_current(buffer: &mut NameBuffer) -> &[u8] {
    let name = match current_coroutine() {
        // SAFETY: a running task's block lives, and its name never changes.
        Some(header) => unsafe { header.as_ref() }.name().unwrap_or("<unnamed>"),
        None => "<raw>",
    };
    let mut len = name.len().min(buffer.len());
    while !name.is_char_boundary(len) {
        len -= 1;
    }
    buffer[..len].copy_from_slice(&name.as_bytes()[..len]);
    &buffer[..len]
}
