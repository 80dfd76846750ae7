//! What can be asked for one coroutine.

#![allow(unsafe_code)]

use super::{JoinHandle, Thread};
use crate::runtime::{Handle, spawn_unchecked};
use crate::scheduler::Options;
use crate::stack::StackClass;
use crate::task::OnEnd;
use std::io;

/// The properties of a coroutine to be spawned: the mirror of [`std::thread::Builder`].
///
/// ```
/// use kettle::thread;
///
/// let deep = thread::Builder::new()
///     .name("deep".to_string())
///     .stack_size(16 * 1024 * 1024)
///     .spawn(|| thread::current().name().map(str::to_string))?;
/// assert_eq!(deep.join().unwrap().as_deref(), Some("deep"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder spawns nothing until `spawn` is called"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
    beside: Option<Thread>,
    migratable: bool,
}

impl Builder {
    /// A coroutine as [`spawn`](super::spawn) makes it: without a name, with the runtime's stack size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the coroutine: in panic and overflow messages, and for [`Thread::name`].
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// The size of the coroutine's stack in bytes, its guard not counted: at least this, rounded up to
    /// a power of two from 64 KiB to 1 GiB. Only what the coroutine touches is ever committed.
    pub fn stack_size(mut self, size: usize) -> Self {
        self.stack_size = Some(size);
        self
    }

    /// Runs the coroutine on the same worker as `thread`, a coroutine of the same runtime: two that talk
    /// much to each other do so for a tenth of the price there. If `thread` has not started, the two
    /// are bound to one worker now.
    pub fn beside(mut self, thread: &Thread) -> Self {
        self.beside = Some(thread.clone());
        self
    }

    /// Lets the coroutine change workers whenever it waits or yields, and be stolen by one that has
    /// nothing to do.
    ///
    /// # Safety
    ///
    /// The coroutine's frames may go on on another OS thread after every wait: nothing that belongs to a
    /// thread may live across one. No `Rc`, no guard of a lock that its thread must release, no
    /// reference into a `thread_local!` nor anything derived from one, the compiler's own caching of
    /// thread-local addresses included.
    pub unsafe fn migratable(mut self) -> Self {
        self.migratable = true;
        self
    }

    /// Spawns the coroutine, where [`spawn`](super::spawn) would.
    ///
    /// # Errors
    ///
    /// For a stack size of more than 1 GiB, for a thread to be [`beside`](Self::beside) that is no
    /// coroutine of the runtime, and where there is no memory. That there is no stack is known only
    /// when the coroutine begins, and comes through [`JoinHandle::join`].
    ///
    /// # Panics
    ///
    /// If the name contains a NUL, as std's does.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: `'static`, so good until any end.
        unsafe { self.spawn_anywhere(None, f, ()) }
    }

    /// As [`spawn`](Self::spawn), for a closure that borrows.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there.
    ///
    /// # Safety
    ///
    /// What the closure borrows lives until the coroutine has been joined, and what its output borrows for as
    /// long as there is a [`JoinHandle`]; as for [`std::thread::Builder::spawn_unchecked`].
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        // SAFETY: the caller's.
        unsafe { self.spawn_anywhere(None, f, ()) }
    }

    /// Spawns the coroutine on the runtime of `handle`.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn), and if the runtime is being dropped.
    pub fn spawn_on<F, T>(self, handle: &Handle, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: as in `spawn`.
        unsafe { self.spawn_anywhere(Some(handle), f, ()) }
    }

    /// Spawns the coroutine on the runtime of `handle`, or where [`spawn`](super::spawn) would; `on_end`
    /// hears of its end.
    ///
    /// # Safety
    ///
    /// `f`, its output and `on_end` may be used until `on_end` has been called, the output also for as long as
    /// there is a join handle. That its frames may migrate, [`migratable`](Self::migratable) has been promised.
    pub(super) unsafe fn spawn_anywhere<F, T, E>(
        self,
        handle: Option<&Handle>,
        f: F,
        on_end: E,
    ) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
        E: OnEnd,
    {
        assert!(
            !self.name.as_ref().is_some_and(|name| name.contains('\0')),
            "thread name may not contain interior null bytes"
        );
        let options = Options {
            name: self.name.map(String::into_boxed_str),
            class: self.stack_size.map(StackClass::fitting).transpose()?,
            migratable: self.migratable,
            beside: self.beside.map(|thread| thread.task().clone()),
        };
        // SAFETY: the caller's.
        unsafe { spawn_unchecked(handle, f, options, on_end) }
    }
}
