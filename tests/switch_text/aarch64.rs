//! Both sides of the switch on aarch64.

use std::arch::global_asm;

/// What the text itself keeps, beside the stack pointer.
pub(crate) const NAMES: [&str; 2] = ["x19", "x29"];

/// How many words of a suspended stack lie below its stack pointer; drawn in `asm/aarch64/switch.s`.
pub(crate) const WORDS_BELOW: usize = 0;

/// A suspended stack that goes on from `address`; drawn there too.
pub(crate) fn first_frame(address: u64) -> [u64; 4] {
    [0, address, 0, 0]
}

global_asm!(
    "    .pushsection .text.switch_text, \"ax\", @progbits",
    "    .p2align 4",
    "    .globl switch_text_probe",
    "    .hidden switch_text_probe",
    "    .type switch_text_probe, @function",
    "switch_text_probe:",
    "    hint #34",
    "    stp  x29, x30, [sp, #-192]!",
    "    stp  x19, x20, [sp, #16]",
    "    stp  x21, x22, [sp, #32]",
    "    stp  x23, x24, [sp, #48]",
    "    stp  x25, x26, [sp, #64]",
    "    stp  x27, x28, [sp, #80]",
    "    stp  d8, d9, [sp, #96]",
    "    stp  d10, d11, [sp, #112]",
    "    stp  d12, d13, [sp, #128]",
    "    stp  d14, d15, [sp, #144]",
    "    mov  x9, sp",
    "    stp  x1, x9, [sp, #160]",
    "    ldp  x19, x29, [x0]",
    "    mov  x0, x3",
    "    mov  x1, x4",
    include_str!("../../asm/aarch64/switch.s"),
    "    ldp  x9, x10, [sp, #160]",
    "    mov  x11, sp",
    "    cmp  x10, x11",
    "    b.ne 3f",
    "    stp  x19, x29, [x9]",
    "    stp  x2, x0, [x9, #16]",
    "    str  x1, [x9, #32]",
    "    ldp  x19, x20, [sp, #16]",
    "    ldp  x21, x22, [sp, #32]",
    "    ldp  x23, x24, [sp, #48]",
    "    ldp  x25, x26, [sp, #64]",
    "    ldp  x27, x28, [sp, #80]",
    "    ldp  d8, d9, [sp, #96]",
    "    ldp  d10, d11, [sp, #112]",
    "    ldp  d12, d13, [sp, #128]",
    "    ldp  d14, d15, [sp, #144]",
    "    ldp  x29, x30, [sp], #192",
    "    ret",
    "3:  brk  #1",
    "    .size switch_text_probe, . - switch_text_probe",
    "",
    "    .globl switch_text_other_side",
    "    .hidden switch_text_other_side",
    "    .type switch_text_other_side, @function",
    "switch_text_other_side:",
    "    hint #34",
    "    sub  sp, sp, #32",
    "4:  add  x0, x0, #1",
    "    add  x1, x1, #1",
    "    mvn  x19, x0",
    "    neg  x29, x0",
    "    mov  x9, sp",
    "    stp  x0, x9, [sp]",
    include_str!("../../asm/aarch64/switch.s"),
    "    ldp  x10, x9, [sp]",
    "    mov  x11, sp",
    "    cmp  x9, x11",
    "    b.ne 5f",
    "    mvn  x9, x10",
    "    cmp  x19, x9",
    "    b.ne 5f",
    "    neg  x9, x10",
    "    cmp  x29, x9",
    "    b.eq 4b",
    "5:  brk  #2",
    "    .size switch_text_other_side, . - switch_text_other_side",
    "    .popsection",
);
