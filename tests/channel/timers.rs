//! `after`, `at`, `tick` and `never`.

use crate::crew::{LONG, SHORT, everywhere};
use kettle::channel::{RecvTimeoutError, Select, TryRecvError, after, at, never, select, tick};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

#[test]
fn a_time_comes_once_and_not_before_it_is_due() {
    everywhere(|_| {
        let start = Instant::now();
        for receiver in [after(SHORT), at(start + SHORT)] {
            assert_eq!(receiver.try_recv().is_ok(), start.elapsed() > SHORT);
            let receiver =
                if start.elapsed() > SHORT { at(Instant::now() + SHORT) } else { receiver };
            let when = receiver.recv().unwrap();
            assert!(when <= Instant::now() && when >= start + SHORT);
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        }
    });
}

#[test]
fn a_time_in_the_past_is_there_at_once() {
    let when = Instant::now();
    let receiver = at(when);
    assert_eq!((receiver.capacity(), receiver.len(), receiver.is_full()), (Some(1), 1, true));
    assert_eq!(receiver.try_recv(), Ok(when));
    assert_eq!((receiver.len(), receiver.is_empty(), receiver.is_full()), (0, true, false));
}

#[test]
fn of_several_who_wait_for_one_time_one_gets_it() {
    everywhere(|crew| {
        let receiver = after(SHORT);
        let got = Arc::new(AtomicUsize::new(0));
        let mates: Vec<_> = (0..4)
            .map(|_| {
                let (receiver, got) = (receiver.clone(), Arc::clone(&got));
                crew.spawn(move || {
                    if receiver.recv_timeout(10 * SHORT).is_ok() {
                        got.fetch_add(1, SeqCst);
                    }
                })
            })
            .collect();
        drop(mates);
        assert_eq!(got.load(SeqCst), 1);
    });
}

#[test]
fn ticks_are_a_period_apart_and_do_not_pile_up() {
    everywhere(|_| {
        let start = Instant::now();
        let ticks = tick(SHORT);
        let mut last = start;
        for n in 1..=4 {
            let due = ticks.recv().unwrap();
            assert!(due >= last + SHORT && due >= start + n * SHORT && due <= Instant::now());
            last = due;
        }
        kettle::thread::sleep(4 * SHORT);
        assert_eq!(ticks.len(), 1);
        assert!(ticks.try_recv().is_ok());
        let again = Instant::now();
        assert!(ticks.recv().unwrap() + SHORT >= again, "the ones that were missed do not come");
    });
}

#[test]
fn a_wait_for_a_tick_may_be_given_up() {
    everywhere(|_| {
        let ticks = tick(LONG);
        assert_eq!(ticks.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        assert_eq!(ticks.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
        assert_eq!(ticks.try_recv(), Err(TryRecvError::Empty));
        assert!(ticks.is_empty() && !ticks.is_full());
    });
}

#[test]
fn never_is_never() {
    everywhere(|_| {
        let never = never::<u8>();
        assert_eq!((never.capacity(), never.len(), never.is_full()), (Some(0), 0, true));
        assert_eq!(never.try_recv(), Err(TryRecvError::Empty));
        let start = Instant::now();
        assert_eq!(never.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= SHORT);
        select! {
            recv(never) -> _ => unreachable!(),
            default(SHORT) => {}
        }
    });
    // What lies beyond the clock never comes either.
    assert!(after(Duration::MAX).same_channel(&kettle::channel::never()));
    assert!(tick(Duration::MAX).same_channel(&kettle::channel::never()));
}

#[test]
fn a_select_wakes_for_the_earliest_time() {
    everywhere(|_| {
        let start = Instant::now();
        let (early, late, ticks) = (after(SHORT), after(LONG), tick(LONG));
        let mut select = Select::new();
        select.recv(&late);
        let index = select.recv(&early);
        select.recv(&ticks);
        let operation = select.select();
        assert_eq!(operation.index(), index);
        assert!(operation.recv(&early).unwrap() >= start + SHORT);
        assert_eq!(select.ready_timeout(SHORT), Err(kettle::channel::ReadyTimeoutError));
    });
}
