//! The mirror of [`std::io`], with waiting for any descriptor: [`Registration`].
//!
//! All of std's is here under its own name, so `use kettle::io` does for `use std::io`.

mod descriptor;
mod fd_traits;
mod pause;
mod socket;
mod waiting;

pub use std::io::*;

pub(crate) use crate::reactor::Direction;
pub(crate) use fd_traits::{fd_traits, stream_traits};
pub(crate) use socket::Socket;
pub(crate) use waiting::Patience;
