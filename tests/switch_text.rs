//! The text of the switch alone, without what the compiler saves around it: it keeps the registers that no
//! `asm!` can name as clobbers, and the stack pointer. (`registers.rs` is about the switch as the compiler
//! inlines it. Much of what a mistake in the text would break, the functions around it repair there.)
//!
//! Both sides are assembly that includes the text. One fills the registers with patterns, switches, and
//! looks at them; the other has patterns of its own, checks them too, and switches back.

#![allow(unsafe_code, reason = "assembly")]

#[cfg(target_arch = "aarch64")]
#[path = "switch_text/aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "switch_text/x86_64.rs"]
mod arch;

use arch::NAMES;

/// The registers of [`NAMES`].
type Registers = [u64; NAMES.len()];

unsafe extern "C" {
    /// Fills the registers from `patterns`, goes on with the stack pointer `to`, handing over `word` and
    /// `value`, and when somebody comes back writes to `found` what the registers hold, and then the
    /// stack pointer that was left and the word and the value that came.
    ///
    /// Never returns if the stack pointer is not as it was.
    fn switch_text_probe(
        patterns: *const Registers,
        found: *mut Found,
        to: *mut u64,
        word: u64,
        value: u64,
    );

    /// The first code of the other side. Fills the registers with patterns of its own, which depend on the
    /// round, and comes back with the word and the value one higher; stops the program if its patterns or
    /// its stack pointer were not kept.
    fn switch_text_other_side();
}

#[derive(Default)]
#[repr(C)]
struct Found {
    registers: Registers,
    from: u64,
    word: u64,
    value: u64,
}

#[test]
fn the_text_keeps_what_the_compiler_cannot_on_both_sides() {
    let mut stack = vec![0_u64; 512].into_boxed_slice();
    let base = stack.as_mut_ptr_range().end;
    let base = base.wrapping_byte_sub(base.addr() % 16);
    let first = arch::first_frame(switch_text_other_side as *const () as u64);
    let lowest = base.wrapping_sub(first.len());
    // SAFETY: inside `stack`.
    unsafe { lowest.copy_from_nonoverlapping(first.as_ptr(), first.len()) };
    let mut to = lowest.wrapping_add(arch::WORDS_BELOW);

    for round in 1..1_000_u64 {
        let patterns: Registers =
            std::array::from_fn(|index| (round << 8 | index as u64).wrapping_mul(0x9E37_79B9));
        let mut found = Found::default();
        // SAFETY: `to` is the other side, which was laid out above or has been left by a switch; it comes
        // back, and keeps to its stack.
        unsafe { switch_text_probe(&patterns, &mut found, to, round, !round) };
        for (index, name) in NAMES.iter().enumerate() {
            assert_eq!(found.registers[index], patterns[index], "{name}, in round {round}");
        }
        assert_eq!((found.word, found.value), (round + 1, (!round).wrapping_add(1)));
        to = std::ptr::with_exposed_provenance_mut(found.from as usize);
        assert!(
            stack.as_ptr_range().contains(&to.cast_const()),
            "a stack pointer of the other side"
        );
    }
}
