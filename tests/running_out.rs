//! Where there is no memory or no address space, whoever asks for a coroutine learns of it, with the reason
//! and what helps; those that live go on; and when there is some again, so does everything. The limit is
//! lowered while the runtime works, so each test plays in a child.

#[path = "support/child.rs"]
mod child;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use child::{child, scenario};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder, JoinHandle};
use std::any::Any;
use std::io;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const MIB: usize = 1 << 20;

/// Runs `test` as a child, which plays `play`. Says whether the limit limits anything here: under some
/// emulators it does not.
fn in_a_child(test: &str, play: fn()) {
    if scenario().is_some() {
        if !limits_work() {
            println!("skipped: RLIMIT_AS limits nothing here");
            return;
        }
        play();
        println!("played to the end");
        return;
    }
    // std takes memory for a backtrace, and while it does, a lock that it wants again when there is none.
    let output = child(test, test).env("RUST_BACKTRACE", "0").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("played to the end") || said.contains("skipped:"), "{output:?}");
    said.lines().filter(|line| line.starts_with("skipped:")).for_each(|line| println!("{line}"));
}

/// Bytes of address space that this process has.
fn address_space() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').next().unwrap().parse().unwrap();
    // SAFETY: asks only.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize
}

/// Allows this process so much more address space than it has; none for as much as it likes.
fn allow(more: Option<usize>) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads into `limit`, then sets what it says.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_AS, &mut limit), 0);
        limit.rlim_cur = match more {
            Some(more) => (address_space() + more) as libc::rlim_t,
            None => limit.rlim_max,
        };
        assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &limit), 0);
    }
}

fn limits_work() -> bool {
    allow(Some(0));
    // SAFETY: a mapping of its own, never used.
    let map = unsafe {
        let (flags, access) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, libc::PROT_NONE);
        libc::mmap(std::ptr::null_mut(), 64 * MIB, access, flags, -1, 0)
    };
    allow(None);
    map == libc::MAP_FAILED
}

fn text(payload: Box<dyn Any + Send>) -> String {
    *payload.downcast::<String>().expect("a refusal is a String")
}

/// Counts its own end.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // A destructor may wait.
        thread::yield_now();
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// So many coroutines that have begun and wait; each counts its laps.
struct Neighbours {
    laps: Arc<AtomicUsize>,
    all: Vec<JoinHandle<()>>,
    leave: Arc<AtomicBool>,
}

impl Neighbours {
    fn new(runtime: &Runtime, count: usize) -> Self {
        let laps = Arc::new(AtomicUsize::new(0));
        let leave = Arc::new(AtomicBool::new(false));
        let one = || {
            let (laps, leave) = (Arc::clone(&laps), Arc::clone(&leave));
            runtime.spawn(move || {
                while !leave.load(Ordering::SeqCst) {
                    laps.fetch_add(1, Ordering::SeqCst);
                    thread::park();
                }
            })
        };
        let all: Vec<_> = (0..count).map(|_| one()).collect();
        let these = Self { laps, all, leave };
        these.wait_for_lap(1);
        these
    }

    fn wait_for_lap(&self, lap: usize) {
        while self.laps.load(Ordering::SeqCst) < lap * self.all.len() {
            std::thread::yield_now();
        }
    }

    /// All of them run once more.
    fn run_once(&self, lap: usize) {
        self.all.iter().for_each(|one| one.thread().unpark());
        self.wait_for_lap(lap);
    }

    fn leave(self) {
        self.leave.store(true, Ordering::SeqCst);
        self.all.iter().for_each(|one| one.thread().unpark());
        self.all.into_iter().for_each(|one| one.join().unwrap());
    }
}

#[test]
fn without_address_space_join_says_so_and_with_it_all_is_well_again() {
    in_a_child("without_address_space_join_says_so_and_with_it_all_is_well_again", || {
        let runtime = Runtime::builder().workers(3).stack_size(64 * 1024).build().unwrap();
        let neighbours = Neighbours::new(&runtime, 100);
        for round in 0..3 {
            allow(Some(16 * MIB));
            // More than there is room for, from a coroutine, with closures that have something to drop.
            let dropped = Arc::new(AtomicUsize::new(0));
            let all: Vec<_> = runtime.run(|| {
                let spawn = |_| {
                    let counted = Counted::new(&dropped);
                    let builder = Builder::new().stack_size(32 * MIB);
                    builder.spawn(move || drop(counted)).unwrap()
                };
                (0..200).map(spawn).collect()
            });
            for one in all {
                let said = text(one.join().unwrap_err());
                assert!(said.contains("no address space for another coroutine stack"), "{said}");
                assert!(said.contains("ulimit -v"), "{said}");
            }
            assert_eq!(dropped.load(Ordering::SeqCst), 200);
            neighbours.run_once(2 * round + 2);

            allow(None);
            // Of another size each time: a stack that was had once is there for the next.
            let size = (32 * MIB) << (round + 1);
            let again = Builder::new().stack_size(size).spawn_on(runtime.handle(), || 42).unwrap();
            assert_eq!(again.join().unwrap(), 42);
            neighbours.run_once(2 * round + 3);
        }
        let again = Builder::new().stack_size(32 * MIB).spawn_on(runtime.handle(), || 42).unwrap();
        assert_eq!(again.join().unwrap(), 42);
        neighbours.leave();
    });
}

/// A closure of this size is moved into the coroutine's block.
type Load = [u8; 48 * 1024];

#[test]
fn without_memory_for_the_block_spawn_says_so_and_the_others_go_on() {
    in_a_child("without_memory_for_the_block_spawn_says_so_and_the_others_go_on", || {
        let runtime = Runtime::builder().workers(2).stack_size(64 * 1024).build().unwrap();
        let neighbours = Neighbours::new(&runtime, 100);
        allow(Some(16 * MIB));
        let mut laden = Vec::with_capacity(10_000);
        let error = loop {
            assert!(laden.len() < laden.capacity(), "there is no end to the memory");
            let load: Load = [laden.len() as u8; size_of::<Load>()];
            let run = move || {
                thread::park();
                load[load.len() - 1]
            };
            match Builder::new().stack_size(MIB).spawn_on(runtime.handle(), run) {
                Ok(one) => laden.push(one),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        let said = error.to_string();
        assert!(said.contains("no memory for another coroutine"), "{said}");
        assert!(said.contains("ulimit -v"), "{said}");

        // It never begins, so it needs no larger stack.
        let load: Load = [1; size_of::<Load>()];
        let handle = runtime.handle().clone();
        let panicked = catch_unwind(move || handle.spawn(move || load[0])).map(drop).unwrap_err();
        let said = text(panicked);
        assert!(said.contains("failed to spawn a coroutine: no memory for another"), "{said}");

        neighbours.run_once(2);
        assert!(!laden.is_empty());
        laden.iter().for_each(|one| one.thread().unpark());
        let mut refused = 0;
        for (number, one) in laden.into_iter().enumerate() {
            match one.join() {
                Ok(value) => assert_eq!(value, number as u8),
                // There may have been no stack either.
                Err(payload) => {
                    let said = text(payload);
                    assert!(said.contains("no address space"), "{said}");
                    refused += 1;
                }
            }
        }
        println!("{refused} had a block and no stack");
        allow(None);
        let load: Load = [7; size_of::<Load>()];
        let run = move || load[0];
        let again = Builder::new().stack_size(MIB).spawn_on(runtime.handle(), run).unwrap();
        assert_eq!(again.join().unwrap(), 7);
        neighbours.leave();
    });
}

#[test]
fn a_limit_that_comes_and_goes_loses_nobody() {
    in_a_child("a_limit_that_comes_and_goes_loses_nobody", || {
        const ROUNDS: usize = 200;
        let runtime = Runtime::builder().workers(3).stack_size(64 * 1024).build().unwrap();
        let neighbours = Neighbours::new(&runtime, 50);
        let (begun, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // Those that have begun, or never will.
        let decided = Arc::new(AtomicUsize::new(0));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Enough for what else is allocated meanwhile, and for no large stack.
                for limit in [Some(24 * MIB), None].into_iter().cycle() {
                    allow(limit);
                    let until = decided.load(Ordering::SeqCst) + 20;
                    while decided.load(Ordering::SeqCst) < until {
                        if done.load(Ordering::SeqCst) {
                            return allow(None);
                        }
                        std::thread::yield_now();
                    }
                }
            });
            let spawners: Vec<_> = (0..3)
                .map(|spawner| {
                    let (runtime, begun, refused, decided) = (&runtime, &begun, &refused, &decided);
                    scope.spawn(move || {
                        let spawn = |round: usize| {
                            // Each keeps its stack, so that more are wanted all the time.
                            let size = [64 * 1024, MIB, 32 * MIB, 64 * MIB][(round + spawner) % 4];
                            let builder = Builder::new().stack_size(size);
                            let (this, mine) = (Counted::new(decided), Arc::new(()));
                            let news = Arc::downgrade(&mine);
                            let run = move || {
                                drop((this, mine));
                                thread::park();
                                round
                            };
                            let one = builder.spawn_on(runtime.handle(), run).unwrap();
                            while news.strong_count() > 0 {
                                std::thread::yield_now();
                            }
                            one
                        };
                        let all: Vec<_> = (0..ROUNDS).map(spawn).collect();
                        for (round, one) in all.into_iter().enumerate() {
                            one.thread().unpark();
                            match one.join() {
                                Ok(value) => {
                                    assert_eq!(value, round);
                                    begun.fetch_add(1, Ordering::SeqCst);
                                }
                                Err(payload) => {
                                    let said = text(payload);
                                    assert!(said.contains("no address space"), "{said}");
                                    refused.fetch_add(1, Ordering::SeqCst);
                                }
                            }
                        }
                    })
                })
                .collect();
            spawners.into_iter().for_each(|spawner| spawner.join().unwrap());
            done.store(true, Ordering::SeqCst);
        });
        let (begun, refused) = (begun.into_inner(), refused.into_inner());
        println!("{begun} began, {refused} were refused");
        assert_eq!(begun + refused, 3 * ROUNDS);
        assert!(begun > 0 && refused > 0);
        neighbours.run_once(2);
        neighbours.leave();
    });
}

/// Takes all memory that the allocator has or gets, down to the last few bytes, in a list that needs none.
struct AllMemory(*mut *mut libc::c_void);

impl AllMemory {
    fn take() -> Self {
        let mut all = Self(std::ptr::null_mut());
        let sizes = (11..=20).rev().map(|bits| 1_usize << bits);
        for size in sizes.chain((16..=1024).rev().step_by(16)) {
            loop {
                // SAFETY: what is allocated has room for a pointer.
                unsafe {
                    let chunk = libc::malloc(size).cast::<*mut libc::c_void>();
                    if chunk.is_null() {
                        break;
                    }
                    chunk.write(all.0.cast());
                    all.0 = chunk;
                }
            }
        }
        all
    }
}

impl Drop for AllMemory {
    fn drop(&mut self) {
        while !self.0.is_null() {
            // SAFETY: allocated in `take`, and not freed yet.
            unsafe {
                let next = self.0.read().cast();
                libc::free(self.0.cast());
                self.0 = next;
            }
        }
    }
}

#[test]
fn without_any_memory_at_all_spawn_still_says_so() {
    in_a_child("without_any_memory_at_all_spawn_still_says_so", || {
        let runtime = Runtime::builder().workers(2).stack_size(64 * 1024).build().unwrap();
        let neighbours = Neighbours::new(&runtime, 100);
        allow(Some(0));
        let memory = AllMemory::take();
        let outcome = Builder::new().spawn_on(runtime.handle(), || ()).map(drop);
        drop(memory);
        allow(None);
        assert_eq!(outcome.map_err(|error| error.kind()), Err(io::ErrorKind::OutOfMemory));
        neighbours.run_once(2);
        runtime.spawn(|| ()).join().unwrap();
        neighbours.leave();
    });
}
