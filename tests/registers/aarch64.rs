//! The probe on aarch64, AAPCS64.

use std::arch::{asm, global_asm};

/// The registers that a call must leave as they were, in the order of the probe's arrays. Of the
/// vector registers a call keeps the lower halves.
pub(crate) const NAMES: [&str; 19] = [
    "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "d8", "d9", "d10",
    "d11", "d12", "d13", "d14", "d15",
];

global_asm!(
    "    .pushsection .text.registers_probe, \"ax\", @progbits",
    "    .p2align 4",
    "    .globl registers_probe",
    "    .hidden registers_probe",
    "    .type registers_probe, @function",
    "registers_probe:",
    "    .cfi_startproc",
    "    hint #34",
    "    stp  x29, x30, [sp, #-176]!",
    "    .cfi_adjust_cfa_offset 176",
    "    .cfi_rel_offset x29, 0",
    "    .cfi_rel_offset x30, 8",
    "    stp  x19, x20, [sp, #16]",
    "    stp  x21, x22, [sp, #32]",
    "    stp  x23, x24, [sp, #48]",
    "    stp  x25, x26, [sp, #64]",
    "    stp  x27, x28, [sp, #80]",
    "    stp  d8, d9, [sp, #96]",
    "    stp  d10, d11, [sp, #112]",
    "    stp  d12, d13, [sp, #128]",
    "    stp  d14, d15, [sp, #144]",
    "    str  x1, [sp, #160]",
    "    mov  x16, x0",
    "    mov  x0, x3",
    "    ldp  x19, x20, [x16]",
    "    ldp  x21, x22, [x16, #16]",
    "    ldp  x23, x24, [x16, #32]",
    "    ldp  x25, x26, [x16, #48]",
    "    ldp  x27, x28, [x16, #64]",
    "    ldr  x29, [x16, #80]",
    "    ldp  d8, d9, [x16, #88]",
    "    ldp  d10, d11, [x16, #104]",
    "    ldp  d12, d13, [x16, #120]",
    "    ldp  d14, d15, [x16, #136]",
    "    blr  x2",
    "    ldr  x16, [sp, #160]",
    "    stp  x19, x20, [x16]",
    "    stp  x21, x22, [x16, #16]",
    "    stp  x23, x24, [x16, #32]",
    "    stp  x25, x26, [x16, #48]",
    "    stp  x27, x28, [x16, #64]",
    "    str  x29, [x16, #80]",
    "    stp  d8, d9, [x16, #88]",
    "    stp  d10, d11, [x16, #104]",
    "    stp  d12, d13, [x16, #120]",
    "    stp  d14, d15, [x16, #136]",
    "    ldp  x19, x20, [sp, #16]",
    "    ldp  x21, x22, [sp, #32]",
    "    ldp  x23, x24, [sp, #48]",
    "    ldp  x25, x26, [sp, #64]",
    "    ldp  x27, x28, [sp, #80]",
    "    ldp  d8, d9, [sp, #96]",
    "    ldp  d10, d11, [sp, #112]",
    "    ldp  d12, d13, [sp, #128]",
    "    ldp  d14, d15, [sp, #144]",
    "    ldp  x29, x30, [sp], #176",
    "    .cfi_adjust_cfa_offset -176",
    "    ret",
    "    .cfi_endproc",
    "    .size registers_probe, . - registers_probe",
    "    .popsection",
);

/// The rounding modes "towards plus infinity" and "towards minus infinity", in bits 22 and 23 of FPCR.
pub(crate) const UP: u64 = 0b01 << 22;
pub(crate) const DOWN: u64 = 0b10 << 22;

/// What the thread is told of how to compute with floating-point numbers: FPCR.
pub(crate) fn floating_point_control() -> u64 {
    let control;
    // SAFETY: only reads.
    unsafe { asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack)) };
    control
}

/// # Safety
///
/// Nothing is computed with floating-point numbers before the old state is put back.
pub(crate) unsafe fn set_floating_point_control(control: u64) {
    // SAFETY: the caller's.
    unsafe { asm!("msr fpcr, {}", in(reg) control, options(nomem, nostack)) };
}
