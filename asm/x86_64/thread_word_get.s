// thread_word_get: {word} = this thread's word. Initial-exec: right in executables, where the linker
// turns the first line into an immediate, and in shared libraries.

    mov     {word}, qword ptr [rip + kettle_thread_word_{major}_{minor}_{patch}@GOTTPOFF]
    mov     {word}, qword ptr fs:[{word}]
