//! The typed part of a task: its closure, and what becomes of it.
//!
//! # Invariants
//!
//! 1. `stage` holds the closure until `run` or `refuse` takes it, and the output from just before
//!    `complete` until its owner takes or drops it: the completing task where `DETACHED` came first,
//!    else the join handle.

#![allow(unsafe_code)]

use super::header::{Header, Origin, Task, TaskRef, VTable};
use super::state::{Completed, Wait};
use core::cell::UnsafeCell;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use std::alloc::{Layout, alloc, dealloc};
use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Result;

#[repr(C)]
struct Cell<F, T> {
    header: Header,
    stage: UnsafeCell<Stage<F, T>>,
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
/// `f` and its output may be used for as long as the task lives, on any thread that `origin.door` runs
/// tasks on.
pub(crate) unsafe fn new_task<F, T>(f: F, origin: Origin) -> io::Result<(Task, TaskRef)>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let vtable = const {
        &VTable {
            run: run::<F, T>,
            refuse: refuse::<F, T>,
            take_output: take_output::<F, T>,
            free: free::<F, T>,
        }
    };
    let layout = Layout::new::<Cell<F, T>>();
    // SAFETY: the layout is not of size zero: there is a header in it.
    let Some(cell) = NonNull::new(unsafe { alloc(layout) }.cast::<Cell<F, T>>()) else {
        return Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            format!("no memory for another coroutine ({} bytes)", layout.size()),
        ));
    };
    // One reference for the runtime, one for the joiner.
    let header = Header::new(origin, vtable, 2);
    let stage = UnsafeCell::new(Stage { closure: ManuallyDrop::new(f) });
    // SAFETY: just allocated with this layout.
    unsafe { cell.write(Cell { header, stage }) };
    let pointer = cell.cast::<Header>();
    // SAFETY: the two references counted above.
    unsafe { Ok((Task::from_raw(pointer), TaskRef::from_raw(pointer))) }
}

/// Runs the closure, as the task, and leaves its output or its panic's payload.
unsafe fn run<F, T>(header: NonNull<Header>)
where
    F: FnOnce() -> T,
{
    let cell = header.cast::<Cell<F, T>>();
    // SAFETY: invariant 1; `Task::run` is called once.
    let f = unsafe { ManuallyDrop::take(&mut (*cell.as_ref().stage.get()).closure) };
    let result = catch_unwind(AssertUnwindSafe(f));
    if result.is_err() {
        // SAFETY: the task is running, so the block is there.
        report_panic(unsafe { header.as_ref() });
    }
    // SAFETY: the closure is gone, the output is not there yet.
    unsafe { finish::<F, T>(cell, result) }
}

/// Drops the closure and leaves `reason` in the place of a panic's payload.
unsafe fn refuse<F, T>(header: NonNull<Header>, reason: String) {
    let cell = header.cast::<Cell<F, T>>();
    // SAFETY: invariant 1; called in the place of `run`.
    let f = unsafe { ManuallyDrop::take(&mut (*cell.as_ref().stage.get()).closure) };
    drop_contained(f);
    // SAFETY: as in `run`.
    unsafe { finish::<F, T>(cell, Err(Box::new(reason))) }
}

/// Writes the output, lets it be known, and does what is left to do for it.
unsafe fn finish<F, T>(cell: NonNull<Cell<F, T>>, result: Result<T>) {
    // SAFETY: the block lives until the runtime's reference is released, after this.
    let cell = unsafe { cell.as_ref() };
    drop_locals(&cell.header);
    // SAFETY: invariant 1: nobody looks before `complete`.
    unsafe { (*cell.stage.get()).output = ManuallyDrop::new(result) };
    match cell.header.state.complete() {
        Completed::Unobserved => {}
        // SAFETY: header invariant 5.
        Completed::WakeJoiner => match unsafe { (*cell.header.joiner.get()).take() } {
            Some(joiner) => joiner.unpark(Wait::Event),
            None => unreachable!("JOINING is set after the joiner is written down"),
        },
        // SAFETY: invariant 1: it is ours, because nobody will join.
        Completed::DropOutput => unsafe {
            drop_contained(ManuallyDrop::take(&mut (*cell.stage.get()).output));
        },
    }
}

unsafe fn take_output<F, T>(header: NonNull<Header>, to: *mut ()) {
    let cell = header.cast::<Cell<F, T>>();
    // SAFETY: the caller owns the output (invariant 1) and gives a place for a `Result<T>`.
    unsafe {
        let output = ManuallyDrop::take(&mut (*cell.as_ref().stage.get()).output);
        to.cast::<Result<T>>().write(output);
    }
}

unsafe fn free<F, T>(header: NonNull<Header>) {
    // SAFETY: the last reference is gone. What was in the stage was taken (invariant 1), or is the
    // closure of an OS thread's task, which is nothing.
    unsafe {
        header.drop_in_place();
        dealloc(header.as_ptr().cast(), Layout::new::<Cell<F, T>>());
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
