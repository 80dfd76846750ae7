//! What happens when somebody runs into a guard: a SIGSEGV handler that names the coroutine, its
//! stack's size and the way to raise it, and then aborts, as std does for its threads.
//!
//! Any other SIGSEGV goes to the handler that was there before, std's own included. The handler runs
//! on the alternate signal stack and calls nothing that is not async-signal-safe.

#![allow(unsafe_code)]

use super::arena;
use crate::sys::{self, memory, signal};
use core::ffi::{c_int, c_void};
use memmap2::{MmapMut, MmapOptions};
use std::sync::{Once, OnceLock};

/// Gives the name of the coroutine that runs on the calling thread. Must be async-signal-safe.
pub(crate) type Describe = for<'a> fn(&'a mut NameBuffer) -> &'a [u8];

/// Room for a name; longer ones are cut.
pub(crate) type NameBuffer = [u8; 128];

/// Set by the floor that knows about coroutines. Reading it is one atomic load: async-signal-safe.
static DESCRIBE: OnceLock<Describe> = OnceLock::new();

/// The handler that was there before ours; read in the same way.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

static INSTALLED: Once = Once::new();

/// Sets how the handler finds out the coroutine's name.
pub(crate) fn set_describe(describe: Describe) {
    // Every runtime sets the same.
    let _ = DESCRIBE.set(describe);
}

/// Installs the handler, the first time.
pub(super) fn install() {
    INSTALLED.call_once(|| {
        let Ok(previous) = signal::install(libc::SIGSEGV, handle) else {
            // Only for an invalid signal number. Guards still guard; the message is less kind.
            return;
        };
        // A fault in between is handed to the default action: it ends the process all the same.
        let _ = PREVIOUS.set(previous);
    });
}

unsafe extern "C" fn handle(number: c_int, info: *mut libc::siginfo_t, machine: *mut c_void) {
    // SAFETY: the kernel's record of a SIGSEGV.
    let address = unsafe { (*info).si_addr() }.addr();
    match arena::find_slot(address) {
        Some(fault) if fault.in_guard => {
            // SAFETY: called from the handler.
            let stack_pointer = unsafe { signal::interrupted_stack_pointer(machine) };
            report(fault, arena::find_slot(stack_pointer));
            // SAFETY: abort is async-signal-safe in the C libraries of Linux.
            unsafe { libc::abort() }
        }
        // SAFETY: the arguments that the handler was called with.
        _ => unsafe { hand_on(number, info, machine) },
    }
}

/// Says what happened, without allocating.
fn report(fault: arena::SlotFound, running: Option<arena::SlotFound>) {
    let mut name = [0; size_of::<NameBuffer>()];
    let name = match DESCRIBE.get() {
        Some(describe) => describe(&mut name),
        None => b"<raw>",
    };
    let mut digits = [0; 20];
    let mut line = Line::new();
    line.push(b"\ncoroutine '");
    line.push(name);
    // An address register far from the stack pointer's slot: a stray pointer, no overflow.
    if running.is_some_and(|running| running.base == fault.base) {
        line.push(b"' has overflowed its stack of ");
        line.push(decimal(fault.size, &mut digits));
        line.push(
            b" bytes; give it more with kettle::thread::Builder::stack_size, or a raw one with \
              kettle::coroutine::Coroutine::with_stack_size\n",
        );
    } else {
        line.push(b"' has touched the guard of a coroutine stack that is not its own\n");
    }
    line.push(b"fatal runtime error: stack overflow, aborting\n");
    sys::write_to_stderr(line.bytes());
}

/// Hands a SIGSEGV that is none of ours to the handler before ours.
///
/// # Safety
///
/// Called from a SIGSEGV handler with its arguments.
unsafe fn hand_on(number: c_int, info: *mut libc::siginfo_t, machine: *mut c_void) {
    let previous = PREVIOUS.get();
    // SAFETY: the kernel's record of the signal.
    let sent = unsafe { (*info).si_code } <= 0;
    let action = previous.map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    if action == libc::SIG_IGN && sent {
        return;
    }
    if action == libc::SIG_DFL || action == libc::SIG_IGN {
        // The instruction is run again and ends the process as it would have without us; if there was
        // none, because the signal was sent, it is sent again, to come once this handler is over.
        signal::restore_default(number);
        if sent {
            // SAFETY: async-signal-safe.
            unsafe { libc::raise(number) };
        }
        return;
    }
    let with_info = previous.is_some_and(|previous| previous.sa_flags & libc::SA_SIGINFO != 0);
    // SAFETY: the kernel would have called it in the same way; the flags say with which signature.
    unsafe {
        if with_info {
            core::mem::transmute::<usize, signal::Handler>(action)(number, info, machine);
        } else {
            core::mem::transmute::<usize, unsafe extern "C" fn(c_int)>(action)(number);
        }
    }
}

/// A message put together without allocating; what does not fit is cut.
struct Line {
    bytes: [u8; 512],
    len: usize,
}

impl Line {
    fn new() -> Self {
        Self { bytes: [0; 512], len: 0 }
    }

    fn push(&mut self, text: &[u8]) {
        let room = &mut self.bytes[self.len..];
        let len = text.len().min(room.len());
        room[..len].copy_from_slice(&text[..len]);
        self.len += len;
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// `number` in decimal.
fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

/// An alternate signal stack for a thread that has none: std gives one to the threads that it starts
/// only where it has its own handler, and foreign threads have none at all. Taken away when dropped,
/// which must happen on the same thread.
#[derive(Debug)]
pub(crate) struct AlternateStack {
    /// Held, not used: its pages are the kernel's until it is dropped.
    map: Option<MmapMut>,
}

impl AlternateStack {
    /// Gives the calling thread an alternate stack unless it has one.
    pub(crate) fn ensure() -> Self {
        const SIZE: usize = 64 * 1024;
        let without = Self { map: None };
        if signal::has_alternate_stack() {
            return without;
        }
        // Without one, an overflow still ends the process, though without our message.
        let guard = memory::page_size();
        let Ok(mut map) = MmapOptions::new().len(guard + SIZE).map_anon() else { return without };
        let start = map.as_mut_ptr();
        // SAFETY: both ranges are inside the mapping, which lives until `drop`.
        unsafe {
            let _ = memory::protect(start, guard);
            match signal::set_alternate_stack(start.add(guard), SIZE) {
                Ok(()) => Self { map: Some(map) },
                Err(_) => without,
            }
        }
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        if self.map.is_some() {
            // SAFETY: takes the stack away from the thread, before its memory goes.
            let _ = unsafe { signal::set_alternate_stack(core::ptr::null_mut(), 0) };
        }
    }
}
