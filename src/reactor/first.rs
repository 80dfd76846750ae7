//! The first who waits for one direction of a descriptor: mostly there is one alone, and a pointer to its task
//! is all that is kept.
//!
//! # Invariants
//!
//! 1. The pointer is changed under the source's lock only. It is null, or it comes with a counted reference,
//!    which goes to whoever takes it.
//! 2. A task is in one such place at a time, and only it itself puts itself there: as long as it finds itself
//!    there, nobody has taken it.

#![allow(unsafe_code)]

use crate::task::{Header, TaskRef, current};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

/// See the top of the file.
#[derive(Debug)]
pub(super) struct First(AtomicPtr<Header>);

/// Who has put himself there.
#[derive(Debug)]
pub(super) struct Mark(*mut Header);

impl First {
    pub(super) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Under the lock.
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        // Relaxed: ordered by the lock.
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// Puts the running task there. Under the lock, where it is empty.
    #[inline(always)]
    pub(super) fn set(&self) -> Mark {
        let task = current().into_raw().as_ptr();
        // Relaxed: as above.
        self.0.store(task, Ordering::Relaxed);
        Mark(task)
    }

    /// Whether the task that has put itself there is there still. For that task.
    #[inline(always)]
    pub(super) fn holds(&self, mark: &Mark) -> bool {
        // Acquire: pairs with the Release in `take`: what an event has said is seen by whom it has woken.
        ptr::eq(self.0.load(Ordering::Acquire), mark.0)
    }

    /// Takes the task out. Under the lock.
    #[inline(always)]
    pub(super) fn take(&self) -> Option<TaskRef> {
        // Relaxed: ordered by the lock.
        let task = NonNull::new(self.0.load(Ordering::Relaxed))?;
        // Release: pairs with the Acquire in `holds`.
        self.0.store(ptr::null_mut(), Ordering::Release);
        // SAFETY: invariant 1.
        Some(unsafe { TaskRef::from_raw(task) })
    }

    /// Takes the task out that has put itself there, unless somebody has. Under the lock, for that task.
    pub(super) fn withdraw(&self, mark: &Mark) -> bool {
        self.holds(mark) && self.take().is_some()
    }
}
