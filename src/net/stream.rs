//! [`TcpStream`].

#![allow(unsafe_code)]

use super::address::{ToSocketAddrs, each_address, family, from_kernel};
use crate::io::{Direction, Patience, Socket, fd_traits, stream_traits};
use crate::sys::socket::{SocketType, sockopt};
use core::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// A TCP connection: the mirror of [`std::net::TcpStream`]. See [`net`](crate::net) for what waiting means.
///
/// ```no_run
/// use kettle::net::TcpStream;
/// use std::io::Write;
///
/// let mut stream = TcpStream::connect("example.org:80")?;
/// stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
/// std::io::copy(&mut stream, &mut std::io::stdout())?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpStream(Socket);

impl TcpStream {
    pub(super) fn from_socket(socket: Socket) -> Self {
        Self(socket)
    }

    /// Opens a connection to the first of the addresses that answers.
    ///
    /// # Errors
    ///
    /// The last address's; `InvalidInput` where there is none.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        each_address(addr, |address| Self::connect_to(address, Patience::Endless))
    }

    /// Opens a connection to one address, within a time.
    ///
    /// # Errors
    ///
    /// `TimedOut` after `timeout`; `InvalidInput` where that is zero.
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<Self> {
        if timeout.is_zero() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a timeout of zero leaves no time to connect",
            ));
        }
        Self::connect_to(addr, Patience::Limited(timeout))
    }

    fn connect_to(address: &SocketAddr, patience: Patience) -> io::Result<Self> {
        Socket::connect(family(address), SocketType::STREAM, address, patience).map(Self)
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// The kernel's: `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(self.0.peer_address()?)
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(Some(self.0.local_address()?))
    }

    /// Ends reading, writing or both, for all clones. Whoever waits for what has ended is woken: reads
    /// return zero, writes `BrokenPipe`.
    ///
    /// # Errors
    ///
    /// The kernel's: `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
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

    /// How long a read waits at most, from now on; none for ever.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for zero. A read that takes longer returns `WouldBlock`, as with std.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Direction::Read, dur)
    }

    /// How long a write waits at most, from now on; none for ever.
    ///
    /// # Errors
    ///
    /// As [`set_read_timeout`](Self::set_read_timeout).
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Direction::Write, dur)
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

    /// Reads and leaves it there for the next read. Waits until there is something.
    ///
    /// # Errors
    ///
    /// As for a read.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buf)
    }

    /// Whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        Ok(sockopt::set_tcp_nodelay(self, nodelay)?)
    }

    /// What [`set_nodelay`](Self::set_nodelay) has set.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn nodelay(&self) -> io::Result<bool> {
        Ok(sockopt::tcp_nodelay(self)?)
    }

    /// How many routers what is sent may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        Ok(sockopt::set_ip_ttl(self, ttl)?)
    }

    /// What [`set_ttl`](Self::set_ttl) has set.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(sockopt::ip_ttl(self)?)
    }

    /// Takes the error that the kernel keeps for the socket (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// The kernel's, of asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// With true, what would have to wait returns `WouldBlock` from now on.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }
}

fd_traits!(TcpStream, std::net::TcpStream);
stream_traits!(TcpStream, read);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpStream");
        if let Ok(address) = self.local_addr() {
            debug.field("addr", &address);
        }
        if let Ok(peer) = self.peer_addr() {
            debug.field("peer", &peer);
        }
        debug.field("fd", &self.as_raw_fd()).finish()
    }
}
