// thread_word_set: this thread's word = {word}. See thread_word_get.s.

    adrp    {offset}, :gottprel:kettle_thread_word_{major}_{minor}_{patch}
    ldr     {offset}, [{offset}, :gottprel_lo12:kettle_thread_word_{major}_{minor}_{patch}]
    mrs     {base}, tpidr_el0
    str     {word}, [{base}, {offset}]
