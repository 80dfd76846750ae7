//! Each coroutine has ten children until there are enough leaves; the sum of the leaves' numbers comes back up.

use kettle::thread;
use peers::Report;
use std::time::Instant;

pub(crate) fn skynet(leaves: u64) -> Report {
    let begin = Instant::now();
    let sum = node(0, leaves);
    Report::new(sum).seconds(begin).peak()
}

fn node(first: u64, leaves: u64) -> u64 {
    if leaves == 1 {
        return first;
    }
    let part = leaves / 10;
    let children: [_; 10] = std::array::from_fn(|child| {
        let first = first + child as u64 * part;
        thread::spawn(move || node(first, part))
    });
    children.into_iter().map(|child| child.join().unwrap()).sum()
}
