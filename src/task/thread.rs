//! [`Thread`]: a coroutine, or an OS thread beside them, as users hold it.

use super::pointer::TaskRef;
use super::state::Wait;
use crate::stack::Usage;
use core::fmt;
use core::num::NonZeroU64;

/// A handle to a coroutine, or to an OS thread that talks to coroutines: the mirror of
/// [`std::thread::Thread`].
///
/// It keeps the small block of the coroutine in memory, not its stack.
#[derive(Clone)]
pub struct Thread {
    pub(super) task: TaskRef,
}

/// The identity of a [`Thread`], never used twice in a process: the mirror of
/// [`std::thread::ThreadId`], with numbers of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(NonZeroU64);

/// What [`Thread::stack`] says of a coroutine's stack, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackUsage {
    /// The most that it can use: its stack size, the guard not counted.
    pub reserved: usize,
    /// What there is memory for, in whole pages. A coroutine that waits gives back what it has used and no
    /// longer needs, after a while: when its worker has nothing else to do, or now and then if it always
    /// has. A migratable one does not.
    pub committed: usize,
    /// The most that was ever committed at once below its highest address. Up to 16 KiB of it, and more
    /// where no worker has had the time to give it back, may have been used by an earlier coroutine, whose
    /// stack it was.
    pub deepest: usize,
}

impl Thread {
    pub(crate) fn new(task: TaskRef) -> Self {
        Self { task }
    }

    /// A handle to the running coroutine, or to the running OS thread outside of one.
    pub(crate) fn current() -> Self {
        Self { task: super::current::current() }
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        ThreadId(self.task.id())
    }

    /// Its name, if it was given one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.task.name()
    }

    /// Lets it return from its [`park`](crate::thread::park), or from the next one if it is in none.
    /// From any thread. What was written before is seen after that `park`.
    ///
    /// ```
    /// use kettle::thread;
    ///
    /// let sleeper = thread::spawn(|| thread::park());
    /// sleeper.thread().unpark();
    /// sleeper.join().unwrap();
    /// ```
    #[inline]
    pub fn unpark(&self) {
        self.task.unpark(Wait::Token);
    }

    /// How much stack it has, how much of that there is memory for now, and how much it has ever used, as
    /// a snapshot: of another that runs, it may be out of date when it arrives. None for an OS thread, and
    /// for a coroutine that has not begun or has ended.
    ///
    /// It asks the kernel about every page of the stack, which takes about a microsecond for each MiB. From
    /// any thread.
    ///
    /// ```
    /// use kettle::thread;
    ///
    /// let usage = thread::spawn(|| thread::current().stack()).join().unwrap().unwrap();
    /// assert_eq!(usage.reserved, 1024 * 1024);
    /// assert!(usage.committed > 0 && usage.committed <= usage.deepest);
    /// assert_eq!(thread::current().stack(), None);
    /// ```
    #[must_use]
    pub fn stack(&self) -> Option<StackUsage> {
        let usage = self.task.stack.usage()?;
        // Looked at last: if it has not ended by now, what was looked at was its stack and nobody else's.
        let Usage { reserved, committed, deepest } = usage;
        (!self.task.is_complete()).then_some(StackUsage { reserved, committed, deepest })
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }
}

impl fmt::Debug for Thread {
    /// Shows the identity, the name, and what it waits for as of now.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("waits", &format_args!("{}", self.task.reason()))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ThreadId").field(&self.0).finish()
    }
}
