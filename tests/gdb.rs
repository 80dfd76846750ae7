//! `gdb/kettle.py` lists coroutines and shows where they wait, in a live process and in a core file.

#![allow(unsafe_code, reason = "limits, and a function for gdb to stop in")]

mod support;

use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCENARIO: &str = "KETTLE_TEST_SCENARIO";

#[inline(never)]
fn waits_for_the_whistle() {
    thread::park();
    black_box(());
}

#[inline(never)]
fn waits_for_another(other: thread::JoinHandle<()>) {
    other.join().unwrap();
    black_box(());
}

#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn kettle_test_looks_around() {
    if std::env::var(SCENARIO).unwrap() == "core" {
        std::process::abort();
    }
    black_box(());
}

/// What is debugged: on the default runtime one coroutine that is parked, one that joins it, and one that
/// runs; one that is parked on a second runtime; and a migratable one, which is not in its worker's list.
fn play() {
    let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: sets a limit of this process; where it may not, there will be no core file.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &unlimited) };
    let second = Runtime::builder().workers(1).build().unwrap();
    let named = |name: &str| Builder::new().name(name.into());
    let parked = named("whistler").spawn(waits_for_the_whistle).unwrap();
    let whistler = parked.thread().clone();
    let joins = named("waiter").spawn(move || waits_for_another(parked)).unwrap();
    let elsewhere = named("guest").spawn_on(second.handle(), waits_for_the_whistle).unwrap();
    // SAFETY: nothing of a thread is kept.
    let moves = unsafe { named("traveller").migratable() }.spawn(waits_for_the_whistle).unwrap();
    for thread in [&whistler, joins.thread(), elsewhere.thread(), moves.thread()] {
        // This also gives each a number, from one on.
        while format!("{thread:?}").contains("not waiting") {
            std::thread::yield_now();
        }
    }
    let looks = || {
        thread::yield_now();
        kettle_test_looks_around();
    };
    named("spectator").spawn(looks).unwrap().join().unwrap();
}

/// Calls gdb with the script and `arguments`; returns what it said, or none where it cannot be used.
fn gdb(arguments: &[&str]) -> Option<String> {
    if std::env::var_os("KETTLE_TEST_RUNNER").is_some() {
        println!("skipped: this runs under an emulator, which gdb would debug instead");
        return None;
    }
    let required = std::env::var_os("KETTLE_REQUIRE_GDB").is_some();
    let script = concat!("source ", env!("CARGO_MANIFEST_DIR"), "/gdb/kettle.py");
    let mut command = Command::new("gdb");
    command.args(["--batch", "--nx", "-ex", "set debuginfod enabled off", "-ex", script]);
    let Ok(output) = command.args(arguments).env(SCENARIO, "live").output() else {
        assert!(!required, "gdb is required, and not there");
        println!("skipped: gdb is not installed");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("there is no debug information of kettle's here") {
        assert!(!required || !cfg!(debug_assertions), "this build has debug information: {errors}");
        println!("skipped: this build has no debug information");
        return None;
    }
    for complaint in ["Python Exception", "corrupt stack", "Cannot access memory", "Traceback"] {
        assert!(!said.contains(complaint) && !errors.contains(complaint), "{said}\n{errors}");
    }
    Some(format!("{said}\n{errors}"))
}

const COMMANDS: [&str; 10] = [
    "-ex",
    "kettle coroutines",
    "-ex",
    "kettle backtrace 1",
    "-ex",
    "kettle backtrace all",
    "-ex",
    "kettle backtrace 12345",
    "-ex",
    "backtrace 1",
];

fn check(said: &str) {
    // The list.
    let row = |name: &str| -> Vec<&str> {
        let line = said.lines().find(|line| line.ends_with(name) && line.contains(" 0x"));
        line.unwrap_or_else(|| panic!("no {name} in {said}")).split_whitespace().collect()
    };
    for (name, number, reason) in
        [("whistler", "1", "Park"), ("waiter", "2", "Join"), ("guest", "3", "Park")]
    {
        let row = row(name);
        assert_eq!((row[0], row[2], row[4]), (number, "waiting", reason), "{said}");
    }
    assert_eq!(row("traveller")[2], "waiting", "{said}");
    assert_eq!(row("spectator")[2], "running", "{said}");
    // The stacks: of each coroutine, the lines after its heading.
    let stack = |heading: &str| -> &str {
        let (_, rest) =
            said.rsplit_once(heading).unwrap_or_else(|| panic!("no {heading} in {said}"));
        let end = rest.find("kettle_trampoline_").unwrap_or_else(|| panic!("no end: {said}"));
        &rest[..end]
    };
    for (heading, inside) in [
        ("coroutine 1 'whistler', waiting:", "waits_for_the_whistle"),
        ("coroutine 2 'waiter', waiting:", "waits_for_another"),
        ("coroutine 3 'guest', waiting:", "waits_for_the_whistle"),
        ("coroutine 4 'traveller', waiting:", "waits_for_the_whistle"),
        ("'spectator', running:", "kettle_test_looks_around"),
    ] {
        let stack = stack(heading);
        assert!(stack.contains(inside), "no {inside} in {stack}");
        assert!(
            stack.trim_start().starts_with("#0 ") && stack.matches("#0 ").count() == 1,
            "{stack}"
        );
    }
    assert_eq!(said.matches("coroutine 1 'whistler', waiting:").count(), 2, "by number and of all");
    assert!(said.contains("no coroutine 12345 is listed"), "{said}");
    // Afterwards gdb sees the thread's own stack again.
    let (_, rest) = said.rsplit_once("kettle_trampoline_").unwrap();
    assert!(rest.contains("#0 ") && !rest.contains("waits_for"), "{said}");
}

#[test]
fn in_a_live_process() {
    if std::env::var_os(SCENARIO).is_some() {
        return play();
    }
    let program = std::env::current_exe().unwrap();
    let mut arguments = vec!["-ex", "break kettle_test_looks_around", "-ex", "run"];
    arguments.extend(COMMANDS);
    arguments.extend(["-ex", "kill", "--args", program.to_str().unwrap()]);
    arguments.extend(["--exact", "in_a_live_process", "--nocapture"]);
    if let Some(said) = gdb(&arguments) {
        check(&said);
    }
}

#[test]
fn in_a_core_file() {
    if std::env::var_os(SCENARIO).is_some() {
        return play();
    }
    if std::env::var_os("KETTLE_TEST_RUNNER").is_some() {
        println!("skipped: the core file would be the emulator's");
        return;
    }
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.starts_with(['|', '/']) || pattern.trim().is_empty() {
        println!("skipped: core files do not come to the working directory: {}", pattern.trim());
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("core-for-gdb");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let status = support::this_program()
        .args(["--exact", "in_a_core_file", "--nocapture"])
        .env(SCENARIO, "core")
        .current_dir(&folder)
        .output()
        .unwrap()
        .status;
    assert!(!status.success(), "{status}");
    let files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [core] = &files[..] else {
        println!("skipped: no core file was written ({status}): {files:?}");
        fs::remove_dir_all(&folder).unwrap();
        return;
    };
    let program = std::env::current_exe().unwrap();
    let mut arguments = COMMANDS.to_vec();
    arguments.extend([program.to_str().unwrap(), core.to_str().unwrap()]);
    let said = gdb(&arguments);
    fs::remove_dir_all(&folder).unwrap();
    if let Some(said) = said {
        check(&said);
    }
}
