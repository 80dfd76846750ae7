//! The switch, the first frame and the thread word on aarch64. The text is in `asm/aarch64/`.

use super::{Arrival, Context, Entry, MAJOR, MINOR, PATCH, Value, trampoline};
use core::arch::{asm, global_asm};

global_asm!(
    include_str!("../../asm/aarch64/trampoline.s"),
    major = const MAJOR, minor = const MINOR, patch = const PATCH,
);
global_asm!(
    include_str!("../../asm/aarch64/thread_word.s"),
    major = const MAJOR, minor = const MINOR, patch = const PATCH,
);

/// How many words of a suspended stack lie below its stack pointer; drawn in `asm/aarch64/switch.s`.
pub(super) const WORDS_BELOW: usize = 0;

/// The words of a new stack, the lowest first; drawn in `asm/aarch64/trampoline.s`.
#[inline(always)]
pub(super) fn first_frame(entry: Entry, argument: *mut ()) -> [usize; 6] {
    [
        0,
        trampoline as *const () as usize,
        argument.expose_provenance(),
        0,
        entry as *const () as usize,
        0,
    ]
}

/// Suspends the running stack and goes on with `to`, handing `word` and `value` over. Returns, when
/// somebody goes on with this stack, the side that they left for it and what they handed over.
///
/// # Safety
///
/// `to` upholds the invariants of this module. What the two stacks share is the callers' affair: after
/// the return everything that is not on this stack may have changed, the OS thread included.
#[inline(always)]
pub(crate) unsafe fn switch(to: Context, word: usize, value: Value) -> Arrival {
    let (from, word_back, value_back);
    // SAFETY: invariants 1 to 3 are the caller's; all registers that the text does not save are
    // declared clobbered.
    unsafe {
        asm!(
            include_str!("../../asm/aarch64/switch.s"),
            inlateout("x0") word => word_back,
            inlateout("x1") value => value_back,
            inlateout("x2") to.stack_pointer => from,
            lateout("x20") _, lateout("x21") _, lateout("x22") _, lateout("x23") _,
            lateout("x24") _, lateout("x25") _, lateout("x26") _, lateout("x27") _,
            lateout("x28") _,
            lateout("v8") _, lateout("v9") _, lateout("v10") _, lateout("v11") _,
            lateout("v12") _, lateout("v13") _, lateout("v14") _, lateout("v15") _,
            clobber_abi("C"),
        );
    }
    Arrival { from: Context { stack_pointer: from }, word: word_back, value: value_back }
}

/// This OS thread's word, read afresh at each call: null, or what [`set_thread_word`] left there.
#[inline(always)]
pub(crate) fn thread_word() -> *mut () {
    let word;
    // SAFETY: reads a thread-local that always exists. Volatile (not `pure`), so never merged or
    // moved across a switch.
    unsafe {
        asm!(
            include_str!("../../asm/aarch64/thread_word_get.s"),
            word = out(reg) word,
            base = out(reg) _,
            major = const MAJOR, minor = const MINOR, patch = const PATCH,
            options(nostack, preserves_flags),
        );
    }
    word
}

/// Sets this OS thread's word.
#[inline]
pub(crate) fn set_thread_word(word: *mut ()) {
    // SAFETY: writes a thread-local that always exists and that is only a word to everybody.
    unsafe {
        asm!(
            include_str!("../../asm/aarch64/thread_word_set.s"),
            word = in(reg) word,
            offset = out(reg) _,
            base = out(reg) _,
            major = const MAJOR, minor = const MINOR, patch = const PATCH,
            options(nostack, preserves_flags),
        );
    }
}
