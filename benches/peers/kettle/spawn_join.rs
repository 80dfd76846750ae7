//! Spawn and join: with one outstanding, or a batch of them. The same from a coroutine and from a thread.

use kettle::thread;
use peers::Report;
use std::time::Instant;

pub(crate) fn spawn_join(count: u64, outstanding: usize) -> Report {
    let begin = Instant::now();
    let mut sum = 0;
    let mut handles = Vec::with_capacity(outstanding);
    for first in (0..count).step_by(outstanding) {
        handles.extend(
            (first..count.min(first + outstanding as u64))
                .map(|number| thread::spawn(move || number)),
        );
        for handle in handles.drain(..) {
            sum += handle.join().unwrap();
        }
    }
    Report::new(sum).ns_each(begin, count)
}
