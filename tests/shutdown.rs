//! The end of a runtime: its coroutines are cancelled, and whoever is left is named.

#[path = "support/child.rs"]
mod child;
#[path = "support/coroutines.rs"]
mod coroutines;
mod support;

use coroutines::{Counted, workers};
use kettle::thread::{self, Builder};
use kettle::time::Duration;
use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

/// Each coroutine unwinds on its worker while that one's thread-locals are still there.
#[test]
fn coroutines_unwind_on_their_worker_before_its_thread_locals_go() {
    thread_local!(static ALIVE: Cell<u32> = const { Cell::new(0) });
    struct Looks(u32, std::thread::ThreadId, mpsc::Sender<bool>);
    impl Drop for Looks {
        fn drop(&mut self) {
            let here = std::thread::current().id() == self.1;
            let same = ALIVE.try_with(|alive| alive.get() == self.0).unwrap_or(false);
            self.2.send(here && same).unwrap();
        }
    }
    let (sender, receiver) = mpsc::channel();
    let runtime = workers(2);
    let all: Vec<_> = (0..100)
        .map(|_| {
            let sender = sender.clone();
            runtime.spawn(move || {
                ALIVE.set(7);
                let _looks = Looks(7, std::thread::current().id(), sender);
                loop {
                    thread::park();
                }
            })
        })
        .collect();
    drop(sender);
    while all.iter().any(|one| format!("{:?}", one.thread()).contains("not waiting")) {
        std::thread::yield_now();
    }
    drop(runtime);
    let looks: Vec<bool> = receiver.iter().collect();
    assert_eq!(looks, [true; 100]);
}

#[test]
fn what_destructors_spawn_at_the_end_never_begins_and_is_dropped() {
    struct Spawns(Arc<AtomicUsize>, u32);
    impl Drop for Spawns {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
            if self.1 > 0 {
                let next = Spawns(Arc::clone(&self.0), self.1 - 1);
                drop(thread::spawn(move || {
                    let _next = next;
                    thread::park();
                }));
            }
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let runtime = workers(2);
    for _ in 0..10 {
        let first = Spawns(Arc::clone(&dropped), 10);
        drop(runtime.spawn(move || {
            let _first = first;
            thread::park();
        }));
    }
    drop(runtime);
    assert_eq!(dropped.load(Ordering::SeqCst), 110);
}

#[test]
fn a_shutdown_that_is_in_time_is_no_error() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let runtime = workers(2);
    for _ in 0..1_000 {
        let counted = Counted(Arc::clone(&dropped));
        drop(runtime.spawn(move || {
            let _counted = counted;
            thread::sleep(Duration::from_secs(1_000));
        }));
    }
    runtime.shutdown(Duration::from_secs(60)).unwrap();
    assert_eq!(dropped.load(Ordering::SeqCst), 1_000);
}

#[test]
fn a_shutdown_names_who_is_left_and_those_can_still_be_woken_for_nothing() {
    let runtime = workers(1);
    let (sender, begun) = mpsc::channel();
    let went_on = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&went_on);
    let stubborn = Builder::new()
        .name("stubborn".to_string())
        .spawn_on(runtime.handle(), move || {
            let _mask = thread::mask_cancellation();
            sender.send(()).unwrap();
            thread::park();
            flag.store(true, Ordering::SeqCst);
        })
        .unwrap();
    begun.recv().unwrap();
    let error = runtime.shutdown(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.count(), 1);
    let said = error.to_string();
    assert!(said.contains("'stubborn'") && said.contains("cancellation masked"), "{said}");
    if let [left] = error.left() {
        assert_eq!(left.name(), Some("stubborn"));
        left.unpark();
    } else {
        // It had not come to its park yet.
        assert!(error.left().is_empty(), "{error:?}");
    }
    stubborn.thread().unpark();
}

#[test]
fn a_shutdown_inside_panics_with_a_sentence() {
    let runtime = workers(1);
    let handle = runtime.handle().clone();
    let payload =
        handle.spawn(move || runtime.shutdown(Duration::ZERO).unwrap()).join().unwrap_err();
    let said = payload.downcast_ref::<&str>().unwrap();
    assert!(said.contains("in one of its own coroutines"), "{said}");
}

/// In a coroutine of another runtime only that one waits.
#[test]
fn a_runtime_dropped_in_anothers_coroutine_lets_its_neighbours_run() {
    workers(1).run(|| {
        let ran = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ran);
        let inner = workers(1);
        let (sender, begun) = mpsc::channel();
        drop(inner.spawn(move || {
            let mask = thread::mask_cancellation();
            sender.send(()).unwrap();
            while !ran.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            drop(mask);
            thread::park();
        }));
        begun.recv().unwrap();
        let neighbour = thread::spawn(move || seen.store(true, Ordering::SeqCst));
        drop(inner);
        neighbour.join().unwrap();
    });
}

/// The child drops a runtime with a coroutine that masks cancellation; its parent waits for the line that names
/// it and lets it go.
#[test]
fn a_drop_that_waits_says_for_whom() {
    const NAME: &str = "a_drop_that_waits_says_for_whom";
    if child::scenario().is_some() {
        let runtime = workers(1);
        let (sender, begun) = mpsc::channel();
        let join = Builder::new()
            .name("on the stove".to_string())
            .spawn_on(runtime.handle(), move || {
                let _mask = thread::mask_cancellation();
                sender.send(()).unwrap();
                thread::park();
            })
            .unwrap();
        begun.recv().unwrap();
        let dropper = std::thread::spawn(move || drop(runtime));
        std::io::stdin().read_line(&mut String::new()).unwrap();
        join.thread().unpark();
        dropper.join().unwrap();
        join.join().unwrap();
        return;
    }
    let mut child = child::child(NAME, "masked")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains("still waiting for 1 coroutine of a runtime"), "{line}");
    assert!(line.contains("'on the stove'") && line.contains("cancellation masked"), "{line}");
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    assert!(child.wait().unwrap().success());
}

/// It may have borrowed from one of the thread's locals, and lent that to somebody who goes on.
#[test]
fn the_thread_of_a_coroutine_that_is_left_keeps_its_locals() {
    struct Tells(mpsc::Sender<()>);

    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    thread_local! {
        static LOCAL: std::cell::OnceCell<Tells> = const { std::cell::OnceCell::new() };
    }

    let (destroyed, is_destroyed) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let runtime = workers(1);
    let _lender = runtime.spawn(move || {
        LOCAL.with(|local| {
            assert!(local.set(Tells(destroyed)).is_ok());
            kettle::unblock(move || {
                begun.send(()).unwrap();
                let _ = may_go_on.recv();
            });
        });
    });
    has_begun.recv().unwrap();
    assert_eq!(runtime.shutdown(Duration::from_millis(1)).unwrap_err().count(), 1);
    let patience = Duration::from_millis(300);
    assert_eq!(is_destroyed.recv_timeout(patience), Err(mpsc::RecvTimeoutError::Timeout));
    drop(go_on);
}
