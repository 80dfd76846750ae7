//! [`Child`].

use super::streams::{ChildStderr, ChildStdin, ChildStdout};
use crate::io::{Descriptor, Direction, Origin};
use crate::sys::process::pidfd;
use crate::thread;
use crate::unblock::{runs_in_place, unblock};
use rustix::io::Errno;
use std::io::{self, Read};
use std::process::{ExitStatus, Output};

/// A child process: the mirror of [`std::process::Child`].
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    /// From the first wait on.
    pidfd: Option<Descriptor>,
    /// What the child reads, if that was [`piped`](std::process::Stdio::piped).
    pub stdin: Option<ChildStdin>,
    /// What the child writes, if that was piped.
    pub stdout: Option<ChildStdout>,
    /// What the child complains of, if that was piped.
    pub stderr: Option<ChildStderr>,
}

impl Child {
    pub(super) fn new(mut child: std::process::Child) -> io::Result<Self> {
        let stdin = child.stdin.take().map(ChildStdin::new).transpose()?;
        let stdout = child.stdout.take().map(ChildStdout::new).transpose()?;
        let stderr = child.stderr.take().map(ChildStderr::new).transpose()?;
        Ok(Self { child, pidfd: None, stdin, stdout, stderr })
    }

    /// The process's number, as [`std::process::Child::id`].
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Makes the child end, by SIGKILL, as [`std::process::Child::kill`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// How the child has ended, if it has, as [`std::process::Child::try_wait`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Closes the child's standard input and waits for its end, as [`std::process::Child::wait`]. A
    /// cancellation point; the child goes on then, and may be waited for again.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        if runs_in_place() {
            return self.child.wait();
        }
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        if self.pidfd.is_none() {
            match pidfd(self.child.id()) {
                Ok(fd) => self.pidfd = Some(Descriptor::new(fd, Origin::NonBlocking)),
                // Not here, or the child is already somebody else's to have waited for.
                Err(_) => return unblock(|| self.child.wait()),
            }
        }
        let Self { child, pidfd: Some(pidfd), .. } = self else {
            unreachable!("there is one since the lines above");
        };
        let status = pidfd.try_else_wait(Direction::Read, |_| match child.try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err(Errno::AGAIN),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::CHILD)),
        })?;
        // There is nothing more to wait for.
        self.pidfd = None;
        Ok(status)
    }

    /// Waits for the child's end and for all that it writes meanwhile, as
    /// [`std::process::Child::wait_with_output`]. A cancellation point.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        match (self.stdout.take(), self.stderr.take()) {
            (Some(mut out), Some(mut err)) => {
                read_both((&mut out, &mut stdout), (&mut err, &mut stderr))?;
            }
            (Some(mut out), None) => drop(out.read_to_end(&mut stdout)?),
            (None, Some(mut err)) => drop(err.read_to_end(&mut stderr)?),
            (None, None) => {}
        }
        let status = self.wait()?;
        Ok(Output { status, stdout, stderr })
    }
}

/// Reads two streams to their ends at the same time, or a child that fills the one while the other is read
/// would wait for ever.
fn read_both(
    one: (&mut ChildStdout, &mut Vec<u8>),
    other: (&mut ChildStderr, &mut Vec<u8>),
) -> io::Result<()> {
    let other = move || other.0.read_to_end(other.1);
    let (one, other) = if runs_in_place() {
        std::thread::scope(|scope| {
            let other = std::thread::Builder::new().spawn_scoped(scope, other)?;
            let one = one.0.read_to_end(one.1);
            Ok::<_, io::Error>((one, other.join()))
        })?
    } else {
        thread::scope(|scope| {
            let other = scope.spawn(other);
            let one = one.0.read_to_end(one.1);
            (one, other.join())
        })
    };
    one?;
    match other {
        Ok(outcome) => outcome.map(drop),
        Err(payload) => std::panic::resume_unwind(payload),
    }
}
