//! `mpsc`: std's behaviours; the channels underneath have tests of their own.

use crate::coroutines::{Random, is_cancelled, waiting, workers};
use kettle::sync::mpsc::{
    self, RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, channel, sync_channel,
};
use kettle::thread;
use kettle::time::{self, Duration};
use std::sync::Arc;

#[test]
fn messages_come_in_the_order_in_which_they_were_sent() {
    let (sender, receiver) = channel();
    for n in 0..100 {
        sender.send(n).unwrap();
    }
    assert!((0..100).all(|n| receiver.recv() == Ok(n)));
    let (sender, receiver) = sync_channel(100);
    (0..100).for_each(|n| sender.send(n).unwrap());
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    assert_eq!(format!("{sender:?} {receiver:?}"), "SyncSender { .. } Receiver { .. }");
}

#[test]
fn who_is_left_alone_hears_of_it() {
    let (sender, receiver) = channel();
    sender.send(1).unwrap();
    let other = sender.clone();
    drop((sender, other));
    assert_eq!(receiver.recv(), Ok(1));
    assert_eq!(receiver.recv(), Err(RecvError));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(receiver.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Disconnected));
    let (sender, receiver) = channel();
    drop(receiver);
    assert_eq!(sender.send(1), Err(SendError(1)));
    let (sender, receiver) = sync_channel(1);
    drop(receiver);
    assert_eq!(sender.send(1), Err(SendError(1)));
    assert_eq!(sender.try_send(1), Err(TrySendError::Disconnected(1)));
    workers(1).run(|| {
        let (sender, receiver) = channel::<u32>();
        let receiving = waiting("receiving", move || receiver.recv());
        drop(sender);
        assert_eq!(receiving.join().unwrap(), Err(RecvError));
        for bound in [0, 1] {
            let (sender, receiver) = sync_channel(bound);
            (0..bound).for_each(|_| sender.send(0).unwrap());
            let sending = waiting("sending", move || sender.send(1));
            drop(receiver);
            assert_eq!(sending.join().unwrap(), Err(SendError(1)));
        }
    });
}

#[test]
fn what_nobody_receives_is_dropped_with_the_channel() {
    let counted = Arc::new(());
    let (sender, receiver) = channel();
    sender.send(Arc::clone(&counted)).unwrap();
    drop(receiver);
    assert_eq!(Arc::strong_count(&counted), 1, "with the receiver, though there is a sender");
    drop(sender);
    let (sender, receiver) = sync_channel(2);
    sender.send(Arc::clone(&counted)).unwrap();
    drop((sender, receiver));
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn a_full_one_takes_no_more_until_there_is_room() {
    let (sender, receiver) = sync_channel(1);
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(sender.try_send(3), Ok(()));
    workers(1).run(move || {
        let other = sender.clone();
        let sending = waiting("sending", move || other.send(4));
        assert_eq!((receiver.recv(), receiver.recv()), (Ok(3), Ok(4)));
        sending.join().unwrap().unwrap();
    });
}

#[test]
fn without_room_they_meet() {
    let (sender, receiver) = sync_channel(0);
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    workers(1).run(move || {
        let other = sender.clone();
        let sending = waiting("sending", move || other.send(2));
        assert!(!sending.is_finished());
        assert_eq!(receiver.recv(), Ok(2));
        sending.join().unwrap().unwrap();
        let receiving = waiting("receiving", move || receiver.recv());
        assert_eq!(sender.try_send(3), Ok(()));
        assert_eq!(receiving.join().unwrap(), Ok(3));
    });
}

#[test]
fn a_timeout_ends_the_wait_and_loses_nothing() {
    fn all() {
        let (sender, receiver) = channel();
        let limit = Duration::from_millis(1);
        assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        assert!(time::timeout(limit, || receiver.recv()).is_err());
        sender.send(7).unwrap();
        assert_eq!(receiver.recv_timeout(Duration::MAX), Ok(7));
        let (sender, receiver) = sync_channel(0);
        assert!(time::timeout(limit, || sender.send(7)).is_err());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
    all();
    workers(1).run(all);
}

#[test]
fn who_is_cancelled_has_sent_nothing_and_received_nothing() {
    workers(1).run(|| {
        let (sender, receiver) = channel();
        let receiving = waiting("receiving", move || receiver.recv());
        receiving.cancel().unwrap();
        assert!(is_cancelled(receiving.join()));
        assert_eq!(sender.send(1), Err(SendError(1)));
        let (sender, receiver) = sync_channel(0);
        let other = sender.clone();
        let sending = waiting("sending", move || other.send(1));
        sending.cancel().unwrap();
        assert!(is_cancelled(sending.join()));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop(sender);
    });
}

#[test]
fn iterators_go_on_until_all_senders_are_gone() {
    workers(1).run(|| {
        let (sender, receiver) = channel();
        let sending = thread::spawn(move || {
            for n in 0..3 {
                sender.send(n).unwrap();
                thread::yield_now();
            }
        });
        assert_eq!(receiver.iter().sum::<i32>(), 3);
        sending.join().unwrap();
        let (sender, receiver) = sync_channel(3);
        (0..3).for_each(|n| sender.send(n).unwrap());
        let mut received = 0;
        assert_eq!(receiver.try_iter().count(), 3);
        sender.send(5).unwrap();
        drop(sender);
        for n in &receiver {
            received += n;
        }
        assert_eq!((received, receiver.into_iter().count()), (5, 0));
    });
}

#[test]
fn many_senders_on_workers_and_threads_reach_one_receiver() {
    const EACH: u64 = 200;
    for round in 0..8 {
        let runtime = workers(1 + round as usize % 3);
        let (sender, receiver) = sync_channel(round as usize % 4);
        let (other, more) = channel();
        let body = |id: u64| {
            let (sender, other) = (sender.clone(), other.clone());
            move || {
                let mut random = Random::new(id + 100 * round);
                for n in 1..=EACH {
                    other.send(n).unwrap();
                    sender.send((id, n)).unwrap();
                    if random.below(4) == 0 {
                        thread::yield_now();
                    }
                }
            }
        };
        let coroutines: Vec<_> = (0..10).map(|id| runtime.spawn(body(id))).collect();
        let threads: Vec<_> = (10..12).map(|id| std::thread::spawn(body(id))).collect();
        drop((sender, other));
        let receiving = runtime.spawn(move || {
            let mut last = [0; 12];
            for (id, n) in receiver {
                assert_eq!(n, last[id as usize] + 1, "each sender's come in order");
                last[id as usize] = n;
            }
            last
        });
        coroutines.into_iter().for_each(|join| join.join().unwrap());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(receiving.join().unwrap(), [EACH; 12]);
        assert_eq!(more.iter().sum::<u64>(), 12 * EACH * (EACH + 1) / 2);
    }
}

#[test]
fn a_receiver_is_sent_but_not_shared() {
    fn is_send<T: Send>() {}
    is_send::<mpsc::Receiver<u8>>();
    // That it is not shared, `tests/mirror.rs` cannot say; a reference to it must not be sent.
    trait Ambiguous<A> {
        fn is_ambiguous() {}
    }
    impl<T: ?Sized> Ambiguous<()> for T {}
    struct Shared;
    impl<T: ?Sized + Sync> Ambiguous<Shared> for T {}
    // Would not compile if both held.
    <mpsc::Receiver<u8> as Ambiguous<_>>::is_ambiguous();
}
