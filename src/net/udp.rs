//! [`UdpSocket`].

#![allow(unsafe_code)]

use super::address::{ToSocketAddrs, each_address, family, from_kernel};
use crate::io::{Direction, Socket, fd_traits};
use crate::sys::socket::{self, RecvFlags, SocketType, sockopt};
use core::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// A UDP socket: the mirror of [`std::net::UdpSocket`]. See [`net`](crate::net) for what waiting means.
///
/// ```
/// use kettle::net::UdpSocket;
///
/// let ours = UdpSocket::bind("127.0.0.1:0")?;
/// let theirs = UdpSocket::bind("127.0.0.1:0")?;
/// ours.send_to(b"water", theirs.local_addr()?)?;
/// let mut word = [0; 16];
/// let (len, from) = theirs.recv_from(&mut word)?;
/// assert_eq!((&word[..len], from), (&b"water"[..], ours.local_addr()?));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UdpSocket(Socket);

impl UdpSocket {
    /// A socket at the first of the addresses where it can be. Port 0 lets the kernel choose one.
    ///
    /// # Errors
    ///
    /// The last address's; `InvalidInput` where there is none.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        each_address(addr, |address| {
            let socket = Socket::new(family(address), SocketType::DGRAM)?;
            socket::bind(&socket, address)?;
            Ok(Self(socket))
        })
    }

    /// Waits for a datagram and takes it; what does not fit is lost. Returns its length and who sent it.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, from) = self.0.recv_from(buf, RecvFlags::empty())?;
        Ok((len, from_kernel(from)?))
    }

    /// As [`recv_from`](Self::recv_from), and leaves the datagram there for the next.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, from) = self.0.recv_from(buf, RecvFlags::PEEK)?;
        Ok((len, from_kernel(from)?))
    }

    /// Sends a datagram to the first of the addresses.
    ///
    /// # Errors
    ///
    /// The kernel's; `InvalidInput` where there is no address.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        match addr.to_socket_addrs()?.next() {
            Some(address) => self.0.send_to(buf, &address),
            None => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to"))
            }
        }
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    ///
    /// The kernel's: `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(self.0.peer_address()?)
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(Some(self.0.local_address()?))
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

    /// How long a receive waits at most, from now on; none for ever.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for zero. A receive that takes longer returns `WouldBlock`, as with std.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(Direction::Read, dur)
    }

    /// How long a send waits at most, from now on; none for ever.
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

    /// Takes the error that the kernel keeps for the socket (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// The kernel's, of asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Connects to the first of the addresses where it can: what is sent goes there, and only what comes
    /// from there is received.
    ///
    /// # Errors
    ///
    /// The last address's; `InvalidInput` where there is none.
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each_address(addr, |address| Ok(socket::connect(&self.0, address)?))
    }

    /// Sends a datagram to the address that it is connected to.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    /// Waits for a datagram from the address that it is connected to; what does not fit is lost.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }

    /// As [`recv`](Self::recv), and leaves the datagram there for the next.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buf)
    }

    /// With true, what would have to wait returns `WouldBlock` from now on.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }

    /// Joins a multicast group, on the interface with this address.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn join_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        Ok(sockopt::set_ip_add_membership(self, multiaddr, interface)?)
    }

    /// Joins a multicast group, on the interface with this number.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        Ok(sockopt::set_ipv6_add_membership(self, multiaddr, interface)?)
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn leave_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        Ok(sockopt::set_ip_drop_membership(self, multiaddr, interface)?)
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        Ok(sockopt::set_ipv6_drop_membership(self, multiaddr, interface)?)
    }
}

/// Options of a socket that the kernel keeps: a setter and a getter each.
macro_rules! options {
    ($($what:literal, $set:ident, $get:ident, $type:ty, $kernel_set:ident, $kernel_get:ident;)*) => {
        impl UdpSocket {
            $(
                #[doc = concat!($what, ".\n\n# Errors\n\nThe kernel's.")]
                pub fn $set(&self, value: $type) -> io::Result<()> {
                    Ok(sockopt::$kernel_set(self, value)?)
                }

                #[doc = concat!("What [`", stringify!($set), "`](Self::", stringify!($set))]
                #[doc = ") has set.\n\n# Errors\n\nThe kernel's."]
                pub fn $get(&self) -> io::Result<$type> {
                    Ok(sockopt::$kernel_get(self)?)
                }
            )*
        }
    };
}

options! {
    "Whether it may send to broadcast addresses (`SO_BROADCAST`)",
        set_broadcast, broadcast, bool, set_socket_broadcast, socket_broadcast;
    "How many routers what is sent may pass (`IP_TTL`)",
        set_ttl, ttl, u32, set_ip_ttl, ip_ttl;
    "Whether multicast that it sends comes back to this host (`IP_MULTICAST_LOOP`)",
        set_multicast_loop_v4, multicast_loop_v4, bool, set_ip_multicast_loop, ip_multicast_loop;
    "How many routers multicast that it sends may pass (`IP_MULTICAST_TTL`)",
        set_multicast_ttl_v4, multicast_ttl_v4, u32, set_ip_multicast_ttl, ip_multicast_ttl;
    "Whether multicast that it sends comes back to this host (`IPV6_MULTICAST_LOOP`)",
        set_multicast_loop_v6, multicast_loop_v6, bool, set_ipv6_multicast_loop, ipv6_multicast_loop;
}

fd_traits!(UdpSocket, std::net::UdpSocket);

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UdpSocket");
        if let Ok(address) = self.local_addr() {
            debug.field("addr", &address);
        }
        debug.field("fd", &self.as_raw_fd()).finish()
    }
}
