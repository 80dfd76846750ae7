// trampoline: the first code on a new stack. aarch64, AAPCS64.
//
// `Context::new` writes a suspended stack that goes on from here (see switch.s for its lower half):
//
//         sp + 40   0, keeps the stack pointer a multiple of 16
//         sp + 32   the entry function: extern "C" fn(word, value, from, argument) -> !
//         sp + 24   0, not used
//         sp + 16   the argument, for x19
//         sp +  8   the address of this trampoline
//         sp +  0   0, for x29: the chain of frame records ends here
//
// so that here sp points at the entry function, x0, x1 and x2 hold the word, the value and the
// stack pointer that come through the switch, x19 the argument and x29 0.

    .pushsection .text.kettle_trampoline, "ax", @progbits
    .p2align 4
    .globl  kettle_trampoline_{major}_{minor}_{patch}
    .hidden kettle_trampoline_{major}_{minor}_{patch}
    .type   kettle_trampoline_{major}_{minor}_{patch}, @function
kettle_trampoline_{major}_{minor}_{patch}:
    .cfi_startproc
    .cfi_undefined x30              // no caller: every backtrace ends in this frame
    hint    #34                     // bti c: entered by `br x16`
    mov     x3, x19                 // the entry's fourth parameter; three are in place already
    ldr     x16, [sp]
    blr     x16                     // never returns: the entry leaves by a switch
    brk     #1                      // and if it did, it would stop here. Also keeps the return
                                    // address inside this function, where the unwinder looks it up
    .cfi_endproc
    .size   kettle_trampoline_{major}_{minor}_{patch}, . - kettle_trampoline_{major}_{minor}_{patch}
    .popsection
