//! `Semaphore`.

use crate::coroutines::{Random, is_cancelled, waiting, workers};
use kettle::sync::{Arc, Mutex, Semaphore};
use kettle::thread;
use kettle::time::{self, Duration};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn permits_are_taken_and_given_back() {
    static CONSTANT: Semaphore = Semaphore::new(2);
    let one = CONSTANT.acquire();
    let two = CONSTANT.try_acquire().unwrap();
    assert_eq!((one.permits(), CONSTANT.available_permits()), (1, 0));
    assert!(CONSTANT.try_acquire().is_none());
    assert!(CONSTANT.acquire_timeout(Duration::from_millis(1)).is_none());
    drop(one);
    assert!(CONSTANT.try_acquire_many(2).is_none());
    drop(two);
    let both = CONSTANT.acquire_many(2);
    assert_eq!(format!("{both:?}"), "SemaphorePermit { permits: 2, .. }");
    assert_eq!(format!("{CONSTANT:?}"), "Semaphore { available_permits: 0, .. }");
    both.forget();
    assert_eq!(CONSTANT.available_permits(), 0);
    CONSTANT.add_permits(1);
    assert!(CONSTANT.acquire_timeout(Duration::ZERO).is_some());
    // Of none, none is taken.
    drop(CONSTANT.acquire_many(0));
    assert_eq!(CONSTANT.available_permits(), 1);
}

#[test]
fn owned_permits_go_where_they_are_sent() {
    let semaphore = Arc::new(Semaphore::new(3));
    let permit = Arc::clone(&semaphore).acquire_owned();
    let more = Arc::clone(&semaphore).acquire_many_owned(2);
    assert!(Arc::clone(&semaphore).try_acquire_owned().is_none());
    assert!(Arc::ptr_eq(permit.semaphore(), &semaphore));
    assert_eq!(
        (more.permits(), format!("{more:?}")),
        (2, "OwnedSemaphorePermit { permits: 2, .. }".into())
    );
    std::thread::spawn(move || drop(permit)).join().unwrap();
    assert_eq!(semaphore.available_permits(), 1);
    more.forget();
    drop(Arc::clone(&semaphore).try_acquire_owned().unwrap());
    assert_eq!((semaphore.available_permits(), Arc::strong_count(&semaphore)), (1, 1));
}

#[test]
fn more_than_can_be_counted_is_refused() {
    let max = Semaphore::MAX_PERMITS;
    let semaphore = Semaphore::new(max);
    let refused = |body: &dyn Fn()| catch_unwind(AssertUnwindSafe(body)).is_err();
    assert!(refused(&|| semaphore.add_permits(1)));
    assert!(refused(&|| drop(semaphore.acquire_many(max + 1))));
    assert!(refused(&|| drop(Semaphore::new(max + 1))));
    assert_eq!(semaphore.available_permits(), max);
    assert!(semaphore.try_acquire_many(max + 1).is_none());
    drop(semaphore.acquire_many(max));
}

#[test]
fn who_wants_many_is_not_overtaken() {
    workers(1).run(|| {
        let semaphore = Arc::new(Semaphore::new(3));
        let order = Arc::new(Mutex::new(Vec::new()));
        let held = semaphore.acquire_many(2);
        let want = |permits: usize| {
            let (semaphore, order) = (Arc::clone(&semaphore), Arc::clone(&order));
            waiting("semaphore", move || {
                let _permits = semaphore.acquire_many(permits);
                order.lock().unwrap().push(permits);
            })
        };
        let joins = [want(3), want(1), want(2)];
        assert!(semaphore.try_acquire().is_none(), "one is free, but others wait");
        drop(held);
        joins.into_iter().for_each(|join| join.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [3, 1, 2]);
        assert_eq!(semaphore.available_permits(), 3);
    });
}

#[test]
fn one_gift_serves_all_who_can_be_served() {
    workers(1).run(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let joins: Vec<_> = [1, 2, 1, 3]
            .into_iter()
            .map(|permits| {
                let semaphore = Arc::clone(&semaphore);
                waiting("semaphore", move || semaphore.acquire_many(permits).forget())
            })
            .collect();
        semaphore.add_permits(5);
        for _ in 0..5 {
            thread::yield_now();
        }
        let finished: Vec<_> = joins.iter().map(|join| join.is_finished()).collect();
        assert_eq!(finished, [true, true, true, false]);
        assert_eq!(semaphore.available_permits(), 1);
        semaphore.add_permits(2);
        joins.into_iter().for_each(|join| join.join().unwrap());
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn who_gives_up_lets_those_behind_it_in() {
    workers(1).run(|| {
        for by_time in [false, true] {
            let semaphore = Arc::new(Semaphore::new(1));
            let want = |permits, limit: Option<Duration>| {
                let semaphore = Arc::clone(&semaphore);
                waiting("semaphore", move || match limit {
                    Some(limit) => semaphore.acquire_many_timeout(permits, limit).is_some(),
                    None => semaphore.acquire_many(permits).permits() == permits,
                })
            };
            let many = want(2, by_time.then_some(Duration::from_millis(1)));
            let few = {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || drop(semaphore.acquire()))
            };
            if by_time {
                assert!(!many.join().unwrap());
            } else {
                thread::yield_now();
                assert!(!few.is_finished());
                many.cancel().unwrap();
                assert!(is_cancelled(many.join()));
            }
            few.join().unwrap();
            assert_eq!(semaphore.available_permits(), 1);
        }
    });
}

#[test]
fn a_permit_that_comes_with_the_cancellation_is_not_lost() {
    workers(1).run(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let want = || {
            let semaphore = Arc::clone(&semaphore);
            waiting("semaphore", move || drop(semaphore.acquire()))
        };
        let (first, second) = (want(), want());
        semaphore.add_permits(1);
        first.cancel().unwrap();
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// Random wishes, some of which are cancelled or run out of time: never more permits out than there are, and
/// all of them back at the end.
#[test]
fn permits_are_neither_lost_nor_doubled_on_many_workers() {
    const PERMITS: usize = 5;
    for round in 0..20_u64 {
        let runtime = workers(1 + round as usize % 3);
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let out = Arc::new(AtomicUsize::new(0));
        let body = |seed: u64| {
            let (semaphore, out) = (Arc::clone(&semaphore), Arc::clone(&out));
            move || {
                let mut random = Random::new(seed + 1_000 * round);
                for _ in 0..30 {
                    let permits = random.below(PERMITS as u64 + 1) as usize;
                    let limit = Duration::from_micros(random.below(200));
                    let kind = random.below(4);
                    let visit = || {
                        let permit = match kind {
                            0 => semaphore.acquire_many_timeout(permits, limit),
                            1 => semaphore.try_acquire_many(permits),
                            _ => Some(semaphore.acquire_many(permits)),
                        };
                        if permit.is_some() {
                            let before = out.fetch_add(permits, Ordering::Relaxed);
                            assert!(before + permits <= PERMITS);
                            let mask = thread::mask_cancellation();
                            thread::yield_now();
                            drop(mask);
                            out.fetch_sub(permits, Ordering::Relaxed);
                        }
                    };
                    if kind == 3 {
                        let _ = time::timeout(limit, visit);
                    } else {
                        visit();
                    }
                    thread::yield_now();
                }
            }
        };
        let joins: Vec<_> = (0..40).map(|seed| runtime.spawn(body(seed))).collect();
        let threads: Vec<_> = (40..42).map(|seed| std::thread::spawn(body(seed))).collect();
        for join in joins.iter().step_by(5) {
            join.cancel().unwrap();
        }
        for (index, join) in joins.into_iter().enumerate() {
            let result = join.join();
            assert!(result.is_ok() || (index % 5 == 0 && is_cancelled(result)));
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(semaphore.available_permits(), PERMITS);
    }
}
