//! The operations whose instructions `ci/instruction-counts` counts; no clock is involved.
//!
//! ```text
//! instructions OPERATION ROUNDS
//! ```
//!
//! does one thing so many times and nothing else, for callgrind to count. What the process does once is
//! in two counts of different length alike, and falls out of their difference. Each loop does eight
//! rounds a turn, so that the loop itself hardly counts.
//!
//! The functions named `one_..` do each thing once and are never called in earnest: their machine code is
//! read off the disassembly.

use kettle::coroutine::{Coroutine, State, Suspender};
use kettle::runtime::Runtime;
use kettle::thread::{self, Thread};
use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// An operation's name, and what does it so many times.
type Operation = (&'static str, fn(u64));

const OPERATIONS: [Operation; 4] = [
    ("raw-switch", raw_switches),
    ("scheduled-yield", scheduled_yields),
    ("spawn-run-join", spawns),
    ("park-unpark", parks),
];

macro_rules! eight_times {
    ($body:expr) => {{
        $body;
        $body;
        $body;
        $body;
        $body;
        $body;
        $body;
        $body;
    }};
}

/// A coroutine that answers each number with the next one. A resume and a suspend are two switches.
fn raw_switches(rounds: u64) {
    let mut coroutine = Coroutine::new(|suspender: &Suspender<usize, usize>, mut number: usize| {
        loop {
            eight_times!(number = suspender.suspend(number + 1));
        }
    });
    let mut number = 0;
    for _ in 0..rounds / 16 {
        eight_times!(number = ask(&mut coroutine, number));
    }
    assert_eq!(number as u64, rounds / 16 * 8);
}

#[inline(always)]
fn ask(coroutine: &mut Coroutine<usize, usize, ()>, question: usize) -> usize {
    match coroutine.resume(question) {
        State::Yielded(answer) => answer,
        State::Returned(()) => panic!("the body goes on"),
    }
}

/// A runtime whose one worker does what is to be counted, while everybody else sleeps.
fn on_one_worker(f: impl FnOnce() + Send) {
    Runtime::builder().workers(1).build().expect("a runtime").run(f);
}

/// Two coroutines that have nobody to yield to but each other.
fn scheduled_yields(rounds: u64) {
    on_one_worker(|| {
        let yields = move || {
            for _ in 0..rounds / 16 {
                eight_times!(thread::yield_now());
            }
        };
        for one in [thread::spawn(yields), thread::spawn(yields)] {
            one.join().expect("no panic");
        }
    });
}

/// One coroutine after the other is spawned, runs, and is joined.
fn spawns(rounds: u64) {
    on_one_worker(|| {
        for _ in 0..rounds / 8 {
            eight_times!(one_spawn_run_join());
        }
    });
}

/// Two coroutines that wake each other and park. A round is one wake and one park.
fn parks(rounds: u64) {
    static OTHER: [OnceLock<Thread>; 2] = [const { OnceLock::new() }; 2];
    on_one_worker(|| {
        let side = |mine: usize| {
            move || {
                OTHER[mine].set(thread::current()).expect("once");
                while OTHER[1 - mine].get().is_none() {
                    thread::yield_now();
                }
                let other = OTHER[1 - mine].get().expect("waited for");
                for _ in 0..rounds / 16 {
                    eight_times!({
                        other.unpark();
                        thread::park();
                    });
                }
                other.unpark();
            }
        };
        for one in [thread::spawn(side(0)), thread::spawn(side(1))] {
            one.join().expect("no panic");
        }
    });
}

#[inline(never)]
fn one_resume(coroutine: &mut Coroutine<usize, usize, ()>, question: usize) -> usize {
    ask(coroutine, question)
}

#[inline(never)]
fn one_suspend(suspender: &Suspender<usize, usize>, answer: usize) -> usize {
    suspender.suspend(answer)
}

#[inline(never)]
fn one_scheduled_yield() {
    thread::yield_now();
}

#[inline(never)]
fn one_spawn_run_join() {
    thread::spawn(|| ()).join().expect("no panic");
}

#[inline(never)]
fn one_unpark_and_park(other: &Thread) {
    other.unpark();
    thread::park();
}

/// Keeps the functions that are only read in the program.
fn each_once() {
    let mut coroutine = Coroutine::new(|suspender: &Suspender<usize, usize>, number: usize| {
        one_suspend(suspender, number + 1);
    });
    assert_eq!(one_resume(black_box(&mut coroutine), 1), 2);
    one_scheduled_yield();
    one_spawn_run_join();
    one_unpark_and_park(&thread::current());
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let [operation, rounds] = &arguments[..] else {
        // As `cargo bench` and `cargo test --benches` run it.
        each_once();
        OPERATIONS.iter().for_each(|(_, run)| run(1_600));
        println!("every operation works; ci/instruction-counts counts their instructions");
        return;
    };
    let rounds = rounds.parse().expect("a number of rounds");
    let found = OPERATIONS.iter().find(|(name, _)| name == operation);
    let (_, run) = found.unwrap_or_else(|| panic!("no operation {operation}"));
    run(rounds);
    // Not dead, as far as the compiler knows.
    static NEVER: AtomicBool = AtomicBool::new(false);
    if NEVER.load(Ordering::Relaxed) {
        each_once();
    }
}
