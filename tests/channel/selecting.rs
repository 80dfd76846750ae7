//! `Select`, whose set is put together while the program runs.

use crate::crew::{Crew, LONG, SHORT, everywhere};
use kettle::channel::{
    Receiver, RecvError, Select, SelectTimeoutError, SelectedOperation, SendError, Sender,
    TrySelectError, after, bounded, never, unbounded,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

#[test]
fn the_one_that_is_ready_is_selected() {
    let (sender, receiver) = unbounded();
    let (full, _end) = bounded(0);
    sender.send(1).unwrap();
    let mut select = Select::new();
    let (send, recv) = (select.send(&full), select.recv(&receiver));
    assert_eq!((send, recv), (0, 1));
    let operation = select.try_select().unwrap();
    assert_eq!(operation.index(), recv);
    assert_eq!(operation.recv(&receiver), Ok(1));
    assert!(matches!(select.try_select(), Err(TrySelectError)));
    assert!(matches!(select.select_timeout(SHORT), Err(SelectTimeoutError)));
    assert!(matches!(select.select_deadline(Instant::now()), Err(SelectTimeoutError)));
    full.try_send(2).unwrap_err();
}

#[test]
fn a_disconnected_channel_is_ready() {
    everywhere(|crew| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded::<u8>(capacity);
            let mate = crew.spawn(move || drop(sender));
            let never = never::<u8>();
            let mut select = Select::new();
            select.recv(&never);
            let index = select.recv(&receiver);
            let operation = select.select();
            assert_eq!((operation.index(), operation.recv(&receiver)), (index, Err(RecvError)));
            mate.join();
            let (sender, receiver) = bounded(capacity);
            if capacity > 0 {
                sender.send(0).unwrap();
            }
            let mate = crew.spawn(move || drop(receiver));
            let mut select = Select::new();
            select.send(&sender);
            assert_eq!(select.select().send(&sender, 9), Err(SendError(9)));
            mate.join();
        }
    });
}

#[test]
fn a_select_that_waits_is_served_by_plain_operations() {
    everywhere(|crew| {
        for capacity in [0, 1, 10] {
            let (sender, receiver) = bounded(capacity);
            let (back, end) = bounded(capacity);
            let mate = crew.spawn(move || {
                for n in 0..300 {
                    sender.send(n).unwrap();
                    assert_eq!(end.recv(), Ok(n));
                }
            });
            for n in 0..300 {
                let idle = never::<()>();
                let mut select = Select::new();
                select.recv(&idle);
                let index = select.recv(&receiver);
                let operation = select.select();
                assert_eq!((operation.index(), operation.recv(&receiver)), (index, Ok(n)));
                let mut select = Select::new();
                select.recv(&idle);
                select.send(&back);
                assert_eq!(select.select().send(&back, n), Ok(()));
            }
            mate.join();
        }
    });
}

/// Sends and receives by selects, until it has done `count` of each.
fn trade(count: usize, sender: &Sender<usize>, receiver: &Receiver<usize>) -> usize {
    let (mut sent, mut received, mut sum) = (0, 0, 0);
    while sent < count || received < count {
        let mut select = Select::new();
        let send = if sent < count { select.send(sender) } else { usize::MAX };
        if received < count {
            select.recv(receiver);
        }
        let operation = select.select();
        if operation.index() == send {
            operation.send(sender, sent).unwrap();
            sent += 1;
        } else {
            sum += operation.recv(receiver).unwrap();
            received += 1;
        }
    }
    sum
}

#[test]
fn selects_at_both_ends_meet_and_nobody_meets_himself() {
    everywhere(|crew| {
        for capacity in [0, 1, 3] {
            let (sender, receiver) = bounded(capacity);
            let mates: Vec<_> = (0..2)
                .map(|_| {
                    let (sender, receiver) = (sender.clone(), receiver.clone());
                    crew.spawn(move || trade(300, &sender, &receiver))
                })
                .collect();
            let sum: usize = mates.into_iter().map(crate::crew::Mate::join).sum();
            assert_eq!(sum, 2 * (0..300).sum::<usize>());
        }
        let (sender, receiver) = bounded::<()>(0);
        let mut select = Select::new();
        select.send(&sender);
        select.recv(&receiver);
        assert!(matches!(select.select_timeout(SHORT), Err(SelectTimeoutError)));
    });
}

#[test]
fn an_operation_that_was_removed_is_not_selected() {
    let (sender, receiver) = unbounded();
    sender.send(1).unwrap();
    let idle = never::<()>();
    let mut select = Select::new();
    let (first, second) = (select.recv(&receiver), select.recv(&idle));
    let third = select.recv(&receiver);
    select.remove(first);
    assert_eq!(select.try_ready(), Ok(third));
    select.remove(third);
    assert!(select.try_select().is_err());
    assert_eq!(select.recv(&receiver), 3, "indices are not used again");
    assert_eq!(select.try_ready(), Ok(3));
    let mut copy = select.clone();
    copy.remove(3);
    assert_eq!((select.try_ready(), copy.try_ready().is_err()), (Ok(3), true));
    for wrong in [first, 17] {
        assert!(catch_unwind(AssertUnwindSafe(|| copy.clone().remove(wrong))).is_err());
    }
    copy.remove(second);
    assert!(catch_unwind(AssertUnwindSafe(|| copy.select())).is_err(), "the set is empty");
    assert!(copy.select_timeout(SHORT).is_err());
    assert_eq!(format!("{copy:?}"), "Select { .. }");
}

#[test]
fn with_several_ready_each_has_its_turn_unless_biased() {
    let channels: Vec<_> = (0..4).map(|_| unbounded()).collect();
    let (full, _end) = bounded::<()>(0);
    let mut hits = [0; 6];
    for round in 0..8_000 {
        for (sender, receiver) in &channels[..3] {
            while receiver.try_recv().is_ok() {}
            sender.send(()).unwrap();
        }
        let now = after(std::time::Duration::ZERO);
        let mut select = if round < 4_000 { Select::new() } else { Select::new_biased() };
        for (_, receiver) in &channels {
            select.recv(receiver);
        }
        select.send(&full);
        let time = select.recv(&now);
        let operation = select.select();
        let index = operation.index();
        if round >= 4_000 {
            assert_eq!(index, 0);
        } else {
            hits[index] += 1;
        }
        if index == time {
            operation.recv(&now).unwrap();
        } else {
            operation.recv(&channels[index].1).unwrap();
        }
    }
    for (index, hits) in hits.into_iter().enumerate() {
        match index {
            3 | 4 => assert_eq!(hits, 0),
            _ => assert!(
                (800..1_200).contains(&hits),
                "{index}: {hits} of 4000, and four were ready"
            ),
        }
    }
}

#[test]
fn one_ready_operation_is_found_whoever_takes_the_others() {
    everywhere(|crew| {
        // Whenever one looks there is a message in one of the two, though not always in the same.
        let (one, from_one) = unbounded();
        let (other, from_other) = unbounded();
        let (start, started) = bounded(0);
        let (end, ended) = bounded(0);
        let mate = crew.spawn({
            let (other, from_one, from_other) =
                (other.clone(), from_one.clone(), from_other.clone());
            move || {
                for _ in 0..500 {
                    started.recv().unwrap();
                    other.send(1).unwrap();
                    let _ = from_one.try_recv();
                    end.send(()).unwrap();
                    let _ = from_other.try_recv();
                }
            }
        });
        for _ in 0..500 {
            start.send(()).unwrap();
            one.send(1).unwrap();
            let mut select = Select::new();
            select.recv(&from_one);
            select.recv(&from_other);
            let operation = select.try_select().expect("there is always one");
            if operation.index() == 0 {
                operation.recv(&from_one).unwrap();
            } else {
                operation.recv(&from_other).unwrap();
            }
            ended.recv().unwrap();
            let _ = from_one.try_recv();
        }
        mate.join();
    });
}

#[test]
fn a_selected_operation_must_be_done_with_its_own_end() {
    let (sender, receiver) = unbounded();
    sender.send(1).unwrap();
    let copy = receiver.clone();
    let mut select = Select::new();
    select.recv(&receiver);
    let operation = select.select();
    let wrong = catch_unwind(AssertUnwindSafe(|| operation.recv(&copy).is_ok()));
    assert!(wrong.is_err());
    assert_eq!(receiver.try_recv(), Ok(1), "the message is given back");
    let mut select = Select::new();
    select.send(&sender);
    let operation = select.select();
    assert_eq!(format!("{operation:?}"), "SelectedOperation { .. }");
    assert!(catch_unwind(AssertUnwindSafe(|| drop(operation))).is_err());
}

#[test]
fn what_a_dropped_operation_was_the_right_to_is_given_back() {
    everywhere(|crew| {
        fn give_up(operation: SelectedOperation<'_>) {
            assert!(catch_unwind(AssertUnwindSafe(move || drop(operation))).is_err());
        }
        // A message.
        let (sender, receiver) = bounded(1);
        sender.send(1).unwrap();
        let mut select = Select::new();
        select.recv(&receiver);
        give_up(select.select());
        assert_eq!((receiver.len(), receiver.recv()), (1, Ok(1)));
        // A place.
        let mut select = Select::new();
        select.send(&sender);
        give_up(select.select());
        assert!(!sender.is_full());
        assert_eq!(sender.try_send(2), Ok(()));
        // The one who has been found at capacity zero goes on waiting.
        let (sender, receiver) = bounded(0);
        let mate = crew.spawn({
            let receiver = receiver.clone();
            move || receiver.recv()
        });
        let mut select = Select::new();
        select.send(&sender);
        give_up(select.select());
        assert_eq!(sender.send(3), Ok(()));
        assert_eq!(mate.join(), Ok(3));
        let mate = crew.spawn(move || sender.send(4));
        let mut select = Select::new();
        select.recv(&receiver);
        give_up(select.select());
        assert_eq!(receiver.recv(), Ok(4));
        assert_eq!(mate.join(), Ok(()));
    });
}

#[test]
fn what_to_send_is_made_when_the_place_is_there_and_may_take_its_time() {
    everywhere(|crew| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded(capacity);
            let (asked, question) = bounded(0);
            let mate = crew.spawn({
                let receiver = receiver.clone();
                move || {
                    question.recv().unwrap();
                    receiver.recv_timeout(LONG)
                }
            });
            let mut select = Select::new();
            select.send(&sender);
            asked.send(()).unwrap();
            let operation = select.select();
            kettle::thread::sleep(SHORT);
            operation.send(&sender, 5).unwrap();
            assert_eq!(mate.join(), Ok(5));
            assert!(receiver.try_recv().is_err());
        }
    });
}

#[test]
fn the_same_channel_may_be_in_a_set_many_times() {
    everywhere(|crew| {
        let (sender, receiver) = bounded(0);
        let mate = crew.spawn(move || (0..100).for_each(|n| sender.send(n).unwrap()));
        let mut select = Select::new();
        let indices = std::array::from_fn(|_| select.recv(&receiver));
        assert_eq!(indices, [0, 1, 2, 3, 4]);
        for n in 0..100 {
            assert_eq!(select.select().recv(&receiver), Ok(n));
        }
        mate.join();
        Crew::wait_until(|| select.try_ready().is_ok());
    });
}
