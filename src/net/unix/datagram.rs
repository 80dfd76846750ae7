//! [`UnixDatagram`].

#![allow(unsafe_code)]

use super::address::{from_kernel, path_to_kernel, to_kernel};
use crate::io::{Direction, Socket, fd_traits};
use crate::sys::socket::{self, AddressFamily, SocketAddrUnix, SocketType, socket_pair};
use core::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// A datagram socket of the Unix domain: the mirror of [`std::os::unix::net::UnixDatagram`].
///
/// ```
/// use kettle::os::unix::net::UnixDatagram;
///
/// let (ours, theirs) = UnixDatagram::pair()?;
/// ours.send(b"water")?;
/// let mut word = [0; 16];
/// assert_eq!(theirs.recv(&mut word)?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixDatagram(Socket);

impl UnixDatagram {
    /// A socket at `path`, where there must be nothing yet.
    ///
    /// # Errors
    ///
    /// The kernel's: `AddrInUse`; `InvalidInput` for a path that is too long.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::bind_to(&path_to_kernel(path.as_ref())?)
    }

    /// A socket at an address.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<Self> {
        Self::bind_to(&to_kernel(socket_addr)?)
    }

    fn bind_to(address: &SocketAddrUnix) -> io::Result<Self> {
        let this = Self::unbound()?;
        socket::bind(&this, address)?;
        Ok(this)
    }

    /// A socket without an address.
    ///
    /// # Errors
    ///
    /// The kernel's, where there are too many descriptors.
    pub fn unbound() -> io::Result<Self> {
        Socket::new(AddressFamily::UNIX, SocketType::DGRAM).map(Self)
    }

    /// Two sockets without names that are connected to each other.
    ///
    /// # Errors
    ///
    /// The kernel's, where there are too many descriptors.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socket_pair(SocketType::DGRAM)?;
        Ok((Self(Socket::from_ours(one)), Self(Socket::from_ours(other))))
    }

    /// Connects to the socket at `path`: what is sent goes there, and only what comes from there is received.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        Ok(socket::connect(self, &path_to_kernel(path.as_ref())?)?)
    }

    /// Connects to an address.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_addr(&self, socket_addr: &SocketAddr) -> io::Result<()> {
        Ok(socket::connect(self, &to_kernel(socket_addr)?)?)
    }

    /// Another handle to the same socket: each datagram goes to one of them. Timeouts and
    /// [`set_nonblocking`](Self::set_nonblocking) are common to both.
    ///
    /// # Errors
    ///
    /// The kernel's, where there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(Some(self.0.local_address()?))
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    ///
    /// The kernel's: `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(self.0.peer_address()?)
    }

    /// Waits for a datagram and takes it; what does not fit is lost. Returns its length and who sent it.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, from) = self.0.recv_from_unix(buf)?;
        Ok((len, from_kernel(from)?))
    }

    /// Waits for a datagram and takes it; what does not fit is lost.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.recv_from_unix(buf)?.0)
    }

    /// Sends a datagram to the socket at `path`; waits while that has too many to receive.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.0.send_to_unix(buf, &path_to_kernel(path.as_ref())?)
    }

    /// Sends a datagram to an address.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    pub fn send_to_addr(&self, buf: &[u8], socket_addr: &SocketAddr) -> io::Result<usize> {
        self.0.send_to_unix(buf, &to_kernel(socket_addr)?)
    }

    /// Sends a datagram to the socket that it is connected to; waits while that has too many to receive.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    /// How long a receive waits at most, from now on; none for ever.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for zero. A receive that takes longer returns `WouldBlock`, as with std.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Direction::Read, timeout)
    }

    /// How long a send waits at most, from now on; none for ever.
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

    /// Ends receiving, sending or both, for all clones. Whoever waits for what has ended is woken.
    ///
    /// # Errors
    ///
    /// The kernel's: `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }
}

fd_traits!(UnixDatagram, std::os::unix::net::UnixDatagram);

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UnixDatagram");
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
