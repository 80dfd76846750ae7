//! Where sources are kept: in slots that are numbered, never move and are never freed.
//!
//! An event of the kernel's, or somebody who is on his way to wake a worker, may be late by any time; what
//! is in a slot is then another's, and the generation says so, but it is a slot. Memory once used for
//! sources is used for sources again.
//!
//! ```text
//!   chunks: [ 1024 slots ] [ 1024 slots ] ...     slot n is the n % 1024th in chunk n / 1024
//! ```

#![allow(unsafe_code)]

use super::source::Source;
use crate::util::lock::Lock;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Slots in a chunk, of 64 bytes each.
const CHUNK: usize = 1024;
/// For 32 million descriptors; the pages of this table that are not used take no memory.
const CHUNKS: usize = 1 << 15;

static SLAB: Slab = Slab {
    chunks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS],
    made: AtomicU32::new(0),
    unused: Lock::new(Vec::new()),
};

struct Slab {
    chunks: [AtomicPtr<Source>; CHUNKS],
    /// How many slots there are.
    made: AtomicU32,
    unused: Lock<Vec<u32>>,
}

/// The source in slot `index`, which exists: whoever has its number has been given it.
#[inline]
pub(super) fn get(index: u32) -> &'static Source {
    let (chunk, place) = (index as usize / CHUNK, index as usize % CHUNK);
    // Acquire: pairs with the Release in `take`.
    let chunk = SLAB.chunks[chunk].load(Ordering::Acquire);
    assert!(!chunk.is_null(), "an event for a slot that was never made");
    // SAFETY: a chunk is leaked, and made whole before its first number is given out.
    unsafe { &*chunk.add(place) }
}

/// A source that nobody uses.
pub(super) fn take() -> &'static Source {
    let mut unused = SLAB.unused.lock();
    if let Some(index) = unused.pop() {
        return get(index);
    }
    let made = SLAB.made.load(Ordering::Relaxed);
    let chunk = made as usize / CHUNK;
    assert!(chunk < CHUNKS, "more descriptors are registered than a process can have");
    let len = CHUNK as u32;
    let sources: Box<[Source]> = (made..made + len).map(Source::new).collect();
    // Release: pairs with the Acquire in `get`.
    SLAB.chunks[chunk].store(Box::leak(sources).as_mut_ptr(), Ordering::Release);
    // Release: pairs with the Acquire in `for_each`.
    SLAB.made.store(made + len, Ordering::Release);
    unused.extend((made + 1..made + len).rev());
    drop(unused);
    get(made)
}

/// Gives up the source in slot `index`.
pub(super) fn give_back(index: u32) {
    SLAB.unused.lock().push(index);
}

/// Shows every slot, used or not.
pub(super) fn for_each(mut f: impl FnMut(&'static Source)) {
    // Acquire: pairs with the Release in `take`.
    for index in 0..SLAB.made.load(Ordering::Acquire) {
        f(get(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_found_by_its_number_and_used_again() {
        let taken: Vec<_> = (0..3000).map(|_| take()).collect();
        for source in &taken {
            assert!(ptr::eq(get(source.index()), *source));
        }
        let mut numbers: Vec<_> = taken.iter().map(|source| source.index()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 3000);
        for source in taken {
            give_back(source.index());
        }
    }
}
