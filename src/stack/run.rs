//! [`Run`]: slots on their way from the arena to their guards.

#![allow(unsafe_code)]

use core::ptr::NonNull;

/// Carved slots side by side that have no guard yet, and their only owner.
#[derive(Debug)]
pub(super) struct Run {
    start: NonNull<u8>,
    count: usize,
    stride: usize,
}

// SAFETY: an address; the memory is whoever's turns it into stacks.
unsafe impl Send for Run {}

impl Run {
    /// `count` slots, the first of which begins at `start`.
    pub(super) fn new(start: NonNull<u8>, count: usize, stride: usize) -> Self {
        Self { start, count, stride }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// From one slot to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// The low end of slot `index`, or the end of the last slot.
    pub(super) fn slot(&self, index: usize) -> *mut u8 {
        debug_assert!(index <= self.count);
        self.start.as_ptr().wrapping_add(index * self.stride)
    }

    /// Keeps the first `count` slots and gives those after them, if there are any.
    pub(super) fn split_off(&mut self, count: usize) -> Option<Self> {
        let rest = self.count.saturating_sub(count);
        let start = NonNull::new(self.slot(self.count - rest))?;
        self.count -= rest;
        (rest > 0).then_some(Self { start, count: rest, stride: self.stride })
    }
}
