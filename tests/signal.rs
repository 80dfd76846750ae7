//! Signals. They are the whole process's, so each test plays in a child of its own.

#[path = "support/child.rs"]
mod child;
#[path = "support/coroutines.rs"]
mod coroutines;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use coroutines::workers;
use kettle::signal::{self, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, Signals};
use kettle::thread::{self, Cancelled};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// In the parent runs `test` again as a child; in the child plays `scenario` and does not return.
fn in_a_child(test: &str, scenario: fn()) {
    if child::scenario().is_some() {
        scenario();
        std::process::exit(0);
    }
    let output = child::child(test, test).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Sends a signal to this thread: when this returns, it has been handled.
fn send(signal: i32) {
    // SAFETY: a signal for which there is a handler, or which is ignored.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

/// Lets the others run until each of `count` coroutines has come to its wait.
fn until(count: usize, begun: &AtomicUsize) {
    while begun.load(Ordering::SeqCst) < count {
        thread::yield_now();
    }
    thread::yield_now();
}

#[test]
fn ctrl_c_is_waited_for_by_everybody_who_does() {
    in_a_child("ctrl_c_is_waited_for_by_everybody_who_does", || {
        let runtime = workers(1);
        runtime.run(|| {
            let begun = Arc::new(AtomicUsize::new(0));
            // A handler is there before any of them begins, or the signal could come before the first.
            let guard = Signals::new(&[SIGINT]).unwrap();
            let waiters: Vec<_> = (0..5)
                .map(|_| {
                    let begun = Arc::clone(&begun);
                    thread::spawn(move || {
                        begun.fetch_add(1, Ordering::SeqCst);
                        signal::ctrl_c().unwrap();
                    })
                })
                .collect();
            until(5, &begun);
            assert!(waiters.iter().all(|one| !one.is_finished()));
            send(SIGINT);
            waiters.into_iter().for_each(|one| one.join().unwrap());
            assert_eq!(guard.wait().unwrap(), SIGINT);
        });
    });
}

#[test]
fn what_came_before_the_wait_is_there_and_each_kind_once() {
    in_a_child("what_came_before_the_wait_is_there_and_each_kind_once", || {
        let check = || {
            let signals = Signals::new(&[SIGUSR2, SIGHUP, SIGTERM, SIGHUP]).unwrap();
            let others = Signals::new(&[SIGHUP]).unwrap();
            for signal in [SIGTERM, SIGUSR2, SIGHUP, SIGTERM, SIGUSR2] {
                send(signal);
            }
            let first: Vec<_> = signals.iter().take(3).collect();
            assert_eq!(first, [SIGHUP, SIGUSR2, SIGTERM]);
            assert_eq!(signals.pending().count(), 0);
            assert_eq!(others.wait().unwrap(), SIGHUP);
            assert_eq!(others.pending().count(), 0);
        };
        workers(1).run(check);
        check();
    });
}

#[test]
fn of_several_who_wait_with_one_each_signal_goes_to_one() {
    in_a_child("of_several_who_wait_with_one_each_signal_goes_to_one", || {
        let runtime = workers(2);
        for _ in 0..200 {
            let signals = Arc::new(Signals::new(&[SIGUSR1, SIGUSR2, SIGHUP]).unwrap());
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    let signals = Arc::clone(&signals);
                    runtime.spawn(move || signals.wait().unwrap())
                })
                .collect();
            for signal in [SIGUSR2, SIGHUP, SIGUSR1] {
                send(signal);
            }
            let mut got: Vec<_> = waiters.into_iter().map(|one| one.join().unwrap()).collect();
            got.sort_unstable();
            assert_eq!(got, [SIGHUP, SIGUSR1, SIGUSR2]);
        }
        // OS threads as well, to which one event tells of all.
        for _ in 0..200 {
            let signals = Signals::new(&[SIGUSR1, SIGUSR2]).unwrap();
            std::thread::scope(|scope| {
                let waiters = [0, 1].map(|_| scope.spawn(|| signals.wait().unwrap()));
                send(SIGUSR1);
                send(SIGUSR2);
                let mut got = waiters.map(|one| one.join().unwrap());
                got.sort_unstable();
                assert_eq!(got, [SIGUSR1, SIGUSR2]);
            });
        }
    });
}

#[test]
fn a_cancelled_wait_takes_no_signal() {
    in_a_child("a_cancelled_wait_takes_no_signal", || {
        workers(1).run(|| {
            let signals = Arc::new(Signals::new(&[SIGUSR1]).unwrap());
            let begun = Arc::new(AtomicUsize::new(0));
            let waiter = {
                let (signals, begun) = (Arc::clone(&signals), Arc::clone(&begun));
                thread::spawn(move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    signals.wait().unwrap()
                })
            };
            until(1, &begun);
            waiter.cancel().unwrap();
            assert!(waiter.join().unwrap_err().is::<Cancelled>());
            send(SIGUSR1);
            assert_eq!(signals.wait().unwrap(), SIGUSR1);
        });
    });
}

#[test]
fn a_signal_that_nobody_waits_for_any_more_is_ignored() {
    in_a_child("a_signal_that_nobody_waits_for_any_more_is_ignored", || {
        drop(Signals::new(&[SIGTERM]).unwrap());
        send(SIGTERM);
        // A later one does not get what came before it.
        let signals = Signals::new(&[SIGTERM, SIGUSR1]).unwrap();
        send(SIGUSR1);
        assert_eq!(signals.wait().unwrap(), SIGUSR1);
    });
}

#[test]
fn the_handler_that_was_there_is_called_as_well() {
    static CALLED: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn handler(_: i32) {
        CALLED.fetch_add(1, Ordering::SeqCst);
    }

    in_a_child("the_handler_that_was_there_is_called_as_well", || {
        // SAFETY: a handler that does nothing but count.
        unsafe { libc::signal(SIGUSR1, handler as *const () as usize) };
        let signals = Signals::new(&[SIGUSR1]).unwrap();
        send(SIGUSR1);
        assert_eq!(kettle::run(|| signals.wait().unwrap()), SIGUSR1);
        assert_eq!(CALLED.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn signals_that_cannot_be_waited_for_are_refused_with_a_sentence() {
    for number in [0, -1, 65, i32::MAX, libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, libc::SIGFPE] {
        let error = Signals::new(&[number]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{number}");
        assert!(error.to_string().contains(&number.to_string()), "{error}");
    }
}

#[test]
fn signals_one_after_the_other_all_arrive_and_leave_nothing_behind() {
    in_a_child("signals_one_after_the_other_all_arrive_and_leave_nothing_behind", || {
        let runtime = workers(2);
        let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let round = |count: usize| {
            let got = Arc::new(AtomicUsize::new(0));
            let signals = Signals::new(&[SIGUSR1]).unwrap();
            let waiter = {
                let got = Arc::clone(&got);
                runtime.spawn(move || {
                    for signal in signals.iter().take(count) {
                        assert_eq!(signal, SIGUSR1);
                        got.fetch_add(1, Ordering::SeqCst);
                    }
                })
            };
            for sent in 0..count {
                // To whichever thread the kernel chooses.
                // SAFETY: a signal to this process, for which there is a handler.
                assert_eq!(unsafe { libc::kill(libc::getpid(), SIGUSR1) }, 0);
                // The next one only when this has arrived, or two would be one.
                while got.load(Ordering::SeqCst) == sent {
                    std::thread::yield_now();
                }
            }
            waiter.join().unwrap();
        };
        round(1);
        let before = descriptors();
        (0..20).for_each(|_| round(200));
        // A worker that waits for the first time takes two for itself; each round would leave one.
        assert!(descriptors() <= before + 4, "{before} before, {} after", descriptors());
    });
}
