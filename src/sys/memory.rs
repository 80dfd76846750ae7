//! Pages: their size, guards, and what the kernel allows of them.

#![allow(unsafe_code)]

use super::syscall::{syscall3, syscall4};
use std::fs;
use std::io;

/// `MADV_GUARD_INSTALL`, Linux 6.13: from then on every access to the pages is a SIGSEGV, at the
/// cost of a page-table entry each and of no mapping.
const MADV_GUARD_INSTALL: usize = 102;

/// The default of `vm.max_map_count`, for where /proc cannot be read.
const DEFAULT_MAX_MAP_COUNT: usize = 65_530;

/// The size of a page in bytes, a power of two.
pub(crate) fn page_size() -> usize {
    // libc's, because rustix's own reading of the auxiliary vector crashes under valgrind.
    // SAFETY: sysconf only reads.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("Linux knows its page size")
}

/// Turns the pages of a range into a guard; what they held is lost.
///
/// # Errors
///
/// The kernel's: EINVAL before Linux 6.13 and in locked memory.
///
/// # Safety
///
/// The range is page-aligned, mapped, and nobody's to use.
pub(crate) unsafe fn install_guard(start: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: madvise on a range that the caller owns.
    unsafe { syscall3(libc::SYS_madvise, start.expose_provenance(), len, MADV_GUARD_INSTALL) }
        .map(|_| ())
        .map_err(io::Error::from_raw_os_error)
}

/// Takes every access to a range away by `mprotect`; it costs two mappings of the process's budget.
///
/// # Errors
///
/// The kernel's: ENOMEM where the process has no mapping left.
///
/// # Safety
///
/// As for [`install_guard`].
pub(crate) unsafe fn protect(start: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: mprotect of a range that the caller owns.
    unsafe { rustix::mm::mprotect(start.cast(), len, rustix::mm::MprotectFlags::empty()) }
        .map_err(io::Error::from)
}

/// Whether the kernel refuses to read the word at `address`, a multiple of 4. Asked of the kernel itself,
/// so that nothing faults: it is to sleep while the word holds a certain value, for no time at all, and
/// must look at the word first.
///
/// Tried and dropped: a signal set for `rt_sigprocmask`, which valgrind reads in the kernel's place, and
/// dies of.
pub(crate) fn is_guarded(address: *const u8) -> bool {
    let no_time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: FUTEX_WAIT reads four bytes at `address`, or answers EFAULT where they cannot be read, and
    // the timeout; the other answers are EAGAIN and ETIMEDOUT.
    let answer = unsafe {
        syscall4(
            libc::SYS_futex,
            address.expose_provenance(),
            (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize,
            0,
            (&raw const no_time).expose_provenance(),
        )
    };
    answer == Err(libc::EFAULT)
}

/// How many mappings a process may have (`vm.max_map_count`).
pub(crate) fn max_map_count() -> usize {
    fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(DEFAULT_MAX_MAP_COUNT)
}
