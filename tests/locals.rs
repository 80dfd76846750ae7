//! `kettle::thread_local!` means for a coroutine what std's means for a thread.

use kettle::coroutine::{Coroutine, State};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// What happened, in order.
type Log = Arc<Mutex<Vec<String>>>;

fn log() -> (Log, Log) {
    let log = Log::default();
    (Arc::clone(&log), log)
}

fn note(log: &Log, what: impl Into<String>) {
    log.lock().unwrap().push(what.into());
}

fn entries(log: &Log) -> Vec<String> {
    log.lock().unwrap().clone()
}

/// Does something when it is dropped.
struct OnDrop(Option<Box<dyn FnOnce()>>);

impl OnDrop {
    fn new(f: impl FnOnce() + 'static) -> Self {
        Self(Some(Box::new(f)))
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.take().unwrap()();
    }
}

/// A place for one `OnDrop`.
type Place = RefCell<Option<OnDrop>>;

/// The same program for std and for kettle: `$locals` is the macro, `$thread` the module.
macro_rules! programs {
    ($name:ident, $locals:path, $thread:path) => {
        mod $name {
            use super::{Log, OnDrop, Place, note};
            use std::cell::{Cell, RefCell};
            use std::panic::{AssertUnwindSafe, catch_unwind};
            use $locals as locals;
            use $thread as thread;

            locals! {
                /// With a comment.
                #[allow(dead_code)]
                static LAZY: RefCell<Vec<u32>> = RefCell::new(vec![1, 2, 3]);
                pub(super) static CONSTANT: Cell<u32> = const { Cell::new(5) };
                static A: Place = const { RefCell::new(None) };
                static B: Place = RefCell::new(None);
                static C: Place = const { RefCell::new(None) }
            }

            locals!(static ALONE: Cell<u8> = Cell::new(1));
            locals!();

            locals! {
                static NEVER: Cell<i32> = panic!("the value is given");
                static NEVER_EITHER: RefCell<i32> = panic!("the value is given");
                static FAILS_ONCE: u32 = {
                    if CONSTANT.replace(6) == 5 { panic!("the first time") } else { 9 }
                };
                static AGAIN: OnDrop = {
                    let depth = DEPTH.replace(DEPTH.get() + 1);
                    if depth < 2 {
                        AGAIN.with(|_| ());
                    }
                    OnDrop::new(move || LOG.with_borrow(|log| {
                        note(log.as_ref().unwrap(), format!("{depth} is dropped"));
                    }))
                };
                static DEPTH: Cell<u32> = const { Cell::new(0) };
                static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
            }

            pub(super) fn own_values(log: &Log) {
                let say = |log: &Log| {
                    note(log, format!("{:?} {} {}", LAZY.take(), CONSTANT.get(), ALONE.get()));
                    LAZY.set(vec![7]);
                    CONSTANT.set(8);
                    ALONE.set(9);
                    note(log, format!("{:?} {} {}", LAZY.replace(vec![]), CONSTANT.take(), ALONE.replace(1)));
                    LAZY.with_borrow_mut(|lazy| lazy.push(1));
                    note(log, format!("{}", LAZY.with_borrow(|lazy| lazy.len())));
                    CONSTANT.set(5);
                    LAZY.set(vec![1, 2, 3]);
                };
                say(log);
                let theirs = log.clone();
                thread::spawn(move || say(&theirs)).join().unwrap();
                say(log);
            }

            pub(super) fn given_values(log: &Log) {
                let theirs = log.clone();
                thread::spawn(move || {
                    NEVER.set(1);
                    NEVER_EITHER.set(2);
                    note(&theirs, format!("{} {}", NEVER.get(), NEVER_EITHER.take()));
                    let failed = catch_unwind(|| FAILS_ONCE.with(|value| *value)).is_err();
                    note(&theirs, format!("{failed} {}", FAILS_ONCE.with(|value| *value)));
                })
                .join()
                .unwrap();
            }

            pub(super) fn recursion(log: &Log) {
                let theirs = log.clone();
                thread::spawn(move || {
                    LOG.set(Some(theirs.clone()));
                    AGAIN.with(|_| note(&theirs, "begun"));
                    note(&theirs, "the end");
                })
                .join()
                .unwrap();
            }

            pub(super) fn order(log: &Log) {
                let theirs = log.clone();
                thread::spawn(move || {
                    for (place, name) in [(&A, "a"), (&B, "b"), (&C, "c")] {
                        let theirs = theirs.clone();
                        place.set(Some(OnDrop::new(move || note(&theirs, name))));
                    }
                })
                .join()
                .unwrap();
                note(log, "joined");
            }

            pub(super) fn new_ones_in_destructors(log: &Log) {
                let theirs = log.clone();
                let panicked = thread::spawn(move || {
                    A.set(Some(OnDrop::new(move || {
                        note(&theirs, format!("{:?}", A.try_with(|_| ()).map_err(|e| e.to_string())));
                        let more = theirs.clone();
                        B.set(Some(OnDrop::new(move || {
                            note(&more, format!("{:?}", A.try_with(|_| ())));
                            note(&more, format!("{:?}", B.try_with(|_| ())));
                            C.with(|_| note(&more, "c begins"));
                            let panics = catch_unwind(AssertUnwindSafe(|| A.with(|_| ()))).is_err();
                            note(&more, format!("{panics}"));
                        })));
                        note(&theirs, "a is gone");
                    })));
                    panic!("locals are destroyed all the same");
                });
                note(log, format!("{}", panicked.join().is_err()));
            }
        }
    };
}

programs!(with_std, std::thread_local, std::thread);
programs!(with_kettle, kettle::thread_local, kettle::thread);

/// Plays both, kettle's from an OS thread and from a coroutine too.
fn same_as_std(std: fn(&Log), kettle: fn(&Log)) {
    let (log_of_std, theirs) = log();
    std::thread::spawn(move || std(&theirs)).join().unwrap();
    assert!(!entries(&log_of_std).is_empty());
    for in_a_coroutine in [false, true] {
        let (log_of_kettle, theirs) = log();
        if in_a_coroutine {
            thread::spawn(move || kettle(&theirs)).join().unwrap();
        } else {
            std::thread::spawn(move || kettle(&theirs)).join().unwrap();
        }
        assert_eq!(entries(&log_of_std), entries(&log_of_kettle));
    }
}

#[test]
fn every_one_has_its_own_as_with_std() {
    same_as_std(with_std::own_values, with_kettle::own_values);
}

#[test]
fn a_value_that_is_given_first_is_not_made_and_one_that_failed_is_made_again_as_with_std() {
    same_as_std(with_std::given_values, with_kettle::given_values);
}

#[test]
fn the_outer_of_two_recursive_values_stays_as_with_std() {
    same_as_std(with_std::recursion, with_kettle::recursion);
}

#[test]
fn destructors_run_before_the_join_and_in_the_order_of_std() {
    same_as_std(with_std::order, with_kettle::order);
}

#[test]
fn destructors_may_begin_others_and_see_what_is_gone_as_with_std() {
    same_as_std(with_std::new_ones_in_destructors, with_kettle::new_ones_in_destructors);
}

#[test]
fn keys_are_as_free_as_stds() {
    use std::panic::{RefUnwindSafe, UnwindSafe};
    fn free<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + std::fmt::Debug>() {}
    free::<thread::LocalKey<Rc<Cell<*mut u8>>>>();
    fn error<T: std::error::Error + Copy + Eq + Send + Sync>() {}
    error::<thread::AccessError>();
}

kettle::thread_local! {
    static FIRST: Place = const { RefCell::new(None) };
    static SECOND: Place = const { RefCell::new(None) };
    static THIRD: Place = const { RefCell::new(None) };
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

#[test]
fn destructors_may_wait_spawn_and_join() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let (log, theirs) = log();
    runtime.run(|| {
        let coroutine = thread::spawn(move || {
            let stack = (&raw const theirs).addr();
            FIRST.set(Some(OnDrop::new(move || {
                let here = 0_u8;
                // On the coroutine's own stack of a megabyte.
                assert!((&raw const here).addr().abs_diff(stack) < 1 << 20);
                note(&theirs, "parks");
                thread::park();
                note(&theirs, thread::spawn(|| "joined a child").join().unwrap());
                thread::yield_now();
                note(&theirs, "destroyed");
            })));
            42
        });
        while entries(&log).is_empty() {
            thread::yield_now();
        }
        assert!(!coroutine.is_finished());
        coroutine.thread().unpark();
        assert_eq!(coroutine.join().unwrap(), 42);
        assert_eq!(entries(&log), ["parks", "joined a child", "destroyed"]);
    });
}

#[test]
fn a_panicking_destructor_harms_neither_the_others_nor_the_outcome() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the payload too");
        }
    }
    let (log, theirs) = log();
    let play = move |fails: bool| {
        for (place, name) in [(&FIRST, "first"), (&SECOND, "second"), (&THIRD, "third")] {
            let theirs = theirs.clone();
            place.set(Some(OnDrop::new(move || {
                note(&theirs, name);
                match name {
                    "second" => std::panic::panic_any(Bomb),
                    _ => panic!("{name}"),
                }
            })));
        }
        if fails { std::panic::panic_any(5_u8) } else { 6_u8 }
    };
    let (one, other) = (play.clone(), play.clone());
    assert_eq!(thread::spawn(move || one(false)).join().unwrap(), 6);
    let payload = thread::spawn(move || other(true)).join().unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&5_u8));
    // An OS thread, which std would abort.
    assert_eq!(std::thread::spawn(move || play(false)).join().unwrap(), 6);
    let expected = ["third", "second", "first"];
    assert_eq!(entries(&log), [expected, expected, expected].concat());
}

#[test]
fn a_detached_coroutines_locals_are_destroyed_before_its_output_is_dropped() {
    let (sender, receiver) = mpsc::channel();
    let coroutine = thread::spawn(move || {
        let first = sender.clone();
        FIRST.set(Some(OnDrop::new(move || first.send("a local").unwrap())));
        thread::park();
        struct Output(mpsc::Sender<&'static str>);
        impl Drop for Output {
            fn drop(&mut self) {
                assert!(FIRST.try_with(|_| ()).is_err());
                // Not begun before, and not now either: nobody would destroy it.
                assert!(SECOND.try_with(|_| ()).is_err());
                self.0.send("the output").unwrap();
            }
        }
        Output(sender)
    });
    let thread = coroutine.thread().clone();
    drop(coroutine);
    thread.unpark();
    assert_eq!(receiver.iter().collect::<Vec<_>>(), ["a local", "the output"]);
}

#[test]
fn a_coroutine_without_locals_begins_none_after_its_end() {
    let (sender, receiver) = mpsc::channel();
    struct Output(mpsc::Sender<bool>);
    impl Drop for Output {
        fn drop(&mut self) {
            self.0.send(NUMBER.try_with(Cell::get).is_err()).unwrap();
        }
    }
    let coroutine = thread::spawn(|| {
        thread::park();
        Output(sender)
    });
    let thread = coroutine.thread().clone();
    drop(coroutine);
    thread.unpark();
    assert!(receiver.recv().unwrap());
}

#[test]
fn an_os_threads_values_go_with_std_s_own_and_do_not_come_back() {
    thread_local! {
        static OLDER: Place = const { RefCell::new(None) };
    }
    let (log, theirs) = log();
    std::thread::spawn(move || {
        let older = theirs.clone();
        OLDER.set(Some(OnDrop::new(move || {
            note(&older, format!("{:?} {:?}", FIRST.try_with(|_| ()), NUMBER.try_with(|_| ())));
            // Waiting works to the very end.
            note(&older, thread::spawn(|| "joined").join().unwrap());
        })));
        FIRST.set(Some(OnDrop::new(move || note(&theirs, "first"))));
    })
    .join()
    .unwrap();
    assert_eq!(entries(&log), ["first", "Err(AccessError) Err(AccessError)", "joined"]);
}

#[test]
fn values_stay_with_a_coroutine_that_changes_workers() {
    kettle::thread_local! {
        static OWN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }
    let runtime = Runtime::builder().workers(4).build().unwrap();
    let spawn = |n: usize| {
        let work = move || {
            let begin = std::thread::current().id();
            let mut moved = false;
            for round in 0..200 {
                OWN.with_borrow_mut(|own| own.push(n + round));
                thread::yield_now();
                moved |= std::thread::current().id() != begin;
            }
            assert_eq!(OWN.take(), (n..n + 200).collect::<Vec<_>>());
            moved
        };
        // SAFETY: nothing of a thread lives across a wait.
        #[allow(unsafe_code)]
        unsafe { Builder::new().migratable() }.spawn_on(runtime.handle(), work).unwrap()
    };
    let all: Vec<_> = (0..64).map(spawn).collect();
    let moved = all.into_iter().map(|one| one.join().unwrap()).filter(|&moved| moved);
    println!("{} of 64 changed workers", moved.count());
}

#[test]
fn a_value_in_use_by_a_raw_coroutine_outlives_its_task() {
    struct Word(&'static str, Arc<AtomicUsize>);
    impl Drop for Word {
        fn drop(&mut self) {
            self.0 = "gone";
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    kettle::thread_local! {
        static WORD: RefCell<Option<Word>> = const { RefCell::new(None) };
    }
    thread_local! {
        static WAITING: Cell<Option<Coroutine<(), &'static str, &'static str>>> =
            const { Cell::new(None) };
    }
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&dropped);
    runtime
        .spawn(move || {
            let mut coroutine = Coroutine::new(|suspender, ()| {
                WORD.with_borrow_mut(|word| {
                    *word = Some(Word("kettle", theirs));
                    let word = word.as_ref().unwrap();
                    suspender.suspend(word.0);
                    word.0
                })
            });
            assert_eq!(coroutine.resume(()), State::Yielded("kettle"));
            WAITING.set(Some(coroutine));
        })
        .join()
        .unwrap();
    // Another task of that thread goes on with it, though its locals' owner is gone.
    let end = runtime.spawn(|| WAITING.take().unwrap().resume(())).join().unwrap();
    assert_eq!(end, State::Returned("kettle"));
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
}

#[test]
fn a_value_that_another_task_went_on_making_is_that_tasks() {
    thread_local! {
        static WAITING: Cell<Option<Coroutine<(), (), u32>>> = const { Cell::new(None) };
    }
    kettle::thread_local! {
        static MADE: u32 = {
            let wait = INSIDE.take().unwrap();
            wait();
            7
        };
        static INSIDE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    }
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime
        .spawn(|| {
            let mut coroutine = Coroutine::new(|suspender, ()| {
                // The expression runs on this stack, which is left in the middle of it.
                let address = std::ptr::from_ref(suspender);
                INSIDE.set(Some(Box::new(move || {
                    // SAFETY: called below, while the suspender is there.
                    #[allow(unsafe_code)]
                    unsafe { &*address }.suspend(())
                })));
                MADE.with(|made| *made)
            });
            assert_eq!(coroutine.resume(()), State::Yielded(()));
            WAITING.set(Some(coroutine));
        })
        .join()
        .unwrap();
    let end = runtime.spawn(|| (WAITING.take().unwrap().resume(()), MADE.with(|made| *made)));
    assert_eq!(end.join().unwrap(), (State::Returned(7), 7));
}

#[test]
fn no_destructor_is_lost_among_thousands_on_many_workers() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl Counted {
        fn new() -> Self {
            LIVE.fetch_add(1, Ordering::SeqCst);
            Self
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            thread::yield_now();
            LIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    kettle::thread_local! {
        static ONE: Counted = Counted::new();
        static TWO: (Counted, Cell<usize>) = (Counted::new(), Cell::new(0));
        static THREE: RefCell<Vec<Counted>> = RefCell::new(vec![Counted::new(), Counted::new()]);
    }
    let runtime = Runtime::builder().workers(4).stack_size(64 * 1024).build().unwrap();
    let all: Vec<_> = (0..5_000)
        .map(|n| {
            runtime.spawn(move || {
                if n % 2 == 0 {
                    ONE.with(|_| thread::yield_now());
                }
                TWO.with(|two| {
                    two.1.set(n);
                    thread::yield_now();
                    assert_eq!(two.1.get(), n);
                });
                if n % 3 == 0 {
                    THREE.with_borrow_mut(|three| three.push(Counted::new()));
                }
                let failed = catch_unwind(AssertUnwindSafe(|| assert!(n % 500 != 0))).is_err();
                assert!(!failed, "some panic");
            })
        })
        .collect();
    let failures = all.into_iter().map(|one| one.join()).filter(Result::is_err).count();
    assert_eq!(failures, 10);
    assert_eq!(LIVE.load(Ordering::SeqCst), 0);
}
