//! [`UnixStream`].

#![allow(unsafe_code)]

use super::address::{from_kernel, path_to_kernel, to_kernel};
use crate::io::{Direction, Socket, fd_traits, stream_traits};
use crate::sys::socket::{SocketAddrUnix, SocketType, socket_pair};
use core::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// A connection of the Unix domain: the mirror of [`std::os::unix::net::UnixStream`].
///
/// See `kettle::os::unix::net` for an example.
pub struct UnixStream(Socket);

impl UnixStream {
    pub(super) fn from_socket(socket: Socket) -> Self {
        Self(socket)
    }

    /// Opens a connection to the listener at `path`; waits while too many others wait to be accepted there.
    ///
    /// # Errors
    ///
    /// The kernel's; `InvalidInput` for a path that is too long.
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::connect_to(&path_to_kernel(path.as_ref())?)
    }

    /// Opens a connection to the listener at an address.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_addr(socket_addr: &SocketAddr) -> io::Result<Self> {
        Self::connect_to(&to_kernel(socket_addr)?)
    }

    fn connect_to(address: &SocketAddrUnix) -> io::Result<Self> {
        Socket::connect_unix(SocketType::STREAM, address).map(Self)
    }

    /// Two ends of a connection that have no names.
    ///
    /// # Errors
    ///
    /// The kernel's, where there are too many descriptors.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socket_pair(SocketType::STREAM)?;
        Ok((Self(Socket::from_ours(one)), Self(Socket::from_ours(other))))
    }

    /// Another handle to the same connection. Timeouts and [`set_nonblocking`](Self::set_nonblocking) are
    /// common to both.
    ///
    /// # Errors
    ///
    /// The kernel's, where there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(Some(self.0.local_address()?))
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(self.0.peer_address()?)
    }

    /// How long a read waits at most, from now on; none for ever.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for zero. A read that takes longer returns `WouldBlock`, as with std.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Direction::Read, timeout)
    }

    /// How long a write waits at most, from now on; none for ever.
    ///
    /// # Errors
    ///
    /// As [`set_read_timeout`](Self::set_read_timeout).
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Direction::Write, timeout)
    }

    /// What [`set_read_timeout`](Self::set_read_timeout) has set.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.timeout(Direction::Read)
    }

    /// What [`set_write_timeout`](Self::set_write_timeout) has set.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.timeout(Direction::Write)
    }

    /// With true, what would have to wait returns `WouldBlock` from now on.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }

    /// Takes the error that the kernel keeps for the socket (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// The kernel's, of asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Ends reading, writing or both, for all clones. Whoever waits for what has ended is woken.
    ///
    /// # Errors
    ///
    /// The kernel's: `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }
}

fd_traits!(UnixStream, std::os::unix::net::UnixStream);
stream_traits!(UnixStream, recv);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UnixStream");
        debug.field("fd", &self.as_raw_fd());
        if let Ok(address) = self.local_addr() {
            debug.field("local", &address);
        }
        if let Ok(peer) = self.peer_addr() {
            debug.field("peer", &peer);
        }
        debug.finish()
    }
}
