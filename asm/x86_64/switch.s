// switch: leave the running stack, go on with another one. x86_64, System V, Intel syntax.
//
// This text is inlined (`asm!(include_str!(..))`) wherever a switch happens: an out-of-line switch
// that ends in `ret` is mispredicted every time and costs eight times as much. The compiler is told
// that every register but rbx, rbp and rsp is clobbered, so it spills what is live and no more; rbx
// and rbp cannot be named as clobbers and are saved here.
//
//   in    rdx   the stack pointer of the side to go on with
//         rdi   a word, handed through the switch
//         rsi   a value, handed through likewise
//   out   rdx   the stack pointer of the side that was left, for going on with it later
//         rdi   the word that it handed over
//         rsi   its value
//
// The stack pointers trade places in registers: through memory, each switch would wait for the store
// of the last one.
//
// A suspended stack. Its three words lie below the stack pointer, in the red zone, which neither the
// kernel nor a signal handler touches while this runs, and nobody once the stack is left:
//
//         sp +  0   what was on the stack before: the stack pointer never moves on its own stack, so
//                   the unwinder's view of the function around stays true
//         sp -  8   rbp
//         sp - 16   rbx
//         sp - 24   the address to go on from: the label 2 below, or the trampoline
//
// Tried and dropped: push and pop (a tenth slower where another hyperthread shares the core). There is no
// landing pad (`endbr64`) at label 2, nor in the trampoline: Linux does not track the indirect branches of
// programs, and build.rs refuses to have the compiler say that kettle has them.

    lea     rax, [rip + 2f]         // the side that is left goes on from label 2
    mov     [rsp - 24], rax
    mov     [rsp - 16], rbx         // LLVM's base pointer, and
    mov     [rsp - 8], rbp          // the frame pointer: neither can be a clobber
    xchg    rsp, rdx                // from here on the other one runs
    mov     rbp, [rsp - 8]
    mov     rbx, [rsp - 16]
    jmp     qword ptr [rsp - 24]    // predicted like any indirect jump; a `ret` would not be
2:
