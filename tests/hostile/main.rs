//! Programs that mean no good, and what must hold for them all: nothing is lost, nothing hangs, nobody else is
//! harmed, and at the end there are as many descriptors, threads and bytes as there were.
//!
//! Each plays in a process of its own. `KETTLE_HOSTILE=long` makes them longer, as CI does after the tests.

use std::process::Stdio;

#[path = "../support/child.rs"]
mod child;
#[path = "../support/coroutines.rs"]
mod coroutines;
mod deferred;
mod destructors;
mod limits;
mod model;
mod storms;
#[path = "../support/mod.rs"]
mod support;
mod toll;

/// So much of `quick`, or of `long` where there is time.
fn size(quick: usize, long: usize) -> usize {
    if std::env::var_os("KETTLE_HOSTILE").is_some_and(|value| value == "long") {
        long
    } else {
        quick
    }
}

/// Plays `body` in a child process, twice to warm up and then again, and holds what the process has afterwards
/// against what it had before. Panics of coroutines are part of the play: they are not printed.
fn play(name: &str, body: fn()) {
    if child::scenario().is_some() {
        // The long form takes its time, on a busy machine more so.
        // SAFETY: sets the timer of this process.
        unsafe { libc::alarm(size(120, 900) as u32) };
        std::panic::set_hook(Box::new(|info| {
            // But for those of the play itself.
            if std::thread::current().name().is_none_or(|name| !name.starts_with("kettle-worker")) {
                eprintln!("{info}");
            }
        }));
        body();
        body();
        let before = toll::Toll::take();
        body();
        toll::Toll::take().assert_no_more_than(&before);
        return;
    }
    let output = child::child(name, "hostile").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let last: String = said.lines().rev().take(20).collect::<Vec<_>>().join("\n");
    assert!(output.status.success(), "{name}: {:?}, which said last:\n{last}", output.status);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("1 passed"), "{name} was not played: {stdout}");
    stdout.lines().filter(|line| line.starts_with("skipped:")).for_each(|line| println!("{line}"));
    if toll::memory_is_shared() {
        println!(
            "skipped: the memory used is not held against anything, for it is the emulator's too"
        );
    }
}

/// A test that plays `$body`.
macro_rules! plays {
    ($($(#[$attribute:meta])* $name:ident $body:block)*) => {
        $($(#[$attribute])* #[test] fn $name() {
            let path = concat!(module_path!(), "::", stringify!($name));
            let name = path.split_once("::").expect("in a module of the test").1;
            crate::play(name, || $body);
        })*
    };
}
use plays;
