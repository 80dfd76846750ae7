//! Work that must block: who runs it, who waits, and that nothing is lost.

#[path = "unblock/cancel.rs"]
mod cancel;
#[path = "support/child.rs"]
mod child;
#[path = "support/coroutines.rs"]
mod coroutines;
#[path = "unblock/limits.rs"]
mod limits;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use coroutines::workers;
use kettle::thread::{self, JoinHandle};
use kettle::unblock::{self, Pool};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, mpsc};
use std::time::Duration;

fn pool(threads: usize) -> Pool {
    unblock::Builder::new().threads(threads).build().unwrap()
}

fn os_thread() -> std::thread::ThreadId {
    std::thread::current().id()
}

fn join_all<T>(all: Vec<JoinHandle<T>>) -> Vec<T> {
    all.into_iter().map(|one| one.join().unwrap()).collect()
}

/// A door that blocks OS threads until it is opened.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.changed.wait(open).unwrap();
        }
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

#[test]
fn the_closure_runs_on_another_thread_and_its_value_comes_back() {
    workers(1).run(|| {
        let here = os_thread();
        let (there, name) =
            kettle::unblock(|| (os_thread(), std::thread::current().name().map(str::to_string)));
        assert_ne!(here, there);
        assert_eq!(name.as_deref(), Some("kettle-unblock"));
        assert_eq!(os_thread(), here);
    });
}

#[test]
fn it_borrows_and_changes_what_the_caller_owns() {
    workers(2).run(|| {
        let mut numbers = vec![3, 1, 2];
        let first = kettle::unblock(|| {
            numbers.sort_unstable();
            &numbers[0]
        });
        assert_eq!(*first, 1);
        assert_eq!(numbers, [1, 2, 3]);
    });
}

#[test]
fn neighbours_go_on_while_the_closure_blocks() {
    workers(1).run(|| {
        let gate = Arc::new(Gate::default());
        let blocked = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || kettle::unblock(|| gate.pass()))
        };
        // On the same and only worker: were it blocked, nobody would open the gate.
        thread::spawn(move || gate.open()).join().unwrap();
        blocked.join().unwrap();
    });
}

#[test]
fn a_panic_of_the_closure_goes_to_the_caller_with_its_payload() {
    workers(1).run(|| {
        let payload = catch_unwind(|| kettle::unblock(|| std::panic::panic_any(42_u8)));
        assert_eq!(*payload.unwrap_err().downcast::<u8>().unwrap(), 42);
        // The pool and the coroutine are as they were.
        assert_eq!(kettle::unblock(|| 1), 1);
        let coroutine = thread::spawn(|| kettle::unblock(|| panic!("boiled over")));
        let payload = coroutine.join().unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "boiled over");
    });
}

#[test]
fn on_an_os_thread_and_nested_it_runs_in_place() {
    let here = os_thread();
    assert_eq!(kettle::unblock(os_thread), here);
    let own = pool(1);
    assert_eq!(own.run(os_thread), here);
    assert_eq!(own.threads(), 0);
    workers(1).run(|| {
        own.run(|| {
            let there = os_thread();
            assert_eq!(kettle::unblock(os_thread), there);
            // With one thread in the pool, it would wait for itself.
            assert_eq!(own.run(os_thread), there);
        });
    });
}

#[test]
fn in_a_destructor_during_a_panic_it_runs_in_place() {
    struct Sample(mpsc::Sender<(std::thread::ThreadId, std::thread::ThreadId)>);

    impl Drop for Sample {
        fn drop(&mut self) {
            self.0.send((os_thread(), kettle::unblock(os_thread))).unwrap();
        }
    }

    let (sender, receiver) = mpsc::channel();
    // Dropped at once it would cancel the coroutine.
    let runtime = workers(1);
    let coroutine = runtime.spawn(move || {
        let _sample = Sample(sender);
        panic!("with a destructor that blocks");
    });
    assert!(coroutine.join().is_err());
    let (outside, inside) = receiver.recv().unwrap();
    assert_eq!(outside, inside);
}

#[test]
fn inside_the_closure_kettles_thread_is_the_os_thread() {
    workers(1).run(|| {
        let outside = thread::current().id();
        let (sender, receiver) = mpsc::channel();
        let unparker = thread::spawn(move || {
            let inside: thread::Thread = kettle::unblock(move || receiver.recv().unwrap());
            inside.unpark();
        });
        let inside = kettle::unblock(|| {
            let current = thread::current();
            sender.send(current.clone()).unwrap();
            thread::park();
            assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
            current
        });
        assert_ne!(inside.id(), outside);
        assert_eq!(inside.name(), Some("kettle-unblock"));
        unparker.join().unwrap();
    });
}

#[test]
fn more_jobs_than_threads_all_run_and_never_more_at_once_than_the_bound() {
    const BOUND: usize = 3;
    let own = Arc::new(pool(BOUND));
    let runtime = workers(2);
    let (at_once, most, done) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let all = (0..500)
        .map(|_| {
            let (own, at_once) = (Arc::clone(&own), Arc::clone(&at_once));
            let (most, done) = (Arc::clone(&most), Arc::clone(&done));
            runtime.spawn(move || {
                own.run(|| {
                    let now = at_once.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::yield_now();
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    done.fetch_add(1, Ordering::SeqCst);
                });
            })
        })
        .collect();
    join_all(all);
    assert_eq!(done.load(Ordering::SeqCst), 500);
    assert!(most.load(Ordering::SeqCst) <= BOUND);
    assert!(own.threads() <= BOUND);
}

#[test]
fn jobs_up_to_the_bound_run_at_the_same_time() {
    const BOUND: usize = 8;
    let own = Arc::new(pool(BOUND));
    let runtime = workers(1);
    // Each waits for all the others: fewer threads than that, and it would hang.
    let together = Arc::new(Barrier::new(BOUND));
    let all = (0..BOUND)
        .map(|_| {
            let (own, together) = (Arc::clone(&own), Arc::clone(&together));
            runtime.spawn(move || own.run(|| together.wait().is_leader()))
        })
        .collect();
    assert_eq!(join_all(all).into_iter().filter(|&leader| leader).count(), 1);
    assert_eq!(own.threads(), BOUND);
}

#[test]
fn at_the_bound_jobs_run_in_the_order_in_which_they_came() {
    let own = pool(1);
    let gate = Gate::default();
    let order = Mutex::new(Vec::new());
    workers(1).run(|| {
        let (own, gate, order) = (&own, &gate, &order);
        scoped(
            6,
            |n| {
                own.run(|| {
                    if n == 0 {
                        gate.pass();
                    }
                    order.lock().unwrap().push(n);
                });
            },
            || gate.open(),
        );
    });
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5]);
}

/// Runs `f(0..count)` as coroutines that start in this order, then `and_then`, then waits for them.
fn scoped(count: usize, f: impl Fn(usize) + Send + Sync, and_then: impl FnOnce()) {
    let f: &(dyn Fn(usize) + Send + Sync) = &f;
    // SAFETY: every coroutine is joined before this returns.
    let f: &'static (dyn Fn(usize) + Send + Sync) = unsafe { std::mem::transmute(f) };
    let started = Arc::new(AtomicUsize::new(0));
    let mut all = Vec::new();
    for n in 0..count {
        let begun = Arc::clone(&started);
        all.push(thread::spawn(move || {
            begun.fetch_add(1, Ordering::SeqCst);
            f(n);
        }));
        while started.load(Ordering::SeqCst) <= n {
            thread::yield_now();
        }
    }
    let outcome = catch_unwind(AssertUnwindSafe(and_then));
    let joined: Vec<_> = all.into_iter().map(|one| one.join()).collect();
    outcome.expect("what comes after the start");
    joined.into_iter().for_each(|one| one.expect("each coroutine"));
}

#[test]
fn an_idle_thread_is_used_again() {
    let own = pool(16);
    workers(1).run(|| {
        let first = own.run(os_thread);
        for _ in 0..1_000 {
            assert_eq!(own.run(os_thread), first);
        }
    });
    assert_eq!(own.threads(), 1);
}

#[test]
fn of_the_idle_threads_the_last_one_to_become_idle_is_used() {
    let own = pool(2);
    workers(1).run(|| {
        let first_gate = Gate::default();
        let early = Mutex::new(None);
        let late = Mutex::new(None);
        // Two at once; the one that passes the gate is idle last.
        scoped(
            2,
            |n| {
                if n == 0 {
                    own.run(|| {
                        *late.lock().unwrap() = Some(os_thread());
                        first_gate.pass();
                    });
                } else {
                    own.run(|| *early.lock().unwrap() = Some(os_thread()));
                }
            },
            || {
                while early.lock().unwrap().is_none() {
                    thread::yield_now();
                }
                assert_ne!(*early.lock().unwrap(), *late.lock().unwrap());
                // The early one takes this, and is idle after it: then only the late one is missing.
                let again = own.run(os_thread);
                assert_eq!(Some(again), *early.lock().unwrap());
                first_gate.open();
            },
        );
        assert_eq!(Some(own.run(os_thread)), *late.lock().unwrap());
    });
}

#[test]
fn threads_that_are_idle_for_the_keep_alive_leave() {
    let own =
        unblock::Builder::new().threads(4).keep_alive(Duration::from_millis(1)).build().unwrap();
    workers(1).run(|| {
        let together = Barrier::new(4);
        scoped(4, |_| own.run(|| _ = together.wait()), || ());
    });
    while own.threads() != 0 {
        std::thread::yield_now();
    }
    // And come back when they are needed.
    assert_eq!(workers(1).run(|| own.run(|| 5)), 5);
}

#[test]
fn jobs_that_come_as_threads_leave_are_not_lost() {
    // Threads leave at once, so that each job may meet one on its way out.
    for keep_alive in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(20)] {
        let own =
            Arc::new(unblock::Builder::new().threads(3).keep_alive(keep_alive).build().unwrap());
        let runtime = workers(2);
        let all = (0..8)
            .map(|_| {
                let own = Arc::clone(&own);
                runtime.spawn(move || (0..300_u64).map(|n| own.run(|| n)).sum::<u64>())
            })
            .collect();
        assert_eq!(join_all(all), [44_850; 8]);
    }
}

#[test]
fn a_pool_that_is_dropped_waits_for_its_threads() {
    for _ in 0..50 {
        let own = pool(4);
        let ended = Arc::new(AtomicUsize::new(0));
        workers(2).run(|| {
            let ended = &ended;
            let own = &own;
            scoped(8, |_| assert!(own.run(|| ended.fetch_add(1, Ordering::SeqCst)) < 8), || ());
        });
        drop(own);
        assert_eq!(ended.load(Ordering::SeqCst), 8);
    }
    // In a coroutine as well.
    workers(1).run(|| {
        let own = pool(2);
        own.run(|| ());
    });
}

#[test]
fn many_coroutines_on_many_workers_lose_nothing() {
    let own = Arc::new(pool(5));
    let runtime = workers(4);
    let all = (0..200_u64)
        .map(|n| {
            let own = Arc::clone(&own);
            runtime.spawn(move || {
                let mut sum = 0;
                for step in 0..50 {
                    sum += if step % 3 == 0 {
                        thread::yield_now();
                        kettle::unblock(|| n + step)
                    } else {
                        own.run(|| n + step)
                    };
                    if step == 25 && n % 10 == 0 {
                        let failed = catch_unwind(AssertUnwindSafe(|| {
                            own.run(|| std::panic::resume_unwind(Box::new(n)))
                        }));
                        assert_eq!(*failed.unwrap_err().downcast::<u64>().unwrap(), n);
                    }
                }
                sum
            })
        })
        .collect();
    for (n, sum) in join_all(all).into_iter().enumerate() {
        assert_eq!(sum, 50 * n as u64 + 1_225);
    }
}

#[test]
fn a_pool_that_cannot_be_is_refused_with_a_sentence() {
    let error = unblock::Builder::new().threads(0).build().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("bound of 1 or more"), "{error}");
    let error = unblock::Builder::new().name("a\0b").build().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
