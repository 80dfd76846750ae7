//! Skynet: a coroutine starts ten, each of which starts ten, and so on; the leaves send their numbers, and everybody
//! else the sum of what ten have sent.
//!
//! ```text
//! cargo run --release --example skynet
//! ```

#[path = "support/options.rs"]
mod options;

use kettle::channel::{Sender, bounded};
use kettle::{runtime::Runtime, thread};
use options::Value;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Sums up the numbers of a million leaves, in a tree of coroutines that each have ten children.

  --levels N       how deep the tree is: ten to this many leaves (6)
  --workers N      worker threads (one for each core)
  --help           this text";

fn node(parent: &Sender<u64>, number: u64, leaves: u64) {
    let sum = if leaves == 1 {
        number
    } else {
        let (sender, receiver) = bounded(10);
        let below = leaves / 10;
        for child in 0..10 {
            let sender = sender.clone();
            thread::spawn(move || node(&sender, number + child * below, below));
        }
        receiver.iter().take(10).sum()
    };
    parent.send(sum).expect("the parent waits for it");
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let (mut levels, mut workers) = (6, thread::available_parallelism().map_or(1, usize::from));
    let options =
        &mut [("levels", Value::Number(&mut levels)), ("workers", Value::Number(&mut workers))];
    if let Err(code) = options::read(arguments, HELP, options) {
        return code;
    }
    if levels > 9 {
        eprintln!("error: --levels is 9 at most");
        return ExitCode::from(2);
    }
    let runtime = match Runtime::builder().workers(workers).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let leaves = 10_u64.pow(levels as u32);
    let start = Instant::now();
    let sum = runtime.run(|| {
        let (sender, receiver) = bounded(1);
        thread::spawn(move || node(&sender, 0, leaves));
        receiver.recv().expect("the root sends")
    });
    println!("the sum of {leaves} leaves is {sum}, in {:.0?}", start.elapsed());
    if sum == leaves * (leaves - 1) / 2 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
