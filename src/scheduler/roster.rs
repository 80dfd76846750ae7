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

/// The tasks of one worker, or the migratable ones of a runtime.
#[derive(Debug)]
pub(super) struct Roster {
    listed: Lock<Listed>,
}

#[derive(Debug)]
struct Listed {
    tasks: Chain<Header>,
    /// How far a walk through the roster has come: the next task of it, if one is under way.
    walk: Option<NonNull<Header>>,
}

// SAFETY: the nodes are the chain's, and `walk` is one of them.
unsafe impl Send for Listed {}

impl Roster {
    pub(super) const fn new() -> Self {
        Self { listed: Lock::new(Listed { tasks: Chain::new(), walk: None }) }
    }

    /// # Safety
    ///
    /// As for [`Shared::list`].
    unsafe fn push(&self, task: NonNull<Header>) {
        // SAFETY: the caller's.
        unsafe { self.listed.lock().tasks.push_back(task) };
    }

    /// # Safety
    ///
    /// The task is in this roster.
    unsafe fn remove(&self, task: NonNull<Header>) {
        let mut listed = self.listed.lock();
        // SAFETY: the caller's.
        unsafe {
            if listed.walk == Some(task) {
                listed.walk = listed.tasks.after(task);
            }
            listed.tasks.remove(task);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listed.lock().tasks.is_empty()
    }

    /// The next walk begins anew.
    pub(super) fn end_walk(&self) {
        self.listed.lock().walk = None;
    }

    /// Goes on with a walk through the roster, or begins one, by `steps` tasks at the most, and calls `f` with
    /// each. Says whether it has come to the end. For one walker.
    pub(super) fn walk(&self, steps: usize, mut f: impl FnMut(&Header)) -> bool {
        let mut listed = self.listed.lock();
        let mut next = listed.walk.or(listed.tasks.first());
        for _ in 0..steps {
            let Some(task) = next else { break };
            // SAFETY: invariant 2, under the lock; `remove` keeps `walk` in the chain.
            unsafe {
                f(task.as_ref());
                next = listed.tasks.after(task);
            }
        }
        listed.walk = next;
        next.is_none()
    }

    /// Calls `f` with each task. None of them ends meanwhile, nor leaves its stack for the first time.
    pub(super) fn for_each(&self, mut f: impl FnMut(&TaskRef)) {
        for task in self.listed.lock().tasks.iter() {
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
        unsafe { self.roster(header).push(task) };
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
            unsafe { self.roster(task).remove(NonNull::from(&**task)) };
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
        self.census.is_closing()
    }
}
