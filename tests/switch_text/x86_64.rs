//! Both sides of the switch on x86_64.

use std::arch::global_asm;

/// What the text itself keeps, beside the stack pointer.
pub(crate) const NAMES: [&str; 2] = ["rbx", "rbp"];

/// How many words of a suspended stack lie below its stack pointer; drawn in `asm/x86_64/switch.s`.
pub(crate) const WORDS_BELOW: usize = 3;

/// A suspended stack that goes on from `address`; drawn there too.
pub(crate) fn first_frame(address: u64) -> [u64; 4] {
    [address, 0, 0, 0]
}

global_asm!(
    "    .pushsection .text.switch_text, \"ax\", @progbits",
    "    .p2align 4",
    "    .globl switch_text_probe",
    "    .hidden switch_text_probe",
    "    .type switch_text_probe, @function",
    "switch_text_probe:",
    "    push rbx",
    "    push rbp",
    "    push r12",
    "    push r13",
    "    push r14",
    "    push r15",
    "    push rsi",
    "    lea  rax, [rsp - 8]",
    "    push rax",
    "    mov  rbx, [rdi]",
    "    mov  rbp, [rdi + 8]",
    "    mov  rdi, rcx",
    "    mov  rsi, r8",
    include_str!("../../asm/x86_64/switch.s"),
    "    cmp  rsp, [rsp]",
    "    jne  3f",
    "    mov  rax, [rsp + 8]",
    "    mov  [rax], rbx",
    "    mov  [rax + 8], rbp",
    "    mov  [rax + 16], rdx",
    "    mov  [rax + 24], rdi",
    "    mov  [rax + 32], rsi",
    "    add  rsp, 16",
    "    pop  r15",
    "    pop  r14",
    "    pop  r13",
    "    pop  r12",
    "    pop  rbp",
    "    pop  rbx",
    "    ret",
    "3:  ud2",
    "    .size switch_text_probe, . - switch_text_probe",
    "",
    "    .globl switch_text_other_side",
    "    .hidden switch_text_other_side",
    "    .type switch_text_other_side, @function",
    "switch_text_other_side:",
    "    sub  rsp, 16",
    "4:  inc  rdi",
    "    inc  rsi",
    "    mov  rbx, rdi",
    "    not  rbx",
    "    mov  rbp, rdi",
    "    neg  rbp",
    "    mov  [rsp], rdi",
    "    mov  [rsp + 8], rsp",
    include_str!("../../asm/x86_64/switch.s"),
    "    cmp  rsp, [rsp + 8]",
    "    jne  5f",
    "    mov  rax, [rsp]",
    "    mov  rcx, rax",
    "    not  rcx",
    "    cmp  rbx, rcx",
    "    jne  5f",
    "    neg  rax",
    "    cmp  rbp, rax",
    "    je   4b",
    "5:  ud2",
    "    .size switch_text_other_side, . - switch_text_other_side",
    "    .popsection",
);
