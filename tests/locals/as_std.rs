//! The same programs, with std's threads and locals and with kettle's, do the same.

use crate::{Log, entries, log};
use kettle::thread;

/// The same program for std and for kettle: `$locals` is the macro, `$thread` the module.
macro_rules! programs {
    ($name:ident, $locals:path, $thread:path) => {
        mod $name {
            use crate::{Log, OnDrop, Place, note};
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
