//! [`JoinHandle`]: waiting for a task's end and taking its output.

#![allow(unsafe_code)]

use super::cell::drop_contained;
use super::current::current;
use super::header::TaskRef;
use super::park::park;
use super::state::{Detached, Join, Wait};
use super::thread::Thread;
use super::wait_reason::WaitReason;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::thread::Result;

/// The right to wait for a coroutine's end and to take what it returned: the mirror of
/// [`std::thread::JoinHandle`].
///
/// Dropping it detaches the coroutine, which goes on; what it returns is then dropped where it
/// ends, or here if it has ended. A panic in that is reported by the panic hook and goes no further.
pub struct JoinHandle<T> {
    thread: Thread,
    _output: PhantomData<T>,
}

// SAFETY: the output is `Send` (`new_task` asks for it), and what a shared reference gives access to is
// a `Thread`. As std has it for its own.
unsafe impl<T> Send for JoinHandle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for JoinHandle<T> {}

// `join` takes the handle: nothing half done is ever seen through one.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    ///
    /// `task`'s output has the type `T`, and this is the only one made for it.
    #[inline]
    pub(crate) unsafe fn new(task: TaskRef) -> Self {
        Self { thread: Thread { task }, _output: PhantomData }
    }

    /// The coroutine.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the coroutine has ended, so that [`join`](Self::join) would not wait.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.task.state.is_complete()
    }

    /// Waits for the coroutine's end and returns what its closure returned. In a coroutine only that
    /// one waits, on an OS thread the thread does.
    ///
    /// In a destructor that runs because of a panic it blocks the OS thread, and can wait for ever: see
    /// [`crate::thread`].
    ///
    /// # Errors
    ///
    /// The payload of the coroutine's panic. A `String` that says so, if the coroutine could not begin
    /// because there was no stack for it.
    ///
    /// # Panics
    ///
    /// If the coroutine joins itself: that would wait for ever.
    pub fn join(self) -> Result<T> {
        if !self.is_finished() {
            self.wait();
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: complete and never detached, so the output is ours; `this` is not used again.
        unsafe { core::ptr::read(&raw const this.thread).task.take_output() }
    }

    #[cold]
    fn wait(&self) {
        let task = &self.thread.task;
        let joiner = current();
        assert!(joiner != *task, "a coroutine cannot join itself");
        // SAFETY: header invariant 5: not registered yet, and there is one join handle.
        unsafe { *task.joiner.get() = Some(joiner) };
        match task.state.begin_join() {
            Join::Registered => {
                while !task.state.is_complete() {
                    park(Wait::Event, WaitReason::Join);
                }
            }
            // SAFETY: as above: the task has ended without seeing it.
            Join::Complete => unsafe { *task.joiner.get() = None },
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        match self.thread.task.state.detach() {
            Detached::LeaveIt => {}
            // SAFETY: complete without knowing of the detachment, so the output is ours.
            Detached::DropOutput => drop_contained(unsafe { self.thread.task.take_output::<T>() }),
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("thread", &self.thread).finish_non_exhaustive()
    }
}
