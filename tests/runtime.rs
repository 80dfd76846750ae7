//! Runtimes: how they come, what they take, and how they go.

#[path = "support/coroutines.rs"]
mod coroutines;

use coroutines::{Counted, workers};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

#[test]
fn nothing_of_a_runtimes_coroutines_is_left_when_it_has_been_dropped() {
    for round in 0..200 {
        let (gone, begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let runtime = workers(2);
        for number in 0..10 {
            let (outer, inner) = (Counted(Arc::clone(&gone)), Counted(Arc::clone(&gone)));
            let begun = Arc::clone(&begun);
            let body = move || {
                begun.fetch_add(1, Ordering::SeqCst);
                drop(thread::spawn(move || {
                    let _inner = inner;
                    loop {
                        thread::yield_now();
                    }
                }));
                let _outer = outer;
                loop {
                    thread::park();
                }
            };
            let builder = Builder::new();
            // SAFETY: nothing in it belongs to a thread.
            let builder = if number % 2 == 0 { builder } else { unsafe { builder.migratable() } };
            drop(builder.spawn_on(runtime.handle(), body).unwrap());
        }
        // In half of the rounds everybody waits; in the others most have not begun.
        while round % 2 == 0 && begun.load(Ordering::SeqCst) < 10 {
            std::thread::yield_now();
        }
        drop(runtime);
        assert_eq!(gone.load(Ordering::SeqCst), 20);
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
                let all: Vec<_> = (0..5_000)
                    .map(|_| {
                        let done = Arc::clone(&done);
                        runtime.spawn(move || done.fetch_add(1, Ordering::SeqCst))
                    })
                    .collect();
                for one in all {
                    one.join().unwrap();
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::SeqCst), 20_000);
}

#[test]
fn a_dump_tells_who_waits_for_what_and_whether_anybody_could_wake_them() {
    use kettle::runtime::Deadlock;
    let runtime = workers(2);
    let handle = runtime.handle();
    assert_eq!(handle.dump().deadlock(), Deadlock::No, "there is nobody");
    let parked = Builder::new().name("parked".to_string()).spawn_on(handle, thread::park).unwrap();
    let sleeper = Builder::new()
        .name("sleeper".to_string())
        .spawn_on(handle, || thread::sleep(std::time::Duration::from_secs(1_000)))
        .unwrap();
    let dump = loop {
        let dump = handle.dump();
        if dump.waiting().len() == 2 {
            break dump;
        }
    };
    assert_eq!(dump.live(), 2);
    let text = dump.to_string();
    let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap();
    assert!(line("'parked'").contains("parked, for some 0."), "{text}");
    assert!(line("'sleeper'").contains("sleeping"), "{text}");
    assert_eq!(dump.deadlock(), Deadlock::No, "a timer could wake one");
    sleeper.cancel().unwrap();
    drop(sleeper.join());
    // Only this thread, which does not wait in kettle, could wake the other one.
    while handle.dump().deadlock() != Deadlock::Possible {
        std::thread::yield_now();
    }
    handle.ask_who_waits(10);
    parked.thread().unpark();
    parked.join().unwrap();
}

/// Asked all the time, from everywhere, they wait and wake as if nothing were.
#[test]
fn who_is_asked_while_it_waits_loses_no_wake_up() {
    let runtime = workers(2);
    let all: Vec<_> = (0..20)
        .map(|number| {
            let builder = Builder::new();
            let body = move || {
                for turn in 0..20 {
                    if (number + turn) % 2 == 0 {
                        thread::park();
                    } else {
                        thread::sleep(std::time::Duration::from_micros(50));
                    }
                }
            };
            builder.spawn_on(runtime.handle(), body).unwrap()
        })
        .collect();
    while !all.iter().all(thread::JoinHandle::is_finished) {
        runtime.handle().ask_who_waits(2);
        all.iter().for_each(|one| one.thread().unpark());
    }
    all.into_iter().for_each(|one| one.join().unwrap());
}

/// One that has been woken and has not run yet looks like one that waits.
#[test]
fn who_has_been_woken_when_it_is_asked_goes_on() {
    let runtime = workers(1);
    let handle = runtime.handle();
    runtime.run(|| {
        for wake in [true, false] {
            let sleeper = thread::spawn(thread::park);
            while handle.dump().waiting().is_empty() {
                thread::yield_now();
            }
            if wake {
                sleeper.thread().unpark();
                handle.ask_who_waits(10);
            } else {
                handle.ask_who_waits(10);
                handle.ask_who_waits(10);
                sleeper.thread().unpark();
            }
            let patience = std::time::Duration::from_secs(30);
            kettle::time::timeout(patience, || sleeper.join().unwrap()).expect("it was woken");
        }
    });
}

/// A circle of a join and two mutexes is named, without those who only wait for one of its members; after one of
/// them has been cancelled there is none.
#[test]
fn a_dump_names_those_who_wait_in_a_circle_and_nobody_else() {
    use kettle::sync::{Barrier, Mutex};
    let runtime = workers(2);
    let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
        Builder::new().name(name.to_string()).spawn_on(runtime.handle(), body).unwrap()
    };
    let locks = Arc::new(([Mutex::new(()), Mutex::new(())], Barrier::new(3)));
    let (sender, receiver) = mpsc::channel::<thread::JoinHandle<()>>();
    // `first` holds lock 0 and joins `third`; `second` holds lock 1 and wants lock 0; `third` wants lock 1.
    let shared = Arc::clone(&locks);
    let first = spawn(
        "first",
        Box::new(move || {
            let third = receiver.recv().unwrap();
            let _held = shared.0[0].lock().unwrap();
            shared.1.wait();
            drop(third.join());
        }),
    );
    let shared = Arc::clone(&locks);
    let second = spawn(
        "second",
        Box::new(move || {
            let _held = shared.0[1].lock().unwrap();
            shared.1.wait();
            let _wanted = shared.0[0].lock().unwrap();
        }),
    );
    let shared = Arc::clone(&locks);
    let third = spawn(
        "third",
        Box::new(move || {
            shared.1.wait();
            let _wanted = shared.0[1].lock().unwrap();
        }),
    );
    sender.send(third).unwrap();
    let bystander = spawn("bystander", Box::new(move || drop(first.join())));
    let handle = runtime.handle();
    let dump = loop {
        let dump = handle.dump();
        if dump.waiting().len() == 4 && dump.circles().next().is_some() {
            break dump;
        }
    };
    let circles: Vec<Vec<_>> = dump
        .circles()
        .map(|circle| {
            let mut names: Vec<_> =
                circle.iter().map(|one| one.thread().name().unwrap().to_string()).collect();
            names.sort();
            names
        })
        .collect();
    assert_eq!(circles, [["first", "second", "third"]]);
    assert!(dump.to_string().contains("these wait for each other, in a circle: ThreadId("));
    second.cancel().unwrap();
    drop(second.join());
    drop(bystander.join());
    assert_eq!(handle.dump().circles().count(), 0);
}
