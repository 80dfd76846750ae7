//! `kettle::thread_local!` means for a coroutine what std's means for a thread.

#[path = "locals/as_std.rs"]
mod as_std;

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
fn a_cancelled_coroutines_locals_may_still_wait_where_they_are_destroyed() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let (log, theirs) = log();
    let coroutine = runtime.spawn(move || {
        FIRST.set(Some(OnDrop::new(move || {
            let child = thread::spawn(|| (0..10).for_each(|_| thread::yield_now()));
            note(&theirs, format!("{}", child.join().is_ok()));
            let me = thread::current();
            let waker = std::thread::spawn(move || me.unpark());
            thread::park();
            waker.join().unwrap();
            note(&theirs, format!("{}", thread::is_cancelled()));
        })));
        thread::park();
    });
    while !format!("{:?}", coroutine.thread()).contains("parked") {
        std::thread::yield_now();
    }
    coroutine.cancel().unwrap();
    assert!(coroutine.join().unwrap_err().is::<thread::Cancelled>());
    assert_eq!(entries(&log)[0], "true");
    assert_eq!(entries(&log).len(), 2, "{log:?}");
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
