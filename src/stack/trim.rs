//! Giving back the memory that a stack has used and no longer needs.
//!
//! ```text
//!   | guard | never used | used once, and dead now | in use, or soon again |
//!                        ^ deepest                 ^ kept from here on     ^ base
//!                                     |   window   |
//! ```
//!
//! Whether a stack went deep is not counted on the way there, which would cost every call something. The
//! kernel is asked instead whether there is memory for any page of a *window* just below what is kept:
//! whatever went deeper has left a page there, because compilers touch a frame page by page, and what C
//! code has of frames that are not is shorter than the guard, and so is shorter than the window.
//!
//! To ask costs a fifth of a microsecond and to give back more than one, and the next one who goes so deep
//! pays for new pages. So it is done by workers that rest, and by busy ones rarely; and what is a few pages
//! is left alone.

#![allow(unsafe_code)]

use super::Stack;
use crate::sys::memory::{self, RESIDENT_MOST, page_size};

/// How much of a stack may stay behind: what most coroutines use, and so will the next one.
const SHALLOW: usize = 16 * 1024;

impl Stack {
    /// Gives back the memory of a stack that nothing lives on, but for its first page, if it was used
    /// deeply.
    pub(super) fn trim(&mut self) {
        self.shallow = true;
        let page = page_size();
        let (base, size) = (self.base.as_ptr(), self.class.size());
        let kept = SHALLOW.max(page);
        let window = self.class.guard_len().min(size - kept);
        let count = (window / page).min(RESIDENT_MOST);
        if memory::resident(base.wrapping_sub(kept + count * page), count).any(|page| page) {
            // SAFETY: invariants 1 and 2: from the limit to above the first page, all of it ours.
            unsafe { memory::discard(base.wrapping_sub(size), size - page) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{StackClass, pool};
    use super::*;

    fn resident_bytes(stack: &Stack) -> usize {
        let (page, size) = (page_size(), stack.class.size());
        let first = stack.base.as_ptr().wrapping_sub(size);
        let chunks = (0..size / page).step_by(RESIDENT_MOST).map(|from| {
            let count = RESIDENT_MOST.min(size / page - from);
            memory::resident(first.wrapping_add(from * page), count).filter(|page| *page).count()
        });
        chunks.sum::<usize>() * page
    }

    fn touch(stack: &Stack, depth: usize) {
        for offset in (1..=depth).step_by(page_size()).chain([depth]) {
            // SAFETY: in the stack, which nobody else has.
            unsafe { stack.base.as_ptr().wrapping_sub(offset).write_volatile(0xA5) };
        }
    }

    #[test]
    fn a_stack_that_went_deep_keeps_one_page_and_a_shallow_one_what_it_has() {
        for size in [64 << 10, 256 << 10, 1 << 20, 16 << 20] {
            let class = StackClass::fitting(size).expect("allowed");
            let mut stack = pool::take(class).expect("address space");
            stack.trim();
            touch(&stack, SHALLOW);
            let shallow = resident_bytes(&stack);
            assert!(shallow >= SHALLOW);
            stack.trim();
            assert_eq!(resident_bytes(&stack), shallow, "{size}");
            for depth in [SHALLOW + 1, size / 2, size] {
                touch(&stack, depth);
                assert!(resident_bytes(&stack) >= depth / 8 * 7);
                stack.trim();
                assert_eq!(resident_bytes(&stack), page_size(), "{size} used for {depth}");
            }
            pool::put(stack);
        }
    }
}
