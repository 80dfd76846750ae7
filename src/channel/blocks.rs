//! A queue in blocks of slots: it grows without moving anything, and gives memory back as it empties. One block
//! at least is kept, and one that was emptied, so that a queue that is never long allocates nothing.
//!
//! ```text
//!   first ──▶ | . . 3 4 | ──▶ | 5 6 7 8 | ──▶ | 9 . . . | ◀── last
//!                   ▲ from                        ▲ to
//! ```
//!
//! # Invariants
//!
//! 1. From `first`, `next` leads to `last`, and each block on the way is this queue's alone; both null together.
//! 2. The slots from `from` of the first block to before `to` of the last hold messages, no others do.
//! 3. If there is no message and a block, it is the only one, and `from` and `to` are the same.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ptr;

/// Slots in a block.
const SLOTS: usize = 32;

struct Block<T> {
    next: *mut Block<T>,
    slots: [MaybeUninit<T>; SLOTS],
}

/// See the top of the file.
#[derive(Debug)]
pub(super) struct Blocks<T> {
    first: *mut Block<T>,
    last: *mut Block<T>,
    from: usize,
    to: usize,
    len: usize,
    /// Null, or an empty block of this queue's.
    spare: *mut Block<T>,
}

// SAFETY: invariant 1: it owns its blocks and what is in them.
unsafe impl<T: Send> Send for Blocks<T> {}

impl<T> Blocks<T> {
    pub(super) const fn new() -> Self {
        let null = ptr::null_mut();
        Self { first: null, last: null, from: 0, to: 0, len: 0, spare: null }
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A block for use: its `next` is null.
    fn block(&mut self) -> *mut Block<T> {
        let spare = core::mem::replace(&mut self.spare, ptr::null_mut());
        if !spare.is_null() {
            return spare;
        }
        // Not by way of the stack: messages may be large.
        let block = Box::into_raw(Box::<Block<T>>::new_uninit()).cast::<Block<T>>();
        // SAFETY: allocated just now; slots may hold anything.
        unsafe { (&raw mut (*block).next).write(ptr::null_mut()) };
        block
    }

    #[inline]
    pub(super) fn push_back(&mut self, value: T) {
        if self.last.is_null() || self.to == SLOTS {
            self.grow();
        }
        // SAFETY: invariant 1, and by invariant 2 the slot is empty.
        unsafe { (*self.last).slots[self.to].write(value) };
        self.to += 1;
        self.len += 1;
    }

    /// Adds an empty block at the end.
    #[cold]
    fn grow(&mut self) {
        let block = self.block();
        if self.last.is_null() {
            (self.first, self.from) = (block, 0);
        } else {
            // SAFETY: invariant 1.
            unsafe { (*self.last).next = block };
        }
        (self.last, self.to) = (block, 0);
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        if self.from == SLOTS {
            self.leave_first();
        }
        // SAFETY: invariant 2: there is a message, and it is here.
        let value = unsafe { (*self.first).slots[self.from].assume_init_read() };
        self.from += 1;
        self.len -= 1;
        if self.len == 0 {
            self.start_anew();
        }
        Some(value)
    }

    /// Goes on to the next block, which there is.
    #[cold]
    fn leave_first(&mut self) {
        let block = self.first;
        // SAFETY: invariant 1.
        self.first = unsafe { (*block).next };
        self.from = 0;
        self.keep(block);
    }

    /// Begins at the first slot again, in the last block: after the last message.
    #[inline]
    fn start_anew(&mut self) {
        if self.first != self.last {
            self.leave_first();
        }
        (self.from, self.to) = (0, 0);
    }

    /// Takes an empty block that is in use no more.
    fn keep(&mut self, block: *mut Block<T>) {
        if self.spare.is_null() {
            // SAFETY: it is ours.
            unsafe { (*block).next = ptr::null_mut() };
            self.spare = block;
        } else {
            // SAFETY: it is ours, from `block`; slots are not dropped.
            drop(unsafe { Box::from_raw(block) });
        }
    }

    /// Puts a message where the next one is taken.
    pub(super) fn push_front(&mut self, value: T) {
        if self.first.is_null() {
            return self.push_back(value);
        }
        if self.from == 0 {
            let block = self.block();
            // SAFETY: it is ours.
            unsafe { (*block).next = self.first };
            if self.len == 0 {
                // Invariant 3.
                let empty = core::mem::replace(&mut self.first, block);
                // SAFETY: as above.
                unsafe { (*block).next = ptr::null_mut() };
                self.keep(empty);
                (self.last, self.to) = (block, SLOTS);
            }
            (self.first, self.from) = (block, SLOTS);
        }
        self.from -= 1;
        // SAFETY: invariant 2: the slot is empty.
        unsafe { (*self.first).slots[self.from].write(value) };
        self.len += 1;
    }

    /// Moves all of `other` to the end.
    pub(super) fn append(&mut self, other: &mut Self) {
        while let Some(value) = other.pop_front() {
            self.push_back(value);
        }
    }
}

impl<T> Drop for Blocks<T> {
    /// Where a message's destructor panics, the messages after it are leaked.
    fn drop(&mut self) {
        while let Some(value) = self.pop_front() {
            drop(value);
        }
        for block in [self.first, self.spare] {
            if !block.is_null() {
                // SAFETY: invariants 1 and 3: the only ones, and ours.
                drop(unsafe { Box::from_raw(block) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, SLOTS};
    use std::collections::VecDeque;
    use std::rc::Rc;

    /// Everything that a queue can do, in an order as if at random, against a queue of std's.
    #[test]
    fn it_is_a_queue() {
        let token = Rc::new(());
        let mut random = 1_u32;
        for _ in 0..50 {
            let (mut blocks, mut other, mut model) =
                (Blocks::new(), Blocks::new(), VecDeque::new());
            for number in 0..2_000 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let growing = (number / 200) % 2 == 0;
                match random >> 28 {
                    0..=4 => {
                        blocks.push_back((number, Rc::clone(&token)));
                        model.push_back(number);
                    }
                    5 => {
                        blocks.push_front((number, Rc::clone(&token)));
                        model.push_front(number);
                    }
                    6 => {
                        for more in 0..random as usize % (2 * SLOTS) {
                            other.push_back((more, Rc::clone(&token)));
                            model.push_back(more);
                        }
                        blocks.append(&mut other);
                        assert!(other.is_empty());
                    }
                    _ if growing => {}
                    _ => assert_eq!(blocks.pop_front().map(|it| it.0), model.pop_front()),
                }
                assert_eq!(blocks.len(), model.len());
            }
            assert_eq!(Rc::strong_count(&token), 1 + model.len());
        }
        assert_eq!(Rc::strong_count(&token), 1, "a message was leaked, or dropped twice");
    }

    #[test]
    fn what_has_no_size_is_counted_too() {
        let mut blocks = Blocks::new();
        for _ in 0..3 * SLOTS {
            blocks.push_back(());
        }
        for _ in 0..3 * SLOTS {
            assert_eq!(blocks.pop_front(), Some(()));
        }
        assert_eq!(blocks.pop_front(), None);
    }
}
