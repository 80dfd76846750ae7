//! A program's own SIGSEGV handlers, installed before kettle's.

use std::sync::atomic::{AtomicPtr, Ordering};

/// What a child exits with whose own handler was called.
pub(crate) const HANDLED: i32 = 42;

fn say(text: &str) {
    // SAFETY: writes a live slice.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

fn exit() -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(HANDLED) }
}

extern "C" fn plain(number: libc::c_int) {
    say(if number == libc::SIGSEGV { "plain handler: SIGSEGV\n" } else { "another signal\n" });
    exit()
}

extern "C" fn with_info(
    number: libc::c_int,
    info: *mut libc::siginfo_t,
    machine: *mut libc::c_void,
) {
    // SAFETY: the kernel's record.
    let (address, same) = unsafe { ((*info).si_addr(), (*info).si_signo == number) };
    let right = number == libc::SIGSEGV && same && address.is_null() && !machine.is_null();
    say(if right { "handler with info: null\n" } else { "handler with info: wrong\n" });
    exit()
}

fn register(handler: usize, flags: libc::c_int) {
    // SAFETY: all zeroes is an empty mask; the handlers fit the flags.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut()), 0);
    }
}

/// Installs a handler that says that it was called and exits, or none in the place of std's.
pub(crate) fn install(how: &str) {
    match how {
        "plain" => register(plain as *const () as usize, 0),
        "with-info" => register(with_info as *const () as usize, libc::SA_SIGINFO),
        "default" => register(libc::SIG_DFL, 0),
        "ignored" => register(libc::SIG_IGN, 0),
        _ => panic!("no such handler: {how}"),
    }
}

/// The page that `repair` makes writable.
static PAGE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

const PAGE_LEN: usize = 64 * 1024;

extern "C" fn repair(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let page = PAGE.load(Ordering::Relaxed);
    // SAFETY: the kernel's record.
    if unsafe { (*info).si_addr() } != page.cast() {
        say("a fault elsewhere\n");
        exit();
    }
    // SAFETY: a mapping of ours.
    unsafe { libc::mprotect(page.cast(), PAGE_LEN, libc::PROT_READ | libc::PROT_WRITE) };
}

/// Installs a handler that repairs the fault and returns, as garbage collectors have them, and returns
/// the page that it is for.
pub(crate) fn install_repair() -> &'static AtomicPtr<u8> {
    register(repair as *const () as usize, libc::SA_SIGINFO);
    // SAFETY: a new mapping.
    let page = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(std::ptr::null_mut(), PAGE_LEN, libc::PROT_NONE, flags, -1, 0)
    };
    assert_ne!(page, libc::MAP_FAILED);
    PAGE.store(page.cast(), Ordering::Relaxed);
    &PAGE
}
