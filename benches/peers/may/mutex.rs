//! One lock, many coroutines.

use may::go;
use may::sync::Mutex;
use peers::Report;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn mutex(tasks: u64, each: u64) -> Report {
    let begin = Instant::now();
    let counter = Arc::new(Mutex::new(0));
    let tasks_left: Vec<_> = (0..tasks)
        .map(|_| {
            let counter = Arc::clone(&counter);
            go!(move || {
                for _ in 0..each {
                    *counter.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    for task in tasks_left {
        task.join().unwrap();
    }
    let total = *counter.lock().unwrap();
    Report::new(total).ns_each(begin, tasks * each)
}
