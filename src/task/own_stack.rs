//! What a task knows of the stack that it runs on, for those who do not own it.

#![allow(unsafe_code)]

use crate::stack::{Slot, Stack, Usage};
use crate::sys::memory::page_size;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Where a task's stack is, and how deep it was. All is Relaxed: addresses for the kernel to look at, through
/// which nothing is read.
#[derive(Debug)]
pub(crate) struct OwnStack {
    /// None before the task has begun, and where it has no stack of its own.
    slot: AtomicPtr<()>,
    /// How many pages of it had been used when memory of it was given back.
    deepest: AtomicU32,
}

impl OwnStack {
    pub(super) const fn new() -> Self {
        Self { slot: AtomicPtr::new(ptr::null_mut()), deepest: AtomicU32::new(0) }
    }

    /// The task is about to begin on `stack`.
    #[inline(always)]
    pub(crate) fn set(&self, stack: &Stack) {
        self.slot.store(stack.slot().into_raw(), Ordering::Relaxed);
    }

    /// # Safety
    ///
    /// The task is suspended with this stack pointer, and stays so meanwhile.
    pub(super) unsafe fn trim_below(&self, stack_pointer: usize) -> bool {
        let Some(slot) = Slot::from_raw(self.slot.load(Ordering::Relaxed)) else { return false };
        let note = |used: usize| {
            let pages = u32::try_from(used / page_size()).unwrap_or(u32::MAX);
            self.deepest.fetch_max(pages, Ordering::Relaxed);
        };
        // SAFETY: the caller's.
        unsafe { slot.trim_below(stack_pointer, note) }
    }

    /// How many bytes are left of it below the caller's frame; none for who runs on another stack.
    pub(super) fn left(&self) -> usize {
        let here = 0_u8;
        let Some(slot) = Slot::from_raw(self.slot.load(Ordering::Relaxed)) else { return 0 };
        slot.left_below((&raw const here).addr())
    }

    /// How much of it is used, as a snapshot.
    pub(super) fn usage(&self) -> Option<Usage> {
        let slot = Slot::from_raw(self.slot.load(Ordering::Relaxed))?;
        let usage = slot.usage();
        let noted = self.deepest.load(Ordering::Relaxed) as usize * page_size();
        Some(Usage { deepest: usage.deepest.max(noted), ..usage })
    }
}
