// trampoline: the first code on a new stack. x86_64, System V, Intel syntax.
//
// `Context::new` writes a suspended stack that goes on from here (see switch.s for its lower half):
//
//         sp +  8   0, keeps the stack pointer a multiple of 16
//         sp +  0   the entry function: extern "C" fn(word, value, from, argument) -> !
//         sp -  8   0, for rbp: the chain of frame pointers ends here
//         sp - 16   the argument, for rbx
//         sp - 24   the address of this trampoline
//
// so that here rsp points at the entry function, rdi, rsi and rdx hold the word, the value and the
// stack pointer that come through the switch, rbx the argument and rbp 0.

    .pushsection .text.kettle_trampoline, "ax", @progbits
    .p2align 4
    .globl  kettle_trampoline_{major}_{minor}_{patch}
    .hidden kettle_trampoline_{major}_{minor}_{patch}
    .type   kettle_trampoline_{major}_{minor}_{patch}, @function
kettle_trampoline_{major}_{minor}_{patch}:
    .cfi_startproc
    .cfi_undefined rip              // no caller: every backtrace ends in this frame
    mov     rcx, rbx                // the entry's fourth parameter; three are in place already
    call    qword ptr [rsp]         // never returns: the entry leaves by a switch
    ud2                             // and if it did, it would stop here. Also keeps the return
                                    // address inside this function, where the unwinder looks it up
    .cfi_endproc
    .size   kettle_trampoline_{major}_{minor}_{patch}, . - kettle_trampoline_{major}_{minor}_{patch}
    .popsection
