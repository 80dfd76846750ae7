//! A kernel that accepts `MADV_GUARD_INSTALL` and does nothing, or one that does not know it: some
//! sandboxes and emulators are the one, kernels before 6.13 the other. Where there is neither, a filter of
//! system calls makes one.

use super::filter::{filter, install};

const MADV_GUARD_INSTALL: libc::c_int = 102;

/// What the kernel does when it is asked to install a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Guards,
    Ignores,
    Refuses,
}

/// Asks it, for a page that nobody needs.
pub(crate) fn answer() -> Answer {
    // SAFETY: sysconf only reads.
    let len = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let (mut pipe, mut page) = ([0; 2], std::ptr::null_mut());
    // SAFETY: a new mapping and a new pipe, given back at the end. The kernel reads the page, so that
    // nothing faults.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        page = libc::mmap(page, len, protection, flags, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
        let accepted = libc::madvise(page, len, MADV_GUARD_INSTALL) == 0;
        let readable = libc::write(pipe[1], page, 1) == 1;
        libc::munmap(page, len);
        libc::close(pipe[0]);
        libc::close(pipe[1]);
        match (accepted, readable) {
            (true, true) => Answer::Ignores,
            (true, false) => Answer::Guards,
            (false, _) => Answer::Refuses,
        }
    }
}

/// Makes the kernel answer `wanted`, for the rest of this process. False where there is no way.
pub(crate) fn make(wanted: Answer) -> bool {
    let errno = match wanted {
        Answer::Guards => panic!("no filter can do that"),
        Answer::Ignores => 0,
        Answer::Refuses => libc::EINVAL,
    };
    if answer() != wanted {
        let action = libc::SECCOMP_RET_ERRNO | errno as u32;
        let mut steps = filter(libc::SYS_madvise, 2, MADV_GUARD_INSTALL as u32, action);
        install(&mut steps, 0);
    }
    answer() == wanted
}

/// Whether the byte below `limit` lies in a mapping without any permission, which is how `mprotect`
/// guards.
pub(crate) fn is_protected(limit: usize) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().any(|line| {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| usize::from_str_radix(text, 16).unwrap());
        (start..end).contains(&(limit - 1)) && rest.starts_with("---p")
    })
}
