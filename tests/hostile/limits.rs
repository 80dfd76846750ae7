//! What the process may have runs out while it works.

use crate::{child, plays, size};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The limit of the address space, lowered for a while.
struct Lowered(libc::rlimit);

impl Lowered {
    /// To what is mapped now, and `spare` bytes.
    fn to_now_and(spare: u64) -> Self {
        let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
        // SAFETY: reads and sets a limit of this process; sysconf only reads.
        unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as u64;
            assert_eq!(libc::getrlimit(libc::RLIMIT_AS, &mut before), 0);
            let lower = libc::rlimit { rlim_cur: pages * page + spare, rlim_max: before.rlim_max };
            assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &lower), 0);
        }
        Self(before)
    }

    /// Whether more can be had all the same.
    fn is_not_felt(&self) -> bool {
        memmap2::MmapOptions::new().len(1 << 30).no_reserve_swap().map_anon().is_ok()
    }
}

impl Drop for Lowered {
    fn drop(&mut self) {
        // SAFETY: puts back what was there.
        unsafe { assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &self.0), 0) };
    }
}

/// Overflows the stack that it runs on.
#[inline(never)]
fn overflow(depth: usize) -> usize {
    let room = std::hint::black_box([depth; 64]);
    if room[0] == usize::MAX { 0 } else { overflow(depth + 1) + room[depth % 64] }
}

#[test]
fn an_overflow_while_others_run_names_the_right_one() {
    const NAME: &str = "limits::an_overflow_while_others_run_names_the_right_one";
    if child::scenario().is_some() {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        for number in 0..100 {
            let busy = move || {
                loop {
                    std::hint::black_box([number; 1_000]);
                    thread::yield_now();
                }
            };
            drop(Builder::new().name(format!("busy-{number}")).spawn_on(runtime.handle(), busy));
        }
        let deep = Builder::new().name("deep".to_string()).spawn_on(runtime.handle(), || {
            (0..10).for_each(|_| thread::yield_now());
            overflow(0)
        });
        println!("{}", deep.unwrap().join().unwrap());
        return;
    }
    for _ in 0..size(2, 20) {
        let output = child::child(NAME, "overflow").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{said}");
        assert!(said.contains("coroutine 'deep' has overflowed its stack of 1048576"), "{said}");
    }
}

plays! {
    /// No stack for those that begin while the limit is low: an error for each of them, nothing for the others.
    address_space_that_shrinks_at_work_is_an_error_and_grows_back {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        let alive = Arc::new(AtomicUsize::new(0));
        let spawn = |count: usize| -> Vec<_> {
            (0..count)
                .map(|_| {
                    let alive = Arc::clone(&alive);
                    let body = move || {
                        alive.fetch_add(1, Ordering::SeqCst);
                        thread::park();
                    };
                    // The largest ones, so that few are enough.
                    Builder::new().stack_size(1 << 30).spawn_on(runtime.handle(), body).unwrap()
                })
                .collect()
        };
        for _ in 0..size(1, 5) {
            let early = spawn(3);
            while alive.load(Ordering::SeqCst) < 3 {
                std::thread::yield_now();
            }
            let lowered = Lowered::to_now_and(256 << 20);
            let late = spawn(64);
            let mut refused = 0;
            for one in late {
                // Those that have found a stack in the pool wait in it.
                one.thread().unpark();
                if let Err(payload) = one.join() {
                    let said = payload.downcast_ref::<String>().expect("the reason");
                    assert!(said.contains("address space") && said.contains("ulimit -v"), "{said}");
                    refused += 1;
                }
            }
            if refused == 0 && lowered.is_not_felt() {
                // An emulator needs address space of its own, and does as if.
                println!("skipped: RLIMIT_AS limits nothing here");
            } else {
                assert!(refused > 0, "the limit was not felt");
            }
            drop(lowered);
            for one in early.into_iter().chain(spawn(3)) {
                one.thread().unpark();
                one.join().unwrap();
            }
            alive.store(0, Ordering::SeqCst);
        }
    }
}
