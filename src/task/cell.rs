//! The typed part of a task: its closure, and what becomes of it.
//!
//! # Invariants
//!
//! 1. `stage` holds the closure until `run` or `refuse` takes it, and the output from just before
//!    `complete` until its owner takes or drops it: the completing task where `DETACHED` came first,
//!    else the join handle.
//! 2. `on_end` is there until `finish` takes it, last of all.

#![allow(unsafe_code)]

use super::block;
use super::header::{Header, Origin, VTable};
use super::payload::Cancelled;
use super::pointer::{Task, TaskRef};
use super::state::{Completed, Wait};
use crate::util::fallible;
use core::cell::UnsafeCell;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use std::alloc::Layout;
use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Result;

#[repr(C)]
struct Cell<F, T, E> {
    header: Header,
    stage: UnsafeCell<Stage<F, T>>,
    on_end: UnsafeCell<ManuallyDrop<E>>,
}

/// How a task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Returned,
    Panicked,
    Cancelled,
}

/// What is told of a task's end, when nothing of its closure and its output is left on its side: neither
/// is touched any more, unless by who holds the join handle.
pub(crate) trait OnEnd: Send {
    fn ended(self, ending: Ending);
}

impl OnEnd for () {
    fn ended(self, _: Ending) {}
}

union Stage<F, T> {
    closure: ManuallyDrop<F>,
    output: ManuallyDrop<Result<T>>,
}

/// Allocates a task for `f`: the runtime's pointer to it, and the one for whoever will join or detach it.
///
/// # Errors
///
/// Where there is no memory for it.
///
/// # Safety
///
/// `f`, its output and `on_end` may be used on any thread that `origin.door` runs tasks on, the output for
/// as long as there is a join handle, the rest until `on_end` is called.
pub(crate) unsafe fn new_task<F, T, E>(
    f: F,
    origin: Origin,
    on_end: E,
) -> io::Result<(Task, TaskRef)>
where
    F: FnOnce() -> T + Send,
    T: Send,
    E: OnEnd,
{
    let vtable = const {
        &VTable {
            run: run::<F, T, E>,
            refuse: refuse::<F, T, E>,
            take_output: take_output::<F, T, E>,
            free: free::<F, T, E>,
        }
    };
    let layout = Layout::new::<Cell<F, T, E>>();
    let Some(cell) = block::allocate(layout).map(NonNull::cast::<Cell<F, T, E>>) else {
        let bytes = layout.size();
        return Err(fallible::io_error(
            io::ErrorKind::OutOfMemory,
            &format_args!(
                "no memory for another coroutine ({bytes} bytes); let coroutines end, capture less, or \
                 raise the limit (ulimit -v)"
            ),
        ));
    };
    // One reference for the runtime, one for the joiner.
    let header = Header::new(origin, vtable, 2);
    let stage = UnsafeCell::new(Stage { closure: ManuallyDrop::new(f) });
    let on_end = UnsafeCell::new(ManuallyDrop::new(on_end));
    // SAFETY: just allocated with this layout.
    unsafe { cell.write(Cell { header, stage, on_end }) };
    let pointer = cell.cast::<Header>();
    // SAFETY: the two references counted above.
    unsafe { Ok((Task::from_raw(pointer), TaskRef::from_raw(pointer))) }
}

/// Runs the closure, as the task, and leaves its output or its panic's payload. The closure of a task that
/// has been cancelled before it began is dropped instead.
unsafe fn run<F, T, E>(header: NonNull<Header>)
where
    F: FnOnce() -> T,
    E: OnEnd,
{
    let cell = header.cast::<Cell<F, T, E>>();
    // SAFETY: invariant 1; `Task::run` is called once. The task is running, so the block is there.
    let (f, header) = unsafe {
        let f = ManuallyDrop::take(&mut (*cell.as_ref().stage.get()).closure);
        (f, header.as_ref())
    };
    let result = if header.attention.is_cancelled() {
        header.end_cancellation();
        drop_contained(f);
        Err(Cancelled::payload())
    } else {
        let mut result = catch_unwind(AssertUnwindSafe(f));
        if let Err(payload) = &mut result {
            Cancelled::settle(&mut **payload);
        }
        // What is left to be dropped is not to be interrupted for the same reason once more.
        header.end_cancellation();
        if result.as_ref().is_err_and(|payload| !payload.is::<Cancelled>()) {
            report_panic(header);
        }
        result
    };
    // SAFETY: the closure is gone, the output is not there yet.
    unsafe { finish::<F, T, E>(cell, result) }
}

/// Drops the closure and leaves `reason` in the place of a panic's payload.
unsafe fn refuse<F, T, E>(header: NonNull<Header>, reason: String)
where
    E: OnEnd,
{
    let cell = header.cast::<Cell<F, T, E>>();
    /// Drops the closure where it is: it may be larger than the spare stack on which this runs.
    struct InPlace<F>(*mut F);

    impl<F> Drop for InPlace<F> {
        fn drop(&mut self) {
            // SAFETY: invariant 1; `refuse` is called in the place of `run`.
            unsafe { self.0.drop_in_place() };
        }
    }

    // SAFETY: the block is there.
    let closure = unsafe { &raw mut (*cell.as_ref().stage.get()).closure };
    drop_contained(InPlace(closure.cast::<F>()));
    let payload: Box<dyn Any + Send> = match fallible::try_box(reason) {
        Ok(reason) => reason,
        // What has no size needs no memory.
        Err(_) => Box::new(()),
    };
    // SAFETY: as in `run`.
    unsafe { finish::<F, T, E>(cell, Err(payload)) }
}

/// Writes the output, lets it be known, and does what is left to do for it.
unsafe fn finish<F, T, E>(cell: NonNull<Cell<F, T, E>>, result: Result<T>)
where
    E: OnEnd,
{
    // SAFETY: the block lives until the runtime's reference is released, after this.
    let cell = unsafe { cell.as_ref() };
    drop_locals(&cell.header);
    let ending = match &result {
        Ok(_) => Ending::Returned,
        Err(payload) if payload.is::<Cancelled>() => Ending::Cancelled,
        Err(_) => Ending::Panicked,
    };
    // SAFETY: invariant 1: nobody looks before `complete`.
    unsafe { (*cell.stage.get()).output = ManuallyDrop::new(result) };
    match cell.header.state.complete() {
        Completed::Unobserved => {}
        // SAFETY: header invariant 6.
        Completed::WakeJoiner => match unsafe { (*cell.header.joiner.get()).take() } {
            Some(joiner) => joiner.unpark(Wait::Event),
            None => unreachable!("JOINING is set after the joiner is written down"),
        },
        // SAFETY: invariant 1: it is ours, because nobody will join.
        Completed::DropOutput => unsafe {
            drop_contained(ManuallyDrop::take(&mut (*cell.stage.get()).output));
        },
    }
    // SAFETY: invariant 2.
    unsafe { ManuallyDrop::take(&mut *cell.on_end.get()) }.ended(ending);
}

unsafe fn take_output<F, T, E>(header: NonNull<Header>, to: *mut ()) {
    let cell = header.cast::<Cell<F, T, E>>();
    // SAFETY: the caller owns the output (invariant 1) and gives a place for a `Result<T>`.
    unsafe {
        let output = ManuallyDrop::take(&mut (*cell.as_ref().stage.get()).output);
        to.cast::<Result<T>>().write(output);
    }
}

unsafe fn free<F, T, E>(header: NonNull<Header>) {
    // SAFETY: the last reference is gone. What was in the stage was taken (invariant 1), or is the
    // closure of an OS thread's task, which is nothing.
    unsafe {
        header.drop_in_place();
        block::release(header.cast(), Layout::new::<Cell<F, T, E>>());
    }
}

/// Destroys the locals of the running task: those that there are, and those that begin meanwhile.
pub(super) fn drop_locals(header: &Header) {
    while let Some(local) = header.locals().take_newest() {
        drop_contained(local);
    }
}

/// Drops a value whose destructor may panic; so may that panic's payload, and so on.
pub(super) fn drop_contained<V>(value: V) {
    let mut payload: Box<dyn Any + Send> = match catch_unwind(AssertUnwindSafe(move || drop(value)))
    {
        Ok(()) => return,
        Err(payload) => payload,
    };
    while let Err(next) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        payload = next;
    }
}

/// Says, after the panic hook has had its say about the OS thread, which coroutine it was.
fn report_panic(header: &Header) {
    let line = match header.name() {
        Some(name) => format!("coroutine '{name}' panicked\n"),
        None => format!("coroutine '<unnamed>' ({}) panicked\n", header.id()),
    };
    // In one call, so that lines of several coroutines do not mix. If standard error is gone, so is
    // whoever would read this.
    let _ = io::stderr().write_all(line.as_bytes());
}
