//! The whole life of a coroutine: spawned, run to its end, joined.
//!
//! ```text
//! cargo bench --bench spawn
//! ```
//!
//! What is measured: trivial coroutines on one worker, spawned by a coroutine of that worker. Either one
//! at a time, each joined before the next is spawned; or in waves of ten thousand, all spawned, then all
//! joined. Wall time, divided by the number of coroutines; the same count as [`pooled_corosensei`]'s,
//! whose body bumps a counter as well.
//!
//! Why it is fair: the yardstick is a coroutine on a pooled stack without anything around it, no
//! scheduler, no allocation and no join handle, and it is written as well as its author would. kettle
//! does more: its coroutines wait in a queue, may be stolen until they start, and hand their result to
//! whoever joins. A wave of kettle's runs on a few stacks, because a coroutine has none before it runs;
//! one of the yardstick's needs all ten thousand, and that is a difference in the design, not in the
//! measurement.
//!
//! The parts are told apart by spawning a wave (nothing else runs meanwhile: there is one worker), then
//! parking until the last one to run gives the sign, then joining what has ended.

#[path = "yardsticks/pooled_corosensei.rs"]
mod pooled_corosensei;
#[path = "support/mod.rs"]
mod support;

use criterion::Criterion;
use kettle::runtime::Runtime;
use kettle::thread;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use support::{Effort, Paired, median, ns_each, scaled};

const OUTSTANDING: u64 = 10_000;

/// What the bodies bump. They run on one worker and never at the same time, so this needs no locked
/// instruction, as the yardstick's needs none.
static COUNTER: AtomicU64 = AtomicU64::new(0);

fn bump() -> u64 {
    let count = COUNTER.load(Relaxed) + 1;
    COUNTER.store(count, Relaxed);
    count
}

/// Runs `measured` as a coroutine and gives the time that it says, having checked that so many bodies
/// ran.
fn checked<T: Send>(runtime: &Runtime, bodies: u64, measured: impl FnOnce() -> T + Send) -> T {
    COUNTER.store(0, Relaxed);
    let result = runtime.run(measured);
    assert_eq!(COUNTER.load(Relaxed), bodies, "a coroutine did not run");
    result
}

fn one_at_a_time(runtime: &Runtime, count: u64) -> Duration {
    checked(runtime, count, || {
        let start = Instant::now();
        for _ in 0..count {
            thread::spawn(bump).join().expect("the body does not panic");
        }
        start.elapsed()
    })
}

/// The first wave is not timed, as the yardstick's is not: it warms the caches and the allocator.
fn in_waves(runtime: &Runtime, waves: u64) -> Duration {
    checked(runtime, (1 + waves) * OUTSTANDING, || {
        let mut handles = Vec::with_capacity(OUTSTANDING as usize);
        let mut wave = || {
            handles.extend((0..OUTSTANDING).map(|_| thread::spawn(bump)));
            for handle in handles.drain(..) {
                handle.join().expect("the body does not panic");
            }
        };
        wave();
        let start = Instant::now();
        (0..waves).for_each(|_| wave());
        start.elapsed()
    })
}

/// What the parts of one wave took: spawn, run, join.
fn parts(runtime: &Runtime) -> [Duration; 3] {
    checked(runtime, OUTSTANDING, || {
        let mut handles = Vec::with_capacity(OUTSTANDING as usize);
        // A handle for all of them: a reference count would be paid for in each.
        let spawner: &'static thread::Thread = Box::leak(Box::new(thread::current()));
        let start = Instant::now();
        handles.extend((0..OUTSTANDING).map(|_| {
            thread::spawn(move || {
                if bump() == OUTSTANDING {
                    spawner.unpark();
                }
            })
        }));
        let spawned = Instant::now();
        thread::park();
        let ran = Instant::now();
        for handle in handles.drain(..) {
            handle.join().expect("the body does not panic");
        }
        [spawned - start, ran - spawned, ran.elapsed()]
    })
}

fn runtime() -> Runtime {
    Runtime::builder().workers(1).build().expect("the system gives a thread")
}

fn groups(criterion: &mut Criterion) {
    let runtime = runtime();
    let yardstick = |(elapsed, bodies): (Duration, u64), count: u64| {
        assert_eq!(bodies, count, "a coroutine did not run");
        elapsed
    };

    let mut group = criterion.benchmark_group("spawn, run and join, one at a time");
    group.bench_function("kettle", |bencher| {
        bencher.iter_custom(|count| one_at_a_time(&runtime, count));
    });
    group.bench_function("pooled corosensei", |bencher| {
        bencher.iter_custom(|count| yardstick(pooled_corosensei::one_at_a_time(count), count));
    });
    group.finish();

    let mut group = criterion.benchmark_group("spawn, run and join, 10,000 outstanding");
    // To have ten thousand stacks mapped takes the yardstick longer than what is measured of it.
    group.sample_size(10);
    group.bench_function("kettle", |bencher| {
        bencher.iter_custom(|count| {
            let waves = count.div_ceil(OUTSTANDING);
            scaled(in_waves(&runtime, waves), waves * OUTSTANDING, count)
        });
    });
    group.bench_function("pooled corosensei", |bencher| {
        bencher.iter_custom(|count| {
            let waves = count.div_ceil(OUTSTANDING);
            let lives = waves * OUTSTANDING;
            let run = pooled_corosensei::in_waves(waves, OUTSTANDING as usize);
            scaled(yardstick(run, lives), lives, count)
        });
    });
    group.finish();
}

fn summary(effort: Effort) {
    /// One is about a millisecond. Before each the yardstick maps its stacks anew, which takes longer.
    const WAVES: u64 = 1;
    const LIVES: u64 = 10_000;

    let runtime = runtime();
    let mut single = Paired::default();
    for _ in 0..effort.chunks(400) {
        single.measure(
            || ns_each(one_at_a_time(&runtime, LIVES), LIVES),
            || ns_each(pooled_corosensei::one_at_a_time(LIVES).0, LIVES),
        );
    }
    let mut waves = Paired::default();
    let mut split = [const { Vec::new() }; 3];
    for _ in 0..effort.chunks(64) {
        let lives = WAVES * OUTSTANDING;
        waves.measure(
            || ns_each(in_waves(&runtime, WAVES), lives),
            || ns_each(pooled_corosensei::in_waves(WAVES, OUTSTANDING as usize).0, lives),
        );
        // The first is not counted, as above.
        parts(&runtime);
        for (part, elapsed) in split.iter_mut().zip(parts(&runtime)) {
            part.push(ns_each(elapsed, OUTSTANDING));
        }
    }
    let [spawn, run, join] = split.map(median);
    let line = |paired: &Paired| {
        let (ours, theirs, ratio) = (paired.ours(), paired.theirs(), paired.ratio());
        format!("kettle {ours:.0} ns, pooled corosensei {theirs:.0} ns, ratio {ratio:.2}")
    };
    println!("spawn, one at a time: {}", line(&single));
    println!("spawn, the parts of a wave: spawn {spawn:.0} ns, run {run:.0} ns, join {join:.0} ns");
    println!("spawn, 10,000 outstanding: {}", line(&waves));
}

fn main() {
    support::run(groups, summary);
}
