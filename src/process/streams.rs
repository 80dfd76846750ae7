//! The streams between a child process and its parent.

use crate::io::{Pipe, pipe_reads, pipe_traits, pipe_writes};
use std::io;
use std::os::fd::OwnedFd;

/// What the child reads: the mirror of [`std::process::ChildStdin`]. Dropped, it lets the child see the end.
#[derive(Debug)]
pub struct ChildStdin(Pipe);

/// What the child writes: the mirror of [`std::process::ChildStdout`].
#[derive(Debug)]
pub struct ChildStdout(Pipe);

/// What the child complains of: the mirror of [`std::process::ChildStderr`].
#[derive(Debug)]
pub struct ChildStderr(Pipe);

pipe_traits!(ChildStdin);
pipe_traits!(ChildStdout);
pipe_traits!(ChildStderr);
pipe_writes!(ChildStdin, &ChildStdin);
pipe_reads!(ChildStdout);
pipe_reads!(ChildStderr);

impl ChildStdin {
    /// The parent's end of a pipe that std has made; the child's has flags of its own.
    pub(super) fn new(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        Pipe::from_own(fd.into()).map(Self)
    }
}

impl ChildStdout {
    /// As [`ChildStdin::new`].
    pub(super) fn new(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        Pipe::from_own(fd.into()).map(Self)
    }
}

impl ChildStderr {
    /// As [`ChildStdin::new`].
    pub(super) fn new(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        Pipe::from_own(fd.into()).map(Self)
    }
}
