//! The running test program as a child process.

use std::process::Command;

/// The emulator that runs the tests and its arguments, if one does: the kernel could not start a child
/// without it.
const RUNNER: &str = "KETTLE_TEST_RUNNER";

/// This test program once more; under an emulator that the kernel does not know of, through that.
pub(crate) fn this_program() -> Command {
    let program = std::env::current_exe().unwrap();
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace();
    match words.next() {
        None => Command::new(program),
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.args(words).arg(program);
            command
        }
    }
}
