//! The probe on x86_64, System V.

use std::arch::{asm, global_asm};

/// The registers that a call must leave as they were, in the order of the probe's arrays.
pub(crate) const NAMES: [&str; 6] = ["rbx", "rbp", "r12", "r13", "r14", "r15"];

global_asm!(
    "    .pushsection .text.registers_probe, \"ax\", @progbits",
    "    .p2align 4",
    "    .globl registers_probe",
    "    .hidden registers_probe",
    "    .type registers_probe, @function",
    "registers_probe:",
    "    .cfi_startproc",
    "    push rbx",
    "    .cfi_adjust_cfa_offset 8",
    "    .cfi_rel_offset rbx, 0",
    "    push rbp",
    "    .cfi_adjust_cfa_offset 8",
    "    .cfi_rel_offset rbp, 0",
    "    push r12",
    "    .cfi_adjust_cfa_offset 8",
    "    .cfi_rel_offset r12, 0",
    "    push r13",
    "    .cfi_adjust_cfa_offset 8",
    "    .cfi_rel_offset r13, 0",
    "    push r14",
    "    .cfi_adjust_cfa_offset 8",
    "    .cfi_rel_offset r14, 0",
    "    push r15",
    "    .cfi_adjust_cfa_offset 8",
    "    .cfi_rel_offset r15, 0",
    // With the return address these are eight words: the stack is aligned for the call.
    "    push rsi",
    "    .cfi_adjust_cfa_offset 8",
    "    mov  rax, rdi",
    "    mov  rdi, rcx",
    "    mov  rbx, [rax]",
    "    mov  rbp, [rax + 8]",
    "    mov  r12, [rax + 16]",
    "    mov  r13, [rax + 24]",
    "    mov  r14, [rax + 32]",
    "    mov  r15, [rax + 40]",
    "    call rdx",
    "    pop  rax",
    "    .cfi_adjust_cfa_offset -8",
    "    mov  [rax], rbx",
    "    mov  [rax + 8], rbp",
    "    mov  [rax + 16], r12",
    "    mov  [rax + 24], r13",
    "    mov  [rax + 32], r14",
    "    mov  [rax + 40], r15",
    "    pop  r15",
    "    .cfi_adjust_cfa_offset -8",
    "    pop  r14",
    "    .cfi_adjust_cfa_offset -8",
    "    pop  r13",
    "    .cfi_adjust_cfa_offset -8",
    "    pop  r12",
    "    .cfi_adjust_cfa_offset -8",
    "    pop  rbp",
    "    .cfi_adjust_cfa_offset -8",
    "    pop  rbx",
    "    .cfi_adjust_cfa_offset -8",
    "    ret",
    "    .cfi_endproc",
    "    .size registers_probe, . - registers_probe",
    "    .popsection",
);

/// The rounding modes "towards plus infinity" and "towards minus infinity", in bits 13 and 14 of MXCSR, and
/// in bits 10 and 11 of the x87 control word.
pub(crate) const UP: u64 = 0b10 << 13 | 0b10 << (32 + 10);
pub(crate) const DOWN: u64 = 0b01 << 13 | 0b01 << (32 + 10);

/// What the thread is told of how to compute with floating-point numbers: MXCSR without what it tells of
/// the past, and above it the x87 control word.
pub(crate) fn floating_point_control() -> u64 {
    const STATUS: u32 = 0b11_1111;
    let (mut mxcsr, mut x87) = (0_u32, 0_u16);
    // SAFETY: writes the two.
    unsafe {
        asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack));
        asm!("fnstcw [{}]", in(reg) &raw mut x87, options(nostack));
    }
    u64::from(mxcsr & !STATUS) | u64::from(x87) << 32
}

/// # Safety
///
/// Nothing is computed with floating-point numbers before the old state is put back.
pub(crate) unsafe fn set_floating_point_control(control: u64) {
    let (mxcsr, x87) = (control as u32, (control >> 32) as u16);
    // SAFETY: reads the two; else the caller's.
    unsafe {
        asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack));
        asm!("fldcw [{}]", in(reg) &raw const x87, options(nostack));
    }
}
