//! Stacks: where they come from, what guards them, who has which.
//!
//! ```text
//!   one slot, from low to high addresses                    the next slot
//!   | guard, never accessible | stack, touched from the base down | guard | ...
//!                             ^ limit                        base ^
//! ```
//!
//! A slot is reserved at its full size and committed by touch: it grows without copying, without a
//! signal and without a mapping of its own, and pointers into it stay good. [`arena`] reserves and
//! carves slots (a [`run`] of them at a time), [`guard`] makes their low ends inaccessible, [`pool`] keeps those that are not in
//! use, [`trim`] gives back what a deep one no longer uses, [`overflow`] answers when somebody runs into
//! a guard.
//!
//! # Invariants
//!
//! 1. A [`Stack`] is the only owner of its slot.
//! 2. A slot's memory stays mapped until the process ends: reservations are never unmapped.
//! 3. A [`Stack`] has a guard below its limit; one that could not be guarded never becomes one.

#![allow(unsafe_code)]

mod arena;
mod class;
mod guard;
pub(crate) mod overflow;
pub(crate) mod pool;
mod run;
mod trim;

pub(crate) use class::{DEFAULT_STACK_SIZE, StackClass};
pub(crate) use trim::Usage;

use crate::util::fallible;
use core::ptr::NonNull;
use std::fmt;
use std::io;

/// The stack of one coroutine, guarded.
#[derive(Debug)]
pub(crate) struct Stack {
    base: NonNull<u8>,
    class: StackClass,
    /// Known to hold memory for little more than its first page: nobody has used it since that was seen.
    shallow: bool,
}

// SAFETY: invariant 1; it is memory, and nobody's thread.
unsafe impl Send for Stack {}

impl Stack {
    /// The high end: the address above the stack's last byte.
    #[cfg(test)]
    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    #[inline]
    pub(crate) fn class(&self) -> StackClass {
        self.class
    }

    /// Where the first frame begins: up to 960 bytes below the base, differently from slot to slot,
    /// so that the hot ends of a million stacks do not all fall into the same sets of the caches.
    #[inline]
    pub(crate) fn first_frame(&self) -> *mut u8 {
        #[cfg(feature = "valgrind")]
        crate::sys::valgrind::renew_stack(self.base, self.class.size());
        // The upper bits of the product depend on all bits of the slot's number (Fibonacci hashing,
        // Knuth, volume 3, 6.4).
        let slot = (self.base.addr().get() >> 14) as u64;
        let lines = (slot.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60) as usize;
        self.base.as_ptr().wrapping_sub(lines * 64)
    }

    /// Says which slot it is, without giving it up.
    #[inline]
    pub(crate) fn slot(&self) -> Slot {
        Slot(self.base.as_ptr().wrapping_add(self.class.index()))
    }

    /// Gives up the owner but not the slot, which [`Stack::from_raw`] must pick up again. In one word:
    /// the base is a multiple of the page's size, and its low bits hold the class.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut () {
        self.base.as_ptr().wrapping_add(self.class.index()).cast()
    }

    /// # Safety
    ///
    /// `raw` comes from [`Stack::into_raw`] and nobody else picks it up.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: *mut ()) -> Self {
        let class = StackClass::from_low_bits(raw.addr());
        // SAFETY: the base, which is not null.
        let base = unsafe { NonNull::new_unchecked(raw.cast::<u8>().wrapping_sub(class.index())) };
        Self { base, class, shallow: false }
    }
}

/// Which slot somebody's stack is, known to who does not own it: the base, whose low bits hold the class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot(*mut u8);

impl Slot {
    /// As one word; null for none.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut () {
        self.0.cast()
    }

    /// What [`into_raw`](Self::into_raw) has given, if it is not null.
    pub(crate) fn from_raw(raw: *mut ()) -> Option<Self> {
        (!raw.is_null()).then_some(Self(raw.cast()))
    }

    fn class(self) -> StackClass {
        StackClass::from_low_bits(self.0.addr())
    }

    fn base(self) -> *mut u8 {
        self.0.wrapping_sub(self.class().index())
    }

    fn limit(self) -> *mut u8 {
        self.base().wrapping_sub(self.class().size())
    }

    /// How many bytes of it lie below `address`; none if that is not in it.
    pub(crate) fn left_below(self, address: usize) -> usize {
        if address >= self.base().addr() { 0 } else { address.saturating_sub(self.limit().addr()) }
    }
}

/// The limit and the base of the stack that `address` lies in, if it is a coroutine's.
#[cfg(kettle_asan)]
pub(crate) fn bounds(address: usize) -> Option<(usize, usize)> {
    // A stack pointer may be the base itself, in the next slot or in none.
    let slot = arena::find_slot(address.wrapping_sub(1))?;
    Some((slot.base - slot.size, slot.base))
}

/// Why there is no stack to be had.
#[derive(Debug)]
pub(crate) enum StackError {
    /// The kernel gave no address space for another slot.
    Reserve { size: usize, source: io::Error },
    /// Guards cost mappings here, and the budget is used up.
    GuardBudget { budget: usize, max_map_count: usize },
    /// No memory for the pool's lists.
    Memory,
    /// The kernel refused to guard a slot.
    Guard { source: io::Error },
    /// A switch would leave the thread's shadow stack behind.
    ShadowStack,
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserve { size, source } => write!(
                f,
                "no address space for another coroutine stack of {size} bytes ({source}); \
                 let coroutines end, choose a smaller kettle::thread::Builder::stack_size, or raise \
                 the limit (ulimit -v, vm.overcommit_memory)"
            ),
            Self::GuardBudget { budget, max_map_count } => write!(
                f,
                "no guard for another coroutine stack: this kernel has no MADV_GUARD_INSTALL that \
                 works (Linux 6.13 has), each guard made by mprotect costs two mappings, and {budget} \
                 is what vm.max_map_count = {max_map_count} leaves room for; raise it with \
                 `sysctl vm.max_map_count=<number>` before the program starts"
            ),
            Self::Memory => f.write_str(
                "no memory for the list of coroutine stacks; let coroutines end, or raise the limit \
                 (ulimit -v)",
            ),
            Self::Guard { source } => write!(
                f,
                "the kernel refused to guard another coroutine stack ({source}); if the process is \
                 short of mappings, raise vm.max_map_count"
            ),
            Self::ShadowStack => write!(
                f,
                "this thread has a shadow stack, which kettle's switch does not take along: the first \
                 return after it would end the process; start the program without (with glibc that is \
                 GLIBC_TUNABLES=glibc.cpu.x86_shstk=off on x86_64, glibc.cpu.aarch64_gcs=0 on aarch64)"
            ),
        }
    }
}

impl std::error::Error for StackError {}

impl From<StackError> for io::Error {
    fn from(error: StackError) -> Self {
        let kind = match error {
            StackError::ShadowStack => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::OutOfMemory,
        };
        fallible::io_error(kind, &error)
    }
}
