//! Children that are told by a variable what to play.

use crate::support::this_program;
use std::process::Command;

const SCENARIO: &str = "KETTLE_TEST_SCENARIO";

/// In a child, what it is to play. It leaves no core dump, and cannot outlive its parent by much.
pub(crate) fn scenario() -> Option<String> {
    let scenario = std::env::var(SCENARIO).ok()?;
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: sets a limit and a timer of this process; the default action of SIGALRM ends it.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        libc::alarm(60);
    }
    Some(scenario)
}

/// The command for a child that runs the one test `test` and in it plays `scenario`.
pub(crate) fn child(test: &str, scenario: &str) -> Command {
    let mut command = this_program();
    command.args(["--exact", test, "--nocapture"]).env(SCENARIO, scenario);
    command
}
