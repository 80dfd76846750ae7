//! Many coroutines that wait until each is woken by itself.

use kettle::thread;
use peers::{Report, resident};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

pub(crate) fn parked(count: u64) -> Report {
    let before = resident();
    let begin = Instant::now();
    let waiting = Arc::new(AtomicU64::new(0));
    let coroutines: Vec<_> = (0..count)
        .map(|number| {
            let waiting = Arc::clone(&waiting);
            thread::spawn(move || {
                waiting.fetch_add(1, Ordering::Relaxed);
                thread::park();
                number + 1
            })
        })
        .collect();
    while waiting.load(Ordering::Relaxed) < count {
        thread::yield_now();
    }
    let spawned = begin.elapsed();
    let bytes = resident().saturating_sub(before);

    let begin = Instant::now();
    for coroutine in &coroutines {
        coroutine.thread().unpark();
    }
    let sum = coroutines.into_iter().map(|coroutine| coroutine.join().unwrap()).sum();
    let woken = begin.elapsed();
    Report::new(sum)
        .metric("spawn_seconds", spawned.as_secs_f64())
        .metric("wake_seconds", woken.as_secs_f64())
        .metric("bytes", bytes as f64 / count as f64)
}
