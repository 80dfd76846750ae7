//! The two kinds of pointer to a task: [`Task`], the right to run it, and [`TaskRef`], enough to wake it.
//!
//! Invariants are those of [`header`](super::header).

#![allow(unsafe_code)]

use super::header::Header;
use super::state::{Unparked, Wait};
use crate::sys::futex;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

/// The runtime's own pointer to a task: the right and the duty to run it, and one reference.
#[derive(Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Task(NonNull<Header>);

// SAFETY: closures and outputs are `Send` (`new_task` asks for it); the header's fields follow the
// invariants above.
unsafe impl Send for Task {}

impl Deref for Task {
    type Target = Header;

    #[inline(always)]
    fn deref(&self) -> &Header {
        // SAFETY: invariant 1: this is the runtime's reference.
        unsafe { self.0.as_ref() }
    }
}

impl Task {
    /// # Safety
    ///
    /// `pointer` came from [`into_raw`](Self::into_raw), or the caller has cleared `parked`.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(pointer: NonNull<Header>) -> Self {
        Self(pointer)
    }

    #[inline(always)]
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        self.0
    }

    /// Whether it is the task with this header.
    pub(crate) fn is(&self, header: NonNull<Header>) -> bool {
        self.0 == header
    }

    /// Runs the closure to its end. For the task itself, on its own stack.
    ///
    /// # Safety
    ///
    /// Called once, or [`refuse`](Self::refuse) is.
    #[inline(always)]
    pub(crate) unsafe fn run(&self) {
        // SAFETY: the caller's.
        unsafe { (self.vtable.run)(self.0) }
    }

    /// Ends the task without running its closure; its joiner gets `reason` as a panic's payload.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run), and on a stack where destructors may park.
    pub(crate) unsafe fn refuse(&self, reason: String) {
        // SAFETY: the caller's.
        unsafe { (self.vtable.refuse)(self.0, reason) }
    }

    /// Gives up the right to run the task, and keeps the reference: for a task that has ended, or that
    /// never runs.
    #[inline]
    pub(crate) fn into_ref(self) -> TaskRef {
        TaskRef(self.0)
    }
}

/// A counted pointer to a task: enough to wake it and to ask about it, from any thread.
#[derive(Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct TaskRef(NonNull<Header>);

// SAFETY: what it gives access to is atomic, immutable, or governed by the invariants above.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
unsafe impl Sync for TaskRef {}

// What a panic in the middle of a change could leave broken is not reachable through it.
impl UnwindSafe for TaskRef {}
impl RefUnwindSafe for TaskRef {}

impl TaskRef {
    /// # Safety
    ///
    /// The caller hands over one counted reference.
    pub(crate) unsafe fn from_raw(pointer: NonNull<Header>) -> Self {
        Self(pointer)
    }

    /// One more reference to a task. The pointer must be the block's own, not one made from a reference
    /// to the header: whoever drops the last `TaskRef` frees the whole block through it.
    ///
    /// # Safety
    ///
    /// The task is alive.
    pub(crate) unsafe fn another(header: NonNull<Header>) -> Self {
        // SAFETY: the caller's.
        let references = unsafe { &header.as_ref().references };
        // Relaxed: a new reference is made from one that exists.
        let before = references.fetch_add(1, Ordering::Relaxed);
        if before > isize::MAX as usize {
            // As `Arc` does: a program that leaks so many references is beyond help.
            std::process::abort();
        }
        Self(header)
    }

    /// The pointer, with its reference.
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        ManuallyDrop::new(self).0
    }

    /// Wakes the task from `wait`, now or when it next waits for it.
    #[inline]
    pub(crate) fn unpark(&self, wait: Wait) {
        self.make_run(self.state.unpark(wait));
    }

    /// Cancels the task: it unwinds from the cancellation point that it waits at, or from the next one. In a
    /// program that cannot unwind this does nothing.
    pub(crate) fn cancel(&self) {
        if cfg!(panic = "abort") {
            return;
        }
        // First, so that whoever is woken below sees it.
        self.attention.set_cancelled();
        self.make_run(self.state.cancel());
    }

    /// Does what waking the task calls for.
    #[inline]
    pub(super) fn make_run(&self, unparked: Unparked) {
        match unparked {
            Unparked::Noted => {}
            // SAFETY: `parked` was cleared just now, so the right to run it is ours to hand on.
            Unparked::Schedule => unsafe { (self.door.schedule)(Task::from_raw(self.0)) },
            Unparked::WakeKernel => futex::wake_one(self.state.futex()),
        }
    }

    /// Whether the task has ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.state.is_complete()
    }

    /// Takes the output of a task that has ended.
    ///
    /// # Safety
    ///
    /// The output is there, is the caller's, and is taken once; its type is `T`.
    pub(super) unsafe fn take_output<T>(&self) -> std::thread::Result<T> {
        let mut output = MaybeUninit::<std::thread::Result<T>>::uninit();
        // SAFETY: the caller's; the function writes a `Result<T>`.
        unsafe {
            (self.vtable.take_output)(self.0, output.as_mut_ptr().cast());
            output.assume_init()
        }
    }
}

impl Deref for TaskRef {
    type Target = Header;

    #[inline(always)]
    fn deref(&self) -> &Header {
        // SAFETY: invariant 1.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        // SAFETY: this reference keeps it alive.
        unsafe { Self::another(self.0) }
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        // The last reference needs no read-modify-write: nobody is left who could add one.
        // Acquire: pairs with the Release below, of those who gave up theirs before.
        if self.references.load(Ordering::Acquire) != 1
            // Release: pairs with the Acquires here: what was done through this reference comes before
            // the block goes. Acquire: as above.
            && self.references.fetch_sub(1, Ordering::AcqRel) != 1
        {
            return;
        }
        // SAFETY: invariant 1: this was the last.
        unsafe { (self.vtable.free)(self.0) }
    }
}
