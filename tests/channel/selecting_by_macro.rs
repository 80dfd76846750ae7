//! `select!`: its syntax, and what its arms may do.

use crate::crew::{LONG, SHORT, everywhere};
use kettle::channel::{
    Receiver, RecvError, SendError, Sender, after, bounded, never, select, select_biased, tick,
    unbounded,
};
use std::cell::Cell;
use std::time::Instant;

#[test]
fn arms_may_be_written_in_every_way() {
    let (sender, receiver) = unbounded();
    let (full, _end) = bounded::<i32>(0);
    // Blocks and expressions, with and without commas, patterns, arguments with a comma behind.
    for n in 0..4 {
        sender.send(n).unwrap();
        let got = select! {
            recv(receiver) -> message => message.unwrap(),
            send(full, 1) -> _ => unreachable!(),
        };
        assert_eq!(got, n);
        sender.send(n).unwrap();
        select! {
            recv(receiver,) -> mut message => { message = message.map(|it| it + 1); assert_eq!(message, Ok(n + 1)) }
            send(full, 1,) -> _ => { unreachable!() }
            recv(never::<()>()) -> _ => { unreachable!() },
            default() => unreachable!()
        }
        sender.send(n).unwrap();
        select! { recv(&receiver) -> (Ok(_) | Err(_)) => {} default(LONG,) => unreachable!() }
    }
    select! {
        default => {}
    }
    select! { default(SHORT) => (), }
    select! { recv(receiver) -> _ => unreachable!(), default => () }
    select! { recv(receiver) -> _ => unreachable!() , default(SHORT) => {} }
    select! { send(full, 1) -> _ => unreachable!() , default => {} }
    drop(sender);
    select! { recv(receiver) -> it => assert_eq!(it, Err(RecvError)) }
}

#[test]
fn ends_are_found_through_references_expressions_and_temporaries() {
    let (sender, receiver) = unbounded();
    let boxed = Box::new(receiver.clone());
    let list = [&receiver, &boxed];
    let none: Option<&Receiver<u8>> = list.get(7).copied();
    for round in 0..5_u8 {
        sender.send(round).unwrap();
        let got = match round {
            0 => select! { recv(*list[1]) -> it => it, recv(after(LONG)) -> _ => unreachable!() },
            1 => select! { recv(boxed) -> it => it, recv(tick(LONG)) -> _ => unreachable!() },
            2 => select! { recv(list[0]) -> it => it, recv(none.unwrap_or(&never())) -> it => it },
            3 => {
                select! { recv(&&receiver) -> it => it, send(bounded(0).0, ()) -> _ => unreachable!() }
            }
            _ => {
                select! { recv(if round > 3 { &receiver } else { &boxed }) -> it => it, default => unreachable!() }
            }
        };
        assert_eq!(got, Ok(round));
    }
}

#[test]
fn an_arm_may_leave_its_surroundings_and_take_what_it_selected_from() {
    fn leaves(receiver: Receiver<u8>) -> Result<u8, RecvError> {
        loop {
            select! {
                recv(receiver) -> message => {
                    let message = message?;
                    if message == 0 {
                        continue;
                    }
                    if message == 9 {
                        break;
                    }
                    drop(receiver);
                    return Ok(message);
                }
                recv(never::<()>()) -> _ => unreachable!(),
            }
        }
        Ok(100)
    }
    let (sender, receiver) = unbounded();
    sender.send(0).unwrap();
    sender.send(5).unwrap();
    assert_eq!(leaves(receiver), Ok(5));
    let (sender, receiver) = unbounded();
    sender.send(9).unwrap();
    assert_eq!(leaves(receiver.clone()), Ok(100));
    drop(sender);
    assert_eq!(leaves(receiver), Err(RecvError));
}

/// What never comes into being.
fn fails<T>(why: &str) -> T {
    panic!("{why}")
}

#[test]
fn only_what_is_needed_is_evaluated_and_in_order() {
    let seen = Cell::new(0);
    let step = |expected: u32| {
        assert_eq!(seen.replace(expected + 1), expected);
    };
    let (sender, receiver) = bounded(1);
    let (full, _end) = bounded::<u32>(0);
    select! {
        recv({ step(0); &receiver }) -> _ => unreachable!(),
        send({ step(1); &full }, fails("there is no place for it")) -> _ => unreachable!(),
        send({ step(2); &sender }, { step(4); 1_u32 }) -> sent => { step(5); assert_eq!(sent, Ok(())) }
        default({ step(3); LONG }) => unreachable!(),
    }
    assert_eq!((seen.get(), receiver.recv()), (6, Ok(1)));
}

#[test]
fn a_message_that_fails_to_come_into_being_leaves_no_trace() {
    let (sender, receiver) = bounded::<u8>(1);
    let failed = std::panic::catch_unwind(|| {
        select! {
            send(sender, fails("no tea")) -> _ => {}
            recv(never::<()>()) -> _ => {}
        }
    });
    assert!(failed.is_err());
    assert_eq!((receiver.len(), sender.try_send(1)), (0, Ok(())));
}

#[test]
fn a_disconnected_channel_is_ready() {
    let (sender, receiver) = bounded::<u8>(0);
    drop(receiver);
    select! {
        send(sender, 1) -> sent => assert_eq!(sent, Err(SendError(1))),
        recv(never::<()>()) -> _ => unreachable!(),
    }
    let (sender, receiver) = bounded::<u8>(1);
    sender.send(1).unwrap();
    drop(sender);
    for expected in [Ok(1), Err(RecvError), Err(RecvError)] {
        select! {
            recv(receiver) -> got => assert_eq!(got, expected),
            default => unreachable!(),
        }
        select! {
            recv(receiver) -> got => assert_eq!(got, Err(RecvError)),
            recv(never::<()>()) -> _ => unreachable!(),
            default(LONG) => unreachable!(),
        }
        if expected.is_ok() {
            continue;
        }
    }
}

#[test]
fn the_first_arm_that_is_ready_is_chosen_by_the_biased_one() {
    let (sender, receiver) = unbounded();
    (0..200).for_each(|n| sender.send(n).unwrap());
    let mut others = 0;
    for _ in 0..100 {
        select_biased! {
            recv(never::<()>()) -> _ => unreachable!(),
            recv(receiver) -> _ => {}
            send(sender, 0) -> _ => unreachable!(),
        }
        select! {
            recv(receiver) -> _ => {}
            recv(receiver) -> _ => others += 1,
        }
    }
    assert!((20..80).contains(&others), "{others} of 100");
}

#[test]
fn timers_and_channels_are_waited_for_together() {
    everywhere(|crew| {
        let (sender, receiver) = bounded(0);
        let mate = crew.spawn(move || {
            for n in 0..3 {
                kettle::thread::sleep(SHORT);
                sender.send(n).unwrap();
            }
        });
        let (mut messages, mut ticked) = (0, 0);
        let (ticks, end) = (tick(SHORT), after(LONG));
        let start = Instant::now();
        loop {
            select! {
                recv(receiver) -> message => match message {
                    Ok(n) => { assert_eq!(n, messages); messages += 1 }
                    Err(RecvError) => break,
                },
                recv(ticks) -> due => { assert!(due.unwrap() <= Instant::now()); ticked += 1 }
                recv(end) -> _ => panic!("it takes too long"),
            }
        }
        assert_eq!(messages, 3);
        assert!(ticked >= 1 && start.elapsed() >= 3 * SHORT);
        mate.join();
    });
}

#[test]
fn all_kinds_of_select_serve_each_other() {
    everywhere(|crew| {
        for capacity in [0, 1, 5] {
            let (sender, receiver): (Sender<u64>, _) = bounded(capacity);
            let (other, from_other): (Sender<u64>, _) = bounded(capacity);
            let idle = never::<()>();
            let mates: Vec<_> = (0..2)
                .map(|_| {
                    let (sender, other, idle) = (sender.clone(), other.clone(), idle.clone());
                    crew.spawn(move || {
                        for n in 0..300 {
                            select! {
                                send(sender, n) -> sent => sent.unwrap(),
                                send(other, n) -> sent => sent.unwrap(),
                                recv(idle) -> _ => unreachable!(),
                            }
                        }
                    })
                })
                .collect();
            drop((sender, other));
            let (mut sum, mut open) = (0, (true, true));
            while open.0 || open.1 {
                let (one, two) = (
                    if open.0 { receiver.clone() } else { never() },
                    if open.1 { from_other.clone() } else { never() },
                );
                select! {
                    recv(one) -> n => match n { Ok(n) => sum += n, Err(RecvError) => open.0 = false },
                    recv(two) -> n => match n { Ok(n) => sum += n, Err(RecvError) => open.1 = false },
                    default(LONG) => panic!("it hangs"),
                }
            }
            assert_eq!(sum, 2 * (0..300).sum::<u64>());
            drop(mates);
        }
    });
}
