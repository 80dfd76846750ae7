// thread_word: one pointer-sized word per OS thread, null at first. aarch64.
//
// Rust's own thread-locals do not serve here: the compiler may keep the address of one across a
// switch, after which the coroutine may run on another thread. This one is only ever named in
// volatile asm (thread_word_get.s, thread_word_set.s), which computes the address anew each time.

    .pushsection .tbss.kettle_thread_word, "awT", @nobits
    .p2align 3
    .globl  kettle_thread_word_{major}_{minor}_{patch}
    .hidden kettle_thread_word_{major}_{minor}_{patch}
    .type   kettle_thread_word_{major}_{minor}_{patch}, @object
    .size   kettle_thread_word_{major}_{minor}_{patch}, 8
kettle_thread_word_{major}_{minor}_{patch}:
    .zero   8
    .popsection
