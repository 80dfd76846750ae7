// thread_word_set: this thread's word = {word}. See thread_word_get.s.

    mov     {offset}, qword ptr [rip + kettle_thread_word_{major}_{minor}_{patch}@GOTTPOFF]
    mov     qword ptr fs:[{offset}], {word}
