//! [`JoinHandle`]: waiting for a task's end and taking its output.

#![allow(unsafe_code)]

use super::cancel::{CancellationMask, unwind};
use super::cell::drop_contained;
use super::current::{current, current_header};
use super::fork::refuse_to_wait;
use super::park::{Outcome, park};
use super::pointer::TaskRef;
use super::state::{Detached, Join, Wait};
use super::thread::Thread;
use super::wait_reason::WaitReason;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::io;
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
    /// The payload of the coroutine's panic. [`Cancelled`](crate::thread::Cancelled), if it was cancelled. If
    /// the coroutine could not begin because there was no stack for it, a `String` that says why and what
    /// helps, or `()` where there is no memory even for that.
    ///
    /// # Cancellation
    ///
    /// A cancellation point. A caller that is cancelled here detaches the coroutine, which goes on.
    ///
    /// # Panics
    ///
    /// If the coroutine joins itself, which would wait for ever, and in a child process that was forked without
    /// exec, for a coroutine that had not ended.
    pub fn join(self) -> Result<T> {
        self.wait(|_| unwind());
        self.into_output()
    }

    /// As [`join`](Self::join), but never unwinds before the coroutine has ended: where the wait is to be
    /// cancelled, `cancel` is called, and then it goes on to the end.
    pub(crate) fn join_to_the_end(self, cancel: impl FnOnce(&TaskRef)) -> Result<T> {
        let mut cancel = Some(cancel);
        let mut mask = None;
        self.wait(|task| {
            mask = Some(CancellationMask::new());
            if let Some(cancel) = cancel.take() {
                cancel(task);
            }
        });
        drop(mask);
        self.into_output()
    }

    /// Cancels the coroutine: it unwinds from the cancellation point where it waits, or from the next one
    /// that it comes to, its destructors run, and [`join`](Self::join) returns [`Cancelled`](crate::thread::Cancelled) in the place of
    /// a panic's payload. One that has not begun never does. One that ends without coming to such a point
    /// ends as if nothing had been.
    ///
    /// This does not wait for it. [`crate::thread`] lists the cancellation points, and says more.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) in a program built with `panic = "abort"`, which cannot
    /// unwind.
    pub fn cancel(&self) -> io::Result<()> {
        self.thread.task.try_cancel()
    }

    fn into_output(self) -> Result<T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: complete and never detached, so the output is ours; `this` is not used again.
        unsafe { core::ptr::read(&raw const this.thread).task.take_output() }
    }

    /// Waits for the coroutine's end; calls `cancelled` each time that the wait is to be cancelled.
    #[inline]
    fn wait(&self, cancelled: impl FnMut(&TaskRef)) {
        if !self.is_finished() {
            self.wait_in_earnest(cancelled);
        }
    }

    #[cold]
    fn wait_in_earnest(&self, mut cancelled: impl FnMut(&TaskRef)) {
        let task = &self.thread.task;
        refuse_to_wait();
        let joiner = current();
        assert!(joiner != *task, "a coroutine cannot join itself");
        // SAFETY: header invariant 6: not registered yet, and there is one join handle, which waits once.
        unsafe { *task.joiner.get() = Some(joiner) };
        match task.state.begin_join() {
            Join::Registered => {
                // SAFETY: the running task is alive for as long as it runs.
                let waits_on = unsafe { &current_header().as_ref().waits_on };
                waits_on.begin_join(task.address());
                while !task.state.is_complete() {
                    let outcome = park(Wait::Event, WaitReason::Join);
                    if outcome == Outcome::Cancelled && !task.state.is_complete() {
                        waits_on.end_join();
                        cancelled(task);
                    }
                }
                waits_on.end_join();
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
