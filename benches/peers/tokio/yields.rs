//! Tasks that only make way for each other. The clock starts when all have begun, which they do
//! because the others yield.

use peers::Report;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

pub(crate) async fn yields(count: u64, each: u64) -> Report {
    let begun = Arc::new(AtomicU64::new(0));
    let begin = Arc::new(OnceLock::new());
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (begun, begin) = (Arc::clone(&begun), Arc::clone(&begin));
            tokio::spawn(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                while begun.load(Ordering::Relaxed) < count {
                    tokio::task::yield_now().await;
                }
                begin.get_or_init(Instant::now);
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
    let begin = *begin.get().expect("all have begun");
    Report::new(sum).ns_each(begin, count * each)
}
