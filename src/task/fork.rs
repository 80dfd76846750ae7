//! A child process by `fork` without `exec`: there the workers are missing, and so is everybody who could
//! wake a task.
//!
//! Only the thread that forked goes on in the child. If it is a worker, the coroutine that forked goes on
//! with it, but it must neither wait nor end in the usual way: others would then run here too that already
//! run in the parent. So each way into the scheduler asks, and says no. It asks its own byte of attention
//! on the paths that are hot, and `FORKED` elsewhere.

#![allow(unsafe_code)]

use super::current::current_coroutine;
use crate::sys;
use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// This process is such a child.
static FORKED: AtomicBool = AtomicBool::new(false);

const SENTENCE: &str = "this process was forked from one in which a kettle runtime runs, and has none of its \
                        worker threads: coroutines can neither be spawned, nor wait, nor be waited for here; \
                        start another program (std::process::Command does), or fork before the first \
                        coroutine is spawned";

/// Makes children know what they are. From the first runtime on.
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| sys::fork::call_in_children(in_the_child));
}

unsafe extern "C" fn in_the_child() {
    // Relaxed: there is one thread, and later ones are started by it.
    FORKED.store(true, Ordering::Relaxed);
    if let Some(coroutine) = current_coroutine() {
        // SAFETY: it is running, so it is alive.
        unsafe { coroutine.as_ref() }.attention.set_forked();
    }
}

/// Whether this process is such a child.
#[inline]
pub(crate) fn is_forked() -> bool {
    // Relaxed: as in `in_the_child`.
    FORKED.load(Ordering::Relaxed)
}

/// Why nothing is spawned here.
pub(crate) fn refusal() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, SENTENCE)
}

/// For who would wait for a coroutine, and has not begun to.
pub(super) fn refuse_to_wait() {
    assert!(!is_forked(), "{SENTENCE}");
}

/// For a coroutine that would wait, and has written down somewhere that it does: it cannot unwind from here.
#[cold]
pub(crate) fn abort() -> ! {
    for part in ["fatal runtime error: ", SENTENCE, ", aborting\n"] {
        sys::write_to_stderr(part.as_bytes());
    }
    std::process::abort()
}

/// For a coroutine that has ended: its thread is the last one here, so the process ends, as it does where one
/// of std's threads has forked and ends.
#[cold]
pub(crate) fn end() -> ! {
    std::process::exit(0)
}
