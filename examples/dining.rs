//! The dining philosophers, with a lock for each fork; and how a deadlock looks.
//!
//! ```text
//! cargo run --release --example dining
//! cargo run --release --example dining -- --deadlock
//! ```

#[path = "support/options.rs"]
mod options;

use kettle::runtime::{OnDeadlock, Runtime};
use kettle::sync::{Barrier, Mutex};
use kettle::thread;
use options::Value;
use std::process::ExitCode;

const HELP: &str = "\
Philosophers at a round table, with a fork between each two, who think and eat.

  --philosophers N how many, two at least (5)
  --meals N        how often each eats (1000)
  --deadlock       each takes the fork at his left and waits for the other one: the runtime says who waits for
                   what, and ends the process
  --help           this text";

/// A fork, which counts how often somebody has eaten with it.
type Fork = Mutex<usize>;

/// Eats with two forks. Everybody takes the one with the lower number first, so that no circle of those who wait can
/// close.
fn eat(forks: &[Fork], seat: usize) {
    let (left, right) = (seat, (seat + 1) % forks.len());
    let mut first = forks[left.min(right)].lock().expect("nobody panics");
    thread::yield_now();
    let mut second = forks[left.max(right)].lock().expect("nobody panics");
    *first += 1;
    *second += 1;
}

/// Takes the fork at the left, waits until everybody has, and then for the other one.
fn starve(forks: &[Fork], seat: usize, all_have_one: &Barrier) {
    let _left = forks[seat].lock().expect("nobody panics");
    all_have_one.wait();
    let _right = forks[(seat + 1) % forks.len()].lock().expect("nobody panics");
    unreachable!("there is no fork left");
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let (mut philosophers, mut meals, mut deadlock) = (5, 1_000, false);
    let options = &mut [
        ("philosophers", Value::Number(&mut philosophers)),
        ("meals", Value::Number(&mut meals)),
        ("deadlock", Value::Flag(&mut deadlock)),
    ];
    if let Err(code) = options::read(arguments, HELP, options) {
        return code;
    }
    if philosophers < 2 {
        eprintln!("error: one philosopher has one fork; let there be two at least");
        return ExitCode::from(2);
    }
    let runtime = match Runtime::builder().on_deadlock(OnDeadlock::Abort).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let forks: Vec<Fork> = (0..philosophers).map(|_| Fork::new(0)).collect();
    let all_have_one = Barrier::new(philosophers);
    runtime.run(|| {
        thread::scope(|scope| {
            for seat in 0..philosophers {
                let (forks, all_have_one) = (&forks, &all_have_one);
                let dine = move || match deadlock {
                    false => (0..meals).for_each(|_| eat(forks, seat)),
                    true => starve(forks, seat, all_have_one),
                };
                thread::Builder::new()
                    .name(format!("philosopher {seat}"))
                    .spawn_scoped(scope, dine)
                    .expect("memory for a philosopher");
            }
        });
    });
    let used: usize = forks.iter().map(|fork| *fork.lock().expect("nobody panics")).sum();
    println!("{} meals", used / 2);
    ExitCode::SUCCESS
}
