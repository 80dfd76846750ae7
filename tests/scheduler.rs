//! What the scheduler promises: who runs, where, and that nobody is forgotten.

#[path = "support/coroutines.rs"]
mod coroutines;

use coroutines::{until, workers};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder, JoinHandle};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::{Duration, Instant};

type OsThread = std::thread::ThreadId;

fn os_thread() -> OsThread {
    std::thread::current().id()
}

#[test]
fn yielding_coroutines_take_turns() {
    workers(1).run(|| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let begun = Arc::new(AtomicUsize::new(0));
        let coroutines: Vec<_> = (0..3)
            .map(|n| {
                let (order, begun) = (Arc::clone(&order), Arc::clone(&begun));
                thread::spawn(move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    until(|| begun.load(Ordering::SeqCst) == 3);
                    for _ in 0..100 {
                        order.lock().unwrap().push(n);
                        thread::yield_now();
                    }
                })
            })
            .collect();
        coroutines.into_iter().for_each(|coroutine| coroutine.join().unwrap());
        let order = order.lock().unwrap();
        for turn in order.chunks(3) {
            let mut turn = turn.to_vec();
            turn.sort_unstable();
            assert_eq!(turn, [0, 1, 2]);
        }
    });
}

#[test]
fn a_coroutine_that_has_started_stays_on_its_worker() {
    let runtime = workers(4);
    runtime.run(|| {
        let coroutines: Vec<_> = (0..200)
            .map(|n| {
                thread::spawn(move || {
                    let home = os_thread();
                    for round in 0..200 {
                        if (n + round) % 7 == 0 {
                            // Something to steal, and a wake-up from wherever it ran.
                            thread::spawn(|| black_box(1)).join().unwrap();
                        } else {
                            thread::yield_now();
                        }
                        assert_eq!(os_thread(), home);
                    }
                })
            })
            .collect();
        coroutines.into_iter().for_each(|coroutine| coroutine.join().unwrap());
    });
}

#[test]
fn coroutines_that_block_their_workers_run_in_parallel() {
    // Each of these blocks its OS thread until all four have come: only stealing lets them all start.
    let runtime = workers(4);
    for _ in 0..20 {
        let barrier = Arc::new(Barrier::new(4));
        runtime.run(|| {
            let all: Vec<_> = (0..4)
                .map(|_| {
                    let barrier = Arc::clone(&barrier);
                    thread::spawn(move || barrier.wait().is_leader())
                })
                .collect();
            let leaders = all.into_iter().map(|one| one.join().unwrap());
            assert_eq!(leaders.filter(|&leader| leader).count(), 1);
        });
    }
}

#[test]
fn a_pair_that_is_spawned_together_shares_a_worker() {
    let runtime = workers(2);
    let together = |_: usize| {
        let pair = [0, 1].map(|_| {
            runtime.spawn(|| {
                thread::park();
                os_thread()
            })
        });
        pair.iter().for_each(|one| one.thread().unpark());
        let [first, second] = pair.map(|one| one.join().unwrap());
        first == second
    };
    // A noisy machine may hold up a worker at the wrong moment, now and then.
    let shared = (0..100).filter(|&n| together(n)).count();
    assert!(shared >= 80, "{shared} of 100 pairs from outside shared a worker");

    let shared = runtime.run(|| {
        (0..100)
            .filter(|_| {
                let pair = [0, 1].map(|_| {
                    thread::spawn(|| {
                        for _ in 0..10 {
                            thread::yield_now();
                        }
                        os_thread()
                    })
                });
                let [first, second] = pair.map(|one| one.join().unwrap());
                first == second
            })
            .count()
    });
    assert!(shared >= 80, "{shared} of 100 pairs from inside shared a worker");
}

/// Spawns `count` coroutines that stay, one by one from inside, with `pause` between them, and returns
/// how many came to each worker.
fn trickle(runtime: &Runtime, count: usize, pause: Duration) -> Vec<usize> {
    let homes: Arc<Mutex<HashMap<OsThread, usize>>> = Arc::default();
    let started = Arc::new(AtomicUsize::new(0));
    let acceptor = {
        let (homes, started) = (Arc::clone(&homes), Arc::clone(&started));
        move || -> Vec<JoinHandle<()>> {
            // Woken once for each, as an acceptor is.
            (0..count)
                .map(|_| {
                    thread::park();
                    let (homes, started) = (Arc::clone(&homes), Arc::clone(&started));
                    thread::spawn(move || {
                        *homes.lock().unwrap().entry(os_thread()).or_default() += 1;
                        started.fetch_add(1, Ordering::SeqCst);
                        thread::park();
                    })
                })
                .collect()
        }
    };
    let acceptor = runtime.spawn(acceptor);
    let thread = acceptor.thread().clone();
    for n in 0..count {
        // The pause is the load, not a way to wait for something.
        std::thread::sleep(pause);
        thread.unpark();
        until(|| started.load(Ordering::SeqCst) > n);
    }
    let coroutines = acceptor.join().unwrap();
    until(|| started.load(Ordering::SeqCst) == count);
    coroutines.iter().for_each(|one| one.thread().unpark());
    coroutines.into_iter().for_each(|one| one.join().unwrap());
    let homes = homes.lock().unwrap();
    homes.values().copied().collect()
}

#[test]
fn long_lived_coroutines_that_trickle_in_end_evenly_spread() {
    for count in [2, 4] {
        let runtime = workers(count);
        let homes = trickle(&runtime, 10_000 / count, Duration::from_millis(1));
        assert_eq!(homes.len(), count, "{homes:?}");
        let fair = 10_000 / count / count;
        for &home in &homes {
            assert!(home.abs_diff(fair) <= fair / 10, "{homes:?} of {fair} each");
        }
    }
}

#[test]
fn nobody_is_sent_to_a_worker_that_is_held_up() {
    let runtime = workers(2);
    let (sender, receiver) = mpsc::channel();
    let release = Arc::new(AtomicBool::new(false));
    // Holds up one worker with next to nothing alive on it, for as long as it takes.
    let hog = {
        let release = Arc::clone(&release);
        runtime.spawn(move || {
            sender.send(()).unwrap();
            while !release.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        })
    };
    receiver.recv().unwrap();
    // Many live ones on the other: all must start there.
    let started = Arc::new(AtomicUsize::new(0));
    let all: Vec<_> = runtime.run(|| {
        let spawn = |_| {
            let started = Arc::clone(&started);
            thread::spawn(move || {
                started.fetch_add(1, Ordering::SeqCst);
                thread::park();
            })
        };
        (0..500).map(spawn).collect()
    });
    until(|| started.load(Ordering::SeqCst) >= 480);
    release.store(true, Ordering::SeqCst);
    hog.join().unwrap();
    all.iter().for_each(|one| one.thread().unpark());
    all.into_iter().for_each(|one| one.join().unwrap());
}

#[test]
fn beside_shares_the_worker_of_the_other() {
    let runtime = workers(4);
    runtime.run(|| {
        for _ in 0..50 {
            // Beside one that runs already, and beside one that may not have begun.
            let anchor = thread::spawn(|| {
                thread::park();
                os_thread()
            });
            let early = Builder::new().beside(anchor.thread()).spawn(os_thread).unwrap();
            let early = early.join().unwrap();
            until(|| format!("{:?}", anchor.thread()).contains("parked"));
            let late = Builder::new().beside(anchor.thread()).spawn(os_thread).unwrap();
            let late = late.join().unwrap();
            anchor.thread().unpark();
            let anchor = anchor.join().unwrap();
            assert_eq!((early, late), (anchor, anchor));
        }
    });
}

#[test]
fn a_migratable_coroutine_goes_on_elsewhere() {
    let runtime = workers(2);
    runtime.run(|| {
        let moved = Arc::new(AtomicBool::new(false));
        let traveller = {
            let moved = Arc::clone(&moved);
            move || {
                let first = os_thread();
                // Holds up the worker that this began on, a while at a time, until it is gone.
                let hog = {
                    let moved = Arc::clone(&moved);
                    Builder::new().beside(&thread::current()).spawn(move || {
                        while !moved.load(Ordering::SeqCst) {
                            let until = Instant::now() + Duration::from_micros(200);
                            while Instant::now() < until {
                                std::hint::spin_loop();
                            }
                            thread::yield_now();
                        }
                        os_thread()
                    })
                };
                until(|| os_thread() != first);
                moved.store(true, Ordering::SeqCst);
                assert_eq!(hog.unwrap().join().unwrap(), first);
            }
        };
        // SAFETY: nothing of a thread lives across its waits.
        let traveller = unsafe { Builder::new().migratable() }.spawn(traveller).unwrap();
        traveller.join().unwrap();
    });
}

#[test]
fn a_coroutine_that_always_yields_starves_nobody() {
    let runtime = workers(1);
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let stop = Arc::clone(&stop);
            runtime.spawn(move || until(|| stop.load(Ordering::SeqCst)))
        })
        .collect();
    // From outside (injector), from inside (deque), woken from outside (inbox).
    runtime.spawn(|| ()).join().unwrap();
    runtime.spawn(|| thread::spawn(|| ()).join().unwrap()).join().unwrap();
    let sleeper = runtime.spawn(thread::park);
    until(|| format!("{:?}", sleeper.thread()).contains("parked"));
    sleeper.thread().unpark();
    sleeper.join().unwrap();
    stop.store(true, Ordering::SeqCst);
    busy.into_iter().for_each(|one| one.join().unwrap());
}

#[test]
fn two_that_wake_each_other_for_ever_do_not_starve_the_queue() {
    workers(1).run(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let partner: Arc<Mutex<Option<thread::Thread>>> = Arc::default();
        let spawn = |peer: Option<thread::Thread>| {
            let (stop, partner) = (Arc::clone(&stop), Arc::clone(&partner));
            thread::spawn(move || {
                let peer = peer.unwrap_or_else(|| {
                    until(|| partner.lock().unwrap().is_some());
                    partner.lock().unwrap().clone().unwrap()
                });
                while !stop.load(Ordering::SeqCst) {
                    peer.unpark();
                    thread::park();
                }
                peer.unpark();
            })
        };
        let first = spawn(None);
        let second = spawn(Some(first.thread().clone()));
        *partner.lock().unwrap() = Some(second.thread().clone());
        // This one is in the plain queue while those two hand the LIFO slot to and fro.
        for _ in 0..100 {
            thread::yield_now();
        }
        stop.store(true, Ordering::SeqCst);
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_wait_in_a_destructor_of_a_panic_keeps_the_neighbours_out() {
    struct Waits(Arc<AtomicUsize>);
    impl Drop for Waits {
        fn drop(&mut self) {
            assert!(thread::panicking());
            let before = self.0.load(Ordering::SeqCst);
            thread::yield_now();
            thread::park();
            assert_eq!(self.0.load(Ordering::SeqCst), before, "a neighbour ran meanwhile");
        }
    }
    let runtime = workers(1);
    let steps = Arc::new(AtomicUsize::new(0));
    let (neighbour_steps, faulty_steps) = (Arc::clone(&steps), Arc::clone(&steps));
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let neighbour = runtime.spawn(move || {
        until(|| {
            assert!(!thread::panicking());
            neighbour_steps.fetch_add(1, Ordering::SeqCst);
            stopped.load(Ordering::SeqCst)
        });
    });
    let faulty = runtime.spawn(move || {
        let _waits = Waits(faulty_steps);
        panic!("and then its destructor waits");
    });
    until(|| format!("{:?}", faulty.thread()).contains("parked"));
    faulty.thread().unpark();
    assert!(faulty.join().is_err());
    stop.store(true, Ordering::SeqCst);
    neighbour.join().unwrap();
}

#[test]
fn no_unpark_is_lost_in_a_storm() {
    const SLEEPERS: usize = 16;
    const ROUNDS: usize = 2_000;
    let runtime = workers(3);
    let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..SLEEPERS).map(|_| 0.into()).collect());
    let goal: Arc<Vec<AtomicUsize>> = Arc::new((0..SLEEPERS).map(|_| 0.into()).collect());
    let sleepers: Vec<_> = (0..SLEEPERS)
        .map(|n| {
            let (counts, goal) = (Arc::clone(&counts), Arc::clone(&goal));
            runtime.spawn(move || {
                while counts[n].load(Ordering::Acquire) < ROUNDS {
                    while goal[n].load(Ordering::Acquire) == counts[n].load(Ordering::Relaxed) {
                        thread::park();
                    }
                    counts[n].fetch_add(1, Ordering::Release);
                }
            })
        })
        .collect();
    let threads: Vec<_> = sleepers.iter().map(|sleeper| sleeper.thread().clone()).collect();
    // Each sleeper sleeps until the next number is called; two more threads wake everybody for nothing.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    threads.iter().for_each(thread::Thread::unpark);
                }
            });
        }
        for round in 1..=ROUNDS {
            for n in 0..SLEEPERS {
                goal[n].store(round, Ordering::Release);
                threads[n].unpark();
            }
            for n in 0..SLEEPERS {
                until(|| counts[n].load(Ordering::Acquire) >= round);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
}

/// How many coroutines a tree of this depth has, each but the last joining ten of its own.
fn tree(depth: u32) -> usize {
    if depth == 0 {
        return 1;
    }
    let children: Vec<_> = (0..10).map(|_| thread::spawn(move || tree(depth - 1))).collect();
    1 + children.into_iter().map(|child| child.join().unwrap()).sum::<usize>()
}

#[test]
fn a_tree_of_spawns_is_summed_on_any_number_of_workers() {
    // Ten million with optimisation, a hundred thousand without.
    let depth = if cfg!(debug_assertions) { 5 } else { 7 };
    for count in [1, 2, 4] {
        let depth = if count == 2 { depth } else { 4 };
        let expected = (10_usize.pow(depth + 1) - 1) / 9;
        assert_eq!(workers(count).run(|| tree(depth)), expected);
    }
}

#[test]
fn a_chain_of_ten_thousand_joins() {
    let runtime = workers(2);
    let last = runtime.run(|| {
        (0..10_000).fold(thread::spawn(|| 0), |before, _| {
            thread::spawn(move || before.join().unwrap() + 1)
        })
    });
    assert_eq!(last.join().unwrap(), 10_000);
}
