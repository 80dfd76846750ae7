//! Data parallelism: a function of each item of a slice, by coroutines that borrow it, on all workers.
//!
//! ```text
//! cargo run --release --example parallel_map -- --items 2000000
//! ```

#[path = "support/options.rs"]
mod options;

use kettle::thread;
use options::Value;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Finds for each number how many steps its Collatz sequence takes, one after the other and in parallel.

  --items N        how many numbers (200000)
  --piece N        how many of them one coroutine takes (1000)
  --help           this text

Exit code: 1 if the two do not agree.";

/// `f` of each item, in order. A coroutine takes `piece` of them.
fn parallel_map<T: Sync, R: Send>(items: &[T], piece: usize, f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let pieces: Vec<_> = items
            .chunks(piece)
            .map(|items| scope.spawn(|| items.iter().map(&f).collect::<Vec<R>>()))
            .collect();
        let join = |piece: thread::ScopedJoinHandle<'_, Vec<R>>| match piece.join() {
            Ok(results) => results,
            Err(payload) => std::panic::resume_unwind(payload),
        };
        pieces.into_iter().flat_map(join).collect()
    })
}

fn collatz_steps(&start: &u64) -> u32 {
    let (mut n, mut steps) = (start, 0);
    while n > 1 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let (mut items, mut piece) = (200_000, 1_000);
    let options = &mut [("items", Value::Number(&mut items)), ("piece", Value::Number(&mut piece))];
    if let Err(code) = options::read(arguments, HELP, options) {
        return code;
    }
    let numbers: Vec<u64> = (1..=items as u64).collect();
    let start = Instant::now();
    let one_by_one: Vec<u32> = numbers.iter().map(collatz_steps).collect();
    let alone = start.elapsed();
    let start = Instant::now();
    let in_parallel = kettle::run(|| parallel_map(&numbers, piece, collatz_steps));
    let together = start.elapsed();
    let longest = (1..=items).max_by_key(|n| one_by_one[n - 1]).unwrap_or(1);
    println!("{longest} takes {} steps, the most of all up to {items}", one_by_one[longest - 1]);
    println!("one after the other {alone:.1?}, in parallel {together:.1?}");
    if one_by_one == in_parallel { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
