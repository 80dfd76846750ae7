//! `Barrier`.

use crate::coroutines::{is_cancelled, waiting, workers};
use kettle::sync::{Arc, Barrier};
use kettle::thread;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn one_or_none_do_not_wait() {
    for size in [0, 1] {
        let barrier = Barrier::new(size);
        for _ in 0..3 {
            assert!(barrier.wait().is_leader());
        }
        assert_eq!(format!("{barrier:?}"), "Barrier { .. }");
        assert_eq!(format!("{:?}", barrier.wait()), "BarrierWaitResult { is_leader: true }");
    }
}

#[test]
fn nobody_goes_on_before_all_have_come_and_one_leads() {
    const SIZE: usize = 12;
    const ROUNDS: usize = 50;
    for workers_count in [1, 3] {
        let runtime = workers(workers_count);
        let shared = Arc::new((Barrier::new(SIZE), AtomicUsize::new(0), AtomicUsize::new(0)));
        let body = |shared: Arc<(Barrier, AtomicUsize, AtomicUsize)>| {
            move || {
                let (barrier, come, leaders) = &*shared;
                for round in 1..=ROUNDS {
                    come.fetch_add(1, Ordering::Relaxed);
                    let leads = barrier.wait().is_leader();
                    leaders.fetch_add(usize::from(leads), Ordering::Relaxed);
                    assert!(come.load(Ordering::Relaxed) >= round * SIZE);
                }
            }
        };
        let joins: Vec<_> =
            (0..SIZE - 2).map(|_| runtime.spawn(body(Arc::clone(&shared)))).collect();
        let threads: Vec<_> =
            (0..2).map(|_| std::thread::spawn(body(Arc::clone(&shared)))).collect();
        joins.into_iter().for_each(|join| join.join().unwrap());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(shared.2.load(Ordering::Relaxed), ROUNDS);
    }
}

#[test]
fn who_is_cancelled_has_not_come() {
    workers(1).run(|| {
        let barrier = Arc::new(Barrier::new(3));
        let wait = || {
            let barrier = Arc::clone(&barrier);
            move || barrier.wait().is_leader()
        };
        let (first, cancelled) = (waiting("barrier", wait()), waiting("barrier", wait()));
        cancelled.cancel().unwrap();
        assert!(is_cancelled(cancelled.join()));
        let second = waiting("barrier", wait());
        assert!(!first.is_finished());
        assert!(barrier.wait().is_leader());
        // One that is cancelled when all have come goes on.
        first.cancel().unwrap();
        assert!(!first.join().unwrap() && !second.join().unwrap());
        thread::yield_now();
        // All is as it was for the next round.
        let others = [waiting("barrier", wait()), waiting("barrier", wait())];
        assert!(barrier.wait().is_leader());
        assert!(others.into_iter().all(|join| !join.join().unwrap()));
    });
}
