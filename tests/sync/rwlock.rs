//! `RwLock`.

use crate::coroutines::{Random, is_cancelled, waiting, workers};
use kettle::sync::{Arc, RwLock, RwLockWriteGuard, TryLockError};
use kettle::thread;
use kettle::time::{self, Duration};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

#[test]
fn what_is_in_it_is_read_written_and_taken_out() {
    static CONSTANT: RwLock<u32> = RwLock::new(7);
    assert_eq!(*CONSTANT.read().unwrap(), 7);
    let mut lock = RwLock::from(1);
    *lock.write().unwrap() += 1;
    *lock.get_mut().unwrap() += 1;
    assert_eq!(lock.into_inner().unwrap(), 3);
    assert_eq!(*RwLock::<u32>::default().read().unwrap(), 0);
    let unsized_one: &RwLock<[u32]> = &RwLock::new([1, 2, 3]);
    unsized_one.write().unwrap()[0] = 4;
    assert_eq!(*unsized_one.read().unwrap(), [4, 2, 3]);
}

#[test]
fn many_read_or_one_writes() {
    let lock = RwLock::new(5);
    let (one, two) = (lock.read().unwrap(), lock.read().unwrap());
    assert_eq!((format!("{one:?}"), format!("{two}")), ("5".into(), "5".into()));
    assert!(lock.try_read().is_ok());
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    drop(one);
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    assert_eq!(format!("{lock:?}"), "RwLock { data: 5, poisoned: false, .. }");
    drop(two);
    let write = lock.try_write().unwrap();
    assert_eq!((format!("{write:?}"), format!("{write}")), ("5".into(), "5".into()));
    assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked>, poisoned: false, .. }");
    drop(write);
    assert!(lock.try_read().is_ok());
}

#[test]
fn a_panic_poisons_it_only_while_writing() {
    let mut lock = RwLock::new(5);
    let read = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.read().unwrap();
        panic!("on purpose");
    }));
    assert!(read.is_err() && !lock.is_poisoned());
    let write = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.write().unwrap();
        panic!("on purpose");
    }));
    assert!(write.is_err() && lock.is_poisoned());
    assert_eq!(*lock.read().unwrap_err().into_inner(), 5);
    assert_eq!(*lock.write().unwrap_err().into_inner(), 5);
    assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    assert!(lock.get_mut().is_err());
    assert_eq!(format!("{lock:?}"), "RwLock { data: 5, poisoned: true, .. }");
    lock.clear_poison();
    assert!(lock.read().is_ok() && !lock.is_poisoned());
    let write = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.write().unwrap();
        panic!("on purpose");
    }));
    assert!(write.is_err() && lock.into_inner().is_err());
}

#[test]
fn a_cancellation_while_writing_does_not_poison() {
    workers(1).run(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = Arc::clone(&lock);
        let join = waiting("parked", move || {
            let _guard = other.write().unwrap();
            thread::park();
        });
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
        assert!(lock.read().is_ok());
    });
}

#[test]
fn everybody_is_let_in_in_the_order_of_arrival() {
    workers(1).run(|| {
        let lock = Arc::new(RwLock::new(()));
        let log = Arc::new(std::sync::Mutex::new(Vec::new()));
        let first = lock.read().unwrap();
        let joins: Vec<_> = "wrrwwrr"
            .chars()
            .map(|kind| {
                let (lock, log) = (Arc::clone(&lock), Arc::clone(&log));
                let what = if kind == 'r' { "to read" } else { "to write" };
                waiting(what, move || {
                    let record = |entry: &str| log.lock().unwrap().push(entry.to_owned());
                    if kind == 'r' {
                        let _guard = lock.read().unwrap();
                        record("r+");
                        thread::yield_now();
                        record("r-");
                    } else {
                        let _guard = lock.write().unwrap();
                        record("w+");
                        thread::yield_now();
                        record("w-");
                    }
                })
            })
            .collect();
        // Who reads now would be past the writer.
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        drop(first);
        joins.into_iter().for_each(|join| join.join().unwrap());
        let log = log.lock().unwrap().join(" ");
        assert_eq!(log, "w+ w- r+ r+ r- r- w+ w- w+ w- r+ r+ r- r-");
    });
}

#[test]
fn who_writes_goes_on_to_read_with_nobody_in_between() {
    workers(1).run(|| {
        let lock = Arc::new(RwLock::new(0));
        let writing = lock.write().unwrap();
        let reader = {
            let lock = Arc::clone(&lock);
            waiting("to read", move || *lock.read().unwrap())
        };
        let writer = {
            let lock = Arc::clone(&lock);
            waiting("to write", move || *lock.write().unwrap() = 2)
        };
        let mut writing = writing;
        *writing = 1;
        let reading = RwLockWriteGuard::downgrade(writing);
        assert_eq!(reader.join().unwrap(), 1);
        for _ in 0..10 {
            thread::yield_now();
        }
        assert_eq!(*reading, 1);
        drop(reading);
        writer.join().unwrap();
        assert_eq!(*lock.read().unwrap(), 2);
    });
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_behind_it_in() {
    workers(1).run(|| {
        for by_time in [false, true] {
            let lock = Arc::new(RwLock::new(()));
            let guard = lock.read().unwrap();
            let other = Arc::clone(&lock);
            let writer = waiting("to write", move || {
                if by_time {
                    let limit = Duration::from_millis(1);
                    assert!(time::timeout(limit, || drop(other.write())).is_err());
                } else {
                    drop(other.write());
                }
            });
            let other = Arc::clone(&lock);
            let reader = thread::spawn(move || drop(other.read()));
            if by_time {
                writer.join().unwrap();
            } else {
                thread::yield_now();
                writer.cancel().unwrap();
                assert!(is_cancelled(writer.join()));
            }
            reader.join().unwrap();
            assert!(lock.try_read().is_ok());
            drop(guard);
            assert!(lock.try_write().is_ok());
        }
    });
}

/// Readers and writers with cancellations and time limits, on several workers and beside OS threads.
#[test]
fn nobody_reads_while_somebody_writes_and_nobody_is_forgotten() {
    for round in 0..20_usize {
        let runtime = workers(1 + round % 3);
        let lock = Arc::new(RwLock::new(0_usize));
        // How many read; less than zero while somebody writes.
        let inside = Arc::new(AtomicIsize::new(0));
        let written = Arc::new(AtomicUsize::new(0));
        let body = |seed: u64| {
            let (lock, inside, written) =
                (Arc::clone(&lock), Arc::clone(&inside), Arc::clone(&written));
            move || {
                let mut random = Random::new(seed + 1_000 * round as u64);
                for _ in 0..30 {
                    let (kind, stay) = (random.below(3), random.below(2) == 0);
                    let visit = || {
                        let pause = || {
                            let _mask = thread::mask_cancellation();
                            if stay {
                                thread::yield_now();
                            }
                        };
                        if kind == 0 {
                            let mut guard = lock.write().unwrap();
                            assert_eq!(inside.fetch_sub(1, Ordering::Relaxed), 0);
                            *guard += 1;
                            written.fetch_add(1, Ordering::Relaxed);
                            pause();
                            inside.fetch_add(1, Ordering::Relaxed);
                        } else {
                            let guard = lock.read().unwrap();
                            assert!(inside.fetch_add(1, Ordering::Relaxed) >= 0);
                            let before = *guard;
                            pause();
                            assert_eq!(*guard, before);
                            inside.fetch_sub(1, Ordering::Relaxed);
                        }
                    };
                    if random.below(3) == 0 {
                        let limit = Duration::from_micros(random.below(200));
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
        assert_eq!(*lock.try_write().unwrap(), written.load(Ordering::Relaxed));
    }
}
