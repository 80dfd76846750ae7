//! The whole life of a coroutine on a pooled stack, as `corosensei` does it.
//!
//! A coroutine is made on a stack from the pool, run to its end and taken apart, and its stack goes
//! back to the pool. The body bumps a counter that it captured, as the smallest body that does
//! anything. The pool is a plain vector, the last stack in being the first out, and it is full and
//! touched before the clock starts: what is timed never maps memory and never faults.
//!
//! Why this is the fair form: corosensei has no pool of its own but is made for one. The closure
//! and the first frame are written straight onto the stack, so a life allocates nothing, and
//! `Coroutine::into_stack` hands the stack back without a wrapper or a reference count. Tried:
//! shifting each stack's first frame by a cache line from the last one's, through a wrapper around
//! the stack. It gained a fifth with 1,000 coroutines outstanding, but lost as much with 10,000, so
//! the stacks are the library's own.

#![allow(dead_code, reason = "each benchmark that includes this file uses its own part of it")]

use std::cell::Cell;
use std::time::{Duration, Instant};

use corosensei::Coroutine;
use corosensei::stack::DefaultStack;

/// Small enough for tens of thousands of stacks under the default `vm.max_map_count`, of which each
/// takes two mappings.
const STACK_SIZE: usize = 64 * 1024;

type Body = Coroutine<(), (), (), DefaultStack>;

/// Lives `count` coroutines, each to its end before the next begins.
///
/// Gives back the time of them all and how often a body ran, which must be `count`.
#[inline(never)]
pub(crate) fn one_at_a_time(count: u64) -> (Duration, u64) {
    let counter = counter();
    let mut pool = vec![fresh_stack()];
    live_once(&mut pool, counter);
    counter.set(0);

    let start = Instant::now();
    for _ in 0..count {
        live_once(&mut pool, counter);
    }
    (start.elapsed(), counter.get())
}

/// Lives `waves` times `outstanding` coroutines: a wave is all made, then all run, then all
/// dropped.
///
/// Gives back the time of all waves and how often a body ran, which must be their product.
#[inline(never)]
pub(crate) fn in_waves(waves: u64, outstanding: usize) -> (Duration, u64) {
    let counter = counter();
    let mut pool: Vec<DefaultStack> = (0..outstanding).map(|_| fresh_stack()).collect();
    let mut coroutines = Vec::with_capacity(outstanding);
    live_wave(&mut pool, &mut coroutines, outstanding, counter);
    counter.set(0);

    let start = Instant::now();
    for _ in 0..waves {
        live_wave(&mut pool, &mut coroutines, outstanding, counter);
    }
    (start.elapsed(), counter.get())
}

#[inline(always)]
fn live_once(pool: &mut Vec<DefaultStack>, counter: &'static Cell<u64>) {
    let mut coroutine = create(pool, counter);
    coroutine.resume(());
    pool.push(coroutine.into_stack());
}

#[inline(always)]
fn live_wave(
    pool: &mut Vec<DefaultStack>,
    coroutines: &mut Vec<Body>,
    outstanding: usize,
    counter: &'static Cell<u64>,
) {
    for _ in 0..outstanding {
        coroutines.push(create(pool, counter));
    }
    for coroutine in coroutines.iter_mut() {
        coroutine.resume(());
    }
    for coroutine in coroutines.drain(..) {
        pool.push(coroutine.into_stack());
    }
}

#[inline(always)]
fn create(pool: &mut Vec<DefaultStack>, counter: &'static Cell<u64>) -> Body {
    let stack = pool.pop().unwrap_or_else(fresh_stack);
    Coroutine::with_stack(stack, move |_, ()| counter.set(counter.get() + 1))
}

/// A body must be `'static`, so it borrows a counter that is leaked: eight bytes for each
/// measurement, where a reference count would be paid for in each coroutine.
fn counter() -> &'static Cell<u64> {
    Box::leak(Box::default())
}

fn fresh_stack() -> DefaultStack {
    DefaultStack::new(STACK_SIZE).expect("vm.max_map_count leaves room for two mappings a stack")
}
