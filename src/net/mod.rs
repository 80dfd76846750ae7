//! The mirror of [`std::net`]: sockets whose calls look as if they blocked, and only their coroutine waits.
//!
//! Swap `use std::net` for `use kettle::net`. Addresses are std's own types; sockets are kettle's, with the
//! same methods, and can be turned into std's and back.
//!
//! ```
//! use kettle::net::{TcpListener, TcpStream};
//! use kettle::thread;
//! use std::io::{Read, Write};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = thread::spawn(move || {
//!     let (mut stream, _) = listener.accept().unwrap();
//!     let mut word = [0; 5];
//!     stream.read_exact(&mut word).unwrap();
//!     stream.write_all(&word).unwrap();
//! });
//! let client = thread::spawn(move || {
//!     let mut stream = TcpStream::connect(address).unwrap();
//!     stream.write_all(b"water").unwrap();
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer).unwrap();
//!     answer
//! });
//! assert_eq!(client.join().unwrap(), "water");
//! server.join().unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What is as in std, and what is not
//!
//! - A call that would block gives the worker to other coroutines until the socket is ready. On a plain OS
//!   thread it blocks the thread, as std's does, and in a destructor that runs because of a panic too.
//! - Each such call is a cancellation point while it waits. What had been received before is not lost.
//! - A write may take less than it is given where std's would block until the kernel has taken it all;
//!   [`write_all`](std::io::Write::write_all) is right with both.
//! - Sockets from outside (`From<OwnedFd>`, from std's types) keep the flags that they have. If one that
//!   *listens* is not non-blocking, and another process or another handle accepts what this one was about
//!   to, the accept blocks its worker until the next connection.
//! - A socket may be used by several coroutines at once, each waiting for itself. Shutting it down wakes
//!   those that wait.
//! - A timeout is as exact as the runtime's timers are. It belongs to the socket and its clones.

mod address;
mod listener;
mod resolve;
mod stream;
mod udp;
pub(crate) mod unix;

pub use address::ToSocketAddrs;
pub use listener::{Incoming, TcpListener};
pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};
pub use stream::TcpStream;
pub use udp::UdpSocket;
