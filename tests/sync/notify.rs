//! `Notify`.

use crate::coroutines::{Random, is_cancelled, until, waiting, workers};
use kettle::sync::{Arc, Mutex, Notify};
use kettle::thread;
use kettle::time::{self, Duration};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[test]
fn one_notification_is_kept_and_no_more() {
    let notify = Notify::default();
    notify.notify_all();
    assert!(!notify.wait_timeout(Duration::ZERO), "nothing is kept of `notify_all`");
    notify.notify_one();
    notify.notify_one();
    notify.wait();
    assert!(!notify.wait_timeout(Duration::from_millis(1)));
    notify.notify_one();
    assert!(notify.wait_timeout(Duration::ZERO));
    assert_eq!(format!("{notify:?}"), "Notify { .. }");
}

#[test]
fn the_oldest_goes_first_or_all_do() {
    workers(1).run(|| {
        let notify = Arc::new(Notify::new());
        let order = Arc::new(Mutex::new(Vec::new()));
        let joins: Vec<_> = (0..5)
            .map(|n| {
                let (notify, order) = (Arc::clone(&notify), Arc::clone(&order));
                waiting("notification", move || {
                    notify.wait();
                    order.lock().unwrap().push(n);
                })
            })
            .collect();
        for expected in 1..3 {
            notify.notify_one();
            thread::yield_now();
            assert_eq!(*order.lock().unwrap(), (0..expected).collect::<Vec<_>>());
        }
        notify.notify_all();
        joins.into_iter().for_each(|join| join.join().unwrap());
        assert!(!notify.wait_timeout(Duration::ZERO));
    });
}

#[test]
fn who_gives_up_takes_no_notification_away() {
    workers(1).run(|| {
        let notify = Arc::new(Notify::new());
        let wait = || {
            let notify = Arc::clone(&notify);
            move || notify.wait()
        };
        let first = waiting("notification", wait());
        let second = waiting("notification", wait());
        let third = waiting("notification", wait());
        first.cancel().unwrap();
        assert!(is_cancelled(first.join()));
        notify.notify_one();
        // It is its own already.
        second.cancel().unwrap();
        second.join().unwrap();
        assert!(!third.is_finished());
        assert!(time::timeout(Duration::from_millis(1), || notify.wait()).is_err());
        notify.notify_one();
        third.join().unwrap();
        assert!(!notify.wait_timeout(Duration::ZERO));
    });
}

/// As many notifications as there are waits, some of which give up and wait again: each is used once.
#[test]
fn every_notification_reaches_somebody_on_many_workers() {
    const EACH: usize = 100;
    for round in 0..10_u64 {
        let runtime = workers(1 + round as usize % 3);
        let shared = Arc::new((Notify::new(), AtomicUsize::new(0)));
        let body = |seed: u64| {
            let shared = Arc::clone(&shared);
            move || {
                let mut random = Random::new(seed + 100 * round);
                let mut left = EACH;
                while left > 0 {
                    let limit = Duration::from_micros(random.below(100));
                    let notified = match random.below(3) {
                        0 => shared.0.wait_timeout(limit),
                        1 => time::timeout(limit, || shared.0.wait()).is_ok(),
                        _ => {
                            shared.0.wait();
                            true
                        }
                    };
                    if notified {
                        left -= 1;
                        shared.1.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        };
        let joins: Vec<_> = (0..8).map(|seed| runtime.spawn(body(seed))).collect();
        let thread = std::thread::spawn(body(8));
        for sent in 0..9 * EACH {
            // One at a time, since several that nobody waits for are kept as one.
            while shared.1.load(Ordering::Relaxed) < sent {
                thread::yield_now();
            }
            shared.0.notify_one();
        }
        joins.into_iter().for_each(|join| join.join().unwrap());
        thread.join().unwrap();
        assert!(!shared.0.wait_timeout(Duration::ZERO));
    }
}

/// Who waits again at once waits for the next time, also where the others are still being notified: there are
/// so many that the first is back before the last has been notified.
#[test]
fn each_notification_of_all_reaches_each_once() {
    const ROUNDS: usize = 20;
    const WAITERS: usize = 500;
    let runtime = workers(2);
    let shared = Arc::new((Notify::new(), AtomicUsize::new(0), AtomicBool::new(false)));
    let waiters: Vec<_> = (0..WAITERS)
        .map(|_| {
            let shared = Arc::clone(&shared);
            runtime.spawn(move || {
                let mut times = 0;
                loop {
                    shared.0.wait();
                    if shared.2.load(Ordering::Relaxed) {
                        return times;
                    }
                    times += 1;
                    shared.1.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let all_wait =
        || waiters.iter().all(|waiter| format!("{:?}", waiter.thread()).contains("notification"));
    for round in 0..ROUNDS {
        until(|| shared.1.load(Ordering::Relaxed) >= round * WAITERS && all_wait());
        shared.0.notify_all();
    }
    until(|| shared.1.load(Ordering::Relaxed) >= ROUNDS * WAITERS && all_wait());
    shared.2.store(true, Ordering::Relaxed);
    shared.0.notify_all();
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), ROUNDS);
    }
}
