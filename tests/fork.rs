//! A child process that was forked without exec says what it cannot do, and never hangs; one that execs
//! is as free as ever.
//!
//! Each test runs itself once more as a process of its own, and that one forks.

#![allow(unsafe_code, reason = "fork")]

mod support;

use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::cell::Cell;
use std::io::ErrorKind;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitStatus, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SCENARIO: &str = "KETTLE_TEST_SCENARIO";
const SENTENCE: &str = "this process was forked from one in which a kettle runtime runs";

/// In the parent runs `test` again as a child and returns what it said; in the child plays `scenario` and
/// does not return.
fn in_a_child(test: &str, scenario: fn()) -> Output {
    if std::env::var(SCENARIO).is_ok_and(|name| name == test) {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: sets a limit and a timer of this process; the default action of SIGALRM ends it.
        unsafe {
            libc::setrlimit(libc::RLIMIT_CORE, &none);
            libc::alarm(60);
        }
        scenario();
        std::process::exit(0);
    }
    let output = support::this_program()
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(SCENARIO, test)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// Forks; the child calls `child`, and ends with the status 7 if it returns and does not panic.
fn fork(child: impl FnOnce()) -> ExitStatus {
    let status = fork_and_go_on(|| {
        let fine = catch_unwind(AssertUnwindSafe(child)).is_ok();
        // SAFETY: ends the process.
        unsafe { libc::_exit(if fine { 7 } else { 8 }) }
    });
    status.expect("the child does not get here")
}

/// Forks; the child calls `child` and goes on with none, the parent waits for its status. A child that
/// hangs is ended by SIGALRM.
fn fork_and_go_on(child: impl FnOnce()) -> Option<ExitStatus> {
    // SAFETY: what the child may do is what is tested.
    unsafe {
        match libc::fork() {
            0 => {
                libc::alarm(20);
                child();
                None
            }
            pid => {
                assert!(pid > 0);
                let mut status = 0;
                assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
                Some(ExitStatus::from_raw(status))
            }
        }
    }
}

#[track_caller]
fn refused<T>(f: impl FnOnce() -> T) {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    let message = payload.downcast_ref::<String>().map(String::as_str);
    let message = message.or(payload.downcast_ref::<&str>().copied()).unwrap();
    assert!(message.contains(SENTENCE), "{message}");
}

#[test]
fn a_child_of_an_os_thread_is_refused_with_a_sentence() {
    in_a_child("a_child_of_an_os_thread_is_refused_with_a_sentence", || {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        let parked = runtime.spawn(thread::park);
        let of_the_default = thread::spawn(thread::park);
        let ended = thread::spawn(|| 5);
        while !ended.is_finished() {
            std::thread::yield_now();
        }
        let (mut runtime, mut parked, mut ended) = (Some(runtime), Some(parked), Some(ended));
        let status = fork(|| {
            let error = Builder::new().spawn(|| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(SENTENCE), "{error}");
            assert_eq!(Runtime::new().unwrap_err().kind(), ErrorKind::Unsupported);
            refused(|| thread::spawn(|| ()));
            refused(|| kettle::run(|| ()));
            refused(|| runtime.as_ref().unwrap().spawn(|| ()));
            refused(|| thread::scope(|scope| drop(scope.spawn(|| ()))));
            refused(|| parked.take().unwrap().join());
            // What was there before the fork is still there.
            assert_eq!(ended.take().unwrap().join().unwrap(), 5);
            // As at the end of `main`.
            drop(runtime.take());
        });
        assert_eq!(status.code(), Some(7), "{status}");
        // The parent notices nothing of it.
        parked.as_ref().unwrap().thread().unpark();
        parked.take().unwrap().join().unwrap();
        of_the_default.thread().unpark();
        of_the_default.join().unwrap();
    });
}

kettle::thread_local! {
    static OWN: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn a_coroutine_that_has_forked_goes_on_alone_in_the_child() {
    in_a_child("a_coroutine_that_has_forked_goes_on_alone_in_the_child", || {
        let runtime = Runtime::builder().workers(1).build().unwrap();
        static CHILD: AtomicBool = AtomicBool::new(false);
        runtime.run(|| {
            let neighbour = thread::spawn(|| {
                while !thread::is_cancelled() {
                    assert!(!CHILD.load(Ordering::SeqCst), "a neighbour runs in the child");
                    thread::yield_now();
                }
            });
            thread::yield_now();
            OWN.set(3);
            let id = thread::current().id();
            let status = fork(|| {
                CHILD.store(true, Ordering::SeqCst);
                for _ in 0..1_000 {
                    thread::yield_now();
                }
                assert_eq!(OWN.get(), 3);
                assert_eq!(thread::current().id(), id);
                // A wake-up that is there already is a wake-up.
                thread::current().unpark();
                thread::park();
                refused(|| thread::spawn(|| ()));
                refused(|| neighbour.join());
            });
            assert_eq!(status.code(), Some(7), "{status}");
        });
    });
}

#[test]
fn a_coroutine_that_has_forked_and_ends_ends_the_child() {
    let output = in_a_child("a_coroutine_that_has_forked_and_ends_ends_the_child", || {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        let join = runtime.spawn(|| fork_and_go_on(|| ()));
        let status = join.join().unwrap().expect("only the parent's coroutine is joined");
        println!("once");
        assert_eq!(status.code(), Some(0), "{status}");
        // One that has never waited, and one that panics.
        let join = runtime.spawn(|| {
            thread::yield_now();
            fork_and_go_on(|| panic!("in the child"))
        });
        assert_eq!(join.join().unwrap().expect("as above").code(), Some(0));
    });
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches("once").count(), 1, "{said}");
}

#[test]
fn a_coroutine_that_waits_in_the_child_aborts_it_with_a_sentence() {
    let output =
        in_a_child("a_coroutine_that_waits_in_the_child_aborts_it_with_a_sentence", || {
            struct ParksInDrop;
            impl Drop for ParksInDrop {
                fn drop(&mut self) {
                    thread::park();
                }
            }
            let waits: [fn(); 3] = [
                thread::park,
                || thread::sleep(Duration::from_millis(1)),
                || {
                    let _guard = ParksInDrop;
                    panic!("and waits while unwinding");
                },
            ];
            for wait in waits {
                let status = kettle::run(|| fork(wait));
                assert_eq!(status.signal(), Some(libc::SIGABRT), "{status}");
            }
        });
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches(SENTENCE).count(), 3, "{said}");
}

#[test]
fn a_process_that_forked_before_its_first_coroutine_has_two_sound_halves() {
    in_a_child("a_process_that_forked_before_its_first_coroutine_has_two_sound_halves", || {
        let sum = || {
            kettle::run(|| (0..10).map(|n| thread::spawn(move || n).join().unwrap()).sum::<i32>())
        };
        let status = fork(|| assert_eq!(sum(), 45));
        assert_eq!(status.code(), Some(7), "{status}");
        assert_eq!(sum(), 45);
    });
}

#[test]
fn programs_are_started_by_the_hundred_while_every_worker_is_busy() {
    in_a_child("programs_are_started_by_the_hundred_while_every_worker_is_busy", || {
        let runtime = Runtime::builder().workers(4).build().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..16)
            .map(|_| {
                let stop = Arc::clone(&stop);
                runtime.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        thread::spawn(thread::yield_now).join().unwrap();
                    }
                })
            })
            .collect();
        let started = Arc::new(AtomicUsize::new(0));
        let all: Vec<_> = (0..100)
            .map(|n| {
                let started = Arc::clone(&started);
                runtime.spawn(move || {
                    let mut command = Command::new("sh");
                    command.args(["-c", &format!("exit {n}")]);
                    if n % 2 == 0 {
                        // Makes std fork instead of calling posix_spawn.
                        // SAFETY: does nothing.
                        unsafe { command.pre_exec(|| Ok(())) };
                    }
                    let mut child = command.spawn().unwrap();
                    started.fetch_add(1, Ordering::SeqCst);
                    loop {
                        match child.try_wait().unwrap() {
                            Some(status) => break assert_eq!(status.code(), Some(n)),
                            None => thread::yield_now(),
                        }
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|one| one.join().unwrap());
        assert_eq!(started.load(Ordering::SeqCst), 100);
        stop.store(true, Ordering::Relaxed);
        busy.into_iter().for_each(|one| one.join().unwrap());
    });
}

/// Who held a lock in the parent never frees it in the child.
#[test]
fn a_child_that_asks_who_waits_hears_of_nobody_and_does_not_hang() {
    in_a_child("a_child_that_asks_who_waits_hears_of_nobody_and_does_not_hang", || {
        let runtime = Runtime::builder().workers(1).build().unwrap();
        let sleeper = runtime.spawn(thread::park);
        let handle = runtime.handle();
        while handle.dump().waiting().is_empty() {
            std::thread::yield_now();
        }
        let status = fork(|| {
            handle.ask_who_waits(10);
            assert!(handle.dump().waiting().is_empty());
        });
        assert_eq!(status.code(), Some(7), "{status:?}");
        assert_eq!(handle.dump().waiting().len(), 1);
        sleeper.thread().unpark();
        sleeper.join().unwrap();
    });
}
