//! The raw switch with generator: a send and a yield are two. Its `raw_send` is what `send` is built on, and takes
//! half as long.

use generator::Gn;
use peers::{Options, Report, Result};
use std::time::Instant;

fn main() -> Result<()> {
    let options = Options::from_env()?;
    if options.workload != "switch" {
        return options.unknown();
    }
    let count = options.number("count")?;
    let mut generator = Gn::<u64>::new_scoped(|mut scope| {
        let mut input = scope.get_yield();
        // None asks for the end.
        while let Some(number) = input {
            input = scope.yield_(number + 1);
        }
        0
    });
    let begin = Instant::now();
    let mut sum = 0;
    for number in 0..count {
        sum += generator.raw_send(Some(number)).ok_or("the generator has ended")?;
    }
    Report::new(sum).ns_each(begin, 2 * count).print();
    generator.raw_send(None);
    Ok(())
}
