//! What a suspended computation is, and the switch from one to another.
//!
//! A [`Context`] is one word: the stack pointer of a suspended stack, on whose end lie the few
//! registers that the compiler cannot be told about. Everything else that is live was spilled by the
//! compiler around the switch. The layouts are drawn in `asm/<architecture>/switch.s` and
//! `trampoline.s`, in the same shape for both architectures.
//!
//! Not switched, on purpose: MXCSR and the x87 control word (x86_64), FPCR (aarch64), the signal mask,
//! and anything that lives in a thread-local. A coroutine that changes one of them puts it back before
//! it switches away.
//!
//! Protections: on aarch64 both places that a switch branches to are landing pads (`bti c`), whether the
//! compiler was asked for them or not; return addresses may be signed, because a suspended function goes on
//! with the stack pointer that it left with, which is part of the signature. The texts carry no
//! `.note.gnu.property`: it is about a whole object, and the compiler writes it where all of the object is
//! so. Shadow stacks are not switched, hence `stack` refuses to make stacks where there is one; and on
//! x86_64 `build.rs` refuses `-Zcf-protection`, by which an object says that it keeps them.
//!
//! Tried and dropped: an out-of-line switch (three times slower ending in `jmp`, eight times in
//! `ret`), and CFI directives in the inlined text (whether the CFA hangs on the stack or the frame
//! pointer differs from build to build).
//!
//! # Invariants
//!
//! 1. A non-null `Context` is the stack pointer of a stack that was suspended by [`switch`] or laid
//!    out by [`Context::new`], and that nobody has resumed since.
//! 2. The memory from that pointer up to the stack's base stays mapped until it is resumed or given up.
//! 3. Whoever resumes a context takes it: it is used up by the switch that goes on with it.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ptr;

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod arch;

#[cfg(kettle_asan)]
mod asan;

pub(crate) use arch::{set_thread_word, thread_word};
#[cfg(kettle_asan)]
pub(crate) use asan::{last_switch, switch};
#[cfg(not(kettle_asan))]
pub(crate) use {arch::switch, unobserved::last_switch};

/// What a build without AddressSanitizer does in the places where one with it has something to do.
#[cfg(not(kettle_asan))]
mod unobserved {
    /// Tells that the next switch of this OS thread leaves its stack for good.
    #[inline(always)]
    pub(crate) fn last_switch() {}
}

/// What goes through a switch in a register beside the word: any eight bytes, initialised or not.
pub(crate) type Value = MaybeUninit<*mut ()>;

/// What comes through a switch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The side that was left; whoever arrives must keep it, for nobody else knows it.
    pub(crate) from: Context,
    pub(crate) word: usize,
    pub(crate) value: Value,
}

/// The first function on a new stack: gets what came through the switch that started it, and the
/// argument given to [`Context::new`]. It never returns and never unwinds.
pub(crate) type Entry =
    unsafe extern "C" fn(word: usize, value: Value, from: Context, argument: *mut ()) -> !;

/// A suspended computation: the stack pointer of its stack, or null for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Context {
    stack_pointer: *mut usize,
}

impl Context {
    /// No computation.
    pub(crate) const NONE: Self = Self { stack_pointer: ptr::null_mut() };

    /// Whether there is a computation to go on with.
    #[inline(always)]
    pub(crate) fn is_some(self) -> bool {
        !self.stack_pointer.is_null()
    }

    /// The stack pointer: what lies below it on its stack is dead.
    pub(crate) fn stack_pointer(self) -> usize {
        self.stack_pointer.addr()
    }

    /// Lays out a computation that will call `entry` with `argument` on the stack that ends at
    /// `base`.
    ///
    /// # Safety
    ///
    /// `base` is a multiple of 16, and the 64 bytes below it are writable and used by nothing else.
    #[inline]
    pub(crate) unsafe fn new(base: *mut u8, entry: Entry, argument: *mut ()) -> Self {
        debug_assert!(base.addr() % 16 == 0);
        #[cfg(kettle_asan)]
        // SAFETY: the caller's. 16 bytes and the longer of the two first frames are the 64.
        let (base, entry, argument) = unsafe { asan::wrap_entry(base, entry, argument) };
        let frame = arch::first_frame(entry, argument);
        // SAFETY: the caller vouches for the memory; the frame is at most 48 bytes, and `base` is
        // aligned, so the frame's words are.
        unsafe {
            let lowest = base.cast::<usize>().sub(frame.len());
            ptr::copy_nonoverlapping(frame.as_ptr(), lowest, frame.len());
            Self { stack_pointer: lowest.add(arch::WORDS_BELOW) }
        }
    }
}

/// One number of the crate's version, as the names of the assembly's symbols carry it, so that two
/// versions of kettle can live in one program.
const fn version_number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("the crate's version is not three numbers"),
    }
}

const MAJOR: u32 = version_number(env!("CARGO_PKG_VERSION_MAJOR"));
const MINOR: u32 = version_number(env!("CARGO_PKG_VERSION_MINOR"));
const PATCH: u32 = version_number(env!("CARGO_PKG_VERSION_PATCH"));

unsafe extern "C" {
    /// The first code on a new stack; see `asm/<architecture>/trampoline.s`.
    #[link_name = concat!(
        "kettle_trampoline_",
        env!("CARGO_PKG_VERSION_MAJOR"),
        "_",
        env!("CARGO_PKG_VERSION_MINOR"),
        "_",
        env!("CARGO_PKG_VERSION_PATCH")
    )]
    fn trampoline();
}
