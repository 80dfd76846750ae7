//! A test harness for programs whose children need the main thread for themselves: it knows a name
//! to filter by, `--exact`, `--skip` and `--list`, and takes no notice of what else libtest knows.

use std::panic::catch_unwind;
use std::process::ExitCode;

/// A name and what must not panic.
pub(crate) type Test = (String, Box<dyn Fn() + std::panic::RefUnwindSafe>);

/// Runs the tests that the command line asks for, one after the other.
pub(crate) fn run(tests: Vec<Test>) -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut wanted, mut skipped) = (Vec::new(), Vec::new());
    let (mut exact, mut list) = (false, false);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--exact" => exact = true,
            "--list" => list = true,
            "--skip" => skipped.extend(arguments.next()),
            "--test-threads" | "--format" | "--color" => drop(arguments.next()),
            option if option.starts_with('-') => {}
            _ => wanted.push(argument),
        }
    }
    let matches = |name: &str, pattern: &String| {
        if exact { name == pattern } else { name.contains(&**pattern) }
    };
    let mut failed = Vec::new();
    let mut passed = 0;
    for (name, test) in &tests {
        if !(wanted.is_empty() || wanted.iter().any(|pattern| matches(name, pattern)))
            || skipped.iter().any(|pattern| matches(name, pattern))
        {
            continue;
        }
        if list {
            println!("{name}: test");
        } else if catch_unwind(test).is_ok() {
            println!("test {name} ... ok");
            passed += 1;
        } else {
            println!("test {name} ... FAILED");
            failed.push(name);
        }
    }
    if list {
        return ExitCode::SUCCESS;
    }
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    // In libtest's words, for whoever counts them.
    println!("\ntest result: {verdict}. {passed} passed; {} failed; 0 ignored", failed.len());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {failed:?}");
    ExitCode::FAILURE
}
