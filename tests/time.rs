//! Waiting for a time to come, and time limits.

#[path = "support/coroutines.rs"]
mod coroutines;

use coroutines::workers;
use kettle::coroutine::Coroutine;
use kettle::thread::{self, Builder, Cancelled};
use kettle::time::{self, Duration, Instant};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const FOR_EVER: Duration = Duration::from_secs(100_000);

#[test]
fn nothing_ends_before_its_time() {
    fn check() {
        for micros in [0, 1, 50, 65, 66, 100, 1_000, 5_000] {
            let duration = Duration::from_micros(micros);
            let waits: [(&str, &dyn Fn()); 5] = [
                ("thread::sleep", &|| thread::sleep(duration)),
                ("sleep", &|| time::sleep(duration)),
                ("sleep_until", &|| time::sleep_until(Instant::now() + duration)),
                ("park_timeout", &|| thread::park_timeout(duration)),
                ("timeout", &|| assert!(time::timeout(duration, thread::park).is_err())),
            ];
            for (name, wait) in waits {
                let begin = Instant::now();
                wait();
                assert!(begin.elapsed() >= duration, "{name} of {micros} us");
            }
        }
    }
    check();
    workers(1).run(check);
    workers(2).run(|| {
        // SAFETY: nothing in it belongs to a thread.
        let migratable = unsafe { Builder::new().migratable() };
        migratable.spawn(check).unwrap().join().unwrap();
    });
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    /// Whether all slept before the first was to wake: only then is there an order to speak of.
    fn in_order(lead: Duration) -> bool {
        let log = Arc::new(Mutex::new(Vec::new()));
        let late = Arc::new(AtomicBool::new(false));
        let begin = Instant::now() + lead;
        // More than a tick apart, and set in another order.
        let all: Vec<_> = (0..100_u32)
            .map(|number| (number * 37) % 100)
            .map(|number| {
                let (log, late) = (Arc::clone(&log), Arc::clone(&late));
                thread::spawn(move || {
                    // Half of the time is left for falling asleep.
                    late.fetch_or(Instant::now() + lead / 2 >= begin, Ordering::SeqCst);
                    time::sleep_until(begin + Duration::from_micros(200) * number);
                    log.lock().unwrap().push(number);
                })
            })
            .collect();
        all.into_iter().for_each(|one| one.join().unwrap());
        if late.load(Ordering::SeqCst) {
            return false;
        }
        assert_eq!(*log.lock().unwrap(), (0..100).collect::<Vec<_>>());
        true
    }
    workers(1).run(|| {
        let mut lead = Duration::from_millis(20);
        while !in_order(lead) {
            // A slow machine, or a busy one.
            lead *= 2;
        }
    });
}

#[test]
fn timers_of_a_busy_worker_fire() {
    workers(1).run(|| {
        let done = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..3)
            .map(|_| {
                let done = Arc::clone(&done);
                thread::spawn(move || {
                    while !done.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(1));
        done.store(true, Ordering::SeqCst);
        busy.into_iter().for_each(|one| one.join().unwrap());
    });
}

#[test]
fn a_wake_up_ends_a_wait_with_a_timeout_and_leaves_no_timer() {
    workers(1).run(|| {
        let sleeper = thread::spawn(|| {
            for _ in 0..1_000 {
                thread::park_timeout(FOR_EVER);
            }
        });
        while !sleeper.is_finished() {
            sleeper.thread().unpark();
            thread::yield_now();
        }
        sleeper.join().unwrap();
    });
}

/// A worker's wake-up for somebody's deadline is no wake-up for its neighbours.
#[test]
fn a_deadline_does_not_leave_a_token_behind() {
    workers(1).run(|| {
        thread::park_timeout(Duration::from_micros(1));
        assert!(time::timeout(Duration::from_millis(1), thread::park).is_err(), "a token was left");
        // The other way round: one that came before is used up.
        thread::current().unpark();
        thread::park_timeout(FOR_EVER);
        assert!(time::timeout(Duration::from_millis(1), thread::park).is_err(), "not used up");
    });
}

#[test]
fn a_time_that_the_clock_cannot_tell_is_for_ever() {
    workers(1).run(|| {
        let sleeper = thread::spawn(|| time::sleep(Duration::MAX));
        assert!(time::timeout(Duration::from_millis(1), thread::park).is_err());
        sleeper.cancel().unwrap();
        assert!(sleeper.join().unwrap_err().is::<Cancelled>());
        assert_eq!(time::timeout(Duration::MAX, || 1), Ok(1));
    });
}

fn nested_limits() {
    // The inner one ends first: only it.
    let outer = time::timeout(FOR_EVER, || time::timeout(Duration::from_micros(1), thread::park));
    assert!(outer.unwrap().is_err());
    // The outer one ends first: both.
    let inner_ended = AtomicBool::new(false);
    let outer = time::timeout(Duration::from_micros(1), || {
        let result = time::timeout(FOR_EVER, thread::park);
        inner_ended.store(true, Ordering::SeqCst);
        result
    });
    assert!(outer.is_err() && !inner_ended.into_inner());
    // Both at once: the outer one.
    let deadline = Instant::now() + Duration::from_millis(1);
    let outer = time::timeout_at(deadline, || time::timeout_at(deadline, thread::park));
    assert!(outer.is_err());
    // What is left afterwards: nothing.
    thread::park_timeout(Duration::from_micros(1));
    thread::yield_now();
}

#[test]
fn limits_nest() {
    nested_limits();
    workers(1).run(nested_limits);
}

#[test]
fn the_destructors_of_what_a_limit_ends_run_and_panics_go_through() {
    workers(1).run(|| {
        struct Sets<'a>(&'a AtomicBool);
        impl Drop for Sets<'_> {
            fn drop(&mut self) {
                assert!(thread::panicking() && !thread::is_cancelled());
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let dropped = AtomicBool::new(false);
        let result = time::timeout(Duration::from_micros(1), || {
            let _sets = Sets(&dropped);
            thread::park();
        });
        assert!(result.is_err() && dropped.into_inner());
        let payload = catch_unwind(|| time::timeout(FOR_EVER, || panic!("its own"))).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"its own"));
    });
}

/// A loop of yields inside a limit is ended as a wait is; what is swallowed is thrown again; a mask holds.
#[test]
fn a_limit_is_delivered_like_a_cancellation() {
    workers(1).run(|| {
        let result = time::timeout(Duration::from_millis(1), || {
            loop {
                thread::yield_now();
            }
        });
        assert!(result.is_err());
        let result = time::timeout(Duration::from_micros(1), || {
            assert!(catch_unwind(thread::park).is_err());
            assert!(catch_unwind(thread::park).is_err());
            let mask = thread::mask_cancellation();
            thread::park_timeout(Duration::from_micros(100));
            thread::sleep(Duration::from_micros(100));
            drop(mask);
            7
        });
        assert_eq!(result, Ok(7), "it came to no cancellation point any more");
    });
}

#[test]
fn a_cancellation_inside_a_limit_is_not_the_limits() {
    workers(1).run(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        let one = thread::spawn(move || {
            sender.send(()).unwrap();
            let _ = time::timeout(FOR_EVER, thread::park);
            panic!("went on");
        });
        thread::yield_now();
        receiver.try_recv().unwrap();
        one.cancel().unwrap();
        let result: thread::Result<()> = one.join();
        assert!(result.unwrap_err().is::<Cancelled>());
    });
}

/// The limit belongs to the coroutine that called, though its frames lie on a raw coroutine's stack that
/// another one goes on with, or drops.
#[test]
fn a_limit_taken_along_by_a_raw_coroutine_harms_nobody() {
    thread_local!(static LEFT: std::cell::RefCell<Option<Coroutine<(), (), ()>>> = const { std::cell::RefCell::new(None) });
    workers(1).run(|| {
        for resume in [true, false] {
            let first = thread::spawn(|| {
                let mut raw = Coroutine::new(|suspender, ()| {
                    let _ = time::timeout(Duration::from_secs(50_000), || suspender.suspend(()));
                });
                raw.resume(());
                LEFT.set(Some(raw));
                thread::park();
            });
            thread::yield_now();
            let second = thread::spawn(move || {
                let mut raw = LEFT.take().unwrap();
                if resume {
                    raw.resume(());
                    assert!(raw.done());
                }
                drop(raw);
                thread::park_timeout(Duration::from_micros(1));
                thread::yield_now();
            });
            second.join().unwrap();
            first.thread().unpark();
            first.join().unwrap();
        }
    });
}

#[test]
fn an_interval_leaves_out_what_it_has_missed() {
    workers(1).run(|| {
        let period = Duration::from_millis(2);
        let mut interval = time::interval(period);
        let first = interval.tick();
        let second = interval.tick();
        assert_eq!(second - first, period);
        assert!(Instant::now() >= second);
        thread::sleep(period * 5);
        let late = interval.tick();
        assert!(late - second >= period * 5 && Instant::now() >= late);
        let next = interval.tick();
        assert_eq!(next - late, period);
        assert_eq!((late - first).as_nanos() % period.as_nanos(), 0);
    });
    assert!(catch_unwind(|| time::interval(Duration::ZERO)).is_err());
}

/// Waits that end by their deadline, by a wake-up and by a cancellation race with each other.
#[test]
fn deadlines_wake_ups_and_cancellations_that_race_lose_nobody() {
    let runtime = workers(2);
    let woken = Arc::new(AtomicUsize::new(0));
    for round in 0..30 {
        let all: Vec<_> = (0..100_u64)
            .map(|number| {
                let woken = Arc::clone(&woken);
                let body = move || {
                    for turn in 0..5 {
                        let timeout = Duration::from_micros((number * 7 + turn * 13) % 300);
                        match turn % 3 {
                            0 => thread::park_timeout(timeout),
                            1 => drop(time::timeout(timeout, thread::park)),
                            _ => thread::sleep(timeout),
                        }
                    }
                    woken.fetch_add(1, Ordering::SeqCst);
                };
                let builder = Builder::new();
                if number % 3 == 0 {
                    // SAFETY: nothing in it belongs to a thread.
                    unsafe { builder.migratable() }
                } else {
                    builder
                }
                .spawn_on(runtime.handle(), body)
                .unwrap()
            })
            .collect();
        for _ in 0..20 {
            all.iter().for_each(|one| one.thread().unpark());
        }
        if round % 2 == 0 {
            all.iter().step_by(2).for_each(|one| one.cancel().unwrap());
        }
        for one in all {
            if let Err(payload) = one.join() {
                assert!(round % 2 == 0 && payload.is::<Cancelled>());
            }
        }
    }
    assert!(woken.load(Ordering::SeqCst) >= 15 * 100 + 15 * 50);
}
/// A task that makes way looks round now and then, at its worker's timers too: by then its own may be due,
/// although it has not left its stack.
#[test]
fn a_time_that_comes_before_the_stack_is_left_ends_the_wait() {
    const TASKS: usize = 1_000;
    const ROUNDS: usize = 1_000;
    let runtime = workers(1);
    let ended = Arc::new(AtomicUsize::new(0));
    for _ in 0..TASKS {
        let ended = Arc::clone(&ended);
        drop(runtime.spawn(move || {
            for _ in 0..ROUNDS {
                thread::park_timeout(Duration::from_nanos(1));
                ended.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let mut before = (0, Instant::now());
    while before.0 != TASKS * ROUNDS {
        std::thread::yield_now();
        let now = ended.load(Ordering::Relaxed);
        if now != before.0 {
            before = (now, Instant::now());
        }
        assert!(before.1.elapsed() < Duration::from_secs(30), "only {now} waits have ended");
    }
}
