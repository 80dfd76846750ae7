//! One coroutine among a thousand grows its stack from a page to 64 MiB and shrinks again.
//!
//! ```text
//! cargo run --release --example grow
//! ```
//!
//! A stack is address space: what a coroutine touches is committed, and what it has used and no longer needs
//! it gives back after a while, when it waits. Nothing is copied on the way, so pointers into a stack stay
//! good, and nobody else pays for it. The table shows the committed bytes of the one that grows and of its
//! neighbours, as [`kettle::thread::Thread::stack`] tells them.

use indicatif::HumanBytes;
use kettle::thread::{self, JoinHandle, StackUsage};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// How many coroutines there are that stay as they are.
const NEIGHBOURS: usize = 999;

/// How deep the one goes, in bytes.
const DEPTH: usize = 64 << 20;

/// A little more than that, for the frames around.
const STACK_SIZE: usize = DEPTH + (1 << 20);

/// How long to wait for what should take a moment.
const PATIENCE: Duration = Duration::from_secs(60);

/// How far the one has come.
static STEP: AtomicUsize = AtomicUsize::new(0);

/// Sums what lies on the stack, one frame of a kibibyte after the other.
#[inline(never)]
fn descend(frames: usize) -> u64 {
    let mut filled = [frames as u64; 128];
    black_box(&mut filled);
    let below = if frames == 0 {
        step(2);
        0
    } else {
        descend(frames - 1)
    };
    below + filled.iter().sum::<u64>()
}

/// Says how far it has come, and waits to be sent on.
fn step(number: usize) {
    STEP.store(number, SeqCst);
    thread::park();
}

/// Waits until `done`; says whether it came to that.
fn wait_for(mut done: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while !done() {
        if began.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

fn usage<T>(coroutine: &JoinHandle<T>) -> StackUsage {
    coroutine.thread().stack().expect("it has begun, and waits")
}

/// What all the neighbours have committed.
fn committed(neighbours: &[JoinHandle<()>]) -> usize {
    neighbours.iter().map(|one| usage(one).committed).sum()
}

/// Waits until the neighbours have committed the same for a while.
fn settle(neighbours: &[JoinHandle<()>]) {
    let mut before = 0;
    while before != committed(neighbours) {
        before = committed(neighbours);
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Shows the table. Says whether all was as it should be.
fn run() -> std::io::Result<bool> {
    let neighbours: Vec<_> = (0..NEIGHBOURS).map(|_| thread::spawn(thread::park)).collect();
    // The frame of 1 KiB and some words around it.
    let frames = DEPTH / 1024;
    let giant =
        thread::Builder::new().name("giant".into()).stack_size(STACK_SIZE).spawn(move || {
            step(1);
            let sum = descend(frames);
            step(3);
            sum
        })?;
    let waits = |one: &JoinHandle<()>| one.thread().stack().is_some();
    if !wait_for(|| STEP.load(SeqCst) == 1 && neighbours.iter().all(waits)) {
        return Ok(false);
    }

    // Those that have begun a moment ago may have something to give back too.
    settle(&neighbours);

    println!("{:<20} {:>14} {:>14} {:>17}", "the one", "committed", "deepest", "999 neighbours");
    let row = |what: &str| {
        let StackUsage { committed: own, deepest, .. } = usage(&giant);
        let others = committed(&neighbours);
        let human = |bytes: usize| HumanBytes(bytes as u64).to_string();
        println!("{what:<20} {:>14} {:>14} {:>17}", human(own), human(deepest), human(others));
        (own, deepest, others)
    };
    let before = row("before");
    giant.thread().unpark();
    let arrived = wait_for(|| STEP.load(SeqCst) == 2);
    let deep = row("at the depth");
    giant.thread().unpark();
    let shrunk = wait_for(|| STEP.load(SeqCst) == 3 && usage(&giant).committed < DEPTH / 1024);
    let after = row("back, and trimmed");

    giant.thread().unpark();
    neighbours.iter().for_each(|one| one.thread().unpark());
    let sum = giant.join().expect("the giant comes back");
    neighbours.into_iter().for_each(|one| one.join().expect("a neighbour ends"));
    let frames = frames as u64;
    assert_eq!(sum, 128 * frames * (frames + 1) / 2, "every frame held what was written into it");

    Ok(arrived
        && shrunk
        && before.0 < DEPTH / 1024
        && deep.0 >= DEPTH
        && after.1 >= DEPTH
        && deep.2 <= before.2
        && after.2 <= before.2)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("grow: the stacks did not grow and shrink as they should have");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("grow: {error}");
            ExitCode::FAILURE
        }
    }
}
