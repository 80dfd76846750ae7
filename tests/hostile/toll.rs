//! What a process has: descriptors, threads, bytes.

use std::fs;
use std::time::{Duration, Instant};

/// A count of it.
#[derive(Debug)]
pub(crate) struct Toll {
    descriptors: usize,
    threads: usize,
    resident: usize,
}

/// What memory may differ by: allocators keep some of what was freed.
const SLACK: usize = 24 << 20;

/// Whether the memory is an emulator's too, which grows by whatever code it has translated.
pub(crate) fn memory_is_shared() -> bool {
    std::env::var_os("KETTLE_TEST_RUNNER").is_some()
}

impl Toll {
    pub(crate) fn take() -> Self {
        let entries = |path| fs::read_dir(path).unwrap().count();
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
        // SAFETY: sysconf only reads.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        Self {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            resident: pages * page,
        }
    }

    fn is_no_more_than(&self, before: &Self) -> bool {
        self.descriptors <= before.descriptors
            && self.threads <= before.threads
            && (self.resident <= before.resident + SLACK || memory_is_shared())
    }

    /// Fails if there is more than before. What ends in the background, such as a joined thread's entry in
    /// /proc, may take a moment: it is looked at until it is so, and long enough to be sure that it is not.
    pub(crate) fn assert_no_more_than(mut self, before: &Self) {
        let patience = Instant::now() + Duration::from_secs(20);
        while !self.is_no_more_than(before) {
            assert!(Instant::now() < patience, "there was {before:?}, and now there is {self:?}");
            std::thread::yield_now();
            self = Self::take();
        }
    }
}
