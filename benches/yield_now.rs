//! A scheduled yield: from one coroutine to the next, through the run queue.
//!
//! ```text
//! cargo bench --bench yield_now
//! ```
//!
//! What is measured: the time from one coroutine's `yield_now` until the next coroutine goes on. Between
//! two coroutines on one worker, which is the least; among a thousand on one worker, whose stacks no
//! longer fit the nearest cache; and on all workers at once, a thousand on each, where a yield's time is
//! that of one worker.
//!
//! Why it is fair: all yields are between coroutines that always have somebody to yield to. The summary
//! divides by a raw switch of `kettle::coroutine`, which is the least that any way from one stack to
//! another costs. Both are measured by the same coroutine on the same thread, in turns of some hundred
//! microseconds, and the ratio is of neighbours.

#[path = "support/mod.rs"]
mod support;

use criterion::Criterion;
use kettle::coroutine::{Coroutine, State, Suspender};
use kettle::runtime::Runtime;
use kettle::thread::{self, yield_now};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use support::{Effort, Paired, anchors, ns_each, scaled};

const CROWD: u64 = 1_000;

/// Does something eight times in a row, so that the loop around it does not count.
macro_rules! eight_times {
    ($body:expr) => {{
        $body;
        $body;
        $body;
        $body;
        $body;
        $body;
        $body;
        $body;
    }};
}

/// `coroutines` on the one worker of `runtime` yield `yields` times each. The time for all of it.
fn on_one_worker(runtime: &Runtime, coroutines: u64, yields: u64) -> Duration {
    runtime.run(|| {
        let handles: Vec<_> = (0..coroutines)
            .map(|_| {
                thread::spawn(move || {
                    (0..yields).for_each(|_| yield_now());
                    yields
                })
            })
            .collect();
        let start = Instant::now();
        let done: u64 = handles.into_iter().map(|handle| handle.join().expect("no panic")).sum();
        let elapsed = start.elapsed();
        assert_eq!(done, coroutines * yields, "a coroutine did not run");
        elapsed
    })
}

/// A crowd on each worker yields `yields` times each. The time that the slowest worker took.
fn on_all_workers(runtime: &Runtime, workers: usize, yields: u64) -> Duration {
    let anchors = anchors(runtime, workers);
    let start_together = Barrier::new(workers);
    let start_together: &'static Barrier = Box::leak(Box::new(start_together));
    let leaders: Vec<_> = anchors
        .iter()
        .map(|anchor| {
            let here = anchor.thread().clone();
            let lead = move || {
                let crowd: Vec<_> = (0..CROWD)
                    .map(|_| {
                        thread::Builder::new()
                            .beside(&here)
                            .spawn(move || (0..yields).for_each(|_| yield_now()))
                            .expect("there is memory")
                    })
                    .collect();
                start_together.wait();
                let start = Instant::now();
                crowd.into_iter().for_each(|handle| handle.join().expect("no panic"));
                start.elapsed()
            };
            thread::Builder::new()
                .beside(anchor.thread())
                .spawn_on(runtime.handle(), lead)
                .expect("there is memory")
        })
        .collect();
    let times = leaders.into_iter().map(|leader| leader.join().expect("no panic"));
    let slowest = times.max().expect("there is a worker");
    support::release(anchors);
    slowest
}

fn groups(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("yield_now");
    let one = Runtime::builder().workers(1).build().expect("the system gives a thread");
    for (title, coroutines) in [("2 on one worker", 2), ("1,000 on one worker", CROWD)] {
        group.bench_function(title, |bencher| {
            bencher.iter_custom(|count| {
                let yields = count.div_ceil(coroutines).max(100);
                scaled(on_one_worker(&one, coroutines, yields), yields * coroutines, count)
            });
        });
    }
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let all = Runtime::builder().workers(workers).build().expect("the system gives threads");
    group.bench_function("1,000 on each of all workers", |bencher| {
        bencher.iter_custom(|count| {
            let yields = count.div_ceil(CROWD).max(100);
            scaled(on_all_workers(&all, workers, yields), yields * CROWD, count)
        });
    });
    group.finish();
}

static DONE: AtomicBool = AtomicBool::new(false);
static ANSWERS: AtomicU64 = AtomicU64::new(0);

fn summary(effort: Effort) {
    /// A chunk's turns of eight rounds, of two switches each.
    const TURNS: u64 = 1_000;
    const SWITCHES: u64 = 2 * 8 * TURNS;

    let runtime = Runtime::builder().workers(1).build().expect("the system gives a thread");
    let paired = runtime.run(|| {
        let partner = thread::spawn(|| {
            while !DONE.load(Relaxed) {
                eight_times!(yield_now());
                ANSWERS.store(ANSWERS.load(Relaxed) + 8, Relaxed);
            }
        });
        let body = |suspender: &Suspender<usize, usize>, mut number: usize| {
            loop {
                eight_times!(number = suspender.suspend(number + 1));
            }
        };
        let mut raw: Coroutine<usize, usize, ()> = Coroutine::new(body);
        let mut paired = Paired::default();
        for _ in 0..effort.chunks(2_000) {
            let scheduled = || {
                let before = ANSWERS.load(Relaxed);
                let start = Instant::now();
                for _ in 0..TURNS {
                    eight_times!(yield_now());
                }
                let elapsed = start.elapsed();
                let answers = ANSWERS.load(Relaxed) - before;
                assert!(answers.abs_diff(8 * TURNS) <= 8, "not every yield went to the partner");
                ns_each(elapsed, SWITCHES)
            };
            let raw = || {
                let mut number = 0;
                let start = Instant::now();
                for _ in 0..TURNS {
                    eight_times!(match raw.resume(number) {
                        State::Yielded(answer) => number = answer,
                        State::Returned(()) => unreachable!("the body goes on"),
                    });
                }
                let elapsed = start.elapsed();
                assert_eq!(number as u64, 8 * TURNS, "an answer was lost");
                ns_each(elapsed, SWITCHES)
            };
            paired.measure(scheduled, raw);
        }
        DONE.store(true, Relaxed);
        partner.join().expect("no panic");
        paired
    });
    println!(
        "yield_now, two coroutines on one worker: {:.2} ns, a raw switch {:.2} ns",
        paired.ours(),
        paired.theirs()
    );
    println!("yield_now: {:.1} raw switches", paired.ratio());
}

fn main() {
    support::run(groups, summary);
}
