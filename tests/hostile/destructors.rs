//! Destructors that panic, wait, spawn, and do it all at the worst moment.

use crate::coroutines::{Counted, workers};
use crate::{plays, size};
use kettle::thread::{self, Cancelled};
use kettle::time::Duration;
use std::any::Any;
use std::cell::RefCell;
use std::panic::{panic_any, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Panics when it is dropped, unless its stack unwinds already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("of a bomb");
        }
    }
}

/// A payload whose destructor panics with another one, so many times.
struct Nested(u32, #[allow(dead_code, reason = "dropped")] Counted);

impl Drop for Nested {
    fn drop(&mut self) {
        if self.0 > 0 {
            resume_unwind(Box::new(Nested(self.0 - 1, Counted(Arc::clone(&self.1.0)))));
        }
    }
}

fn text(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<&str>().copied().unwrap_or("no text")
}

plays! {
    a_million_panicking_coroutines_end_and_tell_why {
        // In waves, so that memory tells what is lost and not what is alive.
        let runtime = workers(2);
        for wave in 0..size(20, 1_000) {
            let all: Vec<_> = (0..1_000)
                .map(|number| {
                    runtime.spawn(move || {
                        if number % 3 == 0 {
                            thread::yield_now();
                        }
                        panic_any(wave * 1_000 + number);
                    })
                })
                .collect();
            for (number, one) in all.into_iter().enumerate() {
                let result: thread::Result<()> = one.join();
                assert_eq!(result.unwrap_err().downcast_ref(), Some(&(wave * 1_000 + number)));
            }
        }
    }

    a_panic_in_a_destructor_ends_only_its_own_coroutine {
        workers(2).run(|| {
            for _ in 0..size(100, 10_000) {
                // On the stack, in what the closure captures, in the output, in an output that nobody takes.
                let (captured, output, left) = (Bomb, Bomb, Bomb);
                let on_the_stack = thread::spawn(|| drop(Bomb));
                let in_the_closure = thread::spawn(move || {
                    let _captured = captured;
                });
                let taken = thread::spawn(move || output).join();
                drop(thread::spawn(move || left));
                assert_eq!(text(&*on_the_stack.join().unwrap_err()), "of a bomb");
                assert_eq!(text(&*in_the_closure.join().unwrap_err()), "of a bomb");
                std::mem::forget(taken.unwrap());
                let ended = thread::spawn(|| Bomb);
                while !ended.is_finished() {
                    thread::yield_now();
                }
                drop(ended);
            }
        });
    }

    a_payload_that_panics_when_it_is_dropped_goes_no_further {
        let dropped = Arc::new(AtomicUsize::new(0));
        let rounds = size(100, 10_000);
        workers(2).run(|| {
            for _ in 0..rounds {
                let counted = Counted(Arc::clone(&dropped));
                // Nobody joins it: its payload is dropped by the runtime.
                drop(thread::spawn(move || resume_unwind(Box::new(Nested(5, counted)))));
            }
            while dropped.load(Ordering::SeqCst) < rounds * 6 {
                thread::yield_now();
            }
        });
        assert_eq!(dropped.load(Ordering::SeqCst), rounds * 6);
    }

    destructors_of_locals_panic_wait_and_begin_others {
        kettle::thread_local! {
            static FIRST: RefCell<Option<Bomb>> = const { RefCell::new(None) };
            static SECOND: Waits = const { Waits };
        }
        struct Waits;
        impl Drop for Waits {
            fn drop(&mut self) {
                thread::yield_now();
                thread::sleep(Duration::from_micros(1));
                FIRST.with_borrow_mut(|first| *first = Some(Bomb));
            }
        }
        workers(2).run(|| {
            let all: Vec<_> = (0..size(200, 20_000))
                .map(|number| {
                    thread::spawn(move || {
                        SECOND.with(|_| ());
                        if number % 2 == 0 {
                            panic!("of the closure");
                        }
                    })
                })
                .collect();
            for (number, one) in all.into_iter().enumerate() {
                assert_eq!(one.join().is_err(), number % 2 == 0);
            }
        });
    }

    destructors_that_spawn_at_shutdown_lose_nobody {
        struct Spawns(Arc<AtomicUsize>, u32);
        impl Drop for Spawns {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
                for _ in 0..self.1.min(2) {
                    let next = Spawns(Arc::clone(&self.0), self.1 - 1);
                    drop(thread::spawn(move || drop(next)));
                }
            }
        }
        for _ in 0..size(20, 500) {
            let dropped = Arc::new(AtomicUsize::new(0));
            let runtime = workers(2);
            for _ in 0..4 {
                let root = Spawns(Arc::clone(&dropped), 6);
                drop(runtime.spawn(move || {
                    let _root = root;
                    thread::sleep(Duration::MAX);
                }));
            }
            drop(runtime);
            // A tree of seven levels, each node but those of the last two with two below.
            assert_eq!(dropped.load(Ordering::SeqCst), 4 * (1 + 2 + 4 + 8 + 16 + 32 + 32));
        }
    }

    cancellation_meets_panicking_destructors {
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                // Contained, as it has to be while its stack unwinds.
                let caught = std::panic::catch_unwind(|| panic!("while it is cancelled"));
                assert!(caught.is_err());
            }
        }
        workers(2).run(|| {
            for _ in 0..size(100, 10_000) {
                let one = thread::spawn(|| {
                    let _panics = Panics;
                    thread::sleep(Duration::MAX);
                });
                thread::yield_now();
                one.cancel().unwrap();
                assert!(one.join().unwrap_err().is::<Cancelled>());
            }
        });
    }
}
