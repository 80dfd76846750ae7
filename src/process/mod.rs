//! Child processes in the shape of [`std::process`]: a coroutine that waits for one, or for what it says,
//! parks.
//!
//! Swap `use std::process` for `use kettle::process`.
//!
//! ```
//! use kettle::process::{Command, Stdio};
//! use std::io::Write;
//!
//! kettle::run(|| {
//!     let output = Command::new("echo").arg("polly").output()?;
//!     assert_eq!(output.stdout, b"polly\n");
//!
//!     let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
//!     child.stdin.take().unwrap().write_all(b"put the kettle on")?;
//!     assert_eq!(child.wait_with_output()?.stdout, b"put the kettle on");
//!     Ok::<(), std::io::Error>(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What waits where
//!
//! Starting a process blocks an OS thread until the new program runs: a tenth of a millisecond, and more where
//! that must be read from a disk. It is done on one of four threads kept for it, which never end: a child that
//! has asked to die with its parent (`PR_SET_PDEATHSIG`) dies with the thread that started it. The end of a
//! child is waited for on a pidfd, its streams are pipes; both lie with the reactor, so those waits can be
//! cancelled. Where the kernel gives no pidfd (before Linux 5.3, and in some sandboxes) the wait is on the pool
//! of [`unblock`](crate::unblock()).
//!
//! As with std, a [`Child`] that is dropped goes on, and is a zombie when it has ended until somebody waits
//! for it: so does one whose coroutine is cancelled.

mod child;
mod command;
mod streams;

pub use child::Child;
pub use command::Command;
pub use std::process::{
    CommandArgs, CommandEnvs, ExitCode, ExitStatus, Output, Stdio, Termination, abort, exit, id,
};
pub use streams::{ChildStderr, ChildStdin, ChildStdout};
