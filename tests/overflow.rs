//! Whoever runs out of stack is told so by name, and nothing else is harmed: neither other coroutines
//! before the process ends, nor the handlers that were there before.
//!
//! Each scenario is a child process. They need the main thread for themselves, which libtest does not
//! give away: hence the harness in `support`.

#![allow(unsafe_code, reason = "faults, signal handlers, limits")]

#[path = "support/child.rs"]
mod child;
#[path = "support/filter.rs"]
mod filter;
#[path = "overflow/frames.rs"]
mod frames;
#[path = "support/harness.rs"]
mod harness;
#[path = "overflow/ignored.rs"]
mod ignored;
#[path = "overflow/play.rs"]
mod play;
#[path = "overflow/sigsegv.rs"]
mod sigsegv;
mod support;

use harness::Test;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

fn main() -> ExitCode {
    if let Some(scenario) = child::scenario() {
        play::play(&scenario);
        return ExitCode::SUCCESS;
    }
    let mut tests = overflows();
    tests.extend(other_kernels());
    tests.extend(faults());
    tests.extend(limits());
    harness::run(tests)
}

/// How a child ended and what it said.
struct Ended {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

fn run(scenario: &str, guard: Option<&str>) -> Ended {
    let mut child = child::child("", scenario);
    match guard {
        Some(guard) => child.env("KETTLE_GUARD", guard),
        None => child.env_remove("KETTLE_GUARD"),
    };
    let output = child.output().unwrap();
    Ended {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ended {
    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self:?}");
        self
    }

    #[track_caller]
    fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.stderr.contains(text), "{text:?} in {self:?}");
        self
    }

    #[track_caller]
    fn died_by(&self, signal: i32) -> &Self {
        assert_eq!(self.status.signal(), Some(signal), "{self:?}");
        self
    }

    #[track_caller]
    fn exited_with(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self
    }
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr)
    }
}

fn test(name: impl Into<String>, f: impl Fn() + std::panic::RefUnwindSafe + 'static) -> Test {
    (name.into(), Box::new(f))
}

/// Every way to overflow, for everybody, on small and large stacks, with both kinds of guard.
fn overflows() -> Vec<Test> {
    let mut tests = Vec::new();
    for (guard, guarded) in [(None, ""), (Some("mprotect"), "_guarded_by_mprotect")] {
        for how in ["deep", "enormous", "over-a-page", "over-most-of-the-guard"] {
            for (who, called) in [("named", "whistler"), ("unnamed", "<unnamed>"), ("raw", "<raw>")]
            {
                for size in [64 << 10, 1 << 20] {
                    let case = format!("{how}_{who}_{size}{guarded}").replace('-', "_");
                    tests.push(test(
                        format!("an_overflow_is_reported_by_name::{case}"),
                        move || {
                            run(&format!("overflow {how} {who} {size}"), guard)
                                .says(&format!("coroutine '{called}' has overflowed its stack"))
                                .says(&format!("{size} bytes"))
                                .says("Builder::stack_size")
                                .died_by(libc::SIGABRT);
                        },
                    ));
                }
            }
        }
    }
    tests.push(test("an_overflow_among_many_corrupts_none_of_them", || {
        run("overflow-among-many", None)
            .says("coroutine 'culprit' has overflowed its stack of 65536 bytes")
            .says("neighbours intact")
            .died_by(libc::SIGABRT);
    }));
    tests.push(test("an_overflow_on_a_thread_that_std_did_not_start_is_reported", || {
        run("overflow-on-a-foreign-thread", None)
            .says("has overflowed its stack of 65536 bytes")
            .died_by(libc::SIGABRT);
    }));
    tests.push(test("a_raw_coroutines_overflow_names_the_green_thread_and_the_raw_stack", || {
        run("overflow-inside", None)
            .says("coroutine 'whistler' has overflowed its stack of 131072 bytes")
            .died_by(libc::SIGABRT);
    }));
    tests
}

/// A kernel without guards that work is noticed, one that says that it has them too, and `mprotect` guards.
fn other_kernels() -> Vec<Test> {
    let mut tests = Vec::new();
    for answer in ["ignores", "refuses"] {
        let scenario = move |scenario: &str| {
            let ended = run(&format!("where-the-kernel {answer} {scenario}"), None);
            let skipped = ended.stdout.contains("skipped");
            if skipped {
                print!("{}", ended.stdout);
            }
            (!skipped).then_some(ended)
        };
        let name = format!("where_the_kernel_{answer}_guards_they_are_made_by_mprotect");
        tests.push(test(name, move || {
            if let Some(ended) = scenario("kind-of-guard") {
                let said = &ended.exited_with(0).stdout.to_lowercase();
                assert!(said.contains(&format!("{answer}, mprotect")), "{ended:?}");
            }
        }));
        for how in ["deep", "over-most-of-the-guard"] {
            for size in [64 << 10, 1 << 20] {
                let name = format!(
                    "where_the_kernel_{answer}_guards_an_overflow_is_reported::{how}_{size}"
                );
                tests.push(test(name.replace('-', "_"), move || {
                    if let Some(ended) = scenario(&format!("overflow {how} named {size}")) {
                        ended
                            .says("coroutine 'whistler' has overflowed its stack")
                            .says(&format!("{size} bytes"))
                            .died_by(libc::SIGABRT);
                    }
                }));
            }
        }
    }
    tests.push(test("a_kernel_that_guards_is_asked_to", || {
        let ended = run("kind-of-guard", None);
        let said = &ended.exited_with(0).stdout;
        if said.contains("Guards") {
            assert!(said.contains("Guards, marker"), "{ended:?}");
        } else {
            // The tests above are about this kernel then.
            let found = said.lines().next().unwrap_or_default();
            println!("skipped: this kernel or emulator has no guards that work ({found})");
        }
    }));
    tests
}

/// What is no overflow of a coroutine is answered as it would be without kettle.
fn faults() -> Vec<Test> {
    let mut tests = Vec::new();
    for place in ["green", "raw", "thread", "main"] {
        tests.push(test(format!("a_null_write_dies_by_sigsegv::{place}"), move || {
            run(&format!("null-write {place}"), None)
                .does_not_say("overflow")
                .died_by(libc::SIGSEGV);
        }));
        for (how, said) in
            [("plain", "plain handler: SIGSEGV"), ("with-info", "handler with info: null")]
        {
            let name = format!("an_earlier_handler_gets_other_faults::{how}_{place}");
            tests.push(test(name.replace('-', "_"), move || {
                run(&format!("null-write {place} handled {how}"), None)
                    .says(said)
                    .exited_with(sigsegv::HANDLED);
            }));
        }
        tests.push(test(format!("an_earlier_handler_may_repair_and_return::{place}"), move || {
            let ended = run(&format!("repair {place}"), None);
            assert!(ended.exited_with(0).stdout.contains("repaired"), "{ended:?}");
        }));
    }
    for place in ["green", "thread"] {
        tests.push(test(format!("a_stray_write_is_not_called_an_overflow::{place}"), move || {
            run(&format!("stray-write {place}"), None)
                .says("guard of a coroutine stack that is not its own")
                .does_not_say("overflowed")
                .died_by(libc::SIGABRT);
        }));
    }
    for how in ["plain", "with-info"] {
        let name = format!("an_earlier_handler_does_not_get_a_coroutines_overflow::{how}");
        tests.push(test(name.replace('-', "_"), move || {
            run(&format!("overflow handled {how}"), None)
                .says("has overflowed its stack of 65536 bytes")
                .does_not_say("handler")
                .died_by(libc::SIGABRT);
        }));
    }
    tests.push(test("a_sigsegv_that_somebody_sends_ends_the_process_by_default", || {
        run("sent default", None).does_not_say("overflow").died_by(libc::SIGSEGV);
    }));
    tests.push(test("a_sigsegv_that_somebody_sends_is_ignored_where_it_was_ignored", || {
        let ended = run("sent ignored", None);
        assert!(ended.exited_with(0).stdout.contains("played to the end"), "{ended:?}");
    }));
    tests.push(test("an_overflow_of_the_main_thread_is_left_to_std", || {
        if !run("main-overflow-without-kettle", None).stderr.contains("has overflowed its stack") {
            println!("skipped: std does not report an overflow of the main thread here");
            return;
        }
        run("main-overflow", None)
            .says("thread 'main'")
            .says("has overflowed its stack")
            .does_not_say("coroutine")
            .died_by(libc::SIGABRT);
    }));
    tests.push(test("an_overflow_of_an_os_thread_is_left_to_std", || {
        run("thread-overflow", None)
            .says("thread 'well'")
            .says("has overflowed its stack")
            .does_not_say("coroutine")
            .died_by(libc::SIGABRT);
    }));
    tests
}

/// `vm.max_map_count`.
fn max_map_count() -> usize {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    text.trim().parse().unwrap()
}

/// Where there is no stack to be had, whoever needs one learns why, and the others go on.
fn limits() -> Vec<Test> {
    vec![
        test("running_out_of_mprotect_guards_is_an_error_that_names_the_sysctl", || {
            if max_map_count() > 200_000 {
                println!("skipped: vm.max_map_count is {}, too many to use up", max_map_count());
                return;
            }
            let ended = run("guard-budget", Some("mprotect"));
            assert!(ended.exited_with(0).stdout.contains("were refused"), "{ended:?}");
        }),
        test("running_out_of_address_space_is_an_error_and_the_others_go_on", || {
            let ended = run("address-space", None);
            let said = &ended.exited_with(0).stdout;
            if said.contains("skipped") {
                print!("{said}");
            } else {
                assert!(said.contains("were refused"), "{ended:?}");
            }
        }),
    ]
}
