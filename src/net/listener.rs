//! [`TcpListener`].

#![allow(unsafe_code)]

use super::address::{ToSocketAddrs, each_address, family, from_kernel};
use super::stream::TcpStream;
use crate::io::{Socket, fd_traits};
use crate::sys::socket::sockopt;
use core::fmt;
use core::iter::FusedIterator;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

/// A TCP socket that listens: the mirror of [`std::net::TcpListener`]. See [`net`](crate::net) for what
/// waiting means.
///
/// ```no_run
/// use kettle::net::TcpListener;
/// use kettle::thread;
///
/// for stream in TcpListener::bind("127.0.0.1:7777")?.incoming() {
///     let mut stream = stream?;
///     thread::spawn(move || std::io::copy(&mut stream.try_clone()?, &mut stream));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpListener(Socket);

impl TcpListener {
    /// Listens at the first of the addresses where it can. Port 0 lets the kernel choose one.
    ///
    /// # Errors
    ///
    /// The last address's; `InvalidInput` where there is none.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        each_address(addr, |address| {
            // The kernel cuts the length of the queue to what `net.core.somaxconn` allows.
            let prepare =
                |fd: std::os::fd::BorrowedFd<'_>| Ok(sockopt::set_socket_reuseaddr(fd, true)?);
            Socket::listen(family(address), address, i32::MAX, prepare).map(Self)
        })
    }

    /// The address that it listens at.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(Some(self.0.local_address()?))
    }

    /// Another handle to the same socket: each connection goes to one of them.
    ///
    /// # Errors
    ///
    /// The kernel's, where there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Waits for a connection and takes it.
    ///
    /// # Errors
    ///
    /// The kernel's. A peer that gave up before it was accepted is passed over.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.0.accept()?;
        Ok((TcpStream::from_socket(stream), from_kernel(peer)?))
    }

    /// The connections as they come, without end.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
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

    /// As std's, which has an effect before a socket is bound alone.
    ///
    /// # Errors
    ///
    /// The kernel's.
    #[deprecated(note = "this option can only be set before the socket is bound")]
    pub fn set_only_v6(&self, only_v6: bool) -> io::Result<()> {
        Ok(sockopt::set_ipv6_v6only(self, only_v6)?)
    }

    /// Whether it takes IPv6 alone.
    ///
    /// # Errors
    ///
    /// The kernel's.
    #[deprecated(note = "this option can only be set before the socket is bound")]
    pub fn only_v6(&self) -> io::Result<bool> {
        Ok(sockopt::ipv6_v6only(self)?)
    }

    /// Takes the error that the kernel keeps for the socket (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// The kernel's, of asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// With true, an accept that would have to wait returns `WouldBlock` from now on.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }
}

fd_traits!(TcpListener, std::net::TcpListener);

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpListener");
        if let Ok(address) = self.local_addr() {
            debug.field("addr", &address);
        }
        debug.field("fd", &self.as_raw_fd()).finish()
    }
}

/// The connections of a [`TcpListener`], as they come: the mirror of [`std::net::Incoming`].
#[must_use = "iterators are lazy and do nothing unless consumed"]
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}
