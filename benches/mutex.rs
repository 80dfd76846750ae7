//! A mutex under 1,000 coroutines, on one worker and on two.
//!
//! ```text
//! cargo bench --bench mutex
//! ```
//!
//! What is measured: to lock, add one and unlock, by each of 1,000 coroutines in turn and as fast as it goes,
//! spawning them included. On one worker nobody ever waits, since a coroutine that holds the mutex does not
//! make way; on two the workers contend for it. In the third case each makes way while it holds the mutex, so
//! nearly every lock has to wait: that is the lock and the switch together.
//!
//! Why it is fair: the yardstick is `std::sync::Mutex`, on as many OS threads as there are workers, with the
//! same number of locks altogether: it contends as much, and has no coroutines to schedule. The two take
//! turns, and the ratio is of neighbours.

#[path = "support/mod.rs"]
mod support;

use criterion::Criterion;
use kettle::runtime::Runtime;
use kettle::sync::{Arc, Mutex};
use kettle::thread::yield_now;
use std::time::{Duration, Instant};
use support::{Effort, Paired, ns_each, scaled};

const CROWD: u64 = 1_000;

fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().expect("the system gives threads")
}

/// The time that `CROWD` coroutines take to lock so many times each.
fn coroutines(runtime: &Runtime, locks: u64, yielding: bool) -> Duration {
    let mutex = Arc::new(Mutex::new(0_u64));
    let start = Instant::now();
    let joins: Vec<_> = (0..CROWD)
        .map(|_| {
            let mutex = Arc::clone(&mutex);
            runtime.spawn(move || {
                for _ in 0..locks {
                    let mut guard = mutex.lock().expect("nobody panics");
                    *guard += 1;
                    if yielding {
                        yield_now();
                    }
                }
            })
        })
        .collect();
    joins.into_iter().for_each(|join| join.join().expect("no panic"));
    let elapsed = start.elapsed();
    assert_eq!(*mutex.lock().expect("nobody panics"), CROWD * locks);
    elapsed
}

/// The time that so many OS threads take to lock std's mutex `locks` times altogether.
fn threads(threads: u64, locks: u64) -> Duration {
    let mutex = std::sync::Mutex::new(0_u64);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..locks / threads {
                    *mutex.lock().expect("nobody panics") += 1;
                }
            });
        }
    });
    let elapsed = start.elapsed();
    assert_eq!(*mutex.lock().expect("nobody panics"), locks / threads * threads);
    elapsed
}

fn groups(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mutex");
    for workers in [1, 2] {
        let runtime = runtime(workers);
        for (title, yielding) in [("", false), (", making way inside", true)] {
            group.bench_function(format!("1,000 on {workers} workers{title}"), |bencher| {
                bencher.iter_custom(|count| {
                    let locks = count.div_ceil(CROWD).max(1_000);
                    scaled(coroutines(&runtime, locks, yielding), locks * CROWD, count)
                });
            });
        }
    }
    group.finish();
}

fn summary(effort: Effort) {
    const LOCKS: u64 = 1_000;

    for workers in [1, 2] {
        let runtime = runtime(workers);
        let mut paired = Paired::default();
        for _ in 0..effort.chunks(40) {
            paired.measure(
                || ns_each(coroutines(&runtime, LOCKS, false), CROWD * LOCKS),
                || ns_each(threads(workers as u64, CROWD * LOCKS), CROWD * LOCKS),
            );
        }
        println!(
            "mutex: {:.1} ns under 1,000 coroutines on {workers} workers, std's {:.1} ns on {workers} threads, \
             ratio {:.2}",
            paired.ours(),
            paired.theirs(),
            paired.ratio()
        );
    }
}

fn main() {
    support::run(groups, summary);
}
