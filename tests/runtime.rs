//! Runtimes: how they come, what they take, and how they go.

use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

fn workers(count: usize) -> Runtime {
    Runtime::builder().workers(count).build().unwrap()
}

#[test]
fn a_runtime_waits_for_its_coroutines_when_it_is_dropped() {
    for _ in 0..200 {
        let done = Arc::new(AtomicUsize::new(0));
        let runtime = workers(2);
        for _ in 0..10 {
            let done = Arc::clone(&done);
            drop(runtime.spawn(move || {
                thread::yield_now();
                let inner = Arc::clone(&done);
                drop(thread::spawn(move || inner.fetch_add(1, Ordering::SeqCst)));
                done.fetch_add(1, Ordering::SeqCst);
            }));
        }
        drop(runtime);
        assert_eq!(done.load(Ordering::SeqCst), 20);
    }
}

#[test]
fn a_runtime_that_is_dropped_takes_nothing_more_and_says_so() {
    let runtime = workers(1);
    let handle = runtime.handle().clone();
    drop(runtime);
    let error = Builder::new().spawn_on(&handle, || ()).unwrap_err();
    assert!(error.to_string().contains("being dropped"), "{error}");
    assert!(catch_unwind(|| handle.spawn(|| ())).is_err());
}

#[test]
fn a_runtime_dropped_in_its_own_coroutine_panics_with_a_sentence() {
    let runtime = workers(1);
    let handle = runtime.handle().clone();
    let (sender, receiver) = mpsc::channel();
    let coroutine = handle.spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(|| drop(runtime)));
        let payload = result.unwrap_err();
        sender.send(payload.downcast_ref::<&str>().unwrap().to_string()).unwrap();
    });
    coroutine.join().unwrap();
    assert!(receiver.recv().unwrap().contains("in one of its own coroutines"));
    // It goes on: nobody was told to stop it.
    assert_eq!(handle.run(|| 1), 1);
}

#[test]
fn inside_a_coroutine_spawn_uses_its_runtime() {
    let runtime = Runtime::builder().workers(2).worker_name("here").build().unwrap();
    let on_worker = || std::thread::current().name().is_some_and(|name| name.starts_with("here-"));
    assert!(runtime.run(|| thread::spawn(on_worker).join().unwrap()));
    assert!(!thread::spawn(on_worker).join().unwrap());
    // A runtime inside another's coroutine, and back.
    let inner = Runtime::builder().workers(1).worker_name("there").build().unwrap();
    let handle = runtime.handle().clone();
    assert!(inner.run(|| handle.run(on_worker)));
}

#[test]
fn pinned_workers_keep_to_their_cores() {
    let runtime = Runtime::builder().workers(2).pin_to_cores(true).build().unwrap();
    let cores = runtime.run(|| {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        list.unwrap().trim().to_string()
    });
    cores.parse::<usize>().expect("one core alone");
}

#[test]
fn spawns_from_many_threads_all_run() {
    let runtime = workers(2);
    let done = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let done = Arc::clone(&done);
                    drop(runtime.spawn(move || done.fetch_add(1, Ordering::SeqCst)));
                }
            });
        }
    });
    drop(runtime);
    assert_eq!(done.load(Ordering::SeqCst), 20_000);
}
