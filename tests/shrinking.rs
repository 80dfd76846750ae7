//! Stacks that were used deeply give their memory back: of coroutines that have ended, and of those that
//! wait. Nothing is given back that is in use.

#[path = "support/child.rs"]
mod child;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use child::{child, scenario};
use kettle::coroutine::Coroutine;
use kettle::runtime::Runtime;
use kettle::thread::{self, JoinHandle, StackUsage};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Calls `at_the_bottom` with `depth` bytes of stack in use: each frame fills a part of its page, and looks
/// after it when it comes back.
#[inline(never)]
fn descend(depth: usize, at_the_bottom: &mut dyn FnMut()) {
    fn down(until: usize, at_the_bottom: &mut dyn FnMut()) {
        let here = 0_u8;
        let address = (&raw const here).addr();
        if address <= until {
            return at_the_bottom();
        }
        let mut filled = [address as u8; 1024];
        black_box(&mut filled);
        down(until, at_the_bottom);
        assert!(*black_box(&filled) == [address as u8; 1024], "a stack was overwritten");
    }
    let here = 0_u8;
    down((&raw const here).addr() - depth, at_the_bottom);
}

/// Whether the kernel says what there is memory for: emulators with pages of another size do not.
fn kernel_tells() -> bool {
    // SAFETY: a mapping of its own, of which one page is touched; then the kernel writes three bytes.
    let told = unsafe {
        let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
        let (access, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let map = libc::mmap(std::ptr::null_mut(), 3 * page, access, flags, -1, 0);
        assert_ne!(map, libc::MAP_FAILED);
        map.cast::<u8>().add(page).write_volatile(1);
        let mut pages = [0_u8; 256];
        assert_eq!(libc::mincore(map, 3 * page, pages.as_mut_ptr()), 0);
        libc::munmap(map, 3 * page);
        pages[..3] == [0, 1, 0]
    };
    if !told {
        println!("skipped: the kernel does not tell what there is memory for");
    }
    told
}

/// Waits until `done`, which something else will bring about.
#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(50), "never came: {what}");
        std::thread::yield_now();
    }
}

fn usage<T>(coroutine: &JoinHandle<T>) -> StackUsage {
    coroutine.thread().stack().expect("it has begun and has not ended")
}

/// What a coroutine that waits in a shallow frame may keep: the page of its frames, and where they end in
/// the middle of one, the next. With pages of 4 KiB, in an unoptimised build.
const SHALLOW: usize = 16 * 1024;

#[test]
fn a_coroutine_that_waits_gives_back_what_it_no_longer_needs_and_keeps_the_rest() {
    if !kernel_tells() {
        return;
    }
    const DEPTH: usize = 700 * 1024;
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let steps = Arc::new(AtomicUsize::new(0));
    let coroutine = {
        let steps = Arc::clone(&steps);
        runtime.spawn(move || {
            let here = |step| {
                steps.store(step, Ordering::SeqCst);
                thread::park();
            };
            here(1);
            // Deep, with frames in use down to there.
            descend(DEPTH, &mut || here(2));
            // Back again: those frames are dead.
            here(3);
            // Half as deep.
            descend(DEPTH / 2, &mut || {
                descend(DEPTH / 4, &mut || ());
                here(4);
            });
        })
    };
    let reach = |step| {
        if step > 1 {
            coroutine.thread().unpark();
        }
        wait_until("a step", || steps.load(Ordering::SeqCst) == step);
    };
    reach(1);
    wait_until("a shallow stack", || usage(&coroutine).committed <= SHALLOW);
    assert_eq!(usage(&coroutine).reserved, 1024 * 1024);

    reach(2);
    let deep = usage(&coroutine);
    assert!(deep.committed >= DEPTH && deep.deepest >= deep.committed, "{deep:?}");

    reach(3);
    wait_until("the stack shrinks", || usage(&coroutine).committed <= SHALLOW);
    assert!(usage(&coroutine).deepest >= DEPTH, "{:?}", usage(&coroutine));

    reach(4);
    wait_until("it shrinks to what is used", || {
        usage(&coroutine).committed <= DEPTH / 2 + 2 * SHALLOW
    });
    assert!(usage(&coroutine).committed >= DEPTH / 2);

    coroutine.thread().unpark();
    wait_until("the end", || coroutine.is_finished());
    assert_eq!(coroutine.thread().stack(), None);
    coroutine.join().unwrap();
}

#[test]
fn an_os_thread_and_a_coroutine_that_has_not_begun_have_no_stack_of_ours() {
    assert_eq!(thread::current().stack(), None);
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let (begun, release) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|_| {
        // The one worker is kept busy, so the other coroutine cannot begin.
        let usage = std::thread::scope(|scope| {
            scope.spawn(|| {
                runtime.run(|| {
                    begun.store(true, Ordering::SeqCst);
                    while !release.load(Ordering::SeqCst) {
                        std::thread::yield_now();
                    }
                });
            });
            wait_until("the busy one", || begun.load(Ordering::SeqCst));
            let waiting = runtime.spawn(|| ());
            let usage = waiting.thread().stack();
            release.store(true, Ordering::SeqCst);
            waiting.join().unwrap();
            usage
        });
        assert_eq!(usage, None);
    });
}

/// One that stands on yet another stack while it waits: its own has nothing dead below its stack pointer,
/// which is not in it.
#[test]
fn a_coroutine_that_waits_in_a_raw_one_keeps_all_of_its_stack() {
    if !kernel_tells() {
        return;
    }
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let outer = runtime.spawn(|| {
        descend(300 * 1024, &mut || {
            let mut raw = Coroutine::new(|_: &_, ()| {
                // What is dead there is not looked at either: nobody knows of that stack.
                descend(100 * 1024, &mut || ());
                thread::park();
            });
            let _: kettle::coroutine::State<(), ()> = raw.resume(());
        });
    });
    wait_until("it waits", || format!("{:?}", outer.thread()).contains("waits: parked"));
    // Another one is trimmed after it, which shows that both have been looked at.
    let witness = runtime.spawn(|| {
        descend(300 * 1024, &mut || ());
        thread::park();
    });
    wait_until("the witness", || {
        witness.thread().stack().is_some_and(|usage| usage.deepest > 300 * 1024)
    });
    wait_until("the witness shrinks", || usage(&witness).committed <= SHALLOW);
    assert!(usage(&outer).committed >= 300 * 1024, "{:?}", usage(&outer));
    witness.thread().unpark();
    outer.thread().unpark();
    witness.join().unwrap();
    outer.join().unwrap();
}

/// Wake-ups come from everywhere while stacks are trimmed, and whoever goes on finds its frames as they
/// were: `descend` looks after them.
#[test]
fn whoever_is_woken_while_stacks_are_trimmed_finds_its_frames() {
    if !kernel_tells() {
        return;
    }
    const COROUTINES: usize = 200;
    const ROUNDS: usize = 300;
    let runtime = Runtime::builder().workers(3).stack_size(256 * 1024).build().unwrap();
    let all: Vec<_> = (0..COROUTINES)
        .map(|number| {
            runtime.spawn(move || {
                for round in 0..ROUNDS {
                    let depth = (number * 7919 + round * 104_729) % (100 * 1024);
                    descend(depth / 3, &mut || {
                        descend(depth, &mut || ());
                        thread::park();
                    });
                    thread::park();
                }
            })
        })
        .collect();
    std::thread::scope(|scope| {
        for waker in 0..2 {
            let all = &all;
            scope.spawn(move || {
                let mut lap = 0;
                while all.iter().any(|one| !one.is_finished()) {
                    for one in all.iter().skip(waker).step_by(2) {
                        one.thread().unpark();
                        // Of those that end meanwhile too.
                        let _ = one.thread().stack();
                    }
                    lap += 1;
                    if lap % 50 == 0 {
                        // So that the workers rest, and have the time to trim.
                        wait_until("rest", || {
                            all.iter().all(|one| {
                                one.is_finished() || usage_if_any(one) <= 40 * 1024 + SHALLOW
                            })
                        });
                    }
                }
            });
        }
    });
    all.into_iter().for_each(|one| one.join().unwrap());
}

fn usage_if_any<T>(coroutine: &JoinHandle<T>) -> usize {
    coroutine.thread().stack().map_or(0, |usage| usage.committed)
}

/// Bytes of this process that lie in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    // SAFETY: asks only.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize
}

#[test]
fn after_a_storm_of_deep_stacks_memory_returns_to_within_a_tenth() {
    if !kernel_tells() {
        return;
    }
    const TEST: &str = "after_a_storm_of_deep_stacks_memory_returns_to_within_a_tenth";
    if std::env::var_os("KETTLE_TEST_RUNNER").is_some() {
        println!("skipped: the memory of an emulator is not that of the program");
        return;
    }
    match scenario().as_deref() {
        None => {
            for who in ["who waits", "who ends"] {
                let output = child(TEST, who).output().unwrap();
                assert!(output.status.success(), "{who}: {output:?}");
            }
        }
        Some("who waits") => storm(20_000, 0),
        Some(_) => storm(10_000, 200),
    }
}

/// So many coroutines wait; then each of them goes deep and waits again, or as many others as `others` do
/// and end.
fn storm(waiting: usize, others: usize) {
    const DEPTH: usize = 40 * 1024;
    const CHUNK: usize = 1000;
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let arrived = Arc::new(AtomicUsize::new(0));
    let all: Vec<_> = (0..waiting)
        .map(|_| {
            let arrived = Arc::clone(&arrived);
            runtime.spawn(move || {
                arrived.fetch_add(1, Ordering::SeqCst);
                thread::park();
                descend(DEPTH, &mut || ());
                arrived.fetch_add(1, Ordering::SeqCst);
                thread::park();
            })
        })
        .collect();
    wait_until("all wait", || arrived.load(Ordering::SeqCst) == waiting);
    let before = resident();
    let highest = Arc::new(AtomicUsize::new(0));
    if others == 0 {
        for chunk in all.chunks(CHUNK) {
            let before = arrived.load(Ordering::SeqCst);
            chunk.iter().for_each(|one| one.thread().unpark());
            wait_until("a chunk", || arrived.load(Ordering::SeqCst) == before + chunk.len());
            highest.fetch_max(resident(), Ordering::SeqCst);
        }
    } else {
        let deep: Vec<_> =
            (0..others).map(|_| runtime.spawn(|| descend(10 * DEPTH, &mut thread::park))).collect();
        wait_until("all are deep", || deep.iter().all(|one| usage_if_any(one) >= 10 * DEPTH));
        highest.fetch_max(resident(), Ordering::SeqCst);
        deep.iter().for_each(|one| one.thread().unpark());
        deep.into_iter().for_each(|one| one.join().unwrap());
    }
    let highest = highest.load(Ordering::SeqCst);
    assert!(highest > before / 2 * 3, "that was no storm: {before} bytes before, {highest} in it");
    wait_until("the memory returns", || resident() <= before + before / 10);
    all.iter().for_each(|one| one.thread().unpark());
    if others > 0 {
        wait_until("all wait again", || arrived.load(Ordering::SeqCst) == 2 * waiting);
        all.iter().for_each(|one| one.thread().unpark());
    }
    all.into_iter().for_each(|one| one.join().unwrap());
}
