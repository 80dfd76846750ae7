//! One raw switch, as `corosensei` and `generator` do it.
//!
//! A *round* is one resume and one suspend, which is two switches. All the loops ask the same of
//! the library: hand a `usize` in, hand a `usize` out, in an endless loop on the coroutine's side
//! and a counted one on ours. No allocation, no first touch and no first entry is timed: the stack
//! is made and the first round is run before the clock starts.
//!
//! Why this is the fair form:
//!
//! - What is sent does not depend on the last answer, so the processor may overlap rounds as far as
//!   the library lets it. A chain of answers measured the same for corosensei, so nothing is
//!   hidden.
//! - `generator` is driven through `raw_send`. Its `send` takes twice as long, for reasons that
//!   have nothing to do with switching.
//! - corosensei on stable Rust hands a `usize` in through memory, because it travels with a
//!   possible order to unwind. [`corosensei_silent_resume`] sends nothing in, and so is its barest
//!   switch.
//! - A loop with nothing in registers flatters a switch that saves few of them, so
//!   [`corosensei_eight_live`] keeps eight values live on each side. Its figure includes the
//!   arithmetic on those values. To be compared, another library must run the same [`EightLive`].
//!
//! Each function takes a number of rounds and gives back the time of those rounds and a checksum;
//! the `*_checksum` functions compute, without switching, what that checksum has to be. Nothing is
//! kept between calls, so a caller can interleave them.

#![allow(dead_code, reason = "each benchmark that includes this file uses its own part of it")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use corosensei::Coroutine;
use corosensei::stack::DefaultStack;
use generator::Gn;

/// A round is one switch in and one switch out.
pub(crate) const SWITCHES_PER_ROUND: u64 = 2;

/// The stack of every coroutine here: of no matter for a switch, but the same for all.
const STACK_SIZE: usize = 64 * 1024;

/// Sent in place of a value to end the body of an eight-live coroutine.
const STOP: usize = usize::MAX;

/// corosensei: a `usize` in and a `usize` out, each round.
#[inline(never)]
pub(crate) fn corosensei(rounds: u64) -> (Duration, u64) {
    let mut coroutine = Coroutine::<usize, usize, (), _>::with_stack(stack(), |yielder, first| {
        let mut input = first;
        loop {
            input = yielder.suspend(input.wrapping_add(1));
        }
    });
    let mut ask = |value| coroutine.resume(value).as_yield().expect("the body loops forever");
    ask(0);

    let mut checksum = 0_u64;
    let start = Instant::now();
    for round in 0..rounds as usize {
        checksum = checksum.wrapping_add(ask(round) as u64);
    }
    (start.elapsed(), checksum)
}

/// corosensei with nothing handed in: the value goes in through a cell that both sides can see.
#[inline(never)]
pub(crate) fn corosensei_silent_resume(rounds: u64) -> (Duration, u64) {
    let question = Rc::new(Cell::new(0_usize));
    let seen_inside = Rc::clone(&question);
    let mut coroutine = Coroutine::<(), usize, (), _>::with_stack(stack(), move |yielder, ()| {
        loop {
            yielder.suspend(seen_inside.get().wrapping_add(1));
        }
    });
    let mut ask = |value| {
        question.set(value);
        coroutine.resume(()).as_yield().expect("the body loops forever")
    };
    ask(0);

    let mut checksum = 0_u64;
    let start = Instant::now();
    for round in 0..rounds as usize {
        checksum = checksum.wrapping_add(ask(round) as u64);
    }
    (start.elapsed(), checksum)
}

/// generator: a `usize` in and a `usize` out, each round.
#[inline(never)]
pub(crate) fn generator(rounds: u64) -> (Duration, u64) {
    let mut generator = Gn::<usize>::new_scoped(|mut scope| {
        let mut input = scope.get_yield();
        // `None` is how the caller asks for the end: to drop a suspended generator would set the
        // process's panic hook.
        while let Some(value) = input {
            input = scope.yield_(value.wrapping_add(1));
        }
        0_usize
    });
    let mut ask = |value| generator.raw_send(value).expect("the body yields or ends");
    ask(Some(0));

    let mut checksum = 0_u64;
    let start = Instant::now();
    for round in 0..rounds as usize {
        checksum = checksum.wrapping_add(ask(Some(round)) as u64);
    }
    let elapsed = start.elapsed();
    ask(None);
    (elapsed, checksum)
}

/// What the three loops above must give: each round asks with its number and is told the next one.
pub(crate) fn payload_checksum(rounds: u64) -> u64 {
    (1..=rounds).fold(0, u64::wrapping_add)
}

/// corosensei with eight values live around the switch, on both sides.
#[inline(never)]
pub(crate) fn corosensei_eight_live(rounds: u64) -> (Duration, u64) {
    let mut coroutine = Coroutine::<usize, usize, u64, _>::with_stack(stack(), |yielder, first| {
        let mut there = EightLive::inside();
        let mut input = first;
        while input != STOP {
            input = yielder.suspend(there.step(input as u64) as usize);
        }
        there.digest()
    });
    let mut here = EightLive::outside();
    let mut ask = |question: u64| {
        let answer = coroutine.resume(question as usize).as_yield();
        answer.expect("the body loops until STOP") as u64
    };
    let mut question = here.step(ask(0));

    let start = Instant::now();
    for _ in 0..rounds {
        question = here.step(ask(question));
    }
    let elapsed = start.elapsed();

    let inside = coroutine.resume(STOP).as_return().expect("the body ends at STOP");
    (elapsed, combine(here.digest(), inside))
}

/// What [`corosensei_eight_live`] must give: both sides' steps by plain calls.
pub(crate) fn eight_live_checksum(rounds: u64) -> u64 {
    let mut here = EightLive::outside();
    let mut there = EightLive::inside();
    let mut question = 0;
    for _ in 0..=rounds {
        question = here.step(there.step(question));
    }
    combine(here.digest(), there.digest())
}

/// One checksum of both sides' digests, in which neither can stand for the other.
pub(crate) fn combine(outside: u64, inside: u64) -> u64 {
    outside.rotate_left(32) ^ inside
}

/// Eight values that all change with each step and all count in the end.
///
/// Every lane has its own operation, so that the compiler cannot keep two of them in one vector
/// register, and depends on nothing but itself and the value received, so that the lanes add little
/// latency of their own. The value to send comes from the lane that does not listen: neither side
/// waits for the other's arithmetic.
#[derive(Debug)]
pub(crate) struct EightLive {
    sender: u64,
    sum: u64,
    parity: u64,
    spun_sum: u64,
    difference: u64,
    spun_parity: u64,
    alternating: u64,
    shifted: u64,
}

impl EightLive {
    /// The lanes of the side that resumes.
    pub(crate) fn outside() -> Self {
        Self::seeded(0x9e37_79b9_7f4a_7c15)
    }

    /// The lanes of the side that suspends.
    pub(crate) fn inside() -> Self {
        Self::seeded(0xc2b2_ae3d_27d4_eb4f)
    }

    fn seeded(seed: u64) -> Self {
        let lane = |number: u64| seed.wrapping_mul(2 * number + 1);
        Self {
            sender: lane(0),
            sum: lane(1),
            parity: lane(2),
            spun_sum: lane(3),
            difference: lane(4),
            spun_parity: lane(5),
            alternating: lane(6),
            shifted: lane(7),
        }
    }

    /// Takes in what the other side sent and gives what to send back.
    #[inline(always)]
    pub(crate) fn step(&mut self, received: u64) -> u64 {
        self.sum = self.sum.wrapping_add(received);
        self.parity ^= received;
        self.spun_sum = self.spun_sum.rotate_left(13).wrapping_add(received);
        self.difference = self.difference.wrapping_sub(received);
        self.spun_parity = self.spun_parity.rotate_left(29) ^ received;
        self.alternating = received.wrapping_sub(self.alternating);
        self.shifted = (self.shifted << 1).wrapping_add(received);
        self.sender = self.sender.rotate_left(7).wrapping_add(1);
        self.sender
    }

    /// All eight values in one, order included.
    pub(crate) fn digest(&self) -> u64 {
        [
            self.sender,
            self.sum,
            self.parity,
            self.spun_sum,
            self.difference,
            self.spun_parity,
            self.alternating,
            self.shifted,
        ]
        .into_iter()
        .fold(0, |digest, lane| (digest.rotate_left(5) ^ lane).wrapping_mul(0x0100_0000_01b3))
    }
}

fn stack() -> DefaultStack {
    DefaultStack::new(STACK_SIZE).expect("the system has room for one stack")
}
