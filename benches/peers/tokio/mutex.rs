//! One lock, many tasks. The critical section never awaits, for which tokio's own documentation advises std's lock;
//! what is measured is the one that a task may hold while it waits, as kettle's and Go's may be.

use peers::Report;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

pub(crate) async fn mutex(tasks: u64, each: u64) -> Report {
    let begin = Instant::now();
    let counter = Arc::new(Mutex::new(0));
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        let counter = Arc::clone(&counter);
        set.spawn(async move {
            for _ in 0..each {
                *counter.lock().await += 1;
            }
        });
    }
    set.join_all().await;
    let total = *counter.lock().await;
    Report::new(total).ns_each(begin, tasks * each)
}
