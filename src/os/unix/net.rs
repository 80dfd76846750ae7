//! The mirror of [`std::os::unix::net`]: sockets of the Unix domain whose calls look as if they blocked, and
//! only their coroutine waits.
//!
//! Swap `use std::os::unix::net` for `use kettle::os::unix::net`. What waiting means, and what differs from
//! std, says [`kettle::net`](crate::net).
//!
//! ```
//! use kettle::os::unix::net::UnixStream;
//! use kettle::thread;
//! use std::io::{Read, Write};
//!
//! let (mut ours, mut theirs) = UnixStream::pair()?;
//! let reader = thread::spawn(move || {
//!     let mut all = String::new();
//!     theirs.read_to_string(&mut all).map(|_| all)
//! });
//! ours.write_all(b"water")?;
//! drop(ours);
//! assert_eq!(reader.join().unwrap()?, "water");
//! # Ok::<(), std::io::Error>(())
//! ```

pub use crate::net::unix::{Incoming, SocketAddr, UnixDatagram, UnixListener, UnixStream};
