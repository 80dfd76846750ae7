//! Guards: what makes the memory below a stack's limit inaccessible.
//!
//! `MADV_GUARD_INSTALL` marks page-table entries and costs no mapping, so a million guards fit under
//! the default sysctls. Some kernels, sandboxes and emulators accept the call and ignore it, so it is
//! proved once before it is believed, and each call is checked. Where it does not work, `mprotect`
//! guards a budget of stacks. No stack is ever handed out without a guard.

#![allow(unsafe_code)]

use super::StackError;
use super::run::Run;
use crate::sys::memory::{self, Ranges};
use core::sync::atomic::{AtomicUsize, Ordering};
use memmap2::MmapOptions;
use std::sync::OnceLock;

/// Set to `mprotect`, makes every guard by `mprotect`, as on a kernel before 6.13.
const OVERRIDE: &str = "KETTLE_GUARD";

/// How guards are made in this process.
static METHOD: OnceLock<Method> = OnceLock::new();

/// How many guards `mprotect` has made.
static PROTECTED: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone, Copy, Debug)]
struct Method {
    /// `MADV_GUARD_INSTALL` was seen to work.
    markers: bool,
    /// The same for several ranges in one call.
    many: bool,
    /// `vm.max_map_count` at start-up.
    max_map_count: usize,
}

impl Method {
    fn get() -> Self {
        *METHOD.get_or_init(|| {
            let markers = std::env::var_os(OVERRIDE).is_none_or(|value| value != "mprotect")
                && markers_work();
            Self {
                markers,
                many: markers && many_markers_work(),
                max_map_count: memory::max_map_count(),
            }
        })
    }

    /// How many stacks `mprotect` may guard: each costs two mappings, and a tenth of them is left to
    /// the program.
    fn budget(self) -> usize {
        self.max_map_count / 10 * 9 / 2
    }
}

/// Installs one guard and lets the kernel itself try to read through it.
fn markers_work() -> bool {
    let page = memory::page_size();
    let Ok(mut map) = MmapOptions::new().len(page).map_anon() else { return false };
    let start = map.as_mut_ptr();
    // SAFETY: the mapping is page-aligned, ours, and unmapped below.
    unsafe { memory::install_guard(start, page) }.is_ok() && memory::is_guarded(start)
}

/// The same for two guards that are made in one call, with a page between them that must stay as it is.
fn many_markers_work() -> bool {
    let page = memory::page_size();
    let Ok(mut map) = MmapOptions::new().len(3 * page).map_anon() else { return false };
    let start = map.as_mut_ptr();
    let ranges = Ranges::new(start, 2 * page, 2, page);
    // SAFETY: as in `markers_work`; the two ranges are the mapping's first page and its last.
    let made = unsafe { memory::install_guards(&ranges) };
    let is_guarded = |index: usize| memory::is_guarded(start.wrapping_add(index * page));
    made.is_ok_and(|bytes| bytes == 2 * page) && (0..3).map(is_guarded).eq([true, false, true])
}

/// Makes a guard of `len` bytes at the low end of each slot of `run`. Says how many have got one, from the
/// first on, and where these are not all, why the next has not.
///
/// # Safety
///
/// These ranges are page-aligned, mapped, and nobody's to use from now on.
pub(super) unsafe fn install_all(run: &Run, len: usize) -> (usize, Result<(), StackError>) {
    let mut made = 0;
    if run.count() > 1 && Method::get().many {
        while made < run.count() {
            let next = (run.count() - made).min(Ranges::MOST);
            let ranges = Ranges::new(run.slot(made), run.stride(), next, len);
            // SAFETY: the caller's.
            let bytes = unsafe { memory::install_guards(&ranges) }.unwrap_or(0);
            made += bytes / len;
            if bytes != next * len {
                // One by one, from the first that is not whole: to know why, or another way.
                break;
            }
        }
    }
    while made < run.count() {
        // SAFETY: the caller's.
        if let Err(error) = unsafe { install(run.slot(made), len) } {
            return (made, Err(error));
        }
        made += 1;
    }
    (made, Ok(()))
}

/// Makes a guard of `len` bytes at `start`.
///
/// # Errors
///
/// Where the kernel refuses, or where `mprotect` has to be used and its budget is used up.
///
/// # Safety
///
/// The range is page-aligned, mapped, and nobody's to use from now on.
unsafe fn install(start: *mut u8, len: usize) -> Result<(), StackError> {
    let method = Method::get();
    // In locked memory the call is refused although it works elsewhere.
    // SAFETY: the caller's.
    if method.markers && unsafe { memory::install_guard(start, len) }.is_ok() {
        return Ok(());
    }
    // Relaxed: a count and nothing else.
    if PROTECTED.fetch_add(1, Ordering::Relaxed) >= method.budget() {
        PROTECTED.fetch_sub(1, Ordering::Relaxed);
        return Err(StackError::GuardBudget {
            budget: method.budget(),
            max_map_count: method.max_map_count,
        });
    }
    // SAFETY: the caller's.
    unsafe { memory::protect(start, len) }.map_err(|source| {
        PROTECTED.fetch_sub(1, Ordering::Relaxed);
        StackError::Guard { source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_of_a_run_gets_its_guard_also_where_the_kernel_refuses_one() {
        const COUNT: usize = 2 * Ranges::MOST + 3;
        let page = memory::page_size();
        let (len, stride) = (2 * page, 4 * page);
        // In locked memory the kernel takes no guards of the cheap kind; the lock ends in mid-guard.
        for locked in [None, Some(0), Some(Ranges::MOST + 5), Some(COUNT - 1)] {
            let mut map = MmapOptions::new().len(COUNT * stride).map_anon().expect("memory");
            let start = map.as_mut_ptr();
            if let Some(slot) = locked {
                // SAFETY: a page of the mapping above.
                let answer = unsafe { libc::mlock(start.add(slot * stride + page).cast(), page) };
                assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
            }
            let first = core::ptr::NonNull::new(start).expect("mapped");
            let run = Run::new(first, COUNT, stride);
            // SAFETY: the low ends of slots that nobody uses.
            let (made, outcome) = unsafe { install_all(&run, len) };
            assert_eq!(made, COUNT, "{outcome:?}");
            for slot in 0..COUNT {
                let guarded = |index| memory::is_guarded(run.slot(slot).wrapping_add(index * page));
                assert!((0..4).map(guarded).eq([true, true, false, false]), "{slot} of {locked:?}");
            }
        }
    }
}
