//! `Once` and `OnceLock`.

use crate::coroutines::{Counted, is_cancelled, waiting, workers};
use kettle::sync::{Arc, Once, OnceLock};
use kettle::thread;
use kettle::time::{self, Duration};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

fn fails<T>(body: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(body)).is_err()
}

#[test]
fn it_is_done_once() {
    static ONCE: Once = Once::new();
    let mut calls = 0;
    assert!(!ONCE.is_completed());
    ONCE.call_once(|| calls += 1);
    ONCE.call_once(|| calls += 1);
    ONCE.call_once_force(|_| calls += 1);
    ONCE.wait();
    ONCE.wait_force();
    assert!(ONCE.is_completed());
    assert_eq!(calls, 1);
    assert_eq!(format!("{ONCE:?}"), "Once { .. }");
}

#[test]
fn all_who_come_see_what_was_done() {
    for workers_count in [1, 3] {
        let runtime = workers(workers_count);
        for _ in 0..50 {
            let shared = Arc::new((Once::new(), AtomicUsize::new(0)));
            let body = |shared: Arc<(Once, AtomicUsize)>| {
                move || {
                    shared.0.call_once(|| {
                        thread::yield_now();
                        shared.1.fetch_add(1, Ordering::Relaxed);
                    });
                    assert_eq!(shared.1.load(Ordering::Relaxed), 1);
                }
            };
            let joins: Vec<_> = (0..20).map(|_| runtime.spawn(body(Arc::clone(&shared)))).collect();
            let thread = std::thread::spawn(body(Arc::clone(&shared)));
            joins.into_iter().for_each(|join| join.join().unwrap());
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_panic_poisons_until_somebody_forces_it() {
    let once = Once::new();
    assert!(fails(|| once.call_once(|| panic!("on purpose"))));
    assert!(!once.is_completed());
    // Poisoned: neither called nor waited for.
    assert!(fails(|| once.call_once(|| {})));
    assert!(fails(|| once.wait()));
    // It can panic again, and stays so.
    assert!(fails(|| once.call_once_force(|state| {
        assert!(state.is_poisoned());
        assert_eq!(format!("{state:?}"), "OnceState { poisoned: true, .. }");
        panic!("on purpose");
    })));
    let mut called = false;
    once.call_once_force(|state| called = state.is_poisoned());
    assert!(called && once.is_completed());
    once.call_once(|| panic!("it is done"));
    once.wait();
    let fresh = Once::new();
    fresh.call_once_force(|state| assert!(!state.is_poisoned()));
}

#[test]
fn who_waits_for_one_that_panics_hears_of_it() {
    workers(1).run(|| {
        let once = Arc::new(Once::new());
        let runner = {
            let once = Arc::clone(&once);
            waiting("parked", move || {
                once.call_once(|| {
                    thread::park();
                    panic!("on purpose");
                });
            })
        };
        let spawn = |body: fn(&Once)| {
            let once = Arc::clone(&once);
            waiting("initialisation", move || body(&once))
        };
        let (calls, waits) = (spawn(|once| once.call_once(|| {})), spawn(Once::wait));
        let forces = spawn(|once| once.call_once_force(|state| assert!(state.is_poisoned())));
        let patient = spawn(Once::wait_force);
        runner.thread().unpark();
        assert!(runner.join().is_err());
        forces.join().unwrap();
        patient.join().unwrap();
        // These two have looked while it was poisoned, or when it was done by the one who forced it.
        let _ = (calls.join(), waits.join());
        assert!(once.is_completed());
    });
}

#[test]
fn a_cancelled_one_leaves_it_to_the_next() {
    workers(1).run(|| {
        let once = Arc::new(Once::new());
        let runner = {
            let once = Arc::clone(&once);
            waiting("parked", move || once.call_once(thread::park))
        };
        let spawn = || {
            let once = Arc::clone(&once);
            waiting("initialisation", move || {
                let mut called = false;
                once.call_once(|| called = true);
                called
            })
        };
        let (given_up, next, other) = (spawn(), spawn(), spawn());
        given_up.cancel().unwrap();
        assert!(is_cancelled(given_up.join()));
        runner.cancel().unwrap();
        assert!(is_cancelled(runner.join()));
        assert_eq!([next.join().unwrap(), other.join().unwrap()], [true, false]);

        let once = Once::new();
        let limit = Duration::from_millis(1);
        assert!(time::timeout(limit, || once.call_once(thread::park)).is_err());
        once.call_once(|| {});
        // One that was poisoned before stays so.
        let once = Once::new();
        assert!(fails(|| once.call_once(|| panic!("on purpose"))));
        let forced = time::timeout(limit, || once.call_once_force(|_| thread::park()));
        assert!(forced.is_err());
        once.call_once_force(|state| assert!(state.is_poisoned()));
    });
}

#[test]
fn waiting_for_one_that_nobody_has_begun() {
    workers(1).run(|| {
        let once = Arc::new(Once::new());
        let spawn = |body: fn(&Once)| {
            let once = Arc::clone(&once);
            waiting("initialisation", move || body(&once))
        };
        let waiting = [spawn(Once::wait), spawn(Once::wait_force)];
        once.call_once(|| {});
        waiting.into_iter().for_each(|join| join.join().unwrap());
    });
}

#[test]
fn a_value_is_written_once() {
    static CELL: OnceLock<String> = OnceLock::new();
    assert_eq!(CELL.get(), None);
    assert_eq!(format!("{CELL:?}"), "OnceLock(<uninit>)");
    assert_eq!(CELL.get_or_init(|| "tea".to_owned()), "tea");
    assert_eq!(CELL.get_or_init(|| unreachable!()), "tea");
    assert_eq!(CELL.set("coffee".to_owned()), Err("coffee".to_owned()));
    assert_eq!(CELL.wait(), "tea");
    assert_eq!(format!("{CELL:?}"), "OnceLock(\"tea\")");
    let mut cell = CELL.clone();
    assert_eq!(cell, CELL);
    cell.get_mut().unwrap().push('s');
    assert_ne!(cell, CELL);
    assert_eq!(cell.take().as_deref(), Some("teas"));
    assert_eq!((cell.take(), cell.get_mut()), (None, None));
    assert_eq!(cell.set("more".to_owned()), Ok(()));
    assert_eq!(cell.into_inner().as_deref(), Some("more"));
    assert_eq!(OnceLock::<u32>::default().into_inner(), None);
    assert_eq!(OnceLock::from(3).get(), Some(&3));
}

#[test]
fn a_value_is_dropped_once_if_it_is_there() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = || dropped.load(Ordering::SeqCst);
    drop(OnceLock::<Counted>::new());
    let cell = OnceLock::new();
    assert!(cell.set(Counted(Arc::clone(&dropped))).is_ok());
    drop(cell.set(Counted(Arc::clone(&dropped))));
    assert_eq!(count(), 1);
    drop(cell);
    assert_eq!(count(), 2);
    let cell = OnceLock::from(Counted(Arc::clone(&dropped)));
    let value = cell.into_inner();
    assert_eq!(count(), 2);
    drop(value);
    assert_eq!(count(), 3);
}

#[test]
fn a_panic_or_a_cancellation_leaves_the_place_empty() {
    let cell = OnceLock::new();
    assert!(fails(|| cell.get_or_init(|| panic!("on purpose"))));
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_or_init(|| 1), &1);
    let cell = OnceLock::new();
    let limit = Duration::from_millis(1);
    let wait = || {
        cell.get_or_init(|| {
            thread::park();
            1
        });
    };
    assert!(time::timeout(limit, wait).is_err());
    assert_eq!((cell.get(), cell.set(2)), (None, Ok(())));
}

#[test]
fn who_comes_while_the_value_is_made_waits_for_it() {
    workers(1).run(|| {
        let cell = Arc::new(OnceLock::new());
        let maker = {
            let cell = Arc::clone(&cell);
            waiting("parked", move || {
                *cell.get_or_init(|| {
                    thread::park();
                    1
                })
            })
        };
        assert_eq!(cell.get(), None);
        let spawn = |body: fn(&OnceLock<u32>) -> u32| {
            let cell = Arc::clone(&cell);
            waiting("initialisation", move || body(&cell))
        };
        let others = [
            spawn(|cell| *cell.wait()),
            spawn(|cell| *cell.get_or_init(|| 2)),
            spawn(|cell| cell.set(3).unwrap_err() - 2),
        ];
        maker.thread().unpark();
        assert_eq!(maker.join().unwrap(), 1);
        for other in others {
            assert_eq!(other.join().unwrap(), 1);
        }
    });
}
