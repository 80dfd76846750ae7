//! Many at once, from everywhere.

use crate::coroutines::Counted;
use crate::{plays, size};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder, JoinHandle};
use kettle::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn workers(count: usize) -> Runtime {
    Runtime::builder().workers(count).stack_size(64 * 1024).build().unwrap()
}

plays! {
    unparks_from_os_threads_storm_and_none_is_lost {
        let runtime = workers(2);
        let woken = Arc::new(AtomicUsize::new(0));
        let rounds = size(200, 20_000);
        let all: Vec<_> = (0..100)
            .map(|number| {
                let woken = Arc::clone(&woken);
                let builder = Builder::new();
                let builder = if number % 4 == 0 {
                    // SAFETY: nothing in it belongs to a thread.
                    unsafe { builder.migratable() }
                } else {
                    builder
                };
                builder
                    .spawn_on(runtime.handle(), move || {
                        for _ in 0..rounds {
                            thread::park();
                            woken.fetch_add(1, Ordering::SeqCst);
                        }
                    })
                    .unwrap()
            })
            .collect();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        all.iter().for_each(|one| one.thread().unpark());
                    }
                });
            }
            while !all.iter().all(JoinHandle::is_finished) {
                std::thread::yield_now();
            }
            done.store(true, Ordering::SeqCst);
        });
        all.into_iter().for_each(|one| one.join().unwrap());
        assert_eq!(woken.load(Ordering::SeqCst), 100 * rounds);
    }

    a_chain_of_joins_ten_thousand_deep_comes_back {
        let runtime = workers(2);
        let depth = 10_000;
        for _ in 0..size(1, 10) {
            let mut last = runtime.spawn(|| 0);
            for _ in 0..depth {
                let earlier = last;
                last = runtime.spawn(move || earlier.join().unwrap() + 1);
            }
            assert_eq!(last.join().unwrap(), depth);
        }
    }

    a_chain_of_joins_that_is_cancelled_at_its_end_detaches_the_rest {
        let runtime = workers(2);
        let ended = Arc::new(AtomicUsize::new(0));
        let open = Arc::new(AtomicBool::new(false));
        let depth = size(1_000, 10_000);
        let gate = Arc::clone(&open);
        let mut last = runtime.spawn(move || {
            while !gate.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        });
        for _ in 0..depth {
            let (earlier, ended) = (last, Arc::clone(&ended));
            last = runtime.spawn(move || {
                earlier.join().unwrap();
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        last.cancel().unwrap();
        assert!(last.join().unwrap_err().is::<thread::Cancelled>());
        open.store(true, Ordering::SeqCst);
        runtime.run(|| {
            while ended.load(Ordering::SeqCst) < depth - 1 {
                thread::yield_now();
            }
        });
    }

    a_tree_of_spawns_is_a_path_of_stacks {
        fn tree(depth: usize) -> usize {
            if depth == 0 {
                return 1;
            }
            let (left, right) = (thread::spawn(move || tree(depth - 1)), tree(depth - 1));
            left.join().unwrap() + right
        }
        let depth = size(14, 22);
        assert_eq!(workers(2).run(|| tree(depth)), 1 << depth);
    }

    runtimes_come_and_go_with_coroutines_in_every_state {
        for round in 0..size(50, 2_000) {
            let runtime = workers(1 + round % 3);
            let dropped = Arc::new(AtomicUsize::new(0));
            for number in 0..50 {
                let counted = Counted(Arc::clone(&dropped));
                drop(runtime.spawn(move || {
                    let _counted = counted;
                    match number % 5 {
                        0 => thread::park(),
                        1 => thread::sleep(Duration::from_secs(1_000)),
                        2 => loop {
                            thread::yield_now();
                        },
                        3 => thread::spawn(thread::park).join().unwrap(),
                        _ => {}
                    }
                }));
            }
            for _ in 0..round % 7 * 100 {
                std::hint::spin_loop();
            }
            drop(runtime);
            assert_eq!(dropped.load(Ordering::SeqCst), 50);
        }
    }

    detached_coroutines_that_end_by_themselves_leave_nothing {
        let runtime = workers(2);
        let ended = Arc::new(AtomicUsize::new(0));
        let count = size(20_000, 2_000_000);
        for _ in 0..count {
            let ended = Arc::clone(&ended);
            drop(runtime.spawn(move || {
                ended.fetch_add(1, Ordering::SeqCst);
            }));
        }
        runtime.run(|| {
            while ended.load(Ordering::SeqCst) < count {
                thread::yield_now();
            }
        });
    }
}
