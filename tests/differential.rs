//! The same random programs run on kettle's raw coroutines and on corosensei's, and every value that
//! goes in or out is compared.
//!
//! A program is a tree: a coroutine is a list of steps, and a step may run a coroutine of its own. One
//! interpreter, generic over whose coroutines it uses, writes down all that happens.

use proptest::prelude::*;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// What a coroutine does, step by step.
#[derive(Clone, Debug)]
enum Step {
    /// Suspends with a value, and adds what comes back to its sum.
    Suspend(u64),
    /// Makes a coroutine, resumes it so often with these values, and drops it.
    Nested(Vec<Step>, Vec<u64>),
    /// Unwinds with this number as the payload.
    Panic(u64),
    /// Runs these steps and catches what unwinds out of them, unless it is the end of the coroutine.
    Catch(Vec<Step>),
    /// Returns early.
    Return(u64),
    /// Something on the stack that notes when it is dropped.
    Guarded(u64, Vec<Step>),
}

/// What happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Began(u64),
    Got(u64),
    Yielded(u64),
    Returned(u64),
    Panicked(u64),
    Caught(u64),
    Dropped(u64),
}

type Log = Rc<RefCell<Vec<Event>>>;

fn note(log: &Log, event: Event) {
    log.borrow_mut().push(event);
}

/// A payload that no hook reports.
struct Thrown(u64);

struct Guard(Log, u64);

impl Drop for Guard {
    fn drop(&mut self) {
        note(&self.0, Event::Dropped(self.1));
    }
}

/// What a resume came to.
enum Resumed {
    Yielded(u64),
    Returned(u64),
}

/// Somebody's coroutines.
trait Coroutines: 'static {
    type Coroutine;
    fn make(body: impl FnOnce(&dyn Fn(u64) -> u64, u64) -> u64 + 'static) -> Self::Coroutine;
    fn resume(coroutine: &mut Self::Coroutine, input: u64) -> Resumed;
}

struct Kettle;

impl Coroutines for Kettle {
    type Coroutine = kettle::coroutine::Coroutine<u64, u64, u64>;

    fn make(body: impl FnOnce(&dyn Fn(u64) -> u64, u64) -> u64 + 'static) -> Self::Coroutine {
        kettle::coroutine::Coroutine::with_stack_size(1 << 18, move |suspender, first| {
            body(&|value| suspender.suspend(value), first)
        })
        .unwrap()
    }

    fn resume(coroutine: &mut Self::Coroutine, input: u64) -> Resumed {
        match coroutine.resume(input) {
            kettle::coroutine::State::Yielded(value) => Resumed::Yielded(value),
            kettle::coroutine::State::Returned(value) => Resumed::Returned(value),
        }
    }
}

struct Corosensei;

impl Coroutines for Corosensei {
    type Coroutine = corosensei::Coroutine<u64, u64, u64>;

    fn make(body: impl FnOnce(&dyn Fn(u64) -> u64, u64) -> u64 + 'static) -> Self::Coroutine {
        corosensei::Coroutine::new(move |yielder: &corosensei::Yielder<u64, u64>, first| {
            body(&|value| yielder.suspend(value), first)
        })
    }

    fn resume(coroutine: &mut Self::Coroutine, input: u64) -> Resumed {
        match coroutine.resume(input) {
            corosensei::CoroutineResult::Yield(value) => Resumed::Yielded(value),
            corosensei::CoroutineResult::Return(value) => Resumed::Returned(value),
        }
    }
}

/// Runs `steps` in a coroutine; `Some` when they return early.
fn perform<C: Coroutines>(
    steps: &[Step],
    suspend: &dyn Fn(u64) -> u64,
    sum: &mut u64,
    log: &Log,
) -> Option<u64> {
    for step in steps {
        match step {
            Step::Suspend(value) => {
                let got = suspend(value.wrapping_add(*sum));
                note(log, Event::Got(got));
                *sum = sum.wrapping_mul(31).wrapping_add(got);
            }
            Step::Nested(inner, inputs) => drive::<C>(inner, inputs, log),
            Step::Panic(number) => resume_unwind(Box::new(Thrown(*number))),
            Step::Catch(inner) => {
                let result =
                    catch_unwind(AssertUnwindSafe(|| perform::<C>(inner, suspend, sum, log)));
                match result {
                    Ok(None) => {}
                    Ok(early) => return early,
                    Err(payload) => match payload.downcast::<Thrown>() {
                        Ok(thrown) => note(log, Event::Caught(thrown.0)),
                        // The coroutine is being dropped.
                        Err(payload) => resume_unwind(payload),
                    },
                }
            }
            Step::Return(value) => return Some(*value),
            Step::Guarded(number, inner) => {
                let _guard = Guard(Rc::clone(log), *number);
                if let Some(early) = perform::<C>(inner, suspend, sum, log) {
                    return Some(early);
                }
            }
        }
    }
    None
}

/// Makes a coroutine of `steps`, resumes it with each of `inputs` while it lasts, and drops it.
fn drive<C: Coroutines>(steps: &[Step], inputs: &[u64], log: &Log) {
    let (body, inner_log) = (steps.to_vec(), Rc::clone(log));
    let outer_guard = Guard(Rc::clone(log), u64::MAX);
    let mut coroutine = C::make(move |suspend, first| {
        let _captured = outer_guard;
        note(&inner_log, Event::Began(first));
        let mut sum = first;
        let early = perform::<C>(&body, suspend, &mut sum, &inner_log);
        early.unwrap_or(sum)
    });
    for &input in inputs {
        match catch_unwind(AssertUnwindSafe(|| C::resume(&mut coroutine, input))) {
            Ok(Resumed::Yielded(value)) => note(log, Event::Yielded(value)),
            Ok(Resumed::Returned(value)) => return note(log, Event::Returned(value)),
            Err(payload) => match payload.downcast::<Thrown>() {
                Ok(thrown) => return note(log, Event::Panicked(thrown.0)),
                Err(payload) => resume_unwind(payload),
            },
        }
    }
}

fn run<C: Coroutines>(steps: &[Step], inputs: &[u64]) -> Vec<Event> {
    let log = Log::default();
    drive::<C>(steps, inputs, &log);
    log.take()
}

fn program() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        6 => any::<u64>().prop_map(Step::Suspend),
        1 => any::<u64>().prop_map(Step::Panic),
        1 => any::<u64>().prop_map(Step::Return),
    ];
    let step = leaf.prop_recursive(4, 40, 6, |inner| {
        let steps = prop::collection::vec(inner, 0..6);
        prop_oneof![
            (steps.clone(), prop::collection::vec(any::<u64>(), 0..6))
                .prop_map(|(steps, inputs)| Step::Nested(steps, inputs)),
            steps.clone().prop_map(Step::Catch),
            (any::<u64>(), steps).prop_map(|(number, steps)| Step::Guarded(number, steps)),
        ]
    });
    prop::collection::vec(step, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn both_do_the_same(steps in program(), inputs in prop::collection::vec(any::<u64>(), 0..10)) {
        prop_assert_eq!(run::<Kettle>(&steps, &inputs), run::<Corosensei>(&steps, &inputs));
    }
}

/// The programs are not all trivial: one that is known, with what must come of it.
#[test]
fn a_known_program_does_what_it_says() {
    let steps = [
        Step::Guarded(1, vec![Step::Suspend(10), Step::Catch(vec![Step::Panic(5)])]),
        Step::Nested(vec![Step::Guarded(2, vec![Step::Suspend(7)])], vec![3]),
        Step::Return(99),
    ];
    let expected = [
        Event::Began(1),
        Event::Yielded(11),
        Event::Got(4),
        Event::Caught(5),
        Event::Dropped(1),
        Event::Began(3),
        Event::Yielded(10),
        Event::Dropped(2),
        Event::Dropped(u64::MAX),
        Event::Dropped(u64::MAX),
        Event::Returned(99),
    ];
    assert_eq!(run::<Kettle>(&steps, &[1, 4]), expected);
    assert_eq!(run::<Corosensei>(&steps, &[1, 4]), expected);
}
