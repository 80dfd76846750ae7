//! `Condvar`.

use crate::coroutines::{Random, is_cancelled, waiting, workers};
use kettle::sync::{Arc, Condvar, Mutex};
use kettle::thread;
use kettle::time::{self, Duration, Instant};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

type Pair = Arc<(Mutex<u32>, Condvar)>;

fn pair() -> Pair {
    Arc::new((Mutex::new(0), Condvar::new()))
}

const LONG: Duration = Duration::from_secs(1_000);

#[test]
fn notifying_nobody_is_nothing() {
    let condvar = Condvar::default();
    condvar.notify_one();
    condvar.notify_all();
    let mutex = Mutex::new(());
    // Nothing is kept of it.
    let result = condvar.wait_timeout(mutex.lock().unwrap(), Duration::from_millis(1)).unwrap().1;
    assert!(result.timed_out());
    assert_eq!(format!("{condvar:?}"), "Condvar { .. }");
}

#[test]
fn the_oldest_is_notified_and_only_that_one() {
    for under_the_lock in [false, true] {
        workers(1).run(|| {
            let (pair, woken) = (pair(), Arc::new(Mutex::new(Vec::new())));
            let joins: Vec<_> = (0..4)
                .map(|n| {
                    let (pair, woken) = (Arc::clone(&pair), Arc::clone(&woken));
                    waiting("condition variable", move || {
                        drop(pair.1.wait(pair.0.lock().unwrap()).unwrap());
                        woken.lock().unwrap().push(n);
                    })
                })
                .collect();
            for expected in 1..=4 {
                let guard = under_the_lock.then(|| pair.0.lock().unwrap());
                pair.1.notify_one();
                drop(guard);
                for _ in 0..10 {
                    thread::yield_now();
                }
                assert_eq!(*woken.lock().unwrap(), (0..expected).collect::<Vec<_>>());
            }
            joins.into_iter().for_each(|join| join.join().unwrap());
        });
    }
}

#[test]
fn all_are_notified() {
    for under_the_lock in [false, true] {
        for workers_count in [1, 3] {
            let runtime = workers(workers_count);
            let pair = pair();
            let body = |pair: Pair| {
                move || {
                    let mut guard = pair.0.lock().unwrap();
                    *guard += 1;
                    drop(pair.1.wait_while(guard, |count| *count < 100).unwrap());
                }
            };
            let joins: Vec<_> = (0..15).map(|_| runtime.spawn(body(Arc::clone(&pair)))).collect();
            let threads: Vec<_> =
                (0..3).map(|_| std::thread::spawn(body(Arc::clone(&pair)))).collect();
            while *pair.0.lock().unwrap() < 18 {
                thread::yield_now();
            }
            let mut guard = pair.0.lock().unwrap();
            *guard = 100;
            if under_the_lock {
                pair.1.notify_all();
                drop(guard);
            } else {
                drop(guard);
                pair.1.notify_all();
            }
            joins.into_iter().for_each(|join| join.join().unwrap());
            threads.into_iter().for_each(|join| join.join().unwrap());
        }
    }
}

#[test]
fn waits_with_different_mutexes_are_all_notified() {
    workers(1).run(|| {
        let condvar = Arc::new(Condvar::new());
        let mutexes: Vec<_> = (0..3).map(|_| Arc::new(Mutex::new(()))).collect();
        let joins: Vec<_> = (0..9)
            .map(|n| {
                let (condvar, mutex) = (Arc::clone(&condvar), Arc::clone(&mutexes[n % 3]));
                waiting("condition variable", move || {
                    drop(condvar.wait(mutex.lock().unwrap()).unwrap());
                })
            })
            .collect();
        condvar.notify_all();
        joins.into_iter().for_each(|join| join.join().unwrap());
    });
}

#[test]
fn a_timeout_ends_the_wait_and_says_so() {
    fn all() {
        let pair = pair();
        let start = Instant::now();
        let limit = Duration::from_millis(2);
        let (guard, result) = pair.1.wait_timeout(pair.0.lock().unwrap(), limit).unwrap();
        assert!(result.timed_out() && start.elapsed() >= limit);
        let (guard, result) = pair.1.wait_timeout_while(guard, limit, |_| true).unwrap();
        assert!(result.timed_out() && start.elapsed() >= 2 * limit);
        let (guard, result) = pair.1.wait_timeout_while(guard, limit, |_| false).unwrap();
        assert!(!result.timed_out());
        let (guard, result) = pair.1.wait_timeout_while(guard, Duration::ZERO, |_| true).unwrap();
        assert!(result.timed_out());
        #[allow(deprecated, reason = "std has it")]
        let (guard, in_time) = pair.1.wait_timeout_ms(guard, 1).unwrap();
        assert!(!in_time);
        drop(guard);
        // It has left the list: nobody is woken in its place.
        pair.1.notify_all();
    }
    all();
    workers(1).run(all);
}

#[test]
fn a_notification_in_time_is_no_timeout() {
    for duration in [LONG, Duration::MAX] {
        workers(1).run(|| {
            let pair = pair();
            let other = Arc::clone(&pair);
            let join = waiting("condition variable", move || {
                let guard = other.0.lock().unwrap();
                let (guard, result) =
                    other.1.wait_timeout_while(guard, duration, |n| *n == 0).unwrap();
                (*guard, result.timed_out())
            });
            *pair.0.lock().unwrap() = 1;
            pair.1.notify_one();
            assert_eq!(join.join().unwrap(), (1, false));
        });
    }
}

#[test]
fn a_mutex_that_was_poisoned_meanwhile_says_so() {
    workers(1).run(|| {
        let pair = pair();
        let other = Arc::clone(&pair);
        let join =
            waiting("condition variable", move || other.1.wait(other.0.lock().unwrap()).is_err());
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _guard = pair.0.lock().unwrap();
            pair.1.notify_one();
            panic!("on purpose");
        }));
        assert!(panic.is_err());
        assert!(join.join().unwrap());
        let timed = pair.1.wait_timeout(pair.0.lock().unwrap_err().into_inner(), Duration::ZERO);
        assert!(timed.unwrap_err().into_inner().1.timed_out());
    });
}

#[test]
fn who_is_cancelled_has_the_mutex_while_it_unwinds() {
    /// Looks, when it is dropped, whether its mutex is locked.
    struct Looks(Pair, Arc<AtomicUsize>);
    impl Drop for Looks {
        fn drop(&mut self) {
            let locked = self.0.0.try_lock().is_err();
            self.1.fetch_add(if locked { 1 } else { 100 }, Ordering::SeqCst);
        }
    }
    workers(1).run(|| {
        let (pair, looked) = (pair(), Arc::new(AtomicUsize::new(0)));
        let (other, looks) = (Arc::clone(&pair), Looks(Arc::clone(&pair), Arc::clone(&looked)));
        let join = waiting("condition variable", move || {
            let guard = other.0.lock().unwrap();
            // The guard is made again by `wait`, and lives in its frame while it unwinds: so it is dropped
            // first, and the mutex is free for what is around.
            let _looks = looks;
            drop(other.1.wait(guard).unwrap());
        });
        let guard = pair.0.lock().unwrap();
        join.cancel().unwrap();
        thread::yield_now();
        assert_eq!(looked.load(Ordering::SeqCst), 0, "it unwinds only with the mutex");
        assert!(format!("{:?}", join.thread()).contains("mutex"));
        drop(guard);
        assert!(is_cancelled(join.join()));
        assert_eq!(looked.load(Ordering::SeqCst), 100);
        assert!(!pair.0.is_poisoned());
    });
}

#[test]
fn a_cancelled_wait_takes_no_notification_away() {
    for notified_first in [false, true] {
        workers(1).run(|| {
            let pair = pair();
            let wait = || {
                let pair = Arc::clone(&pair);
                move || drop(pair.1.wait(pair.0.lock().unwrap()).unwrap())
            };
            let first = waiting("condition variable", wait());
            let second = waiting("condition variable", wait());
            if notified_first {
                pair.1.notify_one();
                first.cancel().unwrap();
                // The notification was its own, and it returns with it.
                first.join().unwrap();
                pair.1.notify_one();
            } else {
                first.cancel().unwrap();
                assert!(is_cancelled(first.join()));
                pair.1.notify_one();
            }
            second.join().unwrap();
        });
    }
}

/// Producers and consumers with a bounded store, some of which give up: what goes in comes out once.
#[test]
fn a_bounded_store_loses_nothing_on_many_workers() {
    const ITEMS: u64 = 200;
    for round in 0..12 {
        let runtime = workers(1 + round as usize % 3);
        let store = Arc::new((Mutex::new(Vec::new()), Condvar::new(), Condvar::new()));
        let consumers: Vec<_> = (0..6)
            .map(|seed| {
                let store = Arc::clone(&store);
                let consume = move || {
                    let (items, full, empty) = &*store;
                    let mut random = Random::new(seed + 100 * round);
                    let mut sum = 0;
                    loop {
                        let limit = Duration::from_micros(random.below(200));
                        let take = || {
                            let mut items = empty
                                .wait_while(items.lock().unwrap(), |it| it.is_empty())
                                .unwrap();
                            items.pop().unwrap()
                        };
                        let item = if random.below(2) == 0 {
                            time::timeout(limit, take).ok()
                        } else {
                            Some(take())
                        };
                        match item {
                            Some(0) => return sum,
                            Some(item) => {
                                sum += item;
                                full.notify_one();
                            }
                            None => {}
                        }
                    }
                };
                if seed < 4 {
                    let join = runtime.spawn(consume);
                    Box::new(move || join.join().unwrap()) as Box<dyn FnOnce() -> u64>
                } else {
                    let join = std::thread::spawn(consume);
                    Box::new(move || join.join().unwrap())
                }
            })
            .collect();
        let put = |store: &(Mutex<Vec<u64>>, Condvar, Condvar), item| {
            let (items, full, empty) = store;
            let mut items = full.wait_while(items.lock().unwrap(), |it| it.len() >= 4).unwrap();
            items.push(item);
            drop(items);
            empty.notify_one();
        };
        let producers: Vec<_> = (0..4)
            .map(|_| {
                let store = Arc::clone(&store);
                runtime.spawn(move || (1..=ITEMS).for_each(|item| put(&store, item)))
            })
            .collect();
        producers.into_iter().for_each(|join| join.join().unwrap());
        // Zeros last: the store gives the newest first, so they go in one by one.
        while !store.0.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        for _ in 0..6 {
            put(&store, 0);
            while !store.0.lock().unwrap().is_empty() {
                thread::yield_now();
            }
        }
        let sum: u64 = consumers.into_iter().map(|join| join()).sum();
        assert_eq!(sum, 4 * ITEMS * (ITEMS + 1) / 2);
    }
}
