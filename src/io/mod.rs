//! The mirror of [`std::io`], with waiting for any descriptor: [`Registration`].
//!
//! All of std's is here under its own name, so `use kettle::io` does for `use std::io`. [`stdin`] and
//! [`pipe()`] are kettle's own, and park the coroutine.
//!
//! [`stdout`] and [`stderr`], and the macros that print to them, are std's: they block the worker where
//! whoever reads them is slow, which a terminal or a log seldom is for long. Write much, or to somebody who
//! may stop reading, in [`unblock`](crate::unblock()). A lock of theirs is the OS thread's: while a coroutine
//! waits with one in hand, its neighbours print in between, and other workers that want to print are blocked.

mod descriptor;
mod fd_traits;
mod pause;
mod pipe;
mod registration;
mod socket;
mod stdin;
mod waiting;

pub use pipe::{PipeReader, PipeWriter, pipe};
pub use registration::{Interest, Registration};
pub use std::io::*;
pub use stdin::{Stdin, StdinLock, stdin};

pub(crate) use crate::reactor::Direction;
pub(crate) use descriptor::{Descriptor, Origin};
pub(crate) use fd_traits::{fd_traits, stream_traits};
pub(crate) use pipe::{Pipe, pipe_reads, pipe_traits, pipe_writes};
pub(crate) use socket::Socket;
pub(crate) use waiting::Patience;
