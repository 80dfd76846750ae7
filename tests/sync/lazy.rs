//! `LazyLock`.

use crate::coroutines::{Counted, waiting, workers};
use kettle::sync::{Arc, LazyLock};
use kettle::thread;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

static CALLS: AtomicUsize = AtomicUsize::new(0);

static LAZY: LazyLock<u32> = LazyLock::new(|| {
    CALLS.fetch_add(1, Ordering::SeqCst);
    thread::yield_now();
    7
});

#[test]
fn the_value_is_made_once_by_whoever_comes_first() {
    let runtime = workers(2);
    assert_eq!(LazyLock::get(&LAZY), None);
    assert_eq!(format!("{LAZY:?}"), "LazyLock(<uninit>)");
    let joins: Vec<_> = (0..20).map(|_| runtime.spawn(|| *LAZY)).collect();
    let thread = std::thread::spawn(|| *LazyLock::force(&LAZY));
    assert!(joins.into_iter().all(|join| join.join().unwrap() == 7));
    assert_eq!(thread.join().unwrap(), 7);
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    assert_eq!(LazyLock::get(&LAZY), Some(&7));
    assert_eq!(format!("{LAZY:?}"), "LazyLock(7)");
}

#[test]
fn who_has_it_to_itself_changes_the_value() {
    let mut lazy = LazyLock::new(|| 1);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    *LazyLock::force_mut(&mut lazy) += 1;
    *LazyLock::get_mut(&mut lazy).unwrap() += 1;
    assert_eq!(*lazy, 3);
    assert_eq!(*LazyLock::<u32>::default(), 0);
}

#[test]
fn after_a_panic_there_is_never_a_value() {
    let lazy: LazyLock<u32> = LazyLock::new(|| panic!("on purpose"));
    for _ in 0..2 {
        assert!(catch_unwind(AssertUnwindSafe(|| *lazy)).is_err());
    }
    assert_eq!(LazyLock::get(&lazy), None);
}

#[test]
fn closure_and_value_are_dropped_once_each() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = || dropped.load(Ordering::SeqCst);
    let lazy = || {
        let counted = Counted(Arc::clone(&dropped));
        LazyLock::new(move || {
            let inner = Counted(Arc::clone(&counted.0));
            drop(counted);
            inner
        })
    };
    drop(lazy());
    assert_eq!(count(), 1);
    let made = lazy();
    LazyLock::force(&made);
    assert_eq!(count(), 2);
    drop(made);
    assert_eq!(count(), 3);
    let counted = Counted(Arc::clone(&dropped));
    let fails: LazyLock<u32, _> = LazyLock::new(move || {
        let _counted = counted;
        panic!("on purpose");
    });
    assert!(catch_unwind(AssertUnwindSafe(|| *fails)).is_err());
    assert_eq!(count(), 4);
    drop(fails);
    assert_eq!(count(), 4);
}

#[test]
fn a_cancellation_waits_until_the_value_is_made() {
    workers(1).run(|| {
        let lazy: Arc<LazyLock<u32>> = Arc::new(LazyLock::new(|| {
            thread::park();
            7
        }));
        let other = Arc::clone(&lazy);
        let join = waiting("parked", move || **other);
        join.cancel().unwrap();
        thread::yield_now();
        assert!(!join.is_finished());
        join.thread().unpark();
        assert_eq!(join.join().unwrap(), 7);
        assert_eq!(**lazy, 7);
    });
}
