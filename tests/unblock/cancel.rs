//! Cancellation, time limits and the end of a runtime, before a job has begun and after.

use super::{Gate, join_all, pool, workers};
use crate::coroutines::Counted;
use kettle::thread::{self, Cancelled, JoinHandle};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn what_has_begun_is_waited_for_and_its_value_returned() {
    workers(1).run(|| {
        let (gate, begun) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        let coroutine = {
            let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
            thread::spawn(move || {
                let frame = [1, 2, 3];
                let sum: i32 = kettle::unblock(|| {
                    begun.open();
                    gate.pass();
                    frame.iter().sum()
                });
                assert!(thread::is_cancelled());
                // The next one does not begin.
                let mask = thread::mask_cancellation();
                assert_eq!(kettle::unblock(|| sum), 6);
                drop(mask);
                kettle::unblock(|| unreachable!("a cancelled coroutine begins nothing"))
            })
        };
        kettle::unblock(|| begun.pass());
        coroutine.cancel().unwrap();
        assert!(!coroutine.is_finished());
        gate.open();
        let payload: Box<_> = coroutine.join().map(|(): ()| ()).unwrap_err();
        assert!(payload.is::<Cancelled>());
    });
}

#[test]
fn what_waits_for_a_thread_is_taken_back_and_its_closure_dropped() {
    let own = Arc::new(pool(1));
    let (gate, begun) = (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)));
    let (dropped, ran) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    workers(1).run(|| {
        let blocker = {
            let (own, gate, begun) = (Arc::clone(&own), Arc::clone(&gate), Arc::clone(&begun));
            thread::spawn(move || {
                own.run(|| {
                    begun.store(1, Ordering::SeqCst);
                    gate.pass();
                });
            })
        };
        while begun.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let queued: Vec<JoinHandle<()>> = (0..10)
            .map(|_| {
                let own = Arc::clone(&own);
                let (counted, ran) = (Counted(Arc::clone(&dropped)), Arc::clone(&ran));
                thread::spawn(move || {
                    own.run(move || {
                        let _counted = counted;
                        ran.fetch_add(1, Ordering::SeqCst);
                    });
                })
            })
            .collect();
        // One worker: when this one's turn comes again, all of them have gone as far as they could.
        thread::yield_now();
        thread::yield_now();
        // Every other one, so that the queue has gaps.
        let (odd, even): (Vec<_>, Vec<_>) =
            queued.into_iter().enumerate().partition(|(n, _)| n % 2 == 1);
        odd.iter().for_each(|(_, one)| one.cancel().unwrap());
        for (_, one) in odd {
            assert!(one.join().unwrap_err().is::<Cancelled>());
        }
        assert_eq!((dropped.load(Ordering::SeqCst), ran.load(Ordering::SeqCst)), (5, 0));
        gate.open();
        join_all(even.into_iter().map(|(_, one)| one).collect());
        blocker.join().unwrap();
    });
    assert_eq!((dropped.load(Ordering::SeqCst), ran.load(Ordering::SeqCst)), (10, 5));
}

#[test]
fn a_runtime_that_is_dropped_waits_for_what_has_begun_and_takes_back_the_rest() {
    let own = Arc::new(pool(2));
    let (gate, begun) = (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)));
    let (dropped, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let runtime = workers(2);
    for _ in 0..10 {
        let (own, gate, begun) = (Arc::clone(&own), Arc::clone(&gate), Arc::clone(&begun));
        let (counted, done) = (Counted(Arc::clone(&dropped)), Arc::clone(&done));
        drop(runtime.spawn(move || {
            own.run(move || {
                let _counted = counted;
                begun.fetch_add(1, Ordering::SeqCst);
                gate.pass();
            });
            done.fetch_add(1, Ordering::SeqCst);
        }));
    }
    while begun.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    let opener = {
        let (gate, dropped) = (Arc::clone(&gate), Arc::clone(&dropped));
        std::thread::spawn(move || {
            // The two that have begun are all that the runtime can be waiting for.
            while dropped.load(Ordering::SeqCst) < 8 {
                std::thread::yield_now();
            }
            gate.open();
        })
    };
    drop(runtime);
    opener.join().unwrap();
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    assert_eq!((dropped.load(Ordering::SeqCst), done.load(Ordering::SeqCst)), (10, 2));
}

#[test]
fn cancellations_that_meet_the_beginning_lose_no_job_and_no_thread() {
    let own = Arc::new(pool(2));
    let runtime = workers(3);
    let (begun, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    const ROUNDS: usize = 300;
    const EACH: usize = 6;
    for _ in 0..ROUNDS {
        let all: Vec<_> = (0..EACH)
            .map(|_| {
                let own = Arc::clone(&own);
                let (begun, counted) = (Arc::clone(&begun), Counted(Arc::clone(&dropped)));
                runtime.spawn(move || {
                    own.run(move || {
                        let _counted = counted;
                        begun.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        7
                    })
                })
            })
            .collect();
        std::thread::yield_now();
        all.iter().for_each(|one| one.cancel().unwrap());
        for one in all {
            match one.join() {
                Ok(value) => assert_eq!(value, 7),
                Err(payload) => assert!(payload.is::<Cancelled>()),
            }
        }
    }
    // Each closure was dropped once, whether it had run or not, and the pool still works.
    assert_eq!(dropped.load(Ordering::SeqCst), ROUNDS * EACH);
    assert!(own.threads() <= 2);
    assert_eq!(runtime.run(|| own.run(|| 9)), 9);
}
