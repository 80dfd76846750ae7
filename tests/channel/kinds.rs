//! Unbounded, bounded and of capacity zero: what holds for all kinds, and what for each.

use crate::crew::{Crew, LONG, SHORT, everywhere};
use kettle::channel::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, after, bounded, never, tick, unbounded,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

fn all_kinds<T>() -> Vec<(Sender<T>, Receiver<T>)> {
    vec![unbounded(), bounded(0), bounded(1), bounded(2), bounded(100)]
}

#[test]
fn what_is_sent_is_received_in_order_and_then_the_end() {
    everywhere(|crew| {
        for (sender, receiver) in all_kinds() {
            let mate = crew.spawn(move || (0..1_000).for_each(|n| sender.send(n).unwrap()));
            for n in 0..1_000 {
                assert_eq!(receiver.recv(), Ok(n));
            }
            assert_eq!(receiver.recv(), Err(RecvError));
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
            assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
            mate.join();
        }
    });
}

#[test]
fn many_to_many_each_message_arrives_once() {
    everywhere(|crew| {
        const EACH: usize = 500;
        for (sender, receiver) in all_kinds() {
            let counts: Arc<Vec<AtomicUsize>> =
                Arc::new((0..EACH).map(|_| AtomicUsize::new(0)).collect());
            let mut mates = Vec::new();
            for _ in 0..4 {
                let (sender, receiver, counts) =
                    (sender.clone(), receiver.clone(), Arc::clone(&counts));
                mates.push(crew.spawn(move || (0..EACH).for_each(|n| sender.send(n).unwrap())));
                mates.push(crew.spawn(move || {
                    for _ in 0..EACH {
                        counts[receiver.recv().unwrap()].fetch_add(1, SeqCst);
                    }
                }));
            }
            mates.into_iter().for_each(crate::crew::Mate::join);
            assert!(counts.iter().all(|count| count.load(SeqCst) == 4));
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        }
    });
}

#[test]
fn length_capacity_and_fullness_are_told() {
    let (sender, receiver) = unbounded();
    assert_eq!((sender.capacity(), receiver.capacity()), (None, None));
    for n in 0..100 {
        assert_eq!((sender.len(), receiver.len()), (n, n));
        assert_eq!((sender.is_empty(), receiver.is_empty()), (n == 0, n == 0));
        assert!(!sender.is_full() && !receiver.is_full());
        sender.send(n).unwrap();
    }
    let (sender, receiver) = bounded(2);
    assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
    for n in 0..=2 {
        assert_eq!((sender.len(), receiver.len()), (n, n));
        assert_eq!((sender.is_empty(), receiver.is_empty()), (n == 0, n == 0));
        assert_eq!((sender.is_full(), receiver.is_full()), (n == 2, n == 2));
        assert_eq!(sender.try_send(n).is_ok(), n < 2);
    }
    drop(receiver);
    assert_eq!(sender.len(), 0, "what nobody will receive is gone");
    let (sender, receiver) = bounded::<()>(0);
    assert_eq!((sender.capacity(), receiver.capacity()), (Some(0), Some(0)));
    assert!(sender.is_empty() && sender.is_full() && receiver.is_empty() && receiver.is_full());
    assert_eq!((sender.len(), receiver.len()), (0, 0));
}

#[test]
fn a_bounded_channel_never_holds_more_than_it_may() {
    everywhere(|crew| {
        let (sender, receiver) = bounded(3);
        let mates: Vec<_> = (0..3)
            .map(|_| {
                let sender = sender.clone();
                crew.spawn(move || {
                    for n in 0..1_000 {
                        sender.send(n).unwrap();
                        assert!(sender.len() <= 3);
                    }
                })
            })
            .collect();
        for _ in 0..3_000 {
            assert!(receiver.len() <= 3);
            receiver.recv().unwrap();
        }
        drop(mates);
    });
}

#[test]
fn a_capacity_that_no_memory_has_is_as_good_as_none() {
    for capacity in [usize::MAX, usize::MAX - 1, isize::MAX as usize] {
        let (sender, receiver) = bounded(capacity);
        assert!(sender.try_send(1).is_ok() && !sender.is_full());
        assert_eq!((receiver.len(), receiver.recv()), (1, Ok(1)));
    }
}

#[test]
fn trying_does_not_wait() {
    let (sender, receiver) = bounded(1);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(receiver.try_recv(), Ok(1));
    drop(receiver);
    assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
    assert_eq!(sender.send(4), Err(SendError(4)));
    let (sender, receiver) = bounded(0);
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn at_capacity_zero_a_try_meets_who_waits() {
    everywhere(|crew| {
        let (sender, receiver) = bounded(0);
        let mate = crew.spawn({
            let receiver = receiver.clone();
            move || receiver.recv()
        });
        Crew::wait_until(|| sender.try_send(7).is_ok());
        assert_eq!(mate.join(), Ok(7));
        let mate = crew.spawn(move || sender.send(8));
        let mut received = receiver.try_recv();
        while received == Err(TryRecvError::Empty) {
            kettle::thread::yield_now();
            received = receiver.try_recv();
        }
        assert_eq!((received, mate.join()), (Ok(8), Ok(())));
    });
}

#[test]
fn a_wait_ends_with_its_time_and_keeps_the_message() {
    everywhere(|_| {
        for (sender, receiver) in [bounded(0), bounded(1)] {
            if sender.capacity() == Some(1) {
                sender.send(0).unwrap();
            }
            let start = Instant::now();
            assert_eq!(sender.send_timeout(5, SHORT), Err(SendTimeoutError::Timeout(5)));
            assert_eq!(
                sender.send_deadline(5, start + 2 * SHORT),
                Err(SendTimeoutError::Timeout(5))
            );
            assert!(start.elapsed() >= 2 * SHORT);
            if sender.capacity() == Some(1) {
                assert_eq!(receiver.recv(), Ok(0));
            }
            let start = Instant::now();
            assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
            assert_eq!(receiver.recv_deadline(start + 2 * SHORT), Err(RecvTimeoutError::Timeout));
            assert!(start.elapsed() >= 2 * SHORT);
        }
    });
}

#[test]
fn a_wait_with_a_time_limit_ends_early_when_it_is_served() {
    everywhere(|crew| {
        for (sender, receiver) in all_kinds() {
            let start = Instant::now();
            let mate = crew.spawn(move || {
                for n in 0..200 {
                    sender.send_timeout(n, LONG).unwrap();
                }
            });
            for n in 0..200 {
                assert_eq!(receiver.recv_timeout(LONG), Ok(n));
            }
            mate.join();
            assert!(start.elapsed() < LONG);
        }
    });
}

#[test]
fn the_last_sender_that_goes_wakes_all_receivers() {
    everywhere(|crew| {
        for (sender, receiver) in all_kinds::<()>() {
            let another = sender.clone();
            let mates: Vec<_> = (0..3)
                .map(|_| {
                    let receiver = receiver.clone();
                    crew.spawn(move || receiver.recv())
                })
                .collect();
            drop(sender);
            kettle::thread::yield_now();
            drop(another);
            for mate in mates {
                assert_eq!(mate.join(), Err(RecvError));
            }
        }
    });
}

#[test]
fn the_last_receiver_that_goes_wakes_all_senders_who_get_their_messages_back() {
    everywhere(|crew| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded(capacity);
            if capacity == 1 {
                sender.send(0).unwrap();
            }
            let mates: Vec<_> = (1..4)
                .map(|n| {
                    let sender = sender.clone();
                    crew.spawn(move || (n, sender.send(n)))
                })
                .collect();
            kettle::thread::yield_now();
            drop(receiver);
            for mate in mates {
                let (n, sent) = mate.join();
                assert_eq!(sent, Err(SendError(n)));
            }
        }
    });
}

/// Counts those that live.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn each_message_is_dropped_once_wherever_it_is_left() {
    everywhere(|crew| {
        let live = Arc::new(AtomicUsize::new(0));
        for (sender, receiver) in all_kinds() {
            let mate = crew.spawn({
                let live = Arc::clone(&live);
                move || {
                    let mut sent = 0;
                    while sender.send(Counted::new(&live)).is_ok() {
                        sent += 1;
                    }
                    sent
                }
            });
            let received = receiver.iter().take(150).count();
            drop(receiver);
            assert!(mate.join() >= received);
            assert_eq!(live.load(SeqCst), 0);
        }
        // The sender goes last, with messages in the channel.
        let (sender, receiver) = unbounded();
        (0..100).for_each(|_| sender.send(Counted::new(&live)).unwrap());
        drop(sender);
        assert_eq!(live.load(SeqCst), 100);
        drop(receiver);
        assert_eq!(live.load(SeqCst), 0);
    });
}

#[test]
fn a_message_may_hold_an_end_of_its_own_channel() {
    struct Holder {
        _sender: Sender<Holder>,
        _receiver: Receiver<Holder>,
    }
    let live = Arc::new(());
    let (sender, receiver) = unbounded();
    let (inner, end) = unbounded::<(Sender<Holder>, Arc<()>)>();
    inner.send((sender.clone(), Arc::clone(&live))).unwrap();
    sender.send(Holder { _sender: sender.clone(), _receiver: receiver.clone() }).unwrap();
    assert!(receiver.recv().is_ok());
    drop((sender, receiver, inner, end));
    assert_eq!(Arc::strong_count(&live), 1);
}

#[test]
fn a_message_whose_destructor_panics_ends_the_dropping_and_harms_nothing() {
    struct Grumpy(Arc<AtomicUsize>);
    impl Drop for Grumpy {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
            panic!("not now");
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = bounded(2);
    for _ in 0..2 {
        assert!(sender.send(Grumpy(Arc::clone(&dropped))).is_ok());
    }
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(receiver)));
    assert!(result.is_err());
    assert_eq!(dropped.load(SeqCst), 1, "the others are leaked");
}

#[test]
fn iterators_end_when_there_is_nothing_more() {
    everywhere(|crew| {
        for (sender, receiver) in all_kinds() {
            let mate = crew.spawn(move || (1..=100).for_each(|n| sender.send(n).unwrap()));
            assert_eq!(receiver.iter().take(10).sum::<u32>(), 55);
            let mut sum = 0;
            for n in &receiver {
                sum += n;
                if n == 50 {
                    break;
                }
            }
            assert_eq!(receiver.into_iter().sum::<u32>() + sum + 55, 5_050);
            mate.join();
        }
    });
    let (sender, receiver) = unbounded();
    (0..3).for_each(|n| sender.send(n).unwrap());
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(receiver.try_iter().next(), None);
    let mut iter = receiver.iter();
    drop(sender);
    assert_eq!((iter.next(), iter.next()), (None, None));
}

#[test]
fn ends_know_whose_they_are() {
    let (sender, receiver) = bounded::<()>(1);
    let (other_sender, other_receiver) = bounded::<()>(1);
    assert!(sender.same_channel(&sender.clone()) && receiver.same_channel(&receiver.clone()));
    assert!(!sender.same_channel(&other_sender) && !receiver.same_channel(&other_receiver));
    let (one, other) = (after(LONG), after(LONG));
    assert!(one.same_channel(&one.clone()) && !one.same_channel(&other));
    let (one, other) = (tick(LONG), tick(LONG));
    assert!(one.same_channel(&one.clone()) && !one.same_channel(&other));
    assert!(never::<()>().same_channel(&never()) && !never().same_channel(&receiver));
}

#[test]
fn what_is_large_or_has_no_size_passes_too() {
    everywhere(|crew| {
        for (sender, receiver) in all_kinds::<[u64; 500]>() {
            let mate = crew.spawn(move || (0..70).for_each(|n| sender.send([n; 500]).unwrap()));
            for n in 0..70 {
                assert!(receiver.recv().unwrap().iter().all(|&each| each == n));
            }
            mate.join();
        }
        for (sender, receiver) in all_kinds::<()>() {
            let mate = crew.spawn(move || (0..300).for_each(|_| sender.send(()).unwrap()));
            assert_eq!(receiver.iter().count(), 300);
            mate.join();
        }
    });
}

#[test]
fn a_channel_that_is_always_ready_lets_neighbours_run() {
    let runtime = kettle::runtime::Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let (sender, receiver) = unbounded();
        let ran = Arc::new(AtomicUsize::new(0));
        let neighbour = kettle::thread::spawn({
            let ran = Arc::clone(&ran);
            move || ran.store(1, SeqCst)
        });
        let mut rounds = 0_u64;
        while ran.load(SeqCst) == 0 {
            sender.send(rounds).unwrap();
            assert_eq!(receiver.recv(), Ok(rounds));
            rounds += 1;
            assert!(rounds < 1_000_000, "the neighbour starves");
        }
        neighbour.join().unwrap();
    });
}

#[test]
fn who_is_handed_a_message_runs_next_on_its_worker() {
    let runtime = kettle::runtime::Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let (sender, receiver) = bounded::<u32>(0);
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let note = |who: &'static str| {
            let order = Arc::clone(&order);
            move || order.lock().unwrap().push(who)
        };
        let (note_receiver, note_bystander) = (note("receiver"), note("bystander"));
        let mate = kettle::thread::spawn(move || {
            receiver.recv().unwrap();
            note_receiver();
        });
        kettle::thread::yield_now();
        let bystander = kettle::thread::spawn(note_bystander);
        sender.send(1).unwrap();
        mate.join().unwrap();
        bystander.join().unwrap();
        assert_eq!(*order.lock().unwrap(), ["receiver", "bystander"]);
    });
}

#[test]
fn errors_say_what_happened_and_give_the_message_back() {
    assert_eq!(SendError(1).into_inner(), 1);
    assert_eq!(
        format!("{:?} {}", SendError(1), SendError(1)),
        "SendError(..) sending on a disconnected channel"
    );
    let (full, gone) = (TrySendError::Full(1), TrySendError::Disconnected(2));
    assert!(full.is_full() && !full.is_disconnected() && gone.is_disconnected() && !gone.is_full());
    assert_eq!(format!("{full:?} {full}"), "Full(..) sending on a full channel");
    assert_eq!(TrySendError::from(SendError(2)), gone);
    let (late, gone) = (SendTimeoutError::Timeout(1), SendTimeoutError::Disconnected(2));
    assert!(late.is_timeout() && !late.is_disconnected() && gone.is_disconnected());
    assert_eq!(SendTimeoutError::from(SendError(2)), gone);
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Disconnected);
    assert!(TryRecvError::Empty.is_empty() && !TryRecvError::Empty.is_disconnected());
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Disconnected);
    assert!(RecvTimeoutError::Timeout.is_timeout() && !RecvTimeoutError::Timeout.is_disconnected());
    assert_eq!(RecvError.to_string(), "receiving on an empty and disconnected channel");
}

#[test]
fn a_timeout_that_the_clock_does_not_reach_is_for_ever() {
    let (sender, receiver) = bounded(0);
    let mate = std::thread::spawn(move || sender.send_timeout(1, Duration::MAX));
    assert_eq!(receiver.recv_timeout(Duration::MAX), Ok(1));
    assert_eq!(mate.join().unwrap(), Ok(()));
}
