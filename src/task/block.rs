//! Memory for the blocks of tasks. Most are of about one size, so each worker keeps some between two tasks: an
//! allocator that has to serve all sizes takes several times as long for many at once, because what is beyond its
//! own small caches it splits and merges.
//!
//! # Invariants
//!
//! 1. A block whose layout fits [`KEPT`] is allocated with that layout, and so are all in the list.
//! 2. The list is its worker's alone; a block in it is nobody's, and its first word is the next one's address.

#![allow(unsafe_code)]

use super::current::local;
use core::cell::Cell;
use core::ptr::{self, NonNull};
use std::alloc::{Layout, alloc, dealloc};

/// A header and a closure and output of 48 bytes. With the word that glibc adds, a multiple of 16.
const KEPT: Layout = match Layout::from_size_align(216, 8) {
    Ok(layout) => layout,
    Err(_) => panic!("a valid layout"),
};

/// How many a worker keeps: 3.4 MiB.
const MOST: usize = 16 * 1024;

/// The blocks that a worker keeps.
#[derive(Debug)]
pub(crate) struct Blocks {
    first: Cell<*mut u8>,
    count: Cell<usize>,
}

impl Blocks {
    pub(crate) const fn new() -> Self {
        Self { first: Cell::new(ptr::null_mut()), count: Cell::new(0) }
    }

    #[inline]
    fn take(&self) -> Option<NonNull<u8>> {
        let block = NonNull::new(self.first.get())?;
        // SAFETY: invariant 2.
        self.first.set(unsafe { block.cast::<*mut u8>().read() });
        self.count.set(self.count.get() - 1);
        Some(block)
    }

    /// Keeps a block, unless there are enough; says whether it has.
    ///
    /// # Safety
    ///
    /// Allocated with [`KEPT`], and the caller's to give.
    #[inline]
    unsafe fn keep(&self, block: NonNull<u8>) -> bool {
        // A sanitizer is to notice who touches a task that has gone.
        if self.count.get() >= MOST || cfg!(kettle_asan) {
            return false;
        }
        // SAFETY: the caller's.
        unsafe { block.cast::<*mut u8>().write(self.first.get()) };
        self.first.set(block.as_ptr());
        self.count.set(self.count.get() + 1);
        true
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        while let Some(block) = self.take() {
            // SAFETY: invariant 1.
            unsafe { dealloc(block.as_ptr(), KEPT) };
        }
    }
}

#[inline(always)]
fn fits(layout: Layout) -> bool {
    layout.size() <= KEPT.size() && layout.align() <= KEPT.align()
}

/// Memory for a block; none if there is none.
#[inline]
pub(super) fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    let layout = if fits(layout) {
        if let Some(block) = local().and_then(|local| local.blocks.take()) {
            return Some(block);
        }
        KEPT
    } else {
        layout
    };
    // SAFETY: not of size zero: there is a header in it.
    NonNull::new(unsafe { alloc(layout) })
}

/// Gives a block's memory back.
///
/// # Safety
///
/// It comes from [`allocate`] with this layout, and nobody uses it any more.
#[inline]
pub(super) unsafe fn release(block: NonNull<u8>, layout: Layout) {
    // SAFETY: the caller's; invariant 1.
    unsafe {
        if !fits(layout) {
            dealloc(block.as_ptr(), layout);
        } else if !local().is_some_and(|local| local.blocks.keep(block)) {
            dealloc(block.as_ptr(), KEPT);
        }
    }
}
