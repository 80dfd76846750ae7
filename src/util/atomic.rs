//! What the protocols are made of that a model checker must see: std's, or in the models loom's.
//!
//! A protocol between threads (who sleeps, who owns a task, what is in an inbox) is kept in a file of its
//! own that takes its atomics from here and touches neither the kernel nor a switch. Built as a test with
//! `--cfg kettle_loom`, the same file runs under [loom](https://docs.rs/loom), which tries out the
//! interleavings and what each load may see: the `model` beside each such file. `ci/loom` runs them all.

pub(crate) use core::sync::atomic::Ordering;

#[cfg(not(all(test, kettle_loom)))]
mod chosen {
    pub(crate) use core::cell::Cell;
    pub(crate) use core::sync::atomic::{
        AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
    };

    /// The word itself, for the kernel to look at.
    #[inline(always)]
    pub(crate) fn futex_word(word: &AtomicU32) -> &core::sync::atomic::AtomicU32 {
        word
    }
}

#[cfg(all(test, kettle_loom))]
use super::weakened as chosen;

pub(crate) use chosen::{
    AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Cell, fence, futex_word,
};
