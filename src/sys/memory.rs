//! Pages: their size, guards, and what the kernel allows of them.

#![allow(unsafe_code)]

use super::syscall::{syscall3, syscall4, syscall6};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::fs;
use std::io;

/// `MADV_GUARD_INSTALL`, Linux 6.13: from then on every access to the pages is a SIGSEGV, at the
/// cost of a page-table entry each and of no mapping.
const MADV_GUARD_INSTALL: usize = 102;

/// `PIDFD_SELF`, Linux 6.14: the calling process, wherever a descriptor of one is asked for.
const PIDFD_SELF: isize = -10_000;

/// The default of `vm.max_map_count`, for where /proc cannot be read.
const DEFAULT_MAX_MAP_COUNT: usize = 65_530;

/// The size of a page in bytes, a power of two.
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: a number that never changes, and whoever does not see it asks again.
    let known = SIZE.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    // libc's, because rustix's own reading of the auxiliary vector crashes under valgrind.
    // SAFETY: sysconf only reads.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let size = usize::try_from(size).expect("Linux knows its page size");
    SIZE.store(size, Ordering::Relaxed);
    size
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

/// A few ranges of memory, for a call that takes them all at once.
#[derive(Debug)]
pub(crate) struct Ranges {
    list: [libc::iovec; Ranges::MOST],
    count: usize,
}

impl Ranges {
    /// Enough to spread the cost of a system call thin, and a quarter of a kibibyte: this may lie on a
    /// coroutine's stack.
    pub(crate) const MOST: usize = 16;

    /// The `count` ranges of `len` bytes that begin `stride` bytes apart, the first at `start`.
    pub(crate) fn new(start: *mut u8, stride: usize, count: usize, len: usize) -> Self {
        assert!(count <= Self::MOST);
        let range = |index| libc::iovec {
            iov_base: start.wrapping_add(stride * index).cast(),
            iov_len: if index < count { len } else { 0 },
        };
        Self { list: core::array::from_fn(range), count }
    }

    /// `process_madvise` on this process; says on how many bytes it worked, from the first on.
    ///
    /// # Safety
    ///
    /// What the advice does to the ranges is the caller's to do.
    unsafe fn advise(&self, advice: usize) -> io::Result<usize> {
        // SAFETY: reads `count` ranges from a live list; the rest is the caller's.
        unsafe {
            let list = self.list.as_ptr().expose_provenance();
            let arguments = [PIDFD_SELF as usize, list, self.count, advice, 0, 0];
            syscall6(libc::SYS_process_madvise, arguments)
        }
        .map_err(io::Error::from_raw_os_error)
    }
}

/// As [`install_guard`] for several ranges. Says on how many bytes it worked, from the first on.
///
/// # Errors
///
/// The kernel's, where it worked on none: EBADF before Linux 6.14.
///
/// # Safety
///
/// As for [`install_guard`].
pub(crate) unsafe fn install_guards(ranges: &Ranges) -> io::Result<usize> {
    // SAFETY: the caller's.
    unsafe { ranges.advise(MADV_GUARD_INSTALL) }
}

/// How many pages [`resident`] can be asked for.
pub(crate) fn resident_most() -> usize {
    (RESIDENT_BYTES / page_size()).max(1)
}

/// A mebibyte at a time. (An emulator may answer for pages smaller than those it pretends to have; even so
/// its answer fits.)
const RESIDENT_BYTES: usize = RESIDENT_ANSWER * 4096;
const RESIDENT_ANSWER: usize = 256;

/// Which of `count` pages from `start` on there is memory for; none where the kernel does not say. That of
/// a page that is swapped out does not count.
pub(crate) fn resident(start: *const u8, count: usize) -> impl Iterator<Item = bool> {
    let mut pages = [0_u8; RESIDENT_ANSWER];
    assert!(count <= resident_most());
    let len = count * page_size();
    // SAFETY: mincore writes a byte for each page of the range to `pages`, or nothing and an error.
    let answer = unsafe {
        let to = pages.as_mut_ptr().expose_provenance();
        syscall3(libc::SYS_mincore, start.expose_provenance(), len, to)
    };
    let known = if answer.is_ok() { count } else { 0 };
    pages.into_iter().take(known).map(|page| page & 1 != 0)
}

/// Gives the memory of a range back to the kernel. What it held is lost; when it is touched again it is
/// zero. Where the kernel refuses, in locked memory, it stays as it is.
///
/// # Safety
///
/// The range is page-aligned, mapped privately, and nothing in it is needed.
pub(crate) unsafe fn discard(start: *mut u8, len: usize) {
    // SAFETY: the caller's.
    let _ = unsafe {
        syscall3(libc::SYS_madvise, start.expose_provenance(), len, libc::MADV_DONTNEED as usize)
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_size_is_the_kernels() {
        // SAFETY: only reads what the kernel has told the process.
        let told = unsafe { libc::getauxval(libc::AT_PAGESZ) };
        assert_eq!(page_size() as u64, told);
        assert!(page_size().is_power_of_two());
        println!("pages of {} bytes", page_size());
    }
}
