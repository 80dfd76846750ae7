//! Signals: the SIGSEGV handler's registration, alternate stacks.
//!
//! These are libc's own calls, because it must know of the handlers; none of them blocks.

#![allow(unsafe_code)]

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

/// A handler that gets the signal's number, what is known of the fault, and the machine's state.
pub(crate) type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Makes `handler` the process's handler for `signal`, to run on the alternate stack, and returns
/// what was there before.
///
/// # Errors
///
/// The kernel's, for a signal that cannot be caught.
pub(crate) fn install(signal: c_int, handler: Handler) -> io::Result<libc::sigaction> {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeroes is a valid sigaction: an empty mask, no flags, the default action.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: both point at sigactions; the handler has the signature that SA_SIGINFO asks for.
    if unsafe { libc::sigaction(signal, &action, before.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: filled in by the call that succeeded.
    Ok(unsafe { before.assume_init() })
}

/// Puts back the default action for `signal`. Async-signal-safe.
pub(crate) fn restore_default(signal: c_int) {
    // SAFETY: all zeroes is SIG_DFL with an empty mask; sigaction is async-signal-safe.
    unsafe {
        let action: libc::sigaction = core::mem::zeroed();
        libc::sigaction(signal, &action, ptr::null_mut());
    }
}

/// Whether the calling thread has an alternate signal stack.
pub(crate) fn has_alternate_stack() -> bool {
    let mut current = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: asks only; `current` is written to.
    unsafe {
        libc::sigaltstack(ptr::null(), current.as_mut_ptr()) == 0
            && current.assume_init().ss_flags & libc::SS_DISABLE == 0
    }
}

/// Gives the calling thread an alternate signal stack, or takes it away with a null pointer.
///
/// # Errors
///
/// The kernel's: ENOMEM for one that is too small.
///
/// # Safety
///
/// The memory stays mapped and unused for as long as it is the thread's alternate stack.
pub(crate) unsafe fn set_alternate_stack(start: *mut u8, len: usize) -> io::Result<()> {
    let stack = libc::stack_t {
        ss_sp: start.cast(),
        ss_flags: if start.is_null() { libc::SS_DISABLE } else { 0 },
        ss_size: len,
    };
    // SAFETY: the memory is the caller's promise.
    match unsafe { libc::sigaltstack(&stack, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The stack pointer at the instruction that a signal interrupted.
///
/// # Safety
///
/// `machine` is the third argument of a signal handler that is running.
pub(crate) unsafe fn interrupted_stack_pointer(machine: *const c_void) -> usize {
    let machine = machine.cast::<libc::ucontext_t>();
    // SAFETY: the kernel's own record, which lives as long as the handler runs.
    #[cfg(target_arch = "x86_64")]
    return unsafe { (*machine).uc_mcontext.gregs[libc::REG_RSP as usize] as usize };
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    return unsafe { (*machine).uc_mcontext.sp as usize };
}

/// A counter in the kernel that a signal handler can tell of, non-blocking and closed on exec.
///
/// # Errors
///
/// The kernel's: EMFILE, ENFILE.
pub(crate) fn event() -> Result<OwnedFd, Errno> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
}

/// Makes an [`event`] readable. Async-signal-safe: no errno is touched, the call is our own.
pub(crate) fn set_event(event: BorrowedFd<'_>) {
    // The only error is that it is as full as can be, and so readable.
    let _ = rustix::io::write(event, &1_u64.to_ne_bytes());
}

/// Makes an [`event`] unreadable until it is set again.
pub(crate) fn reset_event(event: BorrowedFd<'_>) {
    // The only error is that it is already.
    let _ = rustix::io::read(event, &mut [0; 8]);
}
