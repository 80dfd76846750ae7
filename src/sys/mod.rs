//! The only door to the kernel.
//!
//! rustix where it has the call, an inline system call ([`syscall`]) where it has not, libc for
//! constants and for the calls that a signal handler's set-up needs. Never a libc function that
//! blocks: those are the ones that a program may one day interpose.

#![allow(unsafe_code)]

pub(crate) mod clock;
pub(crate) mod epoll;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod memory;
pub(crate) mod pipe;
pub(crate) mod poll;
pub(crate) mod process;
pub(crate) mod shadow_stack;
pub(crate) mod signal;
pub(crate) mod socket;
mod syscall;
#[cfg(feature = "valgrind")]
pub(crate) mod valgrind;

use rustix::thread::CpuSet;
use std::sync::OnceLock;

/// Writes all of `bytes` to standard error in as few calls as the kernel allows. Async-signal-safe;
/// what cannot be written is lost, there being nowhere left to complain.
pub(crate) fn write_to_stderr(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: write(2) reads `bytes.len()` bytes from a live slice.
        let result =
            unsafe { syscall::syscall3(libc::SYS_write, 2, bytes.as_ptr().addr(), bytes.len()) };
        match result {
            Ok(written) if written > 0 => bytes = &bytes[written.min(bytes.len())..],
            Err(error) if error == libc::EINTR => {}
            _ => return,
        }
    }
}

/// Lets the kernel run another thread here.
pub(crate) fn yield_thread() {
    rustix::thread::sched_yield();
}

/// The cores that the first thread might run on that was bound to one.
static BEFORE_PINNING: OnceLock<CpuSet> = OnceLock::new();

/// Lets the calling thread run wherever one might before any was bound to a core: a thread inherits that from
/// the one that starts it.
pub(crate) fn unpin_thread() {
    if let Some(allowed) = BEFORE_PINNING.get() {
        // Where the kernel refuses, it stays where it is.
        let _ = rustix::thread::sched_setaffinity(None, allowed);
    }
}

/// Binds the calling thread to the `index`th of the cores that it may run on now, counting on from
/// the first again after the last.
///
/// # Errors
///
/// The kernel's, where it refuses the affinity calls.
pub(crate) fn pin_thread_to_core(index: usize) -> std::io::Result<()> {
    let allowed = rustix::thread::sched_getaffinity(None)?;
    let allowed = BEFORE_PINNING.get_or_init(|| allowed);
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
    let mut only = CpuSet::new();
    only.set(cores[index % cores.len()]);
    rustix::thread::sched_setaffinity(None, &only)?;
    Ok(())
}
