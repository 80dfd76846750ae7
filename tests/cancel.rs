//! Cancellation: where it is delivered, where not, and what becomes of what it unwinds.

#[path = "support/child.rs"]
mod child;
#[path = "support/coroutines.rs"]
mod coroutines;
mod support;

use coroutines::{Counted, is_cancelled, until, workers};
use kettle::thread::{self, Builder, Cancelled, JoinHandle};
use kettle::time::{self, Duration};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// Spawns a coroutine that runs `body`, and waits until it waits in it, on a runtime of one worker.
fn waiting<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let join = thread::spawn(body);
    until(|| !format!("{:?}", join.thread()).contains("not waiting"));
    join
}

#[test]
fn every_kind_of_wait_is_a_cancellation_point() {
    type Body = fn();
    let bodies: [(&str, Body); 8] = [
        ("park", thread::park),
        ("park_timeout", || thread::park_timeout(Duration::from_secs(1_000))),
        ("sleep", || thread::sleep(Duration::MAX)),
        ("sleep_until", || time::sleep_until(time::Instant::now() + Duration::from_secs(1_000))),
        ("interval", || {
            let mut interval = time::interval(Duration::from_secs(1_000));
            interval.tick();
            interval.tick();
        }),
        ("join", || thread::spawn(thread::park).join().unwrap()),
        ("scope", || {
            thread::scope(|scope| {
                scope.spawn(thread::park);
            });
        }),
        ("run", || kettle::run(thread::park)),
    ];
    workers(1).run(|| {
        for (name, body) in bodies {
            let dropped = Arc::new(AtomicUsize::new(0));
            let counted = Counted(Arc::clone(&dropped));
            let join = waiting(move || {
                let _counted = counted;
                body();
                panic!("went on after it was cancelled");
            });
            assert_eq!(dropped.load(Ordering::SeqCst), 0, "{name}");
            join.cancel().unwrap();
            assert!(is_cancelled(join.join()), "{name}");
            assert_eq!(dropped.load(Ordering::SeqCst), 1, "{name}");
        }
    });
}

#[test]
fn a_loop_of_yields_is_cancelled_on_any_worker_and_by_anybody() {
    let runtime = workers(2);
    for round in 0..200 {
        let (sender, begun) = mpsc::channel();
        let body = move || {
            sender.send(()).unwrap();
            loop {
                thread::yield_now();
            }
        };
        let builder = Builder::new();
        // SAFETY: nothing in it belongs to a thread.
        let builder = if round % 2 == 0 { builder } else { unsafe { builder.migratable() } };
        let join: JoinHandle<()> = builder.spawn_on(runtime.handle(), body).unwrap();
        if round % 3 != 0 {
            begun.recv().unwrap();
        }
        join.cancel().unwrap();
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
    }
}

#[test]
fn one_that_has_not_begun_never_does() {
    workers(1).run(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let counted = Counted(Arc::clone(&dropped));
        let join: JoinHandle<()> = thread::spawn(move || {
            let _counted = &counted;
            panic!("begun");
        });
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn one_that_ends_without_waiting_ends_as_if_nothing_had_been() {
    workers(1).run(|| {
        let cancelled = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&cancelled);
        let (sender, receiver) = mpsc::channel();
        let join = thread::spawn(move || {
            let me: JoinHandle<u32> = receiver.recv().unwrap();
            me.cancel().unwrap();
            seen.store(thread::is_cancelled(), Ordering::SeqCst);
            // Its own handle: dropping it is no wait.
            drop(me);
            7
        });
        // The value is dropped with the handle, but that it came there shows in the flag.
        sender.send(join).unwrap();
        until(|| cancelled.load(Ordering::SeqCst));
    });
    workers(1).run(|| {
        let join = thread::spawn(|| 7);
        until(|| join.is_finished());
        join.cancel().unwrap();
        assert_eq!(join.join().unwrap(), 7);
    });
}

#[test]
fn what_is_swallowed_is_thrown_again_at_the_next_point() {
    workers(1).run(|| {
        let join = waiting(|| {
            let mut swallowed = 0;
            for _ in 0..3 {
                let payload = catch_unwind(AssertUnwindSafe(thread::park)).unwrap_err();
                assert!(payload.is::<Cancelled>());
                assert!(thread::is_cancelled() && !thread::panicking());
                swallowed += 1;
            }
            assert_eq!(swallowed, 3);
            thread::yield_now();
        });
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
    });
}

#[test]
fn a_mask_keeps_it_off_until_the_last_one_goes() {
    workers(1).run(|| {
        let reached = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&reached);
        let join = thread::spawn(move || {
            let outer = thread::mask_cancellation();
            {
                let _inner = thread::mask_cancellation();
                while !thread::is_cancelled() {
                    thread::yield_now();
                }
            }
            // Cancelled, and still masked: waits as if nothing were.
            counter.store(1, Ordering::SeqCst);
            thread::park();
            thread::sleep(Duration::from_micros(1));
            counter.store(2, Ordering::SeqCst);
            drop(outer);
            counter.store(3, Ordering::SeqCst);
            thread::park();
            counter.store(4, Ordering::SeqCst);
        });
        thread::yield_now();
        join.cancel().unwrap();
        until(|| reached.load(Ordering::SeqCst) == 1);
        thread::yield_now();
        assert_eq!(reached.load(Ordering::SeqCst), 1);
        join.thread().unpark();
        assert!(is_cancelled(join.join()));
        assert_eq!(reached.load(Ordering::SeqCst), 3);
    });
}

/// What runs in a destructor while it unwinds is not interrupted, and may wait for whoever does not need this
/// OS thread.
#[test]
fn destructors_run_to_their_end_and_may_wait() {
    struct Waits(Arc<Mutex<Vec<&'static str>>>, Arc<AtomicBool>);
    impl Drop for Waits {
        fn drop(&mut self) {
            assert!(thread::panicking() && thread::is_cancelled());
            self.0.lock().unwrap().push("before");
            let me = thread::current();
            let waker = std::thread::spawn(move || me.unpark());
            thread::park();
            thread::sleep(Duration::from_millis(1));
            thread::yield_now();
            assert!(!self.1.load(Ordering::SeqCst), "a neighbour ran while this one unwound");
            self.0.lock().unwrap().push("after");
            waker.join().unwrap();
        }
    }
    workers(1).run(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let neighbour = Arc::new(AtomicBool::new(false));
        let value = Waits(Arc::clone(&log), Arc::clone(&neighbour));
        let join = waiting(move || {
            let _value = value;
            thread::park();
        });
        let other = thread::spawn(move || {
            neighbour.store(true, Ordering::SeqCst);
            thread::panicking()
        });
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
        assert_eq!(*log.lock().unwrap(), ["before", "after"]);
        assert!(!other.join().unwrap());
    });
}

/// After its closure has ended a coroutine is not cancelled once more, in what is dropped for it then.
#[test]
fn what_is_dropped_after_the_end_is_not_interrupted() {
    struct Waits(Arc<AtomicUsize>);
    impl Drop for Waits {
        fn drop(&mut self) {
            for _ in 0..3 {
                thread::yield_now();
                thread::sleep(Duration::from_micros(1));
            }
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    workers(1).run(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        // Its output, which nobody will take, and what one that has not begun captures.
        let (output, captured) = (Waits(Arc::clone(&dropped)), Waits(Arc::clone(&dropped)));
        let join = waiting(move || {
            let _ = catch_unwind(AssertUnwindSafe(thread::park));
            output
        });
        join.cancel().unwrap();
        drop(join);
        let join = thread::spawn(move || drop(captured));
        join.cancel().unwrap();
        drop(join);
        until(|| dropped.load(Ordering::SeqCst) == 2);
    });
}

#[test]
fn a_cancelled_join_leaves_the_other_one_running() {
    workers(1).run(|| {
        let gate = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicBool::new(false));
        let (open, ended) = (Arc::clone(&gate), Arc::clone(&done));
        let joiner = waiting(move || {
            thread::spawn(move || {
                until(|| open.load(Ordering::SeqCst));
                ended.store(true, Ordering::SeqCst);
            })
            .join()
            .unwrap();
        });
        joiner.cancel().unwrap();
        assert!(is_cancelled(joiner.join()));
        gate.store(true, Ordering::SeqCst);
        until(|| done.load(Ordering::SeqCst));
    });
}

#[test]
fn a_cancelled_run_waits_for_the_closure_that_borrows() {
    workers(2).run(|| {
        for _ in 0..100 {
            let outside = workers(1);
            let join: JoinHandle<()> = thread::spawn(move || {
                let mut borrowed = vec![1, 2, 3];
                let sum: u64 = outside.run(|| {
                    borrowed.push(4);
                    thread::park();
                    borrowed.iter().sum()
                });
                panic!("{sum}");
            });
            thread::yield_now();
            join.cancel().unwrap();
            assert!(is_cancelled(join.join()));
        }
    });
}

/// No hook and no message: a child's standard error stays empty.
#[test]
fn a_cancellation_is_silent() {
    const NAME: &str = "a_cancellation_is_silent";
    if child::scenario().is_some() {
        std::panic::set_hook(Box::new(|_| eprintln!("the hook was called")));
        workers(2).run(|| {
            let all: Vec<_> = (0..100).map(|_| thread::spawn(thread::park)).collect();
            thread::yield_now();
            all.iter().for_each(|one| one.cancel().unwrap());
            all.into_iter().for_each(|one| assert!(is_cancelled(one.join())));
        });
        return;
    }
    let output = child::child(NAME, "silent").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// A neighbour's own panic, its locks and its `panicking()` are its own while another one is cancelled.
#[test]
fn neighbours_of_a_cancelled_one_never_notice() {
    workers(1).run(|| {
        let lock = Arc::new(Mutex::new(0));
        for _ in 0..50 {
            let victim = waiting(thread::park);
            let kept = Arc::clone(&lock);
            let neighbour = thread::spawn(move || {
                for _ in 0..10 {
                    *kept.lock().unwrap() += 1;
                    assert!(!thread::panicking());
                    thread::yield_now();
                }
            });
            let faulty = thread::spawn(|| {
                thread::yield_now();
                panic!("its own");
            });
            thread::yield_now();
            victim.cancel().unwrap();
            assert!(is_cancelled(victim.join()));
            neighbour.join().unwrap();
            let payload = faulty.join().unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&"its own"));
        }
        assert_eq!(*lock.lock().unwrap(), 500);
    });
}

/// Cancellations from OS threads race with wake-ups: each coroutine ends, one way or the other, once.
#[test]
fn cancellations_and_wake_ups_that_race_lose_nobody() {
    let runtime = workers(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    for _ in 0..20 {
        let all: Vec<JoinHandle<usize>> = (0..100)
            .map(|number| {
                let counted = Counted(Arc::clone(&dropped));
                runtime.spawn(move || {
                    let _counted = counted;
                    for _ in 0..number % 4 {
                        thread::park();
                    }
                    if number % 2 == 0 {
                        thread::sleep(Duration::from_micros(100 * number as u64 % 7));
                    }
                    number
                })
            })
            .collect();
        std::thread::scope(|scope| {
            scope.spawn(|| all.iter().for_each(|one| one.cancel().unwrap()));
            scope.spawn(|| {
                for _ in 0..4 {
                    all.iter().for_each(|one| one.thread().unpark());
                }
            });
        });
        for (number, one) in all.into_iter().enumerate() {
            match one.join() {
                Ok(value) => assert_eq!(value, number),
                Err(payload) => assert!(payload.is::<Cancelled>()),
            }
        }
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 2_000);
}

/// Or wake-ups that never end would keep it going for ever.
#[test]
fn a_park_is_a_point_also_where_it_has_been_woken_already() {
    let runtime = workers(1);
    let parks = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&parks);
    let restless = runtime.spawn(move || {
        loop {
            thread::current().unpark();
            thread::park();
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    until(|| parks.load(Ordering::SeqCst) > 100);
    restless.cancel().unwrap();
    assert!(is_cancelled(restless.join()));
    // What was not taken is there for the next one.
    runtime.run(|| {
        thread::current().unpark();
        let passed = time::timeout(Duration::ZERO, || {
            std::thread::sleep(Duration::from_millis(1));
            thread::park();
        });
        assert!(passed.is_err());
        thread::park();
    });
}
