//! The running test program as a child process.

use std::process::Command;

/// The emulator that runs the tests, if one does: the kernel could not start a child without it.
const RUNNER: &str = "KETTLE_TEST_RUNNER";

/// This test program once more; under an emulator that the kernel does not know of, through that.
pub(crate) fn this_program() -> Command {
    let program = std::env::current_exe().unwrap();
    match std::env::var_os(RUNNER) {
        None => Command::new(program),
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(program);
            command
        }
    }
}
