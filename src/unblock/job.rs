//! A closure on its way through the pool, in the frame of the coroutine that waits for it.
//!
//! ```text
//!   coroutine's stack                       pool
//!   | run state caller | closure or output |
//!   |       Job        |   <----------------  a `JobRef`: the right to settle it, once
//! ```
//!
//! Nothing is allocated, and the closure may borrow: the frame does not go before the job is settled.
//!
//! # Invariants
//!
//! 1. A job stays where it is until it is settled, or withdrawn by whoever got its [`JobRef`] back. The
//!    waiting frame can neither return nor unwind before ([`Anchored`] sees to it).
//! 2. There is one [`JobRef`] for each job, and `closure` and `caller` belong to whoever has it.
//! 3. The output is written before `DONE` is stored, and is the caller's after that. At `RETURNED` the
//!    closure is the caller's again.

#![allow(unsafe_code)]

use crate::task::{self, TaskRef, Wait};
use core::cell::{Cell, UnsafeCell};
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Result;

const PENDING: u8 = 0;
const DONE: u8 = 1;
const RETURNED: u8 = 2;

/// What the pool sees of a job.
#[repr(C)]
struct Job {
    /// Runs the closure and writes its output or its panic's payload.
    run: unsafe fn(NonNull<Job>),
    state: AtomicU8,
    caller: Cell<Option<TaskRef>>,
}

/// The whole of it.
#[repr(C)]
pub(super) struct TypedJob<F, T> {
    job: Job,
    stage: UnsafeCell<Stage<F, T>>,
}

union Stage<F, T> {
    closure: ManuallyDrop<F>,
    output: ManuallyDrop<Result<T>>,
}

/// The right, and the duty, to settle a job: to run it or to give it back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JobRef(NonNull<Job>);

// SAFETY: closure and output are `Send` (`TypedJob::new` asks for it), so is a `TaskRef`, and by
// invariant 2 nobody else touches them.
unsafe impl Send for JobRef {}

/// How a job was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Settled {
    /// Its output is there.
    Done,
    /// It has not run and will not: there is nobody to run it.
    Returned,
}

impl<F, T> TypedJob<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    /// A job of the calling task.
    pub(super) fn new(f: F) -> Self {
        Self {
            job: Job {
                run: run::<F, T>,
                state: AtomicU8::new(PENDING),
                caller: Cell::new(Some(task::current())),
            },
            stage: UnsafeCell::new(Stage { closure: ManuallyDrop::new(f) }),
        }
    }

    /// The right to settle it.
    ///
    /// # Safety
    ///
    /// Called once, and the job is not moved from now on; invariant 1.
    pub(super) unsafe fn reference(&self) -> JobRef {
        JobRef(NonNull::from(self).cast())
    }

    /// How it was settled, if it has been.
    pub(super) fn settled(&self) -> Option<Settled> {
        // Acquire: pairs with the Release in `JobRef::settle`.
        match self.job.state.load(Ordering::Acquire) {
            PENDING => None,
            DONE => Some(Settled::Done),
            _ => Some(Settled::Returned),
        }
    }

    /// # Safety
    ///
    /// The job was settled as [`Settled::Done`]; called once.
    pub(super) unsafe fn into_output(self) -> Result<T> {
        // SAFETY: invariant 3.
        ManuallyDrop::into_inner(unsafe { self.stage.into_inner().output })
    }

    /// # Safety
    ///
    /// The job was settled as [`Settled::Returned`], or its [`JobRef`] came back unused; called once.
    pub(super) unsafe fn into_closure(self) -> F {
        // SAFETY: invariant 3, or 2.
        ManuallyDrop::into_inner(unsafe { self.stage.into_inner().closure })
    }
}

unsafe fn run<F, T>(job: NonNull<Job>)
where
    F: FnOnce() -> T,
{
    // SAFETY: made by `TypedJob::reference`; invariant 1.
    let stage = unsafe { job.cast::<TypedJob<F, T>>().as_ref() }.stage.get();
    // SAFETY: invariant 2.
    let f = unsafe { ManuallyDrop::take(&mut (*stage).closure) };
    let output = catch_unwind(AssertUnwindSafe(f));
    // SAFETY: as above. The closure is gone.
    unsafe { (*stage).output = ManuallyDrop::new(output) };
}

impl JobRef {
    /// Runs the closure on this thread. Does not unwind.
    pub(super) fn run(self) -> RunJob {
        // SAFETY: invariants 1 and 2.
        unsafe { (self.0.as_ref().run)(self.0) };
        RunJob(self)
    }

    /// Lets the caller go on with its closure as it was.
    pub(super) fn give_back(self) {
        self.settle(RETURNED);
    }

    fn settle(self, state: u8) {
        // SAFETY: invariant 1, until the store below.
        let job = unsafe { self.0.as_ref() };
        let caller = job.caller.take();
        // Release: pairs with the Acquire in `settled`. The job may be gone from here on.
        job.state.store(state, Ordering::Release);
        if let Some(caller) = caller {
            caller.unpark(Wait::Event);
        }
    }
}

/// A job that has run, and whose caller does not know it yet.
#[must_use]
pub(super) struct RunJob(JobRef);

impl RunJob {
    /// Lets the caller go on.
    pub(super) fn settle(self) {
        self.0.settle(DONE);
    }
}

/// Ends the process if it is dropped: a frame that others look into must not go.
pub(super) struct Anchored;

impl Drop for Anchored {
    fn drop(&mut self) {
        crate::sys::write_to_stderr(
            b"fatal runtime error: kettle could not wait for a closure that borrows, aborting\n",
        );
        std::process::abort();
    }
}
