//! The raw switch with corosensei: a resume and a suspend are two.

use corosensei::{Coroutine, CoroutineResult};
use peers::{Options, Report, Result};
use std::time::Instant;

fn main() -> Result<()> {
    let options = Options::from_env()?;
    if options.workload != "switch" {
        return options.unknown();
    }
    let count = options.number("count")?;
    let mut coroutine = Coroutine::new(|yielder, mut number: u64| -> u64 {
        loop {
            number = yielder.suspend(number + 1);
        }
    });
    let begin = Instant::now();
    let mut sum = 0;
    for number in 0..count {
        match coroutine.resume(number) {
            CoroutineResult::Yield(answer) => sum += answer,
            CoroutineResult::Return(_) => return Err("the coroutine has ended".into()),
        }
    }
    Report::new(sum).ns_each(begin, 2 * count).print();
    coroutine.force_unwind();
    Ok(())
}
