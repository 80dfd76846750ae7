// thread_word_get: {word} = this thread's word. Initial-exec: right in executables, where the linker
// turns the first two lines into immediates, and in shared libraries.

    adrp    {word}, :gottprel:kettle_thread_word_{major}_{minor}_{patch}
    ldr     {word}, [{word}, :gottprel_lo12:kettle_thread_word_{major}_{minor}_{patch}]
    mrs     {base}, tpidr_el0
    ldr     {word}, [{base}, {word}]
