//! Coroutines that only make way for each other.

use kettle::thread;
use peers::Report;
use std::time::Instant;

pub(crate) fn yields(tasks: u64, each: u64) -> Report {
    let begin = Instant::now();
    let coroutines: Vec<_> = (0..tasks)
        .map(|_| {
            thread::spawn(move || {
                let mut yielded = 0;
                while yielded < each {
                    thread::yield_now();
                    yielded += 1;
                }
                yielded
            })
        })
        .collect();
    let sum = coroutines.into_iter().map(|coroutine| coroutine.join().unwrap()).sum();
    Report::new(sum).ns_each(begin, sum)
}
