//! Random programs of waits, cancelled at a random one of them, against a model that says how each must end.

use crate::{plays, size};
use kettle::runtime::Runtime;
use kettle::thread::{self, Cancelled};
use kettle::time::{self, Duration};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A step of a program.
#[derive(Clone, Copy, Debug)]
enum Step {
    Yield,
    Sleep,
    /// Joins a coroutine that ends at once.
    Join,
    /// A scope with a child that ends at once.
    Scope,
    /// A limit that is not reached.
    Limit,
    /// A limit that is.
    Expire,
    /// The rest, up to the step of this number, in a mask.
    Mask(usize),
    /// What unwinds from the next step is swallowed.
    Swallow,
}

/// xorshift64* (S. Vigna, 2016): the same programs each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn program(&mut self) -> Vec<Step> {
        let len = 1 + self.below(12);
        (0..len)
            .map(|number| match self.below(8) {
                0 => Step::Yield,
                1 => Step::Sleep,
                2 => Step::Join,
                3 => Step::Scope,
                4 => Step::Limit,
                5 => Step::Expire,
                6 => Step::Mask(number + 1 + self.below(3)),
                _ => Step::Swallow,
            })
            .collect()
    }
}

/// One step's own doing. The ones that wait are cancellation points.
fn wait(step: Step) {
    match step {
        Step::Yield => thread::yield_now(),
        Step::Sleep => thread::sleep(Duration::from_micros(20)),
        Step::Join => thread::spawn(thread::yield_now).join().unwrap(),
        Step::Scope => thread::scope(|scope| {
            scope.spawn(thread::yield_now);
        }),
        Step::Limit => time::timeout(Duration::from_secs(1_000), thread::yield_now).unwrap(),
        Step::Expire => {
            assert!(time::timeout(Duration::from_micros(1), thread::park).is_err());
        }
        Step::Mask(_) | Step::Swallow => {}
    }
}

/// Whether a step comes to a cancellation point for certain, whatever the others do.
fn is_point(step: Step) -> bool {
    matches!(step, Step::Yield | Step::Sleep | Step::Limit | Step::Expire)
}

/// Runs the program, which cancels itself before step `at`; counts the steps that were done.
fn run(program: &[Step], at: usize, cancel: impl Fn(), done: &AtomicUsize) {
    let mut masked_until = 0;
    let mut mask = None;
    let mut swallow = false;
    for (number, &step) in program.iter().enumerate() {
        if number == at {
            cancel();
        }
        if number >= masked_until {
            mask = None;
        }
        match step {
            Step::Mask(until) => {
                masked_until = masked_until.max(until);
                mask = mask.or_else(|| Some(thread::mask_cancellation()));
            }
            // A limit is kept off by a mask as well: what would wait for it is left out.
            Step::Expire if mask.is_some() => {}
            _ => {
                let result = catch_unwind(AssertUnwindSafe(|| wait(step)));
                match result {
                    Ok(()) => {}
                    Err(payload) => {
                        assert!(payload.is::<Cancelled>() && mask.is_none());
                        if !swallow {
                            resume_unwind(payload);
                        }
                    }
                }
            }
        }
        swallow = matches!(step, Step::Swallow);
        done.fetch_add(1, Ordering::SeqCst);
    }
}

/// The steps that must be done, as a range: it is certain that a cancellation is delivered at a step that is a
/// point, and open for one that waits only if the other is not quicker.
fn expected(program: &[Step], at: usize) -> (usize, usize) {
    let mut masked_until = 0;
    let mut swallow = false;
    let mut earliest = None;
    for (number, &step) in program.iter().enumerate() {
        let masked = number < masked_until;
        if let Step::Mask(until) = step {
            masked_until = masked_until.max(until);
        } else if number >= at && !masked && !swallow {
            if is_point(step) {
                return (earliest.unwrap_or(number), number);
            }
            if matches!(step, Step::Join | Step::Scope) {
                earliest = earliest.or(Some(number));
            }
        }
        swallow = matches!(step, Step::Swallow);
    }
    (earliest.unwrap_or(program.len()), program.len())
}

plays! {
    a_cancellation_is_delivered_at_the_step_that_the_model_says {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        for _ in 0..size(300, 2_000) {
            let program = random.program();
            for at in 0..=program.len() {
                let done = Arc::new(AtomicUsize::new(0));
                let (steps, counter) = (program.clone(), Arc::clone(&done));
                let (sender, receiver) = std::sync::mpsc::channel::<thread::JoinHandle<()>>();
                let (giver, taker) = std::sync::mpsc::channel();
                let one = runtime.spawn(move || {
                    // It has its own handle, and gives it back when it has cancelled itself.
                    let me = receiver.recv().unwrap();
                    let at_the_end = at == steps.len();
                    let me = std::cell::RefCell::new(Some(me));
                    let cancel = || {
                        let me = me.take().unwrap();
                        me.cancel().unwrap();
                        giver.send(me).unwrap();
                    };
                    if at_the_end {
                        run(&steps, usize::MAX, || (), &counter);
                        cancel();
                    } else {
                        run(&steps, at, cancel, &counter);
                    }
                });
                sender.send(one).unwrap();
                let result = taker.recv().unwrap().join();
                let (least, most) = expected(&program, at);
                let done = done.load(Ordering::SeqCst);
                assert!((least..=most).contains(&done), "{program:?} cancelled at {at}: {done}");
                match result {
                    Ok(()) => assert_eq!(done, program.len(), "{program:?} cancelled at {at}"),
                    Err(payload) => assert!(payload.is::<Cancelled>() && done < program.len()),
                }
            }
        }
    }
}
