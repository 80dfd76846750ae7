//! Guards: what makes the memory below a stack's limit inaccessible.
//!
//! `MADV_GUARD_INSTALL` marks page-table entries and costs no mapping, so a million guards fit under
//! the default sysctls. Some kernels, sandboxes and emulators accept the call and ignore it, so it is
//! proved once before it is believed, and each call is checked. Where it does not work, `mprotect`
//! guards a budget of stacks. No stack is ever handed out without a guard.

#![allow(unsafe_code)]

use super::StackError;
use crate::sys::memory;
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
    /// `vm.max_map_count` at start-up.
    max_map_count: usize,
}

impl Method {
    fn get() -> Self {
        *METHOD.get_or_init(|| Self {
            markers: std::env::var_os(OVERRIDE).is_none_or(|value| value != "mprotect")
                && markers_work(),
            max_map_count: memory::max_map_count(),
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

/// Makes a guard of `len` bytes at `start`.
///
/// # Errors
///
/// Where the kernel refuses, or where `mprotect` has to be used and its budget is used up.
///
/// # Safety
///
/// The range is page-aligned, mapped, and nobody's to use from now on.
pub(super) unsafe fn install(start: *mut u8, len: usize) -> Result<(), StackError> {
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
