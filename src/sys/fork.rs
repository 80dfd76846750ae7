//! Being told of a fork.

#![allow(unsafe_code)]

/// Has `child` called in each child process that the C library's `fork` makes, on its only thread, before
/// `fork` returns there. It must be async-signal-safe, and cannot be taken back. `vfork`, `posix_spawn` and
/// bare system calls do not call it; the first two have no child that could use anything.
pub(crate) fn call_in_children(child: unsafe extern "C" fn()) {
    // SAFETY: the function is there for as long as the program is. The only error is a lack of memory, and
    // then a child is not warned.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(child)) };
}
