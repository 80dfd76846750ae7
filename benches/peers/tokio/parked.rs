//! Many tasks that wait until each is woken by itself.

use peers::{Report, resident};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::oneshot;

pub(crate) async fn parked(count: u64) -> Report {
    let before = resident();
    let begin = Instant::now();
    let waiting = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            let (waker, woken) = oneshot::channel::<u64>();
            let waiting = Arc::clone(&waiting);
            let task = tokio::spawn(async move {
                waiting.fetch_add(1, Ordering::Relaxed);
                woken.await.unwrap() + number
            });
            (waker, task)
        })
        .collect();
    while waiting.load(Ordering::Relaxed) < count {
        tokio::task::yield_now().await;
    }
    let spawned = begin.elapsed();
    let bytes = resident().saturating_sub(before);

    let begin = Instant::now();
    let tasks: Vec<_> = tasks
        .into_iter()
        .map(|(waker, task)| {
            waker.send(1).unwrap();
            task
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    let woken = begin.elapsed();
    Report::new(sum)
        .metric("spawn_seconds", spawned.as_secs_f64())
        .metric("wake_seconds", woken.as_secs_f64())
        .metric("bytes", bytes as f64 / count as f64)
}
