//! `Select::ready`: to know, and not to do.

use crate::crew::{LONG, SHORT, everywhere};
use kettle::channel::{ReadyTimeoutError, Select, TryReadyError, after, bounded, never, unbounded};
use std::time::Instant;

#[test]
fn what_is_ready_is_told_and_stays() {
    let (sender, receiver) = bounded(1);
    let mut select = Select::new();
    let (send, recv) = (select.send(&sender), select.recv(&receiver));
    assert_eq!(select.try_ready(), Ok(send));
    sender.send(1).unwrap();
    for _ in 0..10 {
        assert_eq!((select.try_ready(), select.ready()), (Ok(recv), recv));
    }
    let idle = never::<()>();
    let mut select = Select::new();
    assert_eq!(select.try_ready(), Err(TryReadyError));
    assert_eq!(select.ready_timeout(SHORT), Err(ReadyTimeoutError));
    select.recv(&idle);
    assert_eq!(select.try_ready(), Err(TryReadyError));
    let start = Instant::now();
    assert_eq!(select.ready_timeout(SHORT), Err(ReadyTimeoutError));
    assert_eq!(select.ready_deadline(start + 2 * SHORT), Err(ReadyTimeoutError));
    assert!(start.elapsed() >= 2 * SHORT);
}

#[test]
fn who_waits_is_told_when_it_becomes_so() {
    everywhere(|crew| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded(capacity);
            let (back, end) = bounded(capacity);
            let mate = crew.spawn(move || {
                for n in 0..200 {
                    sender.send(n).unwrap();
                    assert_eq!(end.recv(), Ok(n));
                }
            });
            for n in 0..200 {
                let mut select = Select::new();
                select.recv(&receiver);
                assert_eq!((select.ready(), receiver.try_recv()), (0, Ok(n)));
                let mut select = Select::new();
                select.send(&back);
                assert_eq!((select.ready_timeout(LONG), back.try_send(n)), (Ok(0), Ok(())));
            }
            mate.join();
            let mut select = Select::new();
            select.recv(&receiver);
            assert_eq!(select.ready(), 0, "disconnected");
        }
    });
}

#[test]
fn all_who_wait_to_know_are_told() {
    everywhere(|crew| {
        let (sender, receiver) = unbounded();
        let mates: Vec<_> = (0..4)
            .map(|_| {
                let receiver = receiver.clone();
                crew.spawn(move || {
                    let mut select = Select::new();
                    select.recv(&receiver);
                    select.ready_timeout(LONG)
                })
            })
            .collect();
        sender.send(1).unwrap();
        assert!(mates.into_iter().all(|mate| mate.join() == Ok(0)));
        assert_eq!(receiver.recv(), Ok(1));
    });
}

#[test]
fn times_become_ready_too() {
    everywhere(|_| {
        let (soon, late) = (after(SHORT), after(LONG));
        let mut select = Select::new();
        select.recv(&late);
        select.recv(&soon);
        assert_eq!(select.ready(), 1);
        assert!(soon.try_recv().is_ok());
        assert_eq!(select.try_ready(), Err(TryReadyError));
    });
}

#[test]
fn a_full_channel_tells_that_it_has_room() {
    everywhere(|crew| {
        let (sender, receiver) = bounded(1);
        sender.send(0).unwrap();
        let mate = crew.spawn(move || receiver.iter().count());
        for n in 1..300 {
            let mut select = Select::new();
            select.send(&sender);
            assert_eq!(select.ready_timeout(LONG), Ok(0));
            sender.try_send(n).unwrap();
        }
        drop(sender);
        assert_eq!(mate.join(), 300);
    });
}
