//! Cancellation and time limits: what they end, and that they lose nothing.

use crate::crew::{LONG, SHORT};
use kettle::channel::{Select, TryRecvError, bounded, never, select, unbounded};
use kettle::runtime::Runtime;
use kettle::thread::{self, Cancelled, JoinHandle};
use kettle::time::timeout;
use std::sync::Arc;

fn on_workers(case: fn()) {
    for workers in [1, 2] {
        Runtime::builder().workers(workers).build().unwrap().run(case);
    }
}

/// Cancels `sleeper`, once it waits for what `reason` says.
fn cancel_in<T: std::fmt::Debug>(sleeper: JoinHandle<T>, reason: &str) {
    while !format!("{:?}", sleeper.thread()).contains(reason) {
        thread::yield_now();
    }
    sleeper.cancel().unwrap();
    assert!(sleeper.join().unwrap_err().is::<Cancelled>());
}

#[test]
fn a_receiver_that_is_cancelled_leaves_the_message_to_the_next() {
    on_workers(|| {
        for capacity in [0, 1, 5] {
            let (sender, receiver) = bounded(capacity);
            let copy = receiver.clone();
            cancel_in(thread::spawn(move || copy.recv()), "receiving");
            let copy = receiver.clone();
            let next = thread::spawn(move || copy.recv());
            sender.send(1).unwrap();
            assert_eq!(next.join().unwrap(), Ok(1));
        }
    });
}

#[test]
fn a_sender_that_is_cancelled_has_not_sent_and_its_message_is_dropped() {
    on_workers(|| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded(capacity);
            let live = Arc::new(());
            for _ in 0..capacity {
                sender.send(Arc::clone(&live)).unwrap();
            }
            let (copy, message) = (sender.clone(), Arc::clone(&live));
            cancel_in(thread::spawn(move || copy.send(message).is_ok()), "sending");
            assert_eq!(Arc::strong_count(&live), 1 + capacity);
            for _ in 0..capacity {
                assert!(receiver.try_recv().is_ok());
            }
            assert!(matches!(receiver.try_recv(), Err(TryRecvError::Empty)));
        }
    });
}

#[test]
fn a_select_that_is_cancelled_leaves_everything_to_the_next() {
    on_workers(|| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded(capacity);
            let (full, end) = bounded(capacity);
            for _ in 0..capacity {
                full.send(0).unwrap();
            }
            let (from, to) = (receiver.clone(), full.clone());
            let selecting = thread::spawn(move || {
                select! {
                    recv(from) -> _ => {}
                    send(to, 1) -> _ => {}
                }
            });
            cancel_in(selecting, "selecting");
            let from = receiver.clone();
            cancel_in(
                thread::spawn(move || {
                    let mut select = Select::new();
                    select.recv(&from);
                    select.ready()
                }),
                "selecting",
            );
            let (next, next_end) =
                (thread::spawn(move || receiver.recv()), thread::spawn(move || end.recv()));
            sender.send(2).unwrap();
            full.send(3).unwrap();
            assert_eq!(next.join().unwrap(), Ok(2));
            assert_eq!(next_end.join().unwrap(), Ok(if capacity == 0 { 3 } else { 0 }));
        }
    });
}

#[test]
fn a_wait_ends_with_the_time_limit_around_it() {
    on_workers(|| {
        let (sender, receiver) = bounded::<u8>(0);
        assert!(timeout(SHORT, || receiver.recv()).is_err());
        assert!(timeout(SHORT, || sender.send(1)).is_err());
        assert!(
            timeout(SHORT, || select! { recv(receiver) -> _ => {} recv(never::<()>()) -> _ => {} })
                .is_err()
        );
        // The shorter of two decides, and says so.
        assert!(timeout(LONG, || receiver.recv_timeout(SHORT)).unwrap().is_err());
        assert!(receiver.try_recv().is_err());
    });
}

#[test]
fn a_runtime_that_is_dropped_ends_those_who_wait_for_channels() {
    let (sender, receiver) = unbounded::<Arc<()>>();
    let live = Arc::new(());
    {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        for _ in 0..10 {
            let (receiver, live) = (receiver.clone(), Arc::clone(&live));
            runtime.spawn(move || {
                let _live = live;
                receiver.recv()
            });
        }
    }
    assert_eq!(Arc::strong_count(&live), 1);
    sender.send(live).unwrap();
    assert!(receiver.recv().is_ok());
}
