//! One lock, many coroutines.

use kettle::sync::{Arc, Mutex};
use kettle::thread;
use peers::Report;
use std::time::Instant;

pub(crate) fn mutex(tasks: u64, each: u64) -> Report {
    let begin = Instant::now();
    let counter = Arc::new(Mutex::new(0));
    let coroutines: Vec<_> = (0..tasks)
        .map(|_| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || {
                for _ in 0..each {
                    *counter.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    for coroutine in coroutines {
        coroutine.join().unwrap();
    }
    let total = *counter.lock().unwrap();
    Report::new(total).ns_each(begin, tasks * each)
}
