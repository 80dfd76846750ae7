//! Many coroutines that each sleep for up to a second.

use kettle::thread;
use peers::{Report, nap};
use std::time::{Duration, Instant};

pub(crate) fn sleepers(count: u64) -> Report {
    let begin = Instant::now();
    let coroutines: Vec<_> = (0..count)
        .map(|number| {
            thread::spawn(move || {
                let (nap, begin) = (Duration::from_micros(nap(number)), Instant::now());
                thread::sleep(nap);
                u64::from(begin.elapsed() >= nap)
            })
        })
        .collect();
    let long_enough = coroutines.into_iter().map(|coroutine| coroutine.join().unwrap()).sum();
    Report::new(long_enough).seconds(begin).peak()
}
