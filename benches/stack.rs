//! Stacks: one from the pool and back, one that is new, and what the kernel alone asks for a new one.
//!
//! ```text
//! cargo bench --bench stack
//! ```
//!
//! What is measured, through raw coroutines, which have a stack from when they are made until they are
//! dropped:
//!
//! - *take and return*: a coroutine is made, run and dropped, then the next, on the stack that the last
//!   one gave back;
//! - *first touch*: a coroutine is made and run that is never dropped, so that the next one needs a
//!   stack that nobody has had: address space, a guard, and the first page;
//! - *the floor*: one guard and one touch by bare system calls, as [`million_floor`] has it.
//!
//! Why it is fair: beside *take and return* stands a coroutine of corosensei on a stack kept in a
//! vector, which is its author's way, and which costs less than any pool that several threads can use.
//! *First touch* and *the floor* both keep what they have touched: pages that a process has given back
//! come again at half the price, and new ones may first have to be found by a virtual machine's host.
//! They are measured in turns. The price of a first touch is the kernel's, so what tells is the ratio.
//!
//! Some 100,000 stacks are kept in all: half a gigabyte of memory.

#[path = "yardsticks/million_floor.rs"]
mod million_floor;
#[path = "yardsticks/pooled_corosensei.rs"]
mod pooled_corosensei;
#[path = "support/mod.rs"]
mod support;

use criterion::Criterion;
use kettle::coroutine::{Coroutine, State};
use std::cell::Cell;
use std::time::{Duration, Instant};
use support::{Effort, Paired, ns_each};

const STACK_SIZE: usize = 64 * 1024;

/// A coroutine that bumps a counter, as [`pooled_corosensei`]'s does.
#[inline(always)]
fn coroutine(counter: &'static Cell<u64>) -> Coroutine<(), (), ()> {
    let body = move |_: &_, ()| counter.set(counter.get() + 1);
    Coroutine::with_stack_size(STACK_SIZE, body).expect("there is memory for a stack")
}

fn counter() -> &'static Cell<u64> {
    Box::leak(Box::default())
}

/// Makes, runs and drops `count` coroutines, one after the other.
fn take_and_return(count: u64) -> Duration {
    let counter = counter();
    let start = Instant::now();
    for _ in 0..count {
        let State::Returned(()) = coroutine(counter).resume(()) else {
            unreachable!("the body does not suspend")
        };
    }
    let elapsed = start.elapsed();
    assert_eq!(counter.get(), count, "a coroutine did not run");
    elapsed
}

/// Makes and runs `count` coroutines whose stacks are never given back.
fn first_touch(count: u64) -> Duration {
    let counter = counter();
    let start = Instant::now();
    for _ in 0..count {
        let mut coroutine = coroutine(counter);
        coroutine.resume(());
        std::mem::forget(coroutine);
    }
    let elapsed = start.elapsed();
    assert_eq!(counter.get(), count, "a coroutine did not run");
    elapsed
}

fn floor(count: u64) -> Duration {
    million_floor::run_and_keep(count as usize, STACK_SIZE)
}

/// Says why there is no floor on this system, if there is none.
fn floor_obstacle() -> Option<String> {
    million_floor::obstacle(100_000, STACK_SIZE)
}

fn groups(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stack, take and return");
    group.bench_function("kettle", |bencher| bencher.iter_custom(take_and_return));
    group.bench_function("pooled corosensei", |bencher| {
        bencher.iter_custom(|count| pooled_corosensei::one_at_a_time(count).0);
    });
    group.finish();

    if floor_obstacle().is_some() {
        return;
    }
    let mut group = criterion.benchmark_group("stack, first touch");
    // What is touched stays, so there must be an end to it.
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(10));
    group.measurement_time(Duration::from_millis(60));
    group.bench_function("kettle", |bencher| bencher.iter_custom(first_touch));
    group.bench_function("the floor", |bencher| bencher.iter_custom(floor));
    group.finish();
}

fn summary(effort: Effort) {
    const LIVES: u64 = 5_000;
    const STACKS: u64 = 250;

    let mut pooled = Paired::default();
    for _ in 0..effort.chunks(2_000) {
        pooled.measure(
            || ns_each(take_and_return(LIVES), LIVES),
            || ns_each(pooled_corosensei::one_at_a_time(LIVES).0, LIVES),
        );
    }
    println!(
        "stack, take and return: kettle {:.1} ns, pooled corosensei {:.1} ns, ratio {:.2}",
        pooled.ours(),
        pooled.theirs(),
        pooled.ratio()
    );
    if let Some(obstacle) = floor_obstacle() {
        println!("stack: first touch not measured: {obstacle}");
        return;
    }
    let mut fresh = Paired::default();
    for _ in 0..effort.chunks(120) {
        fresh.measure(|| ns_each(first_touch(STACKS), STACKS), || ns_each(floor(STACKS), STACKS));
    }
    println!(
        "stack: first touch {:.0} ns, the floor {:.0} ns, ratio {:.2}",
        fresh.ours(),
        fresh.theirs(),
        fresh.ratio()
    );
}

fn main() {
    support::run(groups, summary);
}
