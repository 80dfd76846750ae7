//! Whether a backtrace can be taken here at all: an emulator that pretends to have larger pages than the
//! machine may crash where std maps the program's file for it.

use crate::support::this_program;

/// Set for a child that takes a backtrace and does nothing else.
const PROBE: &str = "KETTLE_TEST_PROBE";

/// To be asked first by the test `test`, if it takes backtraces: whether it should go on. The answer comes
/// from a child, where kettle has not been used.
pub(crate) fn can_be_taken(test: &str) -> bool {
    if std::env::var_os(PROBE).is_some() {
        println!("{}", std::backtrace::Backtrace::force_capture());
        return false;
    }
    let output = this_program().args(["--exact", test, "--nocapture"]).env(PROBE, "1").output();
    let works = output.unwrap().status.success();
    if !works {
        println!("skipped: a program crashes here that takes a backtrace, with or without kettle");
    }
    works
}
