//! What valgrind is told, in builds with the feature `valgrind`: where the coroutines' stacks lie, and
//! when one is empty. Without that it takes a switch for one huge frame that comes or goes, and reports
//! errors that are none.
//!
//! A *client request* is a sequence of instructions that does nothing on a processor and that valgrind
//! knows (the specification is its `valgrind.h`): four rotations by 128 bits in all, and an exchange of
//! a register with itself. It takes the address of six words, the request and five arguments.

#![allow(unsafe_code)]

use core::arch::asm;
use core::ptr::NonNull;

/// `VG_USERREQ__STACK_REGISTER`: the lowest and the highest byte of a stack. There is a request to
/// forget one, too, for which there is no use here: stacks are never unmapped.
const STACK_REGISTER: usize = 0x1501;

/// Memcheck's `VG_USERREQ__MAKE_MEM_UNDEFINED`: an address and a length.
const MAKE_MEM_UNDEFINED: usize = 0x4D43_0001;

/// Makes a client request; returns valgrind's answer, 0 where there is no valgrind.
fn request(number: usize, first: usize, second: usize) -> usize {
    let words: [usize; 6] = [number, first, second, 0, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: reads the words, if anything; the registers are as they were, but for the answer.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inlateout("rdx") answer,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") words.as_ptr(),
            inlateout("x3") answer,
            options(nostack),
        );
    }
    answer
}

/// Tells that the `size` bytes below `base` are a stack.
pub(crate) fn register_stack(base: NonNull<u8>, size: usize) {
    let base = base.addr().get();
    // The answer is a number for it, which nobody needs.
    request(STACK_REGISTER, base - size, base - 1);
}

/// Tells that the highest quarter of the stack of `size` bytes below `base` may be written to: for
/// memcheck, what was left there by the last one that ran on it is out of bounds, and whoever lays out the
/// next first frame, and a closure of at most an eighth, is not on that stack.
pub(crate) fn renew_stack(base: NonNull<u8>, size: usize) {
    request(MAKE_MEM_UNDEFINED, base.addr().get() - size / 4, size / 4);
}

#[cfg(test)]
mod tests {
    #[test]
    fn valgrind_answers_if_and_only_if_it_is_there() {
        const RUNNING_ON_VALGRIND: usize = 0x1001;
        // Set by `ci/valgrind`.
        let there = std::env::var_os("KETTLE_TEST_VALGRIND").is_some();
        assert_eq!(super::request(RUNNING_ON_VALGRIND, 0, 0), usize::from(there));
    }
}
