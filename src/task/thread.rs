//! [`Thread`]: a coroutine, or an OS thread beside them, as users hold it.

use super::header::TaskRef;
use super::state::Wait;
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
