//! The only door to the kernel.
//!
//! rustix where it has the call, an inline system call ([`syscall`]) where it has not, libc for
//! constants and for the calls that a signal handler's set-up needs. Never a libc function that
//! blocks: those are the ones that a program may one day interpose.

#![allow(unsafe_code)]

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
pub(crate) mod syscall;
#[cfg(feature = "valgrind")]
pub(crate) mod valgrind;

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

/// Binds the calling thread to the `index`th of the cores that it may run on now, counting on from
/// the first again after the last.
///
/// # Errors
///
/// The kernel's, where it refuses the affinity calls.
pub(crate) fn pin_thread_to_core(index: usize) -> std::io::Result<()> {
    let allowed = rustix::thread::sched_getaffinity(None)?;
    let cores: Vec<usize> =
        (0..rustix::thread::CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
    let mut only = rustix::thread::CpuSet::new();
    only.set(cores[index % cores.len()]);
    rustix::thread::sched_setaffinity(None, &only)?;
    Ok(())
}
