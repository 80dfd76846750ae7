//! Many tasks that each sleep for up to a second.

use peers::{Report, nap};
use std::time::{Duration, Instant};

pub(crate) async fn sleepers(count: u64) -> Report {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            tokio::spawn(async move {
                let (nap, begin) = (Duration::from_micros(nap(number)), Instant::now());
                tokio::time::sleep(nap).await;
                u64::from(begin.elapsed() >= nap)
            })
        })
        .collect();
    let mut long_enough = 0;
    for task in tasks {
        long_enough += task.await.unwrap();
    }
    Report::new(long_enough).seconds(begin).peak()
}
