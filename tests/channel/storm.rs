//! A storm of random operations, with cancellations and time limits, against a model: what was sent, by the word of
//! who sent it, is what was received, once each, and by each receiver in the order of each sender.

use kettle::channel::{Receiver, Select, Sender, bounded, never, select, unbounded};
use kettle::runtime::Runtime;
use kettle::thread;
use kettle::time::timeout;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SENDERS: u64 = 6;
const RECEIVERS: u64 = 5;
const EACH: u64 = 400;
const MOMENT: Duration = Duration::from_micros(30);

#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A message that is counted.
#[derive(Debug)]
struct Message(u64, u64, Arc<AtomicUsize>);

impl Message {
    fn new(from: u64, number: u64, live: &Arc<AtomicUsize>) -> Self {
        live.fetch_add(1, SeqCst);
        Self(from, number, Arc::clone(live))
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.2.fetch_sub(1, SeqCst);
    }
}

/// Tries to send in one of many ways; says whether it has.
fn send(random: &mut Random, to: &[Sender<Message>; 2], message: Message) -> bool {
    let sender = &to[random.below(2) as usize];
    match random.below(8) {
        0 => sender.try_send(message).is_ok(),
        1 => sender.send_timeout(message, MOMENT).is_ok(),
        2 => timeout(MOMENT, || sender.send(message)).is_ok_and(|sent| sent.is_ok()),
        3 => {
            let mut select = Select::new();
            let first = select.send(&to[0]);
            select.send(&to[1]);
            match select.select_timeout(MOMENT) {
                Ok(operation) if operation.index() == first => {
                    operation.send(&to[0], message).is_ok()
                }
                Ok(operation) => operation.send(&to[1], message).is_ok(),
                Err(_) => false,
            }
        }
        4 => select! {
            send(to[0], message) -> sent => sent.is_ok(),
            send(to[1], message) -> sent => sent.is_ok(),
            default => false,
        },
        5 => select! {
            send(to[0], message) -> sent => sent.is_ok(),
            send(to[1], message) -> sent => sent.is_ok(),
            recv(never::<()>()) -> _ => false,
        },
        _ => sender.send(message).is_ok(),
    }
}

/// Tries to receive in one of many ways; what it has got, or whether all has ended.
fn receive(random: &mut Random, from: &[Receiver<Message>; 2]) -> Result<Option<Message>, ()> {
    let receiver = &from[random.below(2) as usize];
    Ok(match random.below(8) {
        0 => receiver.try_recv().ok(),
        1 => receiver.recv_timeout(MOMENT).ok(),
        2 => timeout(MOMENT, || receiver.recv().ok()).ok().flatten(),
        3 => {
            let mut select = Select::new();
            let first = select.recv(&from[0]);
            select.recv(&from[1]);
            let index = select.ready_timeout(MOMENT);
            index.ok().and_then(|index| from[index - first].try_recv().ok())
        }
        4 => select! {
            recv(from[0]) -> message => message.ok(),
            recv(from[1]) -> message => message.ok(),
            default => None,
        },
        _ => {
            let (one, other) = (receiver, &from[usize::from(std::ptr::eq(receiver, &from[0]))]);
            select! {
                recv(one) -> message => match message {
                    Ok(message) => Some(message),
                    Err(_) => return other.recv().map(Some).map_err(drop),
                },
                recv(other) -> message => match message {
                    Ok(message) => Some(message),
                    Err(_) => return one.recv().map(Some).map_err(drop),
                },
            }
        }
    })
}

fn storm(workers: usize, with_threads: bool, seed: u64, capacity: Option<usize>) {
    let runtime = Runtime::builder().workers(workers).build().unwrap();
    let live = Arc::new(AtomicUsize::new(0));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::new(Mutex::new(Vec::new()));
    let channel = || capacity.map_or_else(unbounded, bounded);
    let ((a, from_a), (b, from_b)) = (channel(), channel());
    let (to, from) = ([a, b], [from_a, from_b]);

    let mut mates = Vec::new();
    let mut threads = Vec::new();
    for number in 0..SENDERS + RECEIVERS {
        let mut random = Random(seed * 1_000 + number);
        let (to, from, live) = (to.clone(), from.clone(), Arc::clone(&live));
        let (sent, received) = (Arc::clone(&sent), Arc::clone(&received));
        let play = move || {
            if number < SENDERS {
                drop(from);
                for count in 0..EACH {
                    if send(&mut random, &to, Message::new(number, count, &live)) {
                        sent.lock().unwrap().push((number, count));
                    }
                }
            } else {
                drop(to);
                while let Ok(message) = receive(&mut random, &from) {
                    if let Some(Message(from, count, _)) = message.as_ref() {
                        received.lock().unwrap().push((number, *from, *count));
                    }
                }
            }
        };
        // The last receiver stays, so that nobody sends in vain.
        if with_threads && number % 3 == 1 {
            threads.push(std::thread::spawn(play));
        } else {
            mates.push((number, runtime.spawn(play)));
        }
    }
    drop((to, from));
    let mut random = Random(seed);
    runtime.run(|| {
        for _ in 0..6 {
            (0..random.below(2_000)).for_each(|_| thread::yield_now());
            let (number, mate) = &mates[random.below(mates.len() as u64) as usize];
            if *number != SENDERS + RECEIVERS - 1 {
                mate.cancel().unwrap();
            }
        }
        for (_, mate) in mates {
            if let Err(payload) = mate.join() {
                assert!(payload.is::<thread::Cancelled>(), "it has panicked");
            }
        }
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());

    assert_eq!(live.load(SeqCst), 0, "a message was not dropped");
    let (mut sent, received) = (sent.lock().unwrap().clone(), received.lock().unwrap().clone());
    let mut got: Vec<_> = received.iter().map(|&(_, from, count)| (from, count)).collect();
    sent.sort_unstable();
    got.sort_unstable();
    assert_eq!(sent, got);
    // Two channels, so in order only where there is one: of those with one receiver and one sender nothing is
    // known but this, that no number comes twice, which is checked above, and none from the future.
    let mut last: HashMap<(u64, u64), u64> = HashMap::new();
    for (to, from, count) in received {
        let last = last.entry((to, from)).or_default();
        *last = (*last).max(count);
    }
    assert!(last.values().all(|&last| last < EACH));
}

fn storms(capacity: Option<usize>) {
    for seed in 1..=4 {
        storm(1, false, seed, capacity);
        storm(3, false, seed + 10, capacity);
        storm(2, true, seed + 20, capacity);
    }
}

#[test]
fn nothing_is_lost_in_a_storm_on_channels_of_capacity_zero() {
    storms(Some(0));
}

#[test]
fn nothing_is_lost_in_a_storm_on_bounded_channels() {
    storms(Some(1));
    storms(Some(7));
}

#[test]
fn nothing_is_lost_in_a_storm_on_unbounded_channels() {
    storms(None);
}
