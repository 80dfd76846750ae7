//! `kettle::group`: the first failure, the bounded map, the race; and what cancels them.

#[path = "support/coroutines.rs"]
mod coroutines;

use coroutines::{Random, is_cancelled, until, waiting, workers};
use kettle::time::{self, Duration};
use kettle::{group, thread};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts that it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn message(result: Result<impl Sized, Box<dyn std::any::Any + Send>>) -> String {
    let Err(payload) = result else { panic!("there was no panic") };
    payload.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned())
}

#[test]
fn a_group_without_failures_returns_what_its_closure_does() {
    let sum = AtomicUsize::new(0);
    let result: Result<_, ()> = group::run(|group| {
        assert!(format!("{group:?}").starts_with("Group"));
        for n in 1..=4 {
            let (sum, inner) = (&sum, group.clone());
            group.spawn(move || {
                inner.spawn(move || {
                    sum.fetch_add(n, Ordering::SeqCst);
                    Ok(())
                });
                Ok(())
            });
        }
        Ok("done")
    });
    assert_eq!((result, sum.load(Ordering::SeqCst)), (Ok("done"), 10));
    assert_eq!(group::run(|_| Ok::<_, ()>(7)), Ok(7));
}

#[test]
fn the_first_error_cancels_the_rest_and_those_to_come() {
    for workers_count in [1, 3] {
        workers(workers_count).run(|| {
            let unwound = AtomicUsize::new(0);
            let begun = AtomicUsize::new(0);
            let result = group::run(|group| {
                for _ in 0..5 {
                    group.spawn(|| {
                        let _counted = Counted(&unwound);
                        begun.fetch_add(1, Ordering::SeqCst);
                        thread::park();
                        panic!("went on");
                    });
                }
                until(|| begun.load(Ordering::SeqCst) == 5);
                group.spawn(|| Err("first"));
                until(|| group.has_failed());
                group.spawn(|| {
                    thread::park();
                    panic!("went on");
                });
                group.spawn(|| Err("second"));
                Ok(())
            });
            assert_eq!(result, Err("first"));
            assert_eq!(unwound.load(Ordering::SeqCst), 5);
        });
    }
}

#[test]
fn an_error_of_the_closure_itself_counts_too() {
    let unwound = AtomicUsize::new(0);
    let result: Result<(), _> = group::run(|group| {
        let counted = Counted(&unwound);
        group.spawn(move || {
            let _counted = counted;
            thread::park();
            Ok(())
        });
        Err("mine")
    });
    assert_eq!((result, unwound.load(Ordering::SeqCst)), (Err("mine"), 1));
}

#[test]
fn a_panic_is_passed_on_when_all_have_ended() {
    let unwound = AtomicUsize::new(0);
    for in_closure in [false, true] {
        let result = catch_unwind(AssertUnwindSafe(|| {
            group::run::<_, (), ()>(|group| {
                let counted = Counted(&unwound);
                group.spawn(move || {
                    let _counted = counted;
                    thread::park();
                    Ok(())
                });
                if in_closure {
                    panic!("on purpose");
                }
                group.spawn(|| panic!("on purpose"));
                Ok(())
            })
        }));
        assert_eq!(message(result), "on purpose");
    }
    assert_eq!(unwound.load(Ordering::SeqCst), 2);
}

#[test]
fn a_cancelled_group_unwinds_when_its_coroutines_have() {
    workers(1).run(|| {
        let unwound = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&unwound);
        let join = waiting("scope", move || {
            group::run::<_, _, ()>(|group| {
                group.spawn(|| {
                    let _counted = Counted(&counter);
                    thread::park();
                    Ok(())
                });
                Ok(())
            })
        });
        thread::yield_now();
        join.cancel().unwrap();
        assert!(is_cancelled(join.join()));
        assert_eq!(unwound.load(Ordering::SeqCst), 1);
    });
}

/// The caller is busy and comes to no cancellation point: its coroutines end all the same.
#[test]
fn time_limits_around_the_group_reach_its_coroutines() {
    let runtime = workers(2);
    runtime.run(|| {
        let unwound = AtomicUsize::new(0);
        let limited = time::timeout(Duration::from_millis(2), || {
            group::run::<_, _, ()>(|group| {
                group.spawn(|| {
                    let _counted = Counted(&unwound);
                    thread::park();
                    Ok(())
                });
                let _mask = thread::mask_cancellation();
                until(|| unwound.load(Ordering::SeqCst) == 1);
                Ok(())
            })
        });
        assert!(limited.is_err());
    });
    // Within none, a limit that has ended before is no matter.
    let result = group::run(|group| {
        let limited = time::timeout(Duration::from_millis(1), || {
            group.spawn(|| {
                thread::sleep(Duration::from_millis(3));
                Ok(())
            });
            thread::park();
        });
        assert!(limited.is_err());
        Ok::<_, ()>(())
    });
    assert_eq!(result, Ok(()));
}

/// Whether they have begun or not.
#[test]
fn what_a_dropped_runtime_cuts_short_is_not_taken_for_done() {
    let (sender, begun) = std::sync::mpsc::channel();
    let (done, result) = std::sync::mpsc::channel();
    let runtime = workers(1);
    runtime.spawn(move || {
        let _mask = thread::mask_cancellation();
        let result = catch_unwind(AssertUnwindSafe(|| {
            group::map(0..3, 2, |_| {
                sender.send(()).unwrap();
                thread::park();
            })
        }));
        done.send(message(result)).unwrap();
    });
    begun.recv().unwrap();
    drop(runtime);
    assert!(result.recv().unwrap().contains("masked"));
}

#[test]
fn a_map_keeps_the_order_and_the_limit() {
    for workers_count in [1, 3] {
        workers(workers_count).run(|| {
            for limit in [1, 2, 7, 1_000] {
                let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
                let results = group::map(0..100_u64, limit, |n| {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    for _ in 0..Random::new(n).below(5) {
                        thread::yield_now();
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                    n * n
                });
                assert_eq!(results, (0..100).map(|n| n * n).collect::<Vec<_>>());
                assert!(most.load(Ordering::SeqCst) <= limit);
            }
        });
    }
    assert_eq!(group::map(Vec::<u32>::new(), 3, |n| n), []);
    // On an OS thread, and borrowing.
    let words = [String::from("tea"), String::from("pot")];
    assert_eq!(group::map(&words, 2, |word| word.len()), [3, 3]);
}

#[test]
fn a_map_asks_for_an_item_when_there_is_room() {
    workers(1).run(|| {
        let (asked, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items = (0..20).inspect(|_| {
            let asked = asked.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(asked <= done.load(Ordering::SeqCst) + 4, "one more than the limit is held");
        });
        group::map(items, 3, |_| {
            thread::yield_now();
            done.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(done.load(Ordering::SeqCst), 20);
    });
}

#[test]
fn a_map_that_fails_ends_early() {
    workers(1).run(|| {
        let asked = AtomicUsize::new(0);
        let items = (0..1_000).inspect(|_| {
            asked.fetch_add(1, Ordering::SeqCst);
        });
        let result = group::try_map(items, 4, |n| {
            thread::yield_now();
            if n == 10 { Err(n) } else { Ok(n) }
        });
        assert_eq!(result, Err(10));
        assert!(asked.load(Ordering::SeqCst) < 20);
        assert_eq!(group::try_map(0..3, 4, Ok::<_, ()>), Ok(vec![0, 1, 2]));
        let panic = catch_unwind(|| group::map(0..10, 2, |n| assert!(n != 5, "on purpose")));
        assert_eq!(message(panic), "on purpose");
    });
    assert!(catch_unwind(|| group::map(0..10, 0, |n| n)).is_err());
}

#[test]
fn a_map_out_of_time_is_unwound() {
    workers(1).run(|| {
        for masked in [false, true] {
            let limited = time::timeout(Duration::from_millis(1), || {
                group::map(0..10, 3, |_| {
                    if masked {
                        let _mask = thread::mask_cancellation();
                        thread::sleep(Duration::from_millis(2));
                    }
                    thread::park();
                })
            });
            assert!(limited.is_err());
        }
    });
}

#[test]
fn the_first_of_a_race_wins_and_the_others_are_cancelled() {
    workers(1).run(|| {
        let unwound = AtomicUsize::new(0);
        let winner = group::race((0..5).map(|n| {
            let unwound = &unwound;
            move || {
                let _counted = Counted(unwound);
                if n != 3 {
                    thread::park();
                }
                n
            }
        }));
        assert_eq!(winner, Some(3));
        // Those that had not begun by then never do.
        assert!((1..=5).contains(&unwound.load(Ordering::SeqCst)));
    });
    assert_eq!(group::race(Vec::<fn() -> u32>::new()), None);
    let contenders: [Box<dyn FnOnce() -> u32 + Send>; 2] = [
        Box::new(|| panic!("on purpose")),
        Box::new(|| {
            loop {
                thread::park()
            }
        }),
    ];
    assert_eq!(message(catch_unwind(AssertUnwindSafe(|| group::race(contenders)))), "on purpose");
}
