//! The raw coroutine: values, ends, unwinding, borrowing.

#[path = "support/backtraces.rs"]
mod backtraces;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use kettle::coroutine::{Coroutine, State};
use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::rc::Rc;

/// Adds one to a count when it is dropped.
struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn counter() -> (Rc<Cell<u32>>, impl Fn() -> Counted) {
    let count = Rc::new(Cell::new(0));
    let same = Rc::clone(&count);
    (count, move || Counted(Rc::clone(&same)))
}

/// Sends `values` in and through, and gets them back.
fn echo<T: Clone + PartialEq + Debug + 'static>(values: [T; 3]) {
    let [first, second, third] = values;
    let mut coroutine = Coroutine::new(|suspender, mut value: T| {
        for _ in 0..2 {
            value = suspender.suspend(value);
        }
        value
    });
    assert_eq!(coroutine.resume(first.clone()), State::Yielded(first));
    assert_eq!(coroutine.resume(second.clone()), State::Yielded(second));
    assert!(!coroutine.done());
    assert_eq!(coroutine.resume(third.clone()), State::Returned(third));
    assert!(coroutine.done());
}

#[test]
fn values_of_every_size_and_alignment_come_through() {
    #[derive(Clone, Debug, PartialEq)]
    #[repr(align(64))]
    struct Aligned([u8; 65]);
    #[derive(Clone, Debug, PartialEq)]
    #[repr(align(8))]
    struct Padded(u8);

    echo([(), (), ()]);
    echo([1_u8, 2, 3]);
    echo([(1_u8, 2_u32), (3, 4), (5, 6)]);
    echo([usize::MAX, 0, 1]);
    echo([Padded(1), Padded(2), Padded(3)]);
    echo([1.5_f64, f64::MAX, -0.25]);
    echo([u128::MAX, 1, 2]);
    echo([[1_u64; 9], [2; 9], [3; 9]]);
    echo([Box::new(1), Box::new(2), Box::new(3)]);
    echo(["one".to_string(), "two".to_string(), "three".to_string()]);
    echo([Aligned([1; 65]), Aligned([2; 65]), Aligned([3; 65])]);
    echo([Some(vec![1]), None, Some(vec![2, 3])]);
}

#[test]
fn an_over_aligned_closure_keeps_its_alignment() {
    #[repr(align(4096))]
    struct Page([u8; 4096]);
    let page = Page([7; 4096]);
    let mut coroutine = Coroutine::new(move |suspender, ()| {
        let page = page;
        assert_eq!((&raw const page).addr() % 4096, 0);
        suspender.suspend(page.0[4095]);
    });
    assert_eq!(coroutine.resume(()), State::Yielded(7));
}

#[test]
fn resuming_what_is_done_panics_with_a_sentence() {
    let mut coroutine = Coroutine::<(), (), ()>::new(|_, ()| ());
    assert_eq!(coroutine.resume(()), State::Returned(()));
    let payload = catch_unwind(AssertUnwindSafe(|| coroutine.resume(()))).unwrap_err();
    let message = payload.downcast_ref::<&str>().unwrap();
    assert!(message.contains("done"), "{message}");
}

#[test]
fn a_panic_goes_to_the_resumer_and_the_coroutine_is_done() {
    let (dropped, make) = counter();
    let mut coroutine = Coroutine::<u32, (), ()>::new(move |suspender, _| {
        let _on_its_stack = make();
        let number = suspender.suspend(());
        panic_any(number);
    });
    assert_eq!(coroutine.resume(1), State::Yielded(()));
    let payload = catch_unwind(AssertUnwindSafe(|| coroutine.resume(2))).unwrap_err();
    assert_eq!(payload.downcast_ref::<u32>(), Some(&2));
    assert!(coroutine.done());
    assert_eq!(dropped.get(), 1);
    assert!(!std::thread::panicking());
}

#[test]
fn dropping_runs_every_destructor_once_wherever_the_coroutine_stands() {
    for resumes in 0..4 {
        let (dropped, make) = counter();
        let (captured, on_stack, returned) = (make(), make(), make());
        let mut coroutine = Coroutine::new(move |suspender, ()| {
            let _captured = captured;
            suspender.suspend(());
            let _on_stack = on_stack;
            suspender.suspend(());
            returned
        });
        for _ in 0..resumes {
            drop(coroutine.resume(()));
        }
        drop(coroutine);
        assert_eq!(dropped.get(), 3, "after {resumes} resumes");
    }
}

#[test]
fn one_that_catches_its_unwinding_is_unwound_again() {
    let (dropped, make) = counter();
    let mut coroutine = Coroutine::<(), u32, ()>::new(move |suspender, ()| {
        let _outer = make();
        for round in 0..5 {
            let _inner = make();
            let _ = catch_unwind(AssertUnwindSafe(|| suspender.suspend(round)));
        }
    });
    assert_eq!(coroutine.resume(()), State::Yielded(0));
    drop(coroutine);
    assert_eq!(dropped.get(), 6);
}

#[test]
fn a_destructor_that_panics_while_it_is_dropped_is_contained() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            // Inside an unwinding it would abort, so it catches its own.
            let _ = catch_unwind(|| resume_unwind(Box::new("in a destructor")));
        }
    }
    let (dropped, make) = counter();
    let mut coroutine = Coroutine::<(), (), ()>::new(move |suspender, ()| {
        let _counted = make();
        let _panics = Panics;
        suspender.suspend(());
    });
    coroutine.resume(());
    drop(coroutine);
    assert_eq!(dropped.get(), 1);

    // One that answers its unwinding with a panic of its own.
    let mut coroutine = Coroutine::<(), (), ()>::new(|suspender, ()| {
        if catch_unwind(AssertUnwindSafe(|| suspender.suspend(()))).is_err() {
            resume_unwind(Box::new("instead"));
        }
    });
    coroutine.resume(());
    drop(coroutine);
}

#[test]
fn it_is_unwound_also_while_its_owner_unwinds() {
    let (dropped, make) = counter();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        let mut coroutine = Coroutine::<(), (), ()>::new(move |suspender, ()| {
            let _counted = make();
            suspender.suspend(());
        });
        coroutine.resume(());
        resume_unwind(Box::new("the owner's"));
    }));
    assert_eq!(payload.unwrap_err().downcast_ref::<&str>(), Some(&"the owner's"));
    assert_eq!(dropped.get(), 1);
}

#[test]
fn coroutines_in_coroutines() {
    fn nest(depth: u32) -> Coroutine<u32, u32, u32> {
        Coroutine::with_stack_size(1 << 16, move |suspender, first| {
            if depth == 0 {
                return first;
            }
            let mut inner = nest(depth - 1);
            let mut value = first;
            loop {
                match inner.resume(value + 1) {
                    State::Yielded(yielded) => value = suspender.suspend(yielded),
                    State::Returned(returned) => {
                        value = suspender.suspend(returned);
                        return value + depth;
                    }
                }
            }
        })
        .unwrap()
    }
    let mut outer = nest(20);
    assert_eq!(outer.resume(0), State::Yielded(20));
    // Nineteen levels add one on the way in; the last but one returns with its depth, one, added.
    assert_eq!(outer.resume(5), State::Yielded(5 + 19 + 1));
}

#[test]
fn a_borrowed_one_is_lent_and_unwound_in_time() {
    let (dropped, make) = counter();
    let mut seen = Vec::new();
    let words = ["a", "b", "c"].map(str::to_string);
    let two = Coroutine::scoped(
        |suspender, ()| {
            let _counted = make();
            for word in &words {
                seen.push(word.as_str());
                suspender.suspend(word.len());
            }
        },
        |mut coroutine| coroutine.iter().take(2).sum::<usize>(),
    );
    assert_eq!((two, dropped.get()), (2, 1));
    assert_eq!(seen, ["a", "b"]);
    // Its body may panic.
    let result = catch_unwind(AssertUnwindSafe(|| {
        Coroutine::<(), (), ()>::scoped(
            |suspender, ()| {
                let _counted = make();
                suspender.suspend(());
            },
            |mut coroutine| {
                coroutine.resume(());
                resume_unwind(Box::new("the body's"));
            },
        )
    }));
    assert!(result.is_err());
    assert_eq!(dropped.get(), 2);
}

#[test]
fn a_borrowed_one_is_unwound_to_its_end_whatever_panics_on_the_way() {
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 {
                resume_unwind(Box::new("a yielded value's"));
            }
        }
    }
    let (dropped, make) = counter();
    let result = catch_unwind(AssertUnwindSafe(|| {
        Coroutine::<(), Bomb, ()>::scoped(
            |suspender, ()| {
                let _counted = make();
                let _ = catch_unwind(AssertUnwindSafe(|| suspender.suspend(Bomb(false))));
                suspender.suspend(Bomb(true));
            },
            |mut coroutine| drop(coroutine.resume(())),
        )
    }));
    assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"a yielded value's"));
    assert_eq!(dropped.get(), 1, "its frames are still there");
}

#[test]
fn as_an_iterator_it_ends_with_its_return_and_stays_ended() {
    let mut count = Coroutine::new(|suspender, ()| (0..3).for_each(|n| suspender.suspend(n)));
    let mut iterator = count.iter();
    assert_eq!(iterator.by_ref().collect::<Vec<i32>>(), [0, 1, 2]);
    assert_eq!(iterator.next(), None);
    assert!(count.done());
}

#[test]
fn it_lives_in_a_thread_local_and_is_dropped_with_it() {
    thread_local! {
        static KEPT: RefCell<Option<Coroutine<(), u32, ()>>> = const { RefCell::new(None) };
    }
    struct Tells(std::sync::mpsc::Sender<()>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut coroutine = Coroutine::new(move |suspender, ()| {
            let _tells = Tells(sender);
            suspender.suspend(1);
        });
        assert_eq!(coroutine.resume(()), State::Yielded(1));
        KEPT.set(Some(coroutine));
    })
    .join()
    .unwrap();
    assert_eq!(receiver.try_recv(), Ok(()));
}

#[test]
fn nonsense_is_refused_with_the_reason() {
    for size in [0, 1, 1 << 16, 1 << 30] {
        let mut coroutine = Coroutine::<(), (), _>::with_stack_size(size, |_, ()| 1).unwrap();
        assert_eq!(coroutine.resume(()), State::Returned(1));
    }
    for size in [(1 << 30) + 1, usize::MAX] {
        let error = Coroutine::<(), (), ()>::with_stack_size(size, |_, ()| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("1073741824"), "{error}");
    }
    let large = [0_u8; 40 * 1024];
    let error = Coroutine::<(), (), u8>::with_stack_size(1 << 16, move |_, ()| large[7]);
    let error = error.unwrap_err();
    assert!(error.to_string().contains("box what it captures"), "{error}");
}

#[test]
fn inside_a_green_thread_it_may_wait() {
    let runtime = kettle::runtime::Runtime::builder().workers(1).build().unwrap();
    let sum = runtime.run(|| {
        let mut numbers = Coroutine::new(|suspender, ()| {
            for n in 0..10 {
                // The green thread waits, from the raw coroutine's stack.
                kettle::thread::yield_now();
                suspender.suspend(kettle::thread::spawn(move || n).join().unwrap());
            }
        });
        numbers.iter().sum::<u32>()
    });
    assert_eq!(sum, 45);
}

#[test]
fn a_panic_with_a_backtrace_fits_the_smallest_stack() {
    const NAME: &str = "a_panic_with_a_backtrace_fits_the_smallest_stack";
    const SCENARIO: &str = "KETTLE_TEST_SCENARIO";
    if std::env::var_os(SCENARIO).is_some() {
        let mut raw = Coroutine::<(), (), ()>::with_stack_size(0, |_, ()| panic!("raw")).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| raw.resume(()))).is_err());
        let green = kettle::thread::Builder::new().stack_size(0).spawn(|| panic!("green"));
        assert!(green.unwrap().join().is_err());
        return;
    }
    if !backtraces::can_be_taken(NAME) {
        return;
    }
    for backtrace in ["1", "full"] {
        let output = support::this_program()
            .args(["--exact", NAME, "--nocapture"])
            .env(SCENARIO, "panic")
            .env("RUST_BACKTRACE", backtrace)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
