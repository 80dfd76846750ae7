//! Coroutines that only make way for each other. The clock starts when all have begun, which they do
//! because the others yield.

use may::coroutine::yield_now;
use may::go;
use peers::Report;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

pub(crate) fn yields(count: u64, each: u64) -> Report {
    let begun = Arc::new(AtomicU64::new(0));
    let begin = Arc::new(OnceLock::new());
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (begun, begin) = (Arc::clone(&begun), Arc::clone(&begin));
            go!(move || {
                begun.fetch_add(1, Ordering::Relaxed);
                while begun.load(Ordering::Relaxed) < count {
                    yield_now();
                }
                begin.get_or_init(Instant::now);
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
    let begin = *begin.get().expect("all have begun");
    Report::new(sum).ns_each(begin, count * each)
}
