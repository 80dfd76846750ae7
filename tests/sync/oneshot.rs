//! `oneshot`.

use crate::coroutines::{is_cancelled, waiting, workers};
use kettle::sync::Arc;
use kettle::sync::oneshot::{self, RecvError, RecvTimeoutError, SendError, TryRecvError};
use kettle::time::{self, Duration};

#[test]
fn what_is_sent_is_received_once() {
    let (sender, receiver) = oneshot::channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(receiver.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
    assert!(!sender.is_closed());
    sender.send(7).unwrap();
    assert_eq!(receiver.try_recv(), Ok(7));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(receiver.recv(), Err(RecvError));

    let (sender, receiver) = oneshot::channel();
    sender.send(8).unwrap();
    assert_eq!(receiver.recv(), Ok(8));
    let (sender, receiver) = oneshot::channel();
    sender.send(9).unwrap();
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Ok(9));
    let debug = oneshot::channel::<u32>();
    assert_eq!(format!("{debug:?}"), "(Sender { .. }, Receiver { .. })");
}

#[test]
fn who_is_left_alone_hears_of_it() {
    let (sender, receiver) = oneshot::channel::<u32>();
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send(7), Err(SendError(7)));
    let (sender, receiver) = oneshot::channel::<u32>();
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(receiver.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Disconnected));
    assert_eq!(receiver.recv(), Err(RecvError));
    workers(1).run(|| {
        let (sender, receiver) = oneshot::channel::<u32>();
        let join = waiting("a value", move || receiver.recv());
        drop(sender);
        assert_eq!(join.join().unwrap(), Err(RecvError));
    });
}

#[test]
fn what_nobody_receives_is_dropped() {
    let value = Arc::new(());
    let (sender, receiver) = oneshot::channel();
    sender.send(Arc::clone(&value)).unwrap();
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_value_that_comes_with_the_cancellation_is_received() {
    workers(1).run(|| {
        let (sender, receiver) = oneshot::channel();
        let join = waiting("a value", move || receiver.recv());
        sender.send(7).unwrap();
        join.cancel().unwrap();
        assert_eq!(join.join().unwrap(), Ok(7));

        let (sender, receiver) = oneshot::channel();
        let join = waiting("a value", move || receiver.recv());
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
        assert_eq!(sender.send(7), Err(SendError(7)));
    });
    let (sender, receiver) = oneshot::channel();
    let limit = Duration::from_millis(1);
    assert!(time::timeout(limit, || receiver.recv_timeout(Duration::MAX)).is_err());
    sender.send(7).unwrap();
    assert_eq!(receiver.recv(), Ok(7));
}

#[test]
fn values_cross_workers_and_threads() {
    let runtime = workers(3);
    for round in 0..200 {
        let (sender, receiver) = oneshot::channel();
        let receive = move || receiver.recv();
        if round % 2 == 0 {
            let join = runtime.spawn(receive);
            sender.send(round).unwrap();
            assert_eq!(join.join().unwrap(), Ok(round));
        } else {
            let join = std::thread::spawn(receive);
            runtime.spawn(move || sender.send(round)).join().unwrap().unwrap();
            assert_eq!(join.join().unwrap(), Ok(round));
        }
    }
}
