//! One raw switch: kettle's beside corosensei's.
//!
//! ```text
//! cargo bench --bench switch
//! ```
//!
//! What is measured: a coroutine without a scheduler is resumed with a number, suspends itself with the
//! next one, and so on; a resume and a suspend are two switches, and the figures are for one.
//!
//! Why it is fair: both libraries go through one loop, written once and compiled for each, and their
//! coroutines have bodies of one shape. Each answer is the next question, so that nothing but the
//! payload and the loop's counter is live around a switch.
//!
//! That counter matters, and so does the number of places where a loop resumes and suspends. kettle's
//! switch is inlined and saves what is live, so a counter costs it a store and a load for each round: it
//! is at its best if the loop does eight rounds between two looks at the counter. corosensei saves by
//! itself and predicts best where there is one place to go back to: eight rounds in a row cost it two
//! thirds more than one or two. So the loops come in three forms, of one, two and eight rounds a turn,
//! each measured for both, and the last line compares *each library's own best*: no form is forced
//! upon the one to the advantage of the other. The lines before it tell the forms one by one.
//!
//! All that flatters a switch which leaves it to the compiler to save what is live. So there is a
//! second measurement with eight values live around every switch, on both sides, all of which change;
//! its figures include the arithmetic on those values.

#[path = "support/mod.rs"]
mod support;
#[path = "yardsticks/switch_loops.rs"]
mod switch_loops;

use criterion::{BenchmarkId, Criterion};
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::{Effort, Paired, median, ns_each};
use switch_loops::{EightLive, combine, eight_live_checksum};

const STACK_SIZE: usize = 64 * 1024;

/// How many rounds a turn of the loops has, on either side, in each of the three forms.
const FORMS: [u64; 3] = [1, 2, 8];

/// The switches in one turn of the loop.
const fn switches(rounds: u64) -> u64 {
    2 * rounds
}

/// Sent in place of a value to end the body of an eight-live coroutine.
const STOP: usize = usize::MAX;

/// Does something `ROUNDS` times in a row, for one of [`FORMS`]. The conditions are constant.
macro_rules! rounds {
    ($body:expr) => {{
        $body;
        if ROUNDS >= 2 {
            $body;
        }
        if ROUNDS >= 8 {
            $body;
            $body;
            $body;
            $body;
            $body;
            $body;
        }
    }};
}

/// What both libraries can do, in the words of this benchmark. All of it is inlined.
trait Answerer<const ROUNDS: u64> {
    /// A coroutine that answers each number with the next one.
    fn counting() -> Self;
    /// A coroutine with eight live values, which answers by [`EightLive::step`].
    fn eight_live() -> Self;
    fn ask(&mut self, question: usize) -> usize;
    /// Ends an eight-live coroutine, for its digest.
    fn stop(&mut self) -> u64;
}

/// The bodies of both libraries' coroutines, which differ in nothing but the suspender's type.
macro_rules! counting_body {
    ($suspender:ty) => {
        |suspender: &$suspender, mut number: usize| {
            loop {
                rounds!(number = suspender.suspend(number + 1));
            }
        }
    };
}

macro_rules! eight_live_body {
    ($suspender:ty) => {
        |suspender: &$suspender, first: usize| {
            let mut there = EightLive::inside();
            let mut input = first;
            loop {
                rounds!({
                    if input == STOP {
                        return there.digest();
                    }
                    input = suspender.suspend(there.step(input as u64) as usize);
                });
            }
        }
    };
}

struct Kettle(kettle::coroutine::Coroutine<usize, usize, u64>);

impl<const ROUNDS: u64> Answerer<ROUNDS> for Kettle {
    fn counting() -> Self {
        let body = counting_body!(kettle::coroutine::Suspender<usize, usize>);
        Self(kettle::coroutine::Coroutine::with_stack_size(STACK_SIZE, body).expect("a stack"))
    }

    fn eight_live() -> Self {
        let body = eight_live_body!(kettle::coroutine::Suspender<usize, usize>);
        Self(kettle::coroutine::Coroutine::with_stack_size(STACK_SIZE, body).expect("a stack"))
    }

    #[inline(always)]
    fn ask(&mut self, question: usize) -> usize {
        match self.0.resume(question) {
            kettle::coroutine::State::Yielded(answer) => answer,
            kettle::coroutine::State::Returned(_) => panic!("the body goes on"),
        }
    }

    fn stop(&mut self) -> u64 {
        match self.0.resume(STOP) {
            kettle::coroutine::State::Returned(digest) => digest,
            kettle::coroutine::State::Yielded(_) => panic!("the body ends at STOP"),
        }
    }
}

struct Corosensei(corosensei::Coroutine<usize, usize, u64>);

impl Corosensei {
    fn stack() -> corosensei::stack::DefaultStack {
        corosensei::stack::DefaultStack::new(STACK_SIZE).expect("a stack")
    }
}

impl<const ROUNDS: u64> Answerer<ROUNDS> for Corosensei {
    fn counting() -> Self {
        Self(corosensei::Coroutine::with_stack(
            Self::stack(),
            counting_body!(corosensei::Yielder<usize, usize>),
        ))
    }

    fn eight_live() -> Self {
        Self(corosensei::Coroutine::with_stack(
            Self::stack(),
            eight_live_body!(corosensei::Yielder<usize, usize>),
        ))
    }

    #[inline(always)]
    fn ask(&mut self, question: usize) -> usize {
        match self.0.resume(question) {
            corosensei::CoroutineResult::Yield(answer) => answer,
            corosensei::CoroutineResult::Return(_) => panic!("the body goes on"),
        }
    }

    fn stop(&mut self) -> u64 {
        match self.0.resume(STOP) {
            corosensei::CoroutineResult::Return(digest) => digest,
            corosensei::CoroutineResult::Yield(_) => panic!("the body ends at STOP"),
        }
    }
}

/// `turns` turns of the loop with nothing live but the payload.
#[inline(never)]
fn count<const ROUNDS: u64>(coroutine: &mut impl Answerer<ROUNDS>, turns: u64) -> Duration {
    let first = black_box(0);
    let mut number = first;
    let start = Instant::now();
    for _ in 0..turns {
        rounds!(number = coroutine.ask(number));
    }
    let elapsed = start.elapsed();
    assert_eq!((number - first) as u64, turns * ROUNDS, "an answer was lost");
    elapsed
}

/// `turns` turns of the loop with eight values live on each side, by a coroutine of its own.
#[inline(never)]
fn count_with_eight_live<const ROUNDS: u64, A: Answerer<ROUNDS>>(turns: u64) -> Duration {
    let mut coroutine = A::eight_live();
    let mut here = EightLive::outside();
    let mut question = here.step(coroutine.ask(0) as u64);
    let start = Instant::now();
    for _ in 0..turns {
        rounds!(question = here.step(coroutine.ask(question as usize) as u64));
    }
    let elapsed = start.elapsed();
    let digest = combine(here.digest(), coroutine.stop());
    assert_eq!(digest, eight_live_checksum(turns * ROUNDS), "a live value was lost");
    elapsed
}

/// One of [`FORMS`] of one library's loop, with a coroutine for it. Given a number of switches, it gives
/// nanoseconds for each.
type Loop = Box<dyn FnMut(u64) -> f64>;

fn plain<const ROUNDS: u64, A: Answerer<ROUNDS> + 'static>() -> Loop {
    let mut coroutine = A::counting();
    Box::new(move |wanted| {
        let turns = wanted.div_ceil(switches(ROUNDS));
        ns_each(count(&mut coroutine, turns), turns * switches(ROUNDS))
    })
}

fn eight_live<const ROUNDS: u64, A: Answerer<ROUNDS> + 'static>() -> Loop {
    Box::new(|wanted| {
        let turns = wanted.div_ceil(switches(ROUNDS));
        ns_each(count_with_eight_live::<ROUNDS, A>(turns), turns * switches(ROUNDS))
    })
}

/// kettle's and corosensei's loops, in each of [`FORMS`].
type Forms = [[Loop; 2]; FORMS.len()];

fn all_plain() -> Forms {
    [
        [plain::<1, Kettle>(), plain::<1, Corosensei>()],
        [plain::<2, Kettle>(), plain::<2, Corosensei>()],
        [plain::<8, Kettle>(), plain::<8, Corosensei>()],
    ]
}

fn all_eight_live() -> Forms {
    [
        [eight_live::<1, Kettle>(), eight_live::<1, Corosensei>()],
        [eight_live::<2, Kettle>(), eight_live::<2, Corosensei>()],
        [eight_live::<8, Kettle>(), eight_live::<8, Corosensei>()],
    ]
}

const LIBRARIES: [&str; 2] = ["kettle", "corosensei"];

fn groups(criterion: &mut Criterion) {
    for (title, forms) in [("switch", all_plain()), ("switch, eight live values", all_eight_live())]
    {
        let mut group = criterion.benchmark_group(title);
        for (rounds, form) in FORMS.into_iter().zip(forms) {
            for (library, mut measured) in LIBRARIES.into_iter().zip(form) {
                let id = BenchmarkId::new(library, format!("unrolled {rounds}x"));
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|switches| {
                        Duration::from_secs_f64(measured(switches) * switches as f64 / 1e9)
                    });
                });
            }
        }
        group.finish();
    }
}

/// What each loop took, chunk by chunk.
type Samples = [[Vec<f64>; 2]; FORMS.len()];

/// Lets each loop do one chunk.
fn measure(forms: &mut Forms, samples: &mut Samples) {
    /// A chunk is some hundred microseconds long.
    const SWITCHES: u64 = 40_000;
    for (form, samples) in forms.iter_mut().zip(samples) {
        for (measured, samples) in form.iter_mut().zip(samples) {
            samples.push(measured(SWITCHES));
        }
    }
}

/// Prints the forms one by one, then each library's best.
fn report(title: &str, samples: &Samples) {
    let line = |ours: &[f64], theirs: &[f64]| {
        let paired = Paired::of(ours, theirs);
        let (ours, theirs, ratio) = (paired.ours(), paired.theirs(), paired.ratio());
        format!("kettle {ours:.2} ns, corosensei {theirs:.2} ns, ratio {ratio:.2}")
    };
    for (rounds, [ours, theirs]) in FORMS.iter().zip(samples) {
        println!("{title}, unrolled {rounds}x: {}", line(ours, theirs));
    }
    let best = |library: usize| {
        let of_library = samples.iter().map(|form| &form[library]);
        let cost = |samples: &&Vec<f64>| median(samples.iter().copied());
        of_library.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("there are forms")
    };
    println!("{title}: {}", line(best(0), best(1)));
}

fn summary(effort: Effort) {
    /// A coroutine that lies badly in the caches must not decide: each is for so many chunks.
    const CHUNKS_EACH: usize = 10;

    let (mut plain, mut live) = (Samples::default(), Samples::default());
    for _ in 0..effort.chunks(100) {
        let (mut plain_forms, mut live_forms) = (all_plain(), all_eight_live());
        for _ in 0..CHUNKS_EACH {
            measure(&mut plain_forms, &mut plain);
            measure(&mut live_forms, &mut live);
        }
    }
    report("switch, eight live values", &live);
    report("switch", &plain);
}

fn main() {
    support::run(groups, summary);
}
