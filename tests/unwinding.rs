//! The corners where a raw coroutine's unwinding meets another: an outer coroutine's, a thread's end, a
//! destructor's panic.

use kettle::coroutine::{Coroutine, State};
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::mpsc;

#[path = "support/backtraces.rs"]
mod backtraces;
#[path = "support/child.rs"]
mod child;
mod support;

/// Writes its number down when it is dropped.
struct Noted(Rc<RefCell<Vec<u32>>>, u32);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

/// The suspender of an outer coroutine may be used on the stack of an inner one: then both wait.
fn suspends_across(log: &Rc<RefCell<Vec<u32>>>) -> Coroutine<u32, u32, u32> {
    let log = Rc::clone(log);
    Coroutine::new(move |outer, first: u32| {
        let _on_the_outer_stack = Noted(Rc::clone(&log), 1);
        Coroutine::scoped(
            |inner, ()| {
                let _on_the_inner_stack = Noted(Rc::clone(&log), 2);
                let second = outer.suspend(first);
                inner.suspend(second);
                let third = outer.suspend(second);
                third * 10
            },
            |mut coroutine| {
                let State::Yielded(second) = coroutine.resume(()) else { panic!("returned") };
                assert_eq!(outer.suspend(100 + second), 7);
                let State::Returned(last) = coroutine.resume(()) else { panic!("yielded") };
                last
            },
        )
    })
}

#[test]
fn an_outer_coroutine_suspends_from_an_inner_ones_stack() {
    let log = Rc::default();
    let mut coroutine = suspends_across(&log);
    assert_eq!(coroutine.resume(1), State::Yielded(1));
    assert_eq!(coroutine.resume(2), State::Yielded(102));
    assert_eq!(coroutine.resume(7), State::Yielded(2));
    assert_eq!(coroutine.resume(3), State::Returned(30));
    assert_eq!(*log.borrow(), [2, 1]);
}

#[test]
fn one_dropped_while_it_waits_on_an_inner_ones_stack_unwinds_both() {
    for resumes in 1..=3 {
        let log = Rc::default();
        let mut coroutine = suspends_across(&log);
        for input in [1, 2, 7].into_iter().take(resumes) {
            let _: State<u32, u32> = coroutine.resume(input);
        }
        assert_eq!(*log.borrow(), []);
        drop(coroutine);
        assert_eq!(*log.borrow(), [2, 1], "after {resumes} resumes");
    }
}

/// As std has it for any destructor that panics while its stack unwinds.
#[test]
fn a_destructor_that_lets_a_panic_out_while_it_is_unwound_aborts() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("out of a destructor");
        }
    }
    const NAME: &str = "a_destructor_that_lets_a_panic_out_while_it_is_unwound_aborts";
    if child::scenario().is_some() {
        let mut coroutine = Coroutine::new(|suspender, ()| {
            let _bomb = Bomb;
            suspender.suspend(());
        });
        assert_eq!(coroutine.resume(()), State::Yielded(()));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(coroutine)));
        return;
    }
    // std's message comes with one, whether it is asked to or not.
    if !backtraces::can_be_taken(NAME) {
        return;
    }
    let output = child::child(NAME, "drop").output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("out of a destructor"), "{said}");
}

#[test]
fn a_panic_of_what_a_fresh_one_captures_goes_to_who_drops_it() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            resume_unwind(Box::new("captured"));
        }
    }
    // A large stack, so that a lost one would be noticed as address space soon.
    for _ in 0..1_000 {
        let bomb = Bomb;
        let coroutine = Coroutine::<(), (), ()>::with_stack_size(1 << 30, move |_, ()| {
            black_box(&bomb);
        });
        let payload = catch_unwind(AssertUnwindSafe(|| drop(coroutine.unwrap()))).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"captured"));
    }
    assert!(address_space() < 100 << 30, "stacks were lost");
}

/// How many bytes the process has mapped.
fn address_space() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn the_stack_of_every_coroutine_is_used_again_however_it_ends() {
    // A size that no other test uses.
    const SIZE: usize = 512 << 20;
    fn one(end: u32) {
        let make = Coroutine::with_stack_size(SIZE, move |suspender, ()| {
            suspender.suspend(());
            if end == 3 {
                resume_unwind(Box::new(()));
            }
        });
        let mut coroutine: Coroutine<(), (), ()> = make.unwrap();
        for _ in 0..end.min(2) {
            let _ = catch_unwind(AssertUnwindSafe(|| coroutine.resume(())));
        }
        assert_eq!(coroutine.done(), end >= 2);
    }
    for _ in 0..300 {
        // Fresh, suspended, returned, panicked.
        (0..4).for_each(one);
    }
    assert!(address_space() < 100 << 30, "stacks were lost");
}

#[test]
fn one_may_be_made_and_run_while_a_threads_locals_are_destroyed() {
    struct Late(Cell<Option<mpsc::Sender<u32>>>);
    impl Drop for Late {
        fn drop(&mut self) {
            let mut coroutine = Coroutine::new(|suspender, ()| {
                (0..3).for_each(|number| suspender.suspend(number));
            });
            let sum = coroutine.iter().take(2).sum();
            drop(coroutine);
            if let Some(sender) = self.0.take() {
                sender.send(sum).unwrap();
            }
        }
    }
    thread_local! {
        static LATE: Late = const { Late(Cell::new(None)) };
    }
    // Once the local is older than anything of kettle's on that thread, once younger: what was made
    // first is destroyed last.
    for kettle_first in [false, true] {
        let (sender, receiver) = mpsc::channel();
        let body = move || {
            if kettle_first {
                drop(Coroutine::<(), (), ()>::new(|_, ()| ()));
            }
            LATE.with(|late| late.0.set(Some(sender)));
            drop(Coroutine::<(), (), ()>::new(|_, ()| ()));
        };
        std::thread::spawn(body).join().unwrap();
        assert_eq!(receiver.try_recv(), Ok(1));
    }
}

#[test]
fn a_stack_is_as_deep_as_was_asked_for() {
    /// Recurses until `depth` bytes lie between its frame and `start`.
    #[inline(never)]
    fn descend(start: usize, depth: usize) -> usize {
        let frame = black_box([1_u8; 512]);
        let here = (&raw const frame).addr();
        if start - here >= depth {
            return start - here;
        }
        descend(start, depth) + black_box(&frame).len() - 512
    }
    for size in [64 << 10, 256 << 10, 8 << 20] {
        // What the entry and the deepest call need is left over.
        let wanted = size - (8 << 10);
        let run = move |_: &_, ()| {
            let start = 0_u8;
            descend(black_box(&raw const start).addr(), wanted)
        };
        let mut coroutine = Coroutine::<(), (), usize>::with_stack_size(size, run).unwrap();
        let State::Returned(depth) = coroutine.resume(()) else { panic!("yielded") };
        assert!(depth >= wanted);
    }
}

/// With `with_stack_size`, what becomes of a closure of `LEN` bytes.
fn run_a_closure_of<const LEN: usize>(size: usize) -> std::io::Result<u8> {
    let large = [7_u8; LEN];
    let make = move |_: &_, ()| black_box(&large)[LEN - 1];
    let mut coroutine = Coroutine::<(), (), u8>::with_stack_size(size, make)?;
    let State::Returned(byte) = coroutine.resume(()) else { panic!("yielded") };
    Ok(byte)
}

#[test]
fn a_closure_too_large_for_its_stack_is_refused_with_the_way_out() {
    for result in
        [run_a_closure_of::<{ 60 << 10 }>(64 << 10), run_a_closure_of::<{ 200 << 10 }>(1 << 20)]
    {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("box what it captures"), "{error}");
    }
    // `new` has no error to give; its panic says the same.
    let large = [7_u8; 200 << 10];
    let make = || Coroutine::<(), (), u8>::new(move |_, ()| large[7]);
    let payload = catch_unwind(AssertUnwindSafe(make)).unwrap_err();
    let said = payload.downcast_ref::<String>().unwrap();
    assert!(said.contains("box what it captures"), "{said}");
}

#[test]
fn the_largest_closure_that_is_not_refused_runs() {
    assert_eq!(run_a_closure_of::<{ 8 << 10 }>(64 << 10).unwrap(), 7);
    assert_eq!(run_a_closure_of::<{ 128 << 10 }>(1 << 20).unwrap(), 7);
}
