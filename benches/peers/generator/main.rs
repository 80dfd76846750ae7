//! The raw switch with generator: a send and a yield are two.

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
        let mut answer = 0;
        while let Some(number) = scope.yield_(answer) {
            answer = number + 1;
        }
        0
    });
    // Up to the first yield, which has nothing to answer yet.
    generator.raw_send(None);
    let begin = Instant::now();
    let mut sum = 0;
    for number in 0..count {
        sum += generator.send(number);
    }
    Report::new(sum).ns_each(begin, 2 * count).print();
    Ok(())
}
