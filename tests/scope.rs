//! `thread::scope`, held against std's, and what cancellation does to it.

#[path = "support/coroutines.rs"]
mod coroutines;

use coroutines::{until, workers};
use kettle::thread::{self, Builder, Cancelled};
use kettle::time::{self, Duration};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The same body with std's scope and with ours: `$thread` is the module.
macro_rules! behaviours {
    ($name:ident, $thread:path) => {
        mod $name {
            use super::*;
            use $thread as thread;

            #[test]
            fn children_borrow_and_are_waited_for() {
                let mut numbers = vec![1, 2, 3];
                let sum = AtomicUsize::new(0);
                let returned = thread::scope(|scope| {
                    for _ in 0..10 {
                        scope.spawn(|| {
                            sum.fetch_add(numbers.iter().sum::<usize>(), Ordering::SeqCst);
                        });
                    }
                    scope.spawn(|| numbers.len()).join().unwrap()
                });
                numbers.push(returned);
                assert_eq!((numbers.len(), sum.into_inner()), (4, 60));
            }

            #[test]
            fn children_spawn_into_their_own_scope() {
                let count = AtomicUsize::new(0);
                thread::scope(|scope| {
                    scope.spawn(|| {
                        for _ in 0..10 {
                            scope.spawn(|| {
                                scope.spawn(|| count.fetch_add(1, Ordering::SeqCst));
                            });
                        }
                    });
                });
                assert_eq!(count.into_inner(), 10);
            }

            #[test]
            fn scopes_nest() {
                let count = AtomicUsize::new(0);
                thread::scope(|outer| {
                    outer.spawn(|| {
                        thread::scope(|inner| {
                            inner.spawn(|| count.fetch_add(1, Ordering::SeqCst));
                        });
                        assert_eq!(count.load(Ordering::SeqCst), 1);
                    });
                });
            }

            #[test]
            fn a_childs_panic_that_is_not_joined_is_the_scopes() {
                let others = AtomicUsize::new(0);
                let payload = catch_unwind(AssertUnwindSafe(|| {
                    thread::scope(|scope| {
                        scope.spawn(|| panic!("of a child"));
                        scope.spawn(|| others.fetch_add(1, Ordering::SeqCst));
                    });
                }))
                .unwrap_err();
                assert!(payload.downcast_ref::<&str>().unwrap().starts_with("a scoped "));
                assert_eq!(others.into_inner(), 1);
            }

            #[test]
            fn a_childs_panic_that_is_joined_is_not() {
                let joined =
                    thread::scope(|scope| scope.spawn(|| panic!("of a child")).join().unwrap_err());
                assert_eq!(joined.downcast_ref(), Some(&"of a child"));
            }

            #[test]
            fn the_closures_own_panic_comes_first_and_after_the_children() {
                let ended = AtomicBool::new(false);
                let payload = catch_unwind(AssertUnwindSafe(|| {
                    thread::scope(|scope| {
                        scope.spawn(|| {
                            (0..100).for_each(|_| thread::yield_now());
                            ended.store(true, Ordering::SeqCst);
                            panic!("of a child");
                        });
                        panic!("of the closure");
                    })
                }))
                .unwrap_err();
                assert_eq!(payload.downcast_ref(), Some(&"of the closure"));
                assert!(ended.into_inner());
            }

            /// Also an output that nobody takes is gone before the scope ends.
            #[test]
            fn outputs_are_dropped_before_the_scope_ends() {
                struct Sets<'a>(&'a AtomicBool);
                impl Drop for Sets<'_> {
                    fn drop(&mut self) {
                        (0..100).for_each(|_| thread::yield_now());
                        self.0.store(true, Ordering::SeqCst);
                    }
                }
                for _ in 0..100 {
                    let dropped = AtomicBool::new(false);
                    thread::scope(|scope| {
                        scope.spawn(|| Sets(&dropped));
                    });
                    assert!(dropped.into_inner());
                }
            }

            #[test]
            fn handles_tell_of_their_threads() {
                thread::scope(|scope| {
                    let child = thread::Builder::new()
                        .name("child".to_string())
                        .spawn_scoped(scope, || thread::park())
                        .unwrap();
                    assert_eq!(child.thread().name(), Some("child"));
                    assert!(!child.is_finished());
                    child.thread().unpark();
                });
            }
        }
    };
}

behaviours!(of_std, std::thread);
behaviours!(of_kettle, kettle::thread);

/// The handle's destructor is not what makes a scope safe.
#[test]
fn a_forgotten_handle_neither_hangs_the_scope_nor_lets_it_end_early() {
    workers(2).run(|| {
        for _ in 0..1_000 {
            let done = AtomicBool::new(false);
            thread::scope(|scope| {
                std::mem::forget(scope.spawn(|| {
                    thread::yield_now();
                    done.store(true, Ordering::SeqCst);
                    Box::new(1)
                }));
            });
            assert!(done.into_inner());
        }
    });
}

#[test]
fn cancelling_the_owner_cancels_the_children_and_waits_for_them() {
    for in_the_closure in [false, true] {
        workers(2).run(move || {
            for _ in 0..50 {
                let ended = Arc::new(AtomicUsize::new(0));
                let begun = Arc::new(AtomicUsize::new(0));
                let (counter, starter) = (Arc::clone(&ended), Arc::clone(&begun));
                let owner = thread::spawn(move || {
                    struct Ends<'a>(&'a AtomicUsize);
                    impl Drop for Ends<'_> {
                        fn drop(&mut self) {
                            self.0.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    let counter = &*counter;
                    thread::scope(|scope| {
                        for _ in 0..5 {
                            scope.spawn(|| {
                                let _ends = Ends(counter);
                                starter.fetch_add(1, Ordering::SeqCst);
                                // Also of what is spawned while the children are cancelled.
                                loop {
                                    scope.spawn(thread::park);
                                    thread::yield_now();
                                }
                            });
                        }
                        if in_the_closure {
                            thread::park();
                        }
                    });
                });
                until(|| begun.load(Ordering::SeqCst) == 5);
                owner.cancel().unwrap();
                let result: thread::Result<()> = owner.join();
                assert!(result.unwrap_err().is::<Cancelled>());
                assert_eq!(ended.load(Ordering::SeqCst), 5);
            }
        });
    }
}

#[test]
fn a_time_limit_around_a_scope_ends_its_children() {
    workers(2).run(|| {
        let [begun, ended] = [const { AtomicBool::new(false) }; 2];
        let result = time::timeout(Duration::from_millis(1), || {
            thread::scope(|scope| {
                scope.spawn(|| {
                    begun.store(true, Ordering::SeqCst);
                    let payload = catch_unwind(thread::park).unwrap_err();
                    ended.store(true, Ordering::SeqCst);
                    std::panic::resume_unwind(payload);
                });
            });
        });
        assert!(result.is_err());
        // On a slow machine the time is up before it has begun: then it never does.
        assert_eq!(ended.into_inner(), begun.into_inner());
        assert!(!thread::is_cancelled());
        thread::yield_now();
    });
}

/// A child that was cancelled by hand is not a panic.
#[test]
fn a_child_cancelled_by_its_handle_does_not_disturb_the_scope() {
    workers(1).run(|| {
        thread::scope(|scope| {
            let child = scope.spawn(thread::park);
            thread::yield_now();
            child.cancel().unwrap();
            let other = scope.spawn(thread::park);
            other.cancel().unwrap();
            assert!(other.join().unwrap_err().is::<Cancelled>());
        });
    });
}

#[test]
fn a_spawn_that_fails_is_not_waited_for() {
    workers(1).run(|| {
        thread::scope(|scope| {
            let error =
                Builder::new().stack_size(usize::MAX).spawn_scoped(scope, || ()).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        });
    });
}

#[test]
fn ten_thousand_children_of_a_scope_on_an_os_thread() {
    let sum = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..10_000 {
            let sum = &sum;
            scope.spawn(move || {
                thread::yield_now();
                sum.fetch_add(number, Ordering::SeqCst)
            });
        }
    });
    assert_eq!(sum.into_inner(), 10_000 * 9_999 / 2);
}

/// A raw coroutine may be gone on with by another task of its thread than the one that began it.
#[test]
fn a_scope_that_another_task_goes_on_with_ends_too() {
    use kettle::coroutine::Coroutine;
    use std::cell::Cell;

    thread_local! {
        static BETWEEN: Cell<Option<Coroutine<(), (), usize>>> = const { Cell::new(None) };
    }

    let runtime = workers(1);
    // To its end, and by dropping it there.
    for to_the_end in [true, false] {
        let ended = Arc::new(AtomicUsize::new(0));
        let (go_on, children_ended) = (Arc::new(AtomicBool::new(false)), Arc::clone(&ended));
        let wait = Arc::clone(&go_on);
        runtime.run(|| {
            thread::spawn(move || {
                let mut coroutine = Coroutine::new(move |suspender, ()| {
                    let borrowed = AtomicUsize::new(0);
                    thread::scope(|scope| {
                        for _ in 0..3 {
                            scope.spawn(|| {
                                while !wait.load(Ordering::SeqCst) {
                                    thread::yield_now();
                                }
                                thread::yield_now();
                                borrowed.fetch_add(1, Ordering::SeqCst);
                                children_ended.fetch_add(1, Ordering::SeqCst);
                            });
                        }
                        suspender.suspend(());
                    });
                    borrowed.load(Ordering::SeqCst)
                });
                coroutine.resume(());
                BETWEEN.set(Some(coroutine));
            })
            .join()
            .unwrap();
            thread::spawn(move || {
                let mut coroutine = BETWEEN.take().unwrap();
                if to_the_end {
                    go_on.store(true, Ordering::SeqCst);
                    assert_eq!(coroutine.resume(()), kettle::coroutine::State::Returned(3));
                } else {
                    // A wait while unwinding keeps the worker, so they end first.
                    go_on.store(true, Ordering::SeqCst);
                    while ended.load(Ordering::SeqCst) < 3 {
                        thread::yield_now();
                    }
                    drop(coroutine);
                }
            })
            .join()
            .unwrap();
        });
    }
}
