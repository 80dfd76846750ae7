//! `WaitGroup`.

use crate::coroutines::{is_cancelled, waiting, workers};
use kettle::sync::{Arc, WaitGroup};
use kettle::thread;
use kettle::time::Duration;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_group_of_one_does_not_wait() {
    WaitGroup::new().wait();
    assert!(WaitGroup::default().wait_timeout(Duration::ZERO));
    let group = WaitGroup::new();
    let other = group.clone();
    assert_eq!(format!("{group:?}"), "WaitGroup { members: 2 }");
    assert!(!group.wait_timeout(Duration::from_millis(1)));
    other.wait();
}

#[test]
fn all_are_done_when_it_returns() {
    for workers_count in [1, 3] {
        let runtime = workers(workers_count);
        for _ in 0..50 {
            let group = WaitGroup::new();
            let done = Arc::new(AtomicUsize::new(0));
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    let (group, done) = (group.clone(), Arc::clone(&done));
                    runtime.spawn(move || {
                        group.wait();
                        assert_eq!(done.load(Ordering::Relaxed), 11);
                    })
                })
                .collect();
            let work = || {
                let (group, done) = (group.clone(), Arc::clone(&done));
                move || {
                    thread::yield_now();
                    done.fetch_add(1, Ordering::Relaxed);
                    drop(group);
                }
            };
            for _ in 0..10 {
                runtime.spawn(work());
            }
            std::thread::spawn(work());
            group.wait();
            assert_eq!(done.load(Ordering::Relaxed), 11);
            waiters.into_iter().for_each(|join| join.join().unwrap());
        }
    }
}

#[test]
fn members_that_unwind_are_done_and_waits_that_are_cancelled_are_over() {
    workers(1).run(|| {
        let group = WaitGroup::new();
        let member = group.clone();
        let member = waiting("parked", move || {
            let _member = member;
            thread::park();
        });
        let other = group.clone();
        let cancelled = waiting("group", move || other.wait());
        cancelled.cancel().unwrap();
        assert!(is_cancelled(cancelled.join()));
        let other = group.clone();
        let waits = waiting("group", move || other.wait());
        drop(group);
        thread::yield_now();
        assert!(!waits.is_finished());
        member.cancel().unwrap();
        waits.join().unwrap();
    });
}
