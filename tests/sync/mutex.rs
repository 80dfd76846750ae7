//! `Mutex`.

use crate::coroutines::{Counted, Random, is_cancelled, until, waiting, workers};
use kettle::sync::{Arc, Mutex, TryLockError};
use kettle::thread;
use kettle::time::{self, Duration};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Panics while it holds `mutex`.
fn poison<T>(mutex: &Mutex<T>) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = mutex.lock();
        panic!("on purpose");
    }));
    assert!(result.is_err());
}

#[test]
fn what_is_in_it_is_locked_read_and_taken_out() {
    static CONSTANT: Mutex<u32> = Mutex::new(7);
    assert_eq!(*CONSTANT.lock().unwrap(), 7);
    let mut mutex = Mutex::from(1);
    *mutex.lock().unwrap() += 1;
    *mutex.get_mut().unwrap() += 1;
    assert_eq!(mutex.into_inner().unwrap(), 3);
    assert_eq!(*Mutex::<u32>::default().lock().unwrap(), 0);
    let unsized_one: &Mutex<[u32]> = &Mutex::new([1, 2, 3]);
    unsized_one.lock().unwrap()[0] = 4;
    assert_eq!(*unsized_one.lock().unwrap(), [4, 2, 3]);
}

#[test]
fn into_inner_drops_the_value_once() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let mutex = Mutex::new(Counted(Arc::clone(&dropped)));
    let value = mutex.into_inner().unwrap();
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    drop(value);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    drop(Mutex::new(Counted(Arc::clone(&dropped))));
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
}

#[test]
fn a_locked_one_is_not_locked_twice() {
    let mutex = Mutex::new(5);
    let guard = mutex.lock().unwrap();
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked>, poisoned: false, .. }");
    assert_eq!((format!("{guard:?}"), format!("{guard}")), ("5".into(), "5".into()));
    drop(guard);
    assert_eq!(*mutex.try_lock().unwrap(), 5);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 5, poisoned: false, .. }");
}

#[test]
fn a_panic_poisons_it_until_that_is_cleared() {
    let mut mutex = Mutex::new(5);
    poison(&mutex);
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 5);
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    assert!(mutex.get_mut().is_err());
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 5, poisoned: true, .. }");
    mutex.clear_poison();
    assert_eq!(*mutex.lock().unwrap(), 5);
    poison(&mutex);
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 5);
}

#[test]
fn who_locks_while_it_unwinds_already_does_not_poison() {
    struct Locks<'a>(&'a Mutex<u32>);
    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let mutex = Mutex::new(0);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _locks = Locks(&mutex);
        panic!("on purpose");
    }));
    assert!(result.is_err() && !mutex.is_poisoned());
    assert_eq!(mutex.into_inner().unwrap(), 1);
}

#[test]
fn one_at_a_time_has_it_on_coroutines_and_threads() {
    const EACH: usize = 500;
    for workers_count in [1, 2, 4] {
        let runtime = workers(workers_count);
        let mutex = Arc::new(Mutex::new(0));
        let inside = Arc::new(AtomicBool::new(false));
        let body = |seed: u64| {
            let (mutex, inside) = (Arc::clone(&mutex), Arc::clone(&inside));
            move || {
                let mut random = Random::new(seed + 1);
                for _ in 0..EACH {
                    let mut guard = mutex.lock().unwrap();
                    assert!(!inside.swap(true, Ordering::Relaxed));
                    if random.below(4) == 0 {
                        thread::yield_now();
                    }
                    *guard += 1;
                    inside.store(false, Ordering::Relaxed);
                    drop(guard);
                    if random.below(4) == 0 {
                        thread::yield_now();
                    }
                }
            }
        };
        let coroutines: Vec<_> = (0..20).map(|seed| runtime.spawn(body(seed))).collect();
        let threads: Vec<_> = (20..23).map(|seed| std::thread::spawn(body(seed))).collect();
        coroutines.into_iter().for_each(|join| join.join().unwrap());
        threads.into_iter().for_each(|join| join.join().unwrap());
        assert_eq!(*mutex.lock().unwrap(), 23 * EACH);
    }
}

/// Whoever holds it releases it and takes it again without ever making way: only a hand-over gives others
/// a turn.
#[test]
fn one_that_comes_in_vain_is_handed_it() {
    workers(1).run(|| {
        let mutex = Arc::new(Mutex::new(0));
        let mut guard = mutex.lock().unwrap();
        let other = Arc::clone(&mutex);
        let waiter = waiting("mutex", move || *other.lock().unwrap() += 1);
        let mut rounds = 0;
        while *guard == 0 {
            rounds += 1;
            assert!(rounds < 100, "the one who waits is never let in");
            drop(guard);
            guard = mutex.lock().unwrap();
            // It comes, while the lock is held again, and finds so.
            thread::yield_now();
        }
        drop(guard);
        waiter.join().unwrap();
    });
}

#[test]
fn who_waits_is_let_in_in_turn() {
    workers(1).run(|| {
        let mutex = Arc::new(Mutex::new(Vec::new()));
        let guard = mutex.lock().unwrap();
        let joins: Vec<_> = (0..10)
            .map(|n| {
                let mutex = Arc::clone(&mutex);
                waiting("mutex", move || mutex.lock().unwrap().push(n))
            })
            .collect();
        drop(guard);
        joins.into_iter().for_each(|join| join.join().unwrap());
        assert_eq!(*mutex.lock().unwrap(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn a_cancelled_wait_is_over_and_the_others_go_on() {
    workers(1).run(|| {
        for cancelled in 0..3 {
            let mutex = Arc::new(Mutex::new(0));
            let guard = mutex.lock().unwrap();
            let mut joins: Vec<_> = (0..3)
                .map(|_| {
                    let mutex = Arc::clone(&mutex);
                    waiting("mutex", move || *mutex.lock().unwrap() += 1)
                })
                .collect();
            let join = joins.remove(cancelled);
            join.cancel().unwrap();
            assert!(is_cancelled(join.join()));
            drop(guard);
            joins.into_iter().for_each(|join| join.join().unwrap());
            assert_eq!(*mutex.lock().unwrap(), 2);
        }
    });
}

/// Cancelled when it has been woken to try and has not run since: the next one has to hear of the lock.
#[test]
fn one_that_is_cancelled_on_its_way_leaves_the_lock_to_the_next() {
    for handed_over in [false, true] {
        workers(1).run(|| {
            let mutex = Arc::new(Mutex::new(()));
            let guard = mutex.lock().unwrap();
            let lock = || {
                let mutex = Arc::clone(&mutex);
                move || drop(mutex.lock().unwrap())
            };
            let (first, second) = (waiting("mutex", lock()), waiting("mutex", lock()));
            let mut guard = Some(guard);
            if handed_over {
                for _ in 0..4 {
                    guard = None;
                    assert!(guard.is_none());
                    guard = Some(mutex.lock().unwrap());
                    thread::yield_now();
                }
            }
            drop(guard);
            first.cancel().unwrap();
            // It has the lock already, or finds it free: it goes on to its end without another wait.
            first.join().unwrap();
            second.join().unwrap();
        });
    }
}

#[test]
fn a_time_limit_ends_the_wait_on_coroutines_and_threads() {
    fn limited() {
        let mutex = Mutex::new(0);
        let guard = mutex.lock().unwrap();
        assert!(time::timeout(Duration::from_millis(1), || drop(mutex.lock())).is_err());
        drop(guard);
        assert!(!mutex.is_poisoned());
        assert!(time::timeout(Duration::from_secs(1_000), || *mutex.lock().unwrap()).is_ok());
    }
    limited();
    workers(1).run(limited);
}

#[test]
fn a_cancellation_does_not_poison_what_it_unwinds_through() {
    workers(1).run(|| {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        let join = waiting("parked", move || {
            let _guard = other.lock().unwrap();
            thread::park();
        });
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
        assert_eq!(*mutex.lock().unwrap(), 0);

        let limited = time::timeout(Duration::from_millis(1), || {
            let _guard = mutex.lock().unwrap();
            thread::park();
        });
        assert!(limited.is_err());
        assert_eq!(*mutex.lock().unwrap(), 0);
        poison(&mutex);
        assert!(mutex.is_poisoned());
    });
}

/// Each panic after a cancellation that was caught, in a coroutine that has been cancelled.
#[test]
fn a_panic_after_a_cancellation_poisons() {
    fn cancelled(body: impl FnOnce(&Mutex<u32>) + Send + 'static) -> Arc<Mutex<u32>> {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        let join = waiting("parked", move || {
            catch_unwind(AssertUnwindSafe(thread::park)).unwrap_err();
            body(&other);
        });
        join.cancel().unwrap();
        let _ = join.join();
        mutex
    }
    fn wait_and_catch() -> Box<dyn std::any::Any + Send> {
        catch_unwind(AssertUnwindSafe(thread::park)).unwrap_err()
    }
    workers(1).run(|| {
        // Its payload is gone when it panics.
        let mutex = cancelled(|mutex| {
            let _guard = mutex.lock().unwrap();
            drop(wait_and_catch());
            panic!("on purpose");
        });
        assert!(mutex.is_poisoned());
        // It has been kept, by somebody younger than the guard.
        let mutex = cancelled(|mutex| {
            let _guard = mutex.lock().unwrap();
            let _payload = wait_and_catch();
            panic!("on purpose");
        });
        assert!(mutex.is_poisoned());
        // It has been kept, by somebody older.
        let mutex = cancelled(|mutex| {
            let _payload = wait_and_catch();
            let _guard = mutex.lock().unwrap();
            panic!("on purpose");
        });
        assert!(mutex.is_poisoned());
        // It goes on, and so it is no panic.
        let mutex = cancelled(|mutex| {
            let _guard = mutex.lock().unwrap();
            let payload = wait_and_catch();
            resume_unwind(payload);
        });
        assert!(!mutex.is_poisoned());
    });
}

/// Cancellations and time limits among those who take turns, on several workers: nobody is forgotten, and
/// nobody is let in twice.
#[test]
fn whoever_is_not_cancelled_is_let_in() {
    for round in 0..30 {
        let runtime = workers(1 + round % 3);
        let mutex = Arc::new(Mutex::new(0_usize));
        let inside = Arc::new(AtomicBool::new(false));
        let entered = Arc::new(AtomicUsize::new(0));
        let joins: Vec<_> = (0..60)
            .map(|seed| {
                let (mutex, inside, entered) =
                    (Arc::clone(&mutex), Arc::clone(&inside), Arc::clone(&entered));
                runtime.spawn(move || {
                    let mut random = Random::new(seed + 1_000 * round as u64);
                    for _ in 0..20 {
                        let limit = Duration::from_micros(random.below(300));
                        let count = || {
                            let mut guard = mutex.lock().unwrap();
                            assert!(!inside.swap(true, Ordering::Relaxed));
                            *guard += 1;
                            entered.fetch_add(1, Ordering::Relaxed);
                            let mask = thread::mask_cancellation();
                            if seed % 2 == 0 {
                                thread::yield_now();
                            }
                            drop(mask);
                            inside.store(false, Ordering::Relaxed);
                        };
                        if random.below(3) == 0 {
                            let _ = time::timeout(limit, count);
                        } else {
                            count();
                        }
                        thread::yield_now();
                    }
                })
            })
            .collect();
        for join in joins.iter().step_by(5) {
            join.cancel().unwrap();
        }
        for (index, join) in joins.into_iter().enumerate() {
            let result = join.join();
            assert!(result.is_ok() || (index % 5 == 0 && is_cancelled(result)));
        }
        until(|| !inside.load(Ordering::Relaxed));
        assert_eq!(*mutex.lock().unwrap(), entered.load(Ordering::Relaxed));
    }
}
