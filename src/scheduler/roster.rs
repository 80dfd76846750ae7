//! Who is alive: the tasks that have left their stack at least once, so that they can be found when a
//! runtime is to end, when stacks are trimmed, and by whoever asks.
//!
//! One that runs to its end without ever waiting is in no roster: it pays nothing for this.
//!
//! # Invariants
//!
//! 1. A task that stays on its worker is in that worker's roster, and only that worker puts it in and takes
//!    it out; a migratable one is in the runtime's.
//! 2. A task in a roster has not ended, so the runtime's reference keeps it alive.

#![allow(unsafe_code)]

use super::shared::Shared;
use crate::task::{Header, Task, TaskRef};
use crate::util::chain::Chain;
use crate::util::lock::Lock;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

/// The tasks of one worker, or the migratable ones of a runtime.
#[derive(Debug)]
pub(super) struct Roster {
    tasks: Lock<Chain<Header>>,
}

impl Roster {
    pub(super) const fn new() -> Self {
        Self { tasks: Lock::new(Chain::new()) }
    }

    /// Calls `f` with each task. None of them ends meanwhile, nor leaves its stack for the first time.
    pub(super) fn for_each(&self, mut f: impl FnMut(&TaskRef)) {
        for task in self.tasks.lock().iter() {
            // SAFETY: invariant 2, under the lock.
            f(&unsafe { TaskRef::another(task) });
        }
    }
}

impl Shared {
    fn roster(&self, task: &Header) -> &Roster {
        match task.home() {
            Some(home) if !task.attention.migratable() => &self.remotes[home].roster,
            _ => &self.migratable,
        }
    }

    /// Puts the running task into its roster. If the runtime is being closed, it is cancelled too: the
    /// closer, which cancels all that are listed, comes before this or after it.
    ///
    /// # Safety
    ///
    /// `task` is running, and in no roster.
    #[cold]
    pub(super) unsafe fn list(&self, task: NonNull<Header>) {
        // SAFETY: a running task is alive.
        let header = unsafe { task.as_ref() };
        header.attention.set_listed();
        // SAFETY: the caller's; `unlist` takes it out before it ends.
        unsafe { self.roster(header).tasks.lock().push_back(task) };
        if self.closing() {
            // SAFETY: alive, as above.
            unsafe { TaskRef::another(task) }.cancel();
        }
    }

    /// Takes a task that has ended out of its roster, if it is in one.
    ///
    /// # Safety
    ///
    /// `task` is this runtime's, and on the worker that it has ended on.
    #[inline]
    pub(super) unsafe fn unlist(&self, task: &Task) {
        if task.attention.is_listed() {
            // SAFETY: invariant 1: it is listed in there.
            unsafe { self.roster(task).tasks.lock().remove(NonNull::from(&**task)) };
        }
    }

    /// Calls `f` with each task that has left its stack at least once, roster by roster.
    pub(super) fn for_each_listed(&self, mut f: impl FnMut(&TaskRef)) {
        for remote in &self.remotes {
            remote.roster.for_each(&mut f);
        }
        self.migratable.for_each(&mut f);
    }

    /// Whether the runtime is being closed: what has not begun is not to begin any more.
    #[inline(always)]
    pub(super) fn closing(&self) -> bool {
        // Relaxed: whoever must not miss it looks under a lock (`list`) or behind a fence.
        self.closing.load(Ordering::Relaxed)
    }
}
