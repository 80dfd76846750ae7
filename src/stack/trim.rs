//! Giving back the memory that a stack has used and no longer needs.
//!
//! ```text
//!   | guard | never used | used once, and dead now | in use, or soon again |
//!                        ^ deepest    |   window   ^ kept from here on     ^ base
//! ```
//!
//! Whether a stack went deep is not counted on the way there, which would cost every call something. The
//! kernel is asked instead whether there is memory for any page of a *window* just below what is kept:
//! whatever went deeper has left a page there, because compilers touch a frame page by page, and what C
//! code has of frames that are not is shorter than the guard, and so is shorter than the window.
//!
//! To ask costs a fifth of a microsecond and to give back more than one, and the next one who goes so deep
//! pays for new pages. So it is done by workers that rest, and by busy ones rarely.

#![allow(unsafe_code)]

use super::{Slot, Stack};
use crate::sys::memory::{self, page_size, resident_most};
use core::ops::Range;

/// How much a stack that is free may keep: what most coroutines use, and so will the next one.
const SHALLOW: usize = 16 * 1024;

/// What may be in use below a stack pointer: the three words that a switch leaves there (`context/`), and what
/// leaf functions may use without moving it, which is 128 bytes.
const RED_ZONE: usize = 256;

/// How much of a stack there is, and how much of it has memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The stack's size in bytes.
    pub(crate) reserved: usize,
    /// What there is memory for.
    pub(crate) committed: usize,
    /// From the base to the end of the lowest page that there is memory for.
    pub(crate) deepest: usize,
}

impl Stack {
    /// Gives back the memory of a stack that nothing lives on, but for its first page, if it was used
    /// deeply.
    pub(super) fn trim(&mut self) {
        self.shallow = true;
        let slot = self.slot();
        let (base, page) = (slot.base().addr(), page_size());
        if slot.was_used_below(base - SHALLOW.max(page)) {
            // SAFETY: invariant 1: all of it is ours, and nothing lives there.
            unsafe { slot.discard_below(base - page) };
        }
    }
}

impl Slot {
    /// Gives back the memory below the stack pointer of a computation that is suspended on this stack, down
    /// to the limit. If there is any, `note` first learns how much of the stack has been used. Does nothing if
    /// the stack pointer lies elsewhere: the computation may stand on yet another stack. Says whether there was
    /// any.
    ///
    /// # Safety
    ///
    /// The computation is not gone on with meanwhile.
    pub(crate) unsafe fn trim_below(self, stack_pointer: usize, note: impl FnOnce(usize)) -> bool {
        let (limit, base) = (self.limit().addr(), self.base().addr());
        if stack_pointer <= limit || stack_pointer > base {
            return false;
        }
        let until = (stack_pointer - RED_ZONE) / page_size() * page_size();
        let used = self.was_used_below(until);
        if used {
            note(self.usage().deepest);
            // SAFETY: the caller's: below its stack pointer and the red zone nothing lives.
            unsafe { self.discard_below(until) };
        }
        used
    }

    /// What there is memory for, as of now.
    pub(crate) fn usage(self) -> Usage {
        let page = page_size();
        let reserved = self.class().size();
        let pages = reserved / page;
        let (mut committed, mut lowest) = (0, pages);
        let most = resident_most();
        for from in (0..pages).step_by(most) {
            let count = most.min(pages - from);
            let chunk = self.limit().wrapping_add(from * page);
            for index in pages_with_memory(chunk, count) {
                committed += page;
                lowest = lowest.min(from + index);
            }
        }
        Usage { reserved, committed, deepest: (pages - lowest) * page }
    }

    /// Whether there is memory just below the address `until`, the end of a page of this stack.
    fn was_used_below(self, until: usize) -> bool {
        let room = until.saturating_sub(self.limit().addr());
        let window = self.class().guard_len().min(room);
        let count = (window / page_size()).min(resident_most());
        let start = self.limit().wrapping_add(room - count * page_size());
        pages_with_memory(start, count).next().is_some()
    }

    /// # Safety
    ///
    /// Between the limit and `until`, the end of a page of this stack, nothing lives.
    unsafe fn discard_below(self, until: usize) {
        // SAFETY: the caller's; a slot is mapped for ever (invariant 2).
        unsafe { memory::discard(self.limit(), until.saturating_sub(self.limit().addr())) };
    }
}

/// Which of `count` pages from `start` on there is memory for, the lowest first.
fn pages_with_memory(start: *mut u8, count: usize) -> impl Iterator<Item = usize> {
    let indices: Range<usize> = 0..count;
    indices.zip(memory::resident(start, count)).filter_map(|(index, page)| page.then_some(index))
}

#[cfg(test)]
mod tests {
    use super::super::{StackClass, pool};
    use super::*;

    fn resident_bytes(stack: &Stack) -> usize {
        stack.slot().usage().committed
    }

    fn touch(stack: &Stack, depth: usize) {
        for offset in (1..=depth).step_by(page_size()).chain([depth]) {
            // SAFETY: in the stack, which nobody else has.
            unsafe { stack.base.as_ptr().wrapping_sub(offset).write_volatile(0xA5) };
        }
    }

    /// Whether the kernel says what there is memory for: emulators with pages of another size do not.
    fn kernel_tells() -> bool {
        let page = page_size();
        let mut map = memmap2::MmapMut::map_anon(3 * page).expect("memory");
        map[page] = 1;
        let told = memory::resident(map.as_ptr(), 3).eq([false, true, false]);
        if !told {
            println!("skipped: the kernel does not tell what there is memory for");
        }
        told
    }

    #[test]
    fn a_stack_that_went_deep_keeps_one_page_and_a_shallow_one_what_it_has() {
        if !kernel_tells() {
            return;
        }
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

    #[test]
    fn below_a_stack_pointer_only_whole_dead_pages_go() {
        if !kernel_tells() {
            return;
        }
        let class = StackClass::fitting(1 << 20).expect("allowed");
        let page = page_size();
        let mut stack = pool::take(class).expect("address space");
        let (slot, base) = (stack.slot(), stack.base().addr().get());
        for (used, depth, left) in [
            (page, page - 1, page),
            (2 * page, RED_ZONE, page),
            (8 * page, 100, page),
            (8 * page, page - RED_ZONE, page),
            // The red zone reaches into the next page.
            (8 * page, page - RED_ZONE + 16, 2 * page),
            (class.size(), 5 * page, 6 * page),
            (class.size(), class.size() - 1, class.size()),
        ] {
            stack.trim();
            touch(&stack, used);
            let mut deepest = None;
            // SAFETY: nothing lives on it at all.
            unsafe { slot.trim_below(base - depth, |used| deepest = Some(used)) };
            assert_eq!(resident_bytes(&stack), left, "used {used}, stands at {depth}");
            assert_eq!(deepest, (left < used).then_some(used), "used {used}, stands at {depth}");
        }
        for elsewhere in [base + 16, base - class.size(), base - class.size() - 16, 0] {
            // SAFETY: as above.
            unsafe { slot.trim_below(elsewhere, |_| unreachable!("not on this stack")) };
        }
        assert_eq!(resident_bytes(&stack), class.size());
        stack.trim();
        pool::put(stack);
    }
}
