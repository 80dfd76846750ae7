//! Tasks that only make way for each other.

use peers::Report;
use std::time::Instant;

pub(crate) async fn yields(tasks: u64, each: u64) -> Report {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            tokio::spawn(async move {
                let mut yielded = 0;
                while yielded < each {
                    tokio::task::yield_now().await;
                    yielded += 1;
                }
                yielded
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    Report::new(sum).ns_each(begin, sum)
}
