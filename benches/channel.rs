//! Channels: a message there and back, many senders and one receiver, and a select over eight.
//!
//! ```text
//! cargo bench --bench channel
//! ```
//!
//! What is measured, and beside what:
//!
//! - *ping-pong*: a message to another coroutine and one back, by two channels of capacity 1. Both live on one
//!   worker, or on two, each on its own. Beside it, on one worker, the same with a yield in place of each wait,
//!   which is the least that two who take turns can do.
//! - *fan-in*: 1,000 coroutines send 1,000 messages each to one receiver, spawning included, by an unbounded channel
//!   and by one of capacity 1,024. Beside it crossbeam-channel, with as many messages from as many OS threads as
//!   there are workers.
//! - *select*: to receive by a `select!` of eight channels that all have messages, beside a plain `recv`.
//!
//! Why it is fair: the two of each pair take turns, and the ratio is of neighbours.

#[path = "support/mod.rs"]
mod support;

use criterion::Criterion;
use kettle::channel::{Receiver, Sender, bounded, select, unbounded};
use kettle::runtime::Runtime;
use kettle::thread::{self, yield_now};
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::{Effort, Paired, anchors, ns_each, release, scaled};

const SENDERS: u64 = 1_000;

fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().expect("the system gives threads")
}

/// The time that `rounds` messages take there and back, between coroutines on the first and the last worker.
fn ping_pong(runtime: &Runtime, workers: usize, rounds: u64) -> Duration {
    let anchors = anchors(runtime, workers);
    let elapsed = runtime.run(|| {
        let beside = |index: usize| thread::Builder::new().beside(anchors[index].thread());
        let ((ping, pinged), (pong, ponged)) = (bounded(1), bounded(1));
        let partner = beside(workers - 1).spawn(move || {
            for number in pinged {
                pong.send(number).expect("the other one is there");
            }
        });
        let player = beside(0).spawn(move || {
            let start = Instant::now();
            for number in 0..rounds {
                ping.send(number).expect("the other one is there");
                assert_eq!(ponged.recv(), Ok(number));
            }
            start.elapsed()
        });
        let elapsed = player.expect("memory").join().expect("no panic");
        partner.expect("memory").join().expect("no panic");
        elapsed
    });
    release(anchors);
    elapsed
}

/// The time that two coroutines of one worker take to yield twice each, `rounds` times.
fn yields(runtime: &Runtime, rounds: u64) -> Duration {
    runtime.run(|| {
        let partner = thread::spawn(move || (0..2 * rounds).for_each(|_| yield_now()));
        let start = Instant::now();
        (0..2 * rounds).for_each(|_| yield_now());
        let elapsed = start.elapsed();
        partner.join().expect("no panic");
        elapsed
    })
}

/// The time that all messages of `SENDERS` take, `each` of every one.
fn fan_in(runtime: &Runtime, each: u64, channel: fn() -> (Sender<u64>, Receiver<u64>)) -> Duration {
    runtime.run(|| {
        let start = Instant::now();
        let (sender, receiver) = channel();
        for _ in 0..SENDERS {
            let sender = sender.clone();
            drop(thread::spawn(move || {
                (0..each).for_each(|number| sender.send(number).expect("it is received"));
            }));
        }
        drop(sender);
        let sum: u64 = receiver.iter().sum();
        let elapsed = start.elapsed();
        assert_eq!(sum, SENDERS * (0..each).sum::<u64>());
        elapsed
    })
}

/// As [`fan_in`], by crossbeam-channel from so many OS threads.
fn fan_in_threads(threads: u64, each: u64, capacity: Option<usize>) -> Duration {
    let start = Instant::now();
    let (sender, receiver) =
        capacity.map_or_else(crossbeam_channel::unbounded, crossbeam_channel::bounded);
    let senders: Vec<_> = (0..threads)
        .map(|_| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for _ in 0..SENDERS / threads {
                    (0..each).for_each(|number| sender.send(number).expect("it is received"));
                }
            })
        })
        .collect();
    drop(sender);
    let sum: u64 = receiver.iter().sum();
    let elapsed = start.elapsed();
    assert_eq!(sum, SENDERS / threads * threads * (0..each).sum::<u64>());
    senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
    elapsed
}

/// The time to receive `count` messages, by selects of eight channels that all hold some, or plainly.
fn receives(runtime: &Runtime, count: u64, selecting: bool) -> Duration {
    runtime.run(|| {
        let channels: Vec<_> = (0..8).map(|_| unbounded()).collect();
        for number in 0..count {
            // Enough for wherever the messages are taken from.
            channels[number as usize % 8].0.send(number).expect("it is there");
            channels[0].0.send(number).expect("it is there");
        }
        let r: Vec<_> = channels.iter().map(|(_, receiver)| receiver).collect();
        let start = Instant::now();
        for _ in 0..count / 2 {
            let number = if selecting {
                select! {
                    recv(r[0]) -> number => number,
                    recv(r[1]) -> number => number,
                    recv(r[2]) -> number => number,
                    recv(r[3]) -> number => number,
                    recv(r[4]) -> number => number,
                    recv(r[5]) -> number => number,
                    recv(r[6]) -> number => number,
                    recv(r[7]) -> number => number,
                }
            } else {
                r[0].recv()
            };
            black_box(number.expect("there is one"));
        }
        start.elapsed() * 2
    })
}

fn groups(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("channel");
    for workers in [1, 2] {
        let runtime = runtime(workers);
        group.bench_function(format!("ping-pong on {workers} workers"), |bencher| {
            bencher.iter_custom(|count| ping_pong(&runtime, workers, count));
        });
        for (kind, channel) in
            [("unbounded", unbounded as fn() -> _), ("bounded", || bounded(1_024))]
        {
            group.bench_function(format!("fan-in on {workers} workers, {kind}"), |bencher| {
                bencher.iter_custom(|count| {
                    let each = count.div_ceil(SENDERS).max(100);
                    scaled(fan_in(&runtime, each, channel), each * SENDERS, count)
                });
            });
        }
    }
    let runtime = runtime(1);
    for (kind, selecting) in [("recv", false), ("select! of eight", true)] {
        group.bench_function(kind, |bencher| {
            bencher.iter_custom(|count| {
                let count = count.max(16).next_multiple_of(2);
                receives(&runtime, count, selecting)
            });
        });
    }
    group.finish();
}

fn summary(effort: Effort) {
    const ROUNDS: u64 = 20_000;
    const EACH: u64 = 1_000;

    let one = runtime(1);
    let two = runtime(2);
    let chunks = effort.chunks(40);
    let mut paired = Paired::default();
    for _ in 0..chunks {
        paired.measure(
            || ns_each(ping_pong(&one, 1, ROUNDS), ROUNDS),
            || ns_each(yields(&one, ROUNDS), ROUNDS),
        );
    }
    println!(
        "channel: there and back {:.0} ns on one worker, four yields {:.0} ns, ratio {:.2}",
        paired.ours(),
        paired.theirs(),
        paired.ratio()
    );
    let apart: Vec<_> = (0..chunks).map(|_| ns_each(ping_pong(&two, 2, ROUNDS), ROUNDS)).collect();
    println!("channel: there and back {:.0} ns on two workers", support::median(apart));
    for (workers, runtime) in [(1, &one), (2, &two)] {
        for (kind, channel, capacity) in [
            ("unbounded", unbounded as fn() -> _, None),
            ("of capacity 1,024", || bounded(1_024), Some(1_024)),
        ] {
            let mut paired = Paired::default();
            for _ in 0..effort.chunks(15) {
                paired.measure(
                    || ns_each(fan_in(runtime, EACH, channel), SENDERS * EACH),
                    || ns_each(fan_in_threads(workers, EACH, capacity), SENDERS * EACH),
                );
            }
            println!(
                "channel: {:.1} ns for each message of 1,000 senders on {workers} workers, {kind}; \
                 crossbeam-channel's {:.1} ns from {workers} threads, ratio {:.2}",
                paired.ours(),
                paired.theirs(),
                paired.ratio()
            );
        }
    }
    let mut paired = Paired::default();
    for _ in 0..chunks {
        paired.measure(
            || ns_each(receives(&one, ROUNDS, true), ROUNDS),
            || ns_each(receives(&one, ROUNDS, false), ROUNDS),
        );
    }
    println!(
        "channel: {:.1} ns to receive by a select of eight, {:.1} ns plainly, ratio {:.2}",
        paired.ours(),
        paired.theirs(),
        paired.ratio()
    );
}

fn main() {
    support::run(groups, summary);
}
