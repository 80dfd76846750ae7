//! Coroutines that only make way for each other.

use may::coroutine::yield_now;
use may::go;
use peers::Report;
use std::time::Instant;

pub(crate) fn yields(tasks: u64, each: u64) -> Report {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            go!(move || {
                let mut yielded = 0;
                while yielded < each {
                    yield_now();
                    yielded += 1;
                }
                yielded
            })
        })
        .collect();
    let sum = tasks.into_iter().map(|task| task.join().unwrap()).sum();
    Report::new(sum).ns_each(begin, sum)
}
