//! What a program defers with crossbeam-epoch is called wherever anybody pins, in the scheduler too, which does
//! so in the code of its deques.

use crate::{child, plays, size};
use kettle::runtime::Runtime;
use kettle::thread;
use kettle::time::Duration;
use std::os::unix::process::ExitStatusExt;

/// Has `deferred` called again and again while coroutines are spawned, wait, and are taken by others.
fn defer(runtime: &Runtime, rounds: usize, deferred: fn()) {
    for _ in 0..rounds {
        let sum = runtime.run(|| {
            let all: Vec<_> = (0..500_usize)
                .map(|number| {
                    let guard = crossbeam_epoch::pin();
                    guard.defer(deferred);
                    guard.flush();
                    drop(guard);
                    thread::spawn(move || {
                        let number = Box::new(number);
                        thread::yield_now();
                        *number
                    })
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).sum::<usize>()
        });
        assert_eq!(sum, 499 * 250);
    }
}

plays! {
    what_is_deferred_may_yield_wait_and_spawn_and_leaves_the_scheduler_whole {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        let rounds = size(10, 300);
        defer(&runtime, rounds, thread::yield_now);
        defer(&runtime, rounds, || thread::park_timeout(Duration::from_micros(1)));
        defer(&runtime, rounds, || thread::current().unpark());
        defer(&runtime, rounds, || drop(thread::spawn(thread::yield_now)));
    }
}

#[test]
fn a_panic_of_what_is_deferred_ends_the_process_with_a_sentence() {
    if child::scenario().is_some() {
        let runtime = Runtime::builder().workers(1).build().unwrap();
        defer(&runtime, 1000, || {
            // A coroutine that pins itself has no name; the scheduler's code is the worker's.
            if thread::current().name().is_some_and(|name| name.starts_with("kettle-worker")) {
                panic!("deferred");
            }
        });
        return;
    }
    let name = "deferred::a_panic_of_what_is_deferred_ends_the_process_with_a_sentence";
    let output = child::child(name, "panic").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{:?}: {said}", output.status);
    assert!(
        said.contains("deferred with crossbeam-epoch has panicked in kettle's scheduler"),
        "{said}"
    );
}
