//! A backtrace taken inside a coroutine names the frames down to its entry and ends there.

#[path = "support/backtraces.rs"]
mod backtraces;
mod support;

use kettle::coroutine::Coroutine;
use kettle::runtime::Runtime;
use std::backtrace::Backtrace;
use std::hint::black_box;
use std::process::Command;

/// The last frame of every coroutine.
const TRAMPOLINE: &str = "kettle_trampoline_";

#[inline(never)]
fn innermost() -> String {
    black_box(Backtrace::force_capture().to_string())
}

#[inline(never)]
fn middle() -> String {
    black_box(innermost())
}

#[inline(never)]
fn outermost() -> String {
    black_box(middle())
}

/// The frames' names, the innermost first.
fn frames(backtrace: &str) -> Vec<&str> {
    let named = backtrace.lines().filter_map(|line| line.trim_start().split_once(": "));
    named.filter(|(number, _)| number.parse::<u32>().is_ok()).map(|(_, name)| name).collect()
}

fn assert_ends_at_the_trampoline(backtrace: &str) {
    let frames = frames(backtrace);
    let position = |name: &str| {
        let found = frames.iter().position(|frame| frame.contains(name));
        found.unwrap_or_else(|| panic!("no {name} in\n{backtrace}"))
    };
    assert!(position("innermost") < position("middle"), "{backtrace}");
    assert!(position("middle") < position("outermost"), "{backtrace}");
    assert_eq!(position(TRAMPOLINE), frames.len() - 1, "{backtrace}");
}

#[test]
fn in_a_raw_coroutine_it_ends_at_the_trampoline() {
    if !backtraces::can_be_taken("in_a_raw_coroutine_it_ends_at_the_trampoline") {
        return;
    }
    let mut coroutine = Coroutine::new(|suspender, ()| {
        suspender.suspend(outermost());
        outermost()
    });
    for _ in 0..2 {
        // Before the first switch away and after it.
        let (kettle::coroutine::State::Yielded(text) | kettle::coroutine::State::Returned(text)) =
            coroutine.resume(());
        assert_ends_at_the_trampoline(&text);
    }
}

#[test]
fn in_a_coroutine_of_a_runtime_it_ends_at_the_trampoline() {
    if !backtraces::can_be_taken("in_a_coroutine_of_a_runtime_it_ends_at_the_trampoline") {
        return;
    }
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let all: Vec<_> = (0..3)
        .map(|_| {
            runtime.spawn(|| {
                let before = outermost();
                kettle::thread::yield_now();
                (before, outermost())
            })
        })
        .collect();
    for one in all {
        let (before, after) = one.join().unwrap();
        assert_ends_at_the_trampoline(&before);
        assert_ends_at_the_trampoline(&after);
    }
}

/// Where the debugger stops.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn kettle_test_breakpoint(number: u32) -> u32 {
    black_box(number)
}

#[inline(never)]
fn calls_the_breakpoint(number: u32) -> u32 {
    black_box(kettle_test_breakpoint(number)) + 1
}

#[test]
fn the_debugger_walks_to_the_trampoline_and_stops() {
    if std::env::var_os("KETTLE_TEST_SCENARIO").is_some() {
        let mut coroutine = Coroutine::<(), (), u32>::new(|_, ()| calls_the_breakpoint(1));
        coroutine.resume(());
        kettle::run(|| calls_the_breakpoint(2));
        return;
    }
    if std::env::var_os("KETTLE_TEST_RUNNER").is_some() {
        println!("skipped: this runs under an emulator, which gdb would debug instead");
        return;
    }
    if Command::new("gdb").arg("--version").output().is_err() {
        assert!(std::env::var_os("KETTLE_REQUIRE_GDB").is_none(), "gdb is required, and not there");
        println!("skipped: gdb is not installed");
        return;
    }
    let output = Command::new("gdb")
        .args(["--batch", "--nx", "-ex", "set debuginfod enabled off"])
        .args(["-ex", "break kettle_test_breakpoint", "-ex", "run"])
        .args(["-ex", "backtrace", "-ex", "continue", "-ex", "backtrace", "-ex", "kill", "--args"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_debugger_walks_to_the_trampoline_and_stops", "--nocapture"])
        .env("KETTLE_TEST_SCENARIO", "debugged")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // `#0  0x... in name (...)`, once for each of the two stops.
    let walks: Vec<Vec<&str>> = said.lines().filter(|line| line.starts_with('#')).fold(
        Vec::new(),
        |mut walks: Vec<Vec<&str>>, line| {
            if line.starts_with("#0 ") {
                walks.push(Vec::new());
            }
            if let Some(walk) = walks.last_mut() {
                walk.push(line);
            }
            walks
        },
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(walks.len(), 2, "{said}\n{errors}");
    for walk in walks {
        assert!(walk[0].contains("kettle_test_breakpoint"), "{said}");
        assert!(walk.iter().any(|frame| frame.contains("calls_the_breakpoint")), "{said}");
        assert!(walk.last().unwrap().contains(TRAMPOLINE), "{said}");
    }
    for complaint in ["corrupt stack", "previous frame", "Cannot access memory"] {
        assert!(!said.contains(complaint) && !errors.contains(complaint), "{said}\n{errors}");
    }
}
