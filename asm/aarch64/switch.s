// switch: leave the running stack, go on with another one. aarch64, AAPCS64.
//
// This text is inlined (`asm!(include_str!(..))`) wherever a switch happens. The compiler is told
// that every register but x19, x29 and sp is clobbered, d8 to d15 among them, so it spills what is
// live and no more; x19 and x29 cannot be named as clobbers and are saved here.
//
//   in    x2    the stack pointer of the side to go on with
//         x0    a word, handed through the switch
//         x1    a value, handed through likewise
//   out   x2    the stack pointer of the side that was left, for going on with it later
//         x0    the word that it handed over
//         x1    its value
//
// The stack pointers trade places in registers: through memory, each switch would wait for the store
// of the last one.
//
// A suspended stack, from its stack pointer upwards:
//
//         sp + 32   what was on the stack before: sp + 32 is the stack pointer at entry, and again
//                   at the resume label, so the unwinder's view of the function around stays true
//         sp + 24   nothing: sp is always a multiple of 16
//         sp + 16   x19
//         sp +  8   the address to go on from: the label 2 below, or the trampoline
//         sp +  0   x29; with the word above it, a frame record

    adr     x16, 2f                 // the side that is left goes on from label 2
    stp     x29, x16, [sp, #-32]!   // the frame pointer and the resume address: a frame record
    str     x19, [sp, #16]          // LLVM's base pointer: it cannot be a clobber, nor can x29
    mov     x17, sp                 // now the left side is a suspended stack
    mov     sp, x2                  // from here on the other one runs
    mov     x2, x17
    ldr     x19, [sp, #16]
    ldp     x29, x16, [sp], #32
    br      x16                     // through x16, which a `bti c` lets in
2:
    hint    #34                     // bti c, a no-op where there is no branch target identification
