// The switch and the trampoline of asm/aarch64, in a program in which every page of code is guarded (BTI)
// and every return address signed (PAC). It is built without any library, because one object that does
// not say that it has landing pads takes the guard away from the whole program.
//
// ci/branch-protection makes `switch.inc` and `trampoline.inc` of the texts, as string literals. The
// program ends with 0 if all is well; what it is to do is its argument:
//
//   switch   goes to a coroutine and back many times, and checks what both sides keep
//   signed   checks that return addresses are signed here
//   astray   jumps to where no landing pad is, which must end it by SIGILL where code is guarded

typedef unsigned long word;

asm(
#include "trampoline.inc"
);
extern void kettle_trampoline_0_0_0(void);

struct arrival {
    word from, word, value;
};

// As `context::switch` has it.
static inline __attribute__((always_inline)) struct arrival
switch_to(word to, word handed, word value) {
    register word x0 asm("x0") = handed;
    register word x1 asm("x1") = value;
    register word x2 asm("x2") = to;
    asm volatile(
#include "switch.inc"
        : "+r"(x0), "+r"(x1), "+r"(x2)
        :
        : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
          "x17", "x18", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1",
          "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
          "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
          "v29", "v30", "v31", "cc", "memory");
    return (struct arrival){x2, x0, x1};
}

static _Noreturn void leave(word status) {
    register word x0 asm("x0") = status;
    register word x8 asm("x8") = 94; // exit_group
    asm volatile("svc #0" : : "r"(x0), "r"(x8));
    __builtin_unreachable();
}

enum { ROUNDS = 1000 };
static word stack[2048] __attribute__((aligned(16)));
static word argument;

static _Noreturn void entry(word handed, word value, word from, word *given) {
    if (given != &argument || value != 0)
        leave(11);
    double live = 0.5;
    for (word round = 0;; round++) {
        if (handed != round || live != round + 0.5)
            leave(12);
        struct arrival arrival = switch_to(from, round * 3, round + 7);
        from = arrival.from;
        handed = arrival.word;
        live += 1;
    }
}

// Not inlined, so that each call signs its return address and checks it after a switch.
static __attribute__((noinline)) struct arrival resume(word coroutine, word round) {
    struct arrival arrival = switch_to(coroutine, round, 0);
    if (arrival.word != round * 3 || arrival.value != round + 7)
        leave(13);
    return arrival;
}

static void go_to_and_fro(void) {
    word *frame = stack + 2048 - 6;
    // As `context::first_frame` has it; drawn in trampoline.s.
    frame[0] = 0;
    frame[1] = (word)kettle_trampoline_0_0_0;
    frame[2] = (word)&argument;
    frame[3] = 0;
    frame[4] = (word)entry;
    frame[5] = 0;
    word coroutine = (word)frame;
    double live = 0.25;
    for (word round = 0; round < ROUNDS; round++) {
        coroutine = resume(coroutine, round).from;
        live *= -1;
    }
    if (live != 0.25)
        leave(14);
}

// Whether a return address on the way down is no plain address. A signature depends on the stack pointer
// and may be zero by chance, at one depth or another but not at all of them.
static __attribute__((noinline)) int has_signed(int depth) {
    word returns;
    asm volatile("ldr %0, [x29, #8]" : "=r"(returns));
    int deeper = depth > 0 && has_signed(depth - 1);
    asm volatile("" : "+r"(deeper)); // no tail call
    return deeper || returns >> 48 != 0;
}

static void go_astray(void) {
    asm volatile("adr x9, 3f\n br x9\n 3: nop" : : : "x9");
}

static __attribute__((used)) _Noreturn void begin(word *arguments) {
    if (arguments[0] != 2)
        leave(2);
    const char *what = (const char *)arguments[2];
    if (what[0] == 's' && what[1] == 'w')
        go_to_and_fro();
    else if (what[0] == 's' && what[1] == 'i')
        leave(has_signed(32) ? 0 : 15);
    else
        go_astray();
    leave(0);
}

asm(".globl _start\n"
    "_start: hint #34\n"
    "mov x29, #0\n"
    "mov x0, sp\n"
    "bl begin\n");
