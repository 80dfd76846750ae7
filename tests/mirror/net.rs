//! `std::net`.

use crate::table::{
    gives_descriptor, is_descriptor, is_shared, reads, takes_descriptor, takes_raw_descriptor,
    writes,
};
use std::marker::PhantomData;
use std::time::Duration;

type A = std::net::SocketAddr;

/// What `incoming` returns.
fn connections<I, S>()
where
    I: Iterator<Item = std::io::Result<S>>
        + std::iter::FusedIterator
        + std::fmt::Debug
        + Send
        + Sync,
{
}

#[test]
fn sockets_turn_into_stds_and_back() {
    fn into<A: Into<B> + From<B>, B>() {}
    into::<kettle::net::TcpStream, std::net::TcpStream>();
    into::<kettle::net::TcpListener, std::net::TcpListener>();
    into::<kettle::net::UdpSocket, std::net::UdpSocket>();
}

mirror! {
    modules { io, net }
    Reexported "net::AddrParseError":
        PhantomData<std::net::AddrParseError>
        = PhantomData::<net::AddrParseError>;
    Reexported "net::IpAddr": PhantomData<std::net::IpAddr> = PhantomData::<net::IpAddr>;
    Reexported "net::Ipv4Addr": PhantomData<std::net::Ipv4Addr> = PhantomData::<net::Ipv4Addr>;
    Reexported "net::Ipv6Addr": PhantomData<std::net::Ipv6Addr> = PhantomData::<net::Ipv6Addr>;
    Reexported "net::Shutdown": PhantomData<std::net::Shutdown> = PhantomData::<net::Shutdown>;
    Reexported "net::SocketAddr": PhantomData<std::net::SocketAddr> = PhantomData::<net::SocketAddr>;
    Reexported "net::SocketAddrV4": PhantomData<std::net::SocketAddrV4> = PhantomData::<net::SocketAddrV4>;
    Reexported "net::SocketAddrV6": PhantomData<std::net::SocketAddrV6> = PhantomData::<net::SocketAddrV6>;
    Same "net::Incoming": fn() = connections::<net::Incoming<'static>, net::TcpStream>;
    Ours "net::ToSocketAddrs";
    Same "net::ToSocketAddrs::to_socket_addrs":
        fn(&std::net::SocketAddr) -> io::Result<std::option::IntoIter<std::net::SocketAddr>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for SocketAddrV4":
        fn(&std::net::SocketAddrV4) -> io::Result<std::option::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for SocketAddrV6":
        fn(&std::net::SocketAddrV6) -> io::Result<std::option::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for (IpAddr, u16)":
        fn(&(std::net::IpAddr, u16)) -> io::Result<std::option::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for (Ipv4Addr, u16)":
        fn(&(std::net::Ipv4Addr, u16)) -> io::Result<std::option::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for (Ipv6Addr, u16)":
        fn(&(std::net::Ipv6Addr, u16)) -> io::Result<std::option::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for (&str, u16)":
        fn(&(&'static str, u16)) -> io::Result<std::vec::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for (String, u16)":
        fn(&(String, u16)) -> io::Result<std::vec::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for str":
        fn(&str) -> io::Result<std::vec::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for String":
        fn(&String) -> io::Result<std::vec::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for &[SocketAddr]":
        fn(&&'static [std::net::SocketAddr]) -> io::Result<std::iter::Cloned<std::slice::Iter<'static, A>>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "impl net::ToSocketAddrs for &T":
        fn(&&'static str) -> io::Result<std::vec::IntoIter<A>>
        = net::ToSocketAddrs::to_socket_addrs;
    Same "net::TcpListener": PhantomData<net::TcpListener> = PhantomData::<net::TcpListener>;
    Same "net::TcpListener::bind":
        fn(String) -> io::Result<net::TcpListener>
        = net::TcpListener::bind::<String>;
    Same "net::TcpListener::local_addr":
        fn(&net::TcpListener) -> io::Result<net::SocketAddr>
        = net::TcpListener::local_addr;
    Same "net::TcpListener::try_clone":
        fn(&net::TcpListener) -> io::Result<net::TcpListener>
        = net::TcpListener::try_clone;
    Same "net::TcpListener::accept":
        fn(&net::TcpListener) -> io::Result<(net::TcpStream, net::SocketAddr)>
        = net::TcpListener::accept;
    Same "net::TcpListener::incoming":
        for<'a> fn(&'a net::TcpListener) -> net::Incoming<'a>
        = net::TcpListener::incoming;
    Same "net::TcpListener::set_ttl":
        fn(&net::TcpListener, u32) -> io::Result<()>
        = net::TcpListener::set_ttl;
    Same "net::TcpListener::ttl": fn(&net::TcpListener) -> io::Result<u32> = net::TcpListener::ttl;
    Same "net::TcpListener::set_only_v6":
        fn(&net::TcpListener, bool) -> io::Result<()>
        = net::TcpListener::set_only_v6;
    Same "net::TcpListener::only_v6": fn(&net::TcpListener) -> io::Result<bool> = net::TcpListener::only_v6;
    Same "net::TcpListener::take_error":
        fn(&net::TcpListener) -> io::Result<Option<io::Error>>
        = net::TcpListener::take_error;
    Same "net::TcpListener::set_nonblocking":
        fn(&net::TcpListener, bool) -> io::Result<()>
        = net::TcpListener::set_nonblocking;
    Same "impl AsFd, AsRawFd for net::TcpListener": fn() = is_descriptor::<net::TcpListener>;
    Same "impl IntoRawFd, Into<OwnedFd> for net::TcpListener": fn() = gives_descriptor::<net::TcpListener>;
    Same "impl From<OwnedFd> for net::TcpListener": fn() = takes_descriptor::<net::TcpListener>;
    Same "impl FromRawFd for net::TcpListener": fn() = takes_raw_descriptor::<net::TcpListener>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for net::TcpListener":
        fn()
        = is_shared::<net::TcpListener>;
    Same "net::TcpStream": PhantomData<net::TcpStream> = PhantomData::<net::TcpStream>;
    Same "net::TcpStream::connect":
        fn(String) -> io::Result<net::TcpStream>
        = net::TcpStream::connect::<String>;
    Same "net::TcpStream::connect_timeout":
        fn(&net::SocketAddr, Duration) -> io::Result<net::TcpStream>
        = net::TcpStream::connect_timeout;
    Same "net::TcpStream::peer_addr":
        fn(&net::TcpStream) -> io::Result<net::SocketAddr>
        = net::TcpStream::peer_addr;
    Same "net::TcpStream::local_addr":
        fn(&net::TcpStream) -> io::Result<net::SocketAddr>
        = net::TcpStream::local_addr;
    Same "net::TcpStream::shutdown":
        fn(&net::TcpStream, net::Shutdown) -> io::Result<()>
        = net::TcpStream::shutdown;
    Same "net::TcpStream::try_clone":
        fn(&net::TcpStream) -> io::Result<net::TcpStream>
        = net::TcpStream::try_clone;
    Same "net::TcpStream::set_read_timeout":
        fn(&net::TcpStream, Option<Duration>) -> io::Result<()>
        = net::TcpStream::set_read_timeout;
    Same "net::TcpStream::set_write_timeout":
        fn(&net::TcpStream, Option<Duration>) -> io::Result<()>
        = net::TcpStream::set_write_timeout;
    Same "net::TcpStream::read_timeout":
        fn(&net::TcpStream) -> io::Result<Option<Duration>>
        = net::TcpStream::read_timeout;
    Same "net::TcpStream::write_timeout":
        fn(&net::TcpStream) -> io::Result<Option<Duration>>
        = net::TcpStream::write_timeout;
    Same "net::TcpStream::peek": fn(&net::TcpStream, &mut [u8]) -> io::Result<usize> = net::TcpStream::peek;
    Same "net::TcpStream::set_nodelay":
        fn(&net::TcpStream, bool) -> io::Result<()>
        = net::TcpStream::set_nodelay;
    Same "net::TcpStream::nodelay": fn(&net::TcpStream) -> io::Result<bool> = net::TcpStream::nodelay;
    Same "net::TcpStream::set_ttl": fn(&net::TcpStream, u32) -> io::Result<()> = net::TcpStream::set_ttl;
    Same "net::TcpStream::ttl": fn(&net::TcpStream) -> io::Result<u32> = net::TcpStream::ttl;
    Same "net::TcpStream::take_error":
        fn(&net::TcpStream) -> io::Result<Option<io::Error>>
        = net::TcpStream::take_error;
    Same "net::TcpStream::set_nonblocking":
        fn(&net::TcpStream, bool) -> io::Result<()>
        = net::TcpStream::set_nonblocking;
    Same "impl Read for net::TcpStream": fn() = reads::<net::TcpStream>;
    Same "impl Write for net::TcpStream": fn() = writes::<net::TcpStream>;
    Same "impl Read for &net::TcpStream": fn() = reads::<&'static net::TcpStream>;
    Same "impl Write for &net::TcpStream": fn() = writes::<&'static net::TcpStream>;
    Same "impl AsFd, AsRawFd for net::TcpStream": fn() = is_descriptor::<net::TcpStream>;
    Same "impl IntoRawFd, Into<OwnedFd> for net::TcpStream": fn() = gives_descriptor::<net::TcpStream>;
    Same "impl From<OwnedFd> for net::TcpStream": fn() = takes_descriptor::<net::TcpStream>;
    Same "impl FromRawFd for net::TcpStream": fn() = takes_raw_descriptor::<net::TcpStream>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for net::TcpStream":
        fn()
        = is_shared::<net::TcpStream>;
    Same "net::UdpSocket": PhantomData<net::UdpSocket> = PhantomData::<net::UdpSocket>;
    Same "net::UdpSocket::bind": fn(String) -> io::Result<net::UdpSocket> = net::UdpSocket::bind::<String>;
    Same "net::UdpSocket::recv_from":
        fn(&net::UdpSocket, &mut [u8]) -> io::Result<(usize, net::SocketAddr)>
        = net::UdpSocket::recv_from;
    Same "net::UdpSocket::peek_from":
        fn(&net::UdpSocket, &mut [u8]) -> io::Result<(usize, net::SocketAddr)>
        = net::UdpSocket::peek_from;
    Same "net::UdpSocket::send_to":
        fn(&net::UdpSocket, &[u8], net::SocketAddr) -> io::Result<usize>
        = net::UdpSocket::send_to::<std::net::SocketAddr>;
    Same "net::UdpSocket::peer_addr":
        fn(&net::UdpSocket) -> io::Result<net::SocketAddr>
        = net::UdpSocket::peer_addr;
    Same "net::UdpSocket::local_addr":
        fn(&net::UdpSocket) -> io::Result<net::SocketAddr>
        = net::UdpSocket::local_addr;
    Same "net::UdpSocket::try_clone":
        fn(&net::UdpSocket) -> io::Result<net::UdpSocket>
        = net::UdpSocket::try_clone;
    Same "net::UdpSocket::set_read_timeout":
        fn(&net::UdpSocket, Option<Duration>) -> io::Result<()>
        = net::UdpSocket::set_read_timeout;
    Same "net::UdpSocket::set_write_timeout":
        fn(&net::UdpSocket, Option<Duration>) -> io::Result<()>
        = net::UdpSocket::set_write_timeout;
    Same "net::UdpSocket::read_timeout":
        fn(&net::UdpSocket) -> io::Result<Option<Duration>>
        = net::UdpSocket::read_timeout;
    Same "net::UdpSocket::write_timeout":
        fn(&net::UdpSocket) -> io::Result<Option<Duration>>
        = net::UdpSocket::write_timeout;
    Same "net::UdpSocket::set_broadcast":
        fn(&net::UdpSocket, bool) -> io::Result<()>
        = net::UdpSocket::set_broadcast;
    Same "net::UdpSocket::broadcast": fn(&net::UdpSocket) -> io::Result<bool> = net::UdpSocket::broadcast;
    Same "net::UdpSocket::set_multicast_loop_v4":
        fn(&net::UdpSocket, bool) -> io::Result<()>
        = net::UdpSocket::set_multicast_loop_v4;
    Same "net::UdpSocket::multicast_loop_v4":
        fn(&net::UdpSocket) -> io::Result<bool>
        = net::UdpSocket::multicast_loop_v4;
    Same "net::UdpSocket::set_multicast_ttl_v4":
        fn(&net::UdpSocket, u32) -> io::Result<()>
        = net::UdpSocket::set_multicast_ttl_v4;
    Same "net::UdpSocket::multicast_ttl_v4":
        fn(&net::UdpSocket) -> io::Result<u32>
        = net::UdpSocket::multicast_ttl_v4;
    Same "net::UdpSocket::set_multicast_loop_v6":
        fn(&net::UdpSocket, bool) -> io::Result<()>
        = net::UdpSocket::set_multicast_loop_v6;
    Same "net::UdpSocket::multicast_loop_v6":
        fn(&net::UdpSocket) -> io::Result<bool>
        = net::UdpSocket::multicast_loop_v6;
    Same "net::UdpSocket::set_ttl": fn(&net::UdpSocket, u32) -> io::Result<()> = net::UdpSocket::set_ttl;
    Same "net::UdpSocket::ttl": fn(&net::UdpSocket) -> io::Result<u32> = net::UdpSocket::ttl;
    Same "net::UdpSocket::join_multicast_v4":
        fn(&net::UdpSocket, &net::Ipv4Addr, &net::Ipv4Addr) -> io::Result<()>
        = net::UdpSocket::join_multicast_v4;
    Same "net::UdpSocket::join_multicast_v6":
        fn(&net::UdpSocket, &net::Ipv6Addr, u32) -> io::Result<()>
        = net::UdpSocket::join_multicast_v6;
    Same "net::UdpSocket::leave_multicast_v4":
        fn(&net::UdpSocket, &net::Ipv4Addr, &net::Ipv4Addr) -> io::Result<()>
        = net::UdpSocket::leave_multicast_v4;
    Same "net::UdpSocket::leave_multicast_v6":
        fn(&net::UdpSocket, &net::Ipv6Addr, u32) -> io::Result<()>
        = net::UdpSocket::leave_multicast_v6;
    Same "net::UdpSocket::take_error":
        fn(&net::UdpSocket) -> io::Result<Option<io::Error>>
        = net::UdpSocket::take_error;
    Same "net::UdpSocket::connect":
        fn(&net::UdpSocket, String) -> io::Result<()>
        = net::UdpSocket::connect::<String>;
    Same "net::UdpSocket::send": fn(&net::UdpSocket, &[u8]) -> io::Result<usize> = net::UdpSocket::send;
    Same "net::UdpSocket::recv": fn(&net::UdpSocket, &mut [u8]) -> io::Result<usize> = net::UdpSocket::recv;
    Same "net::UdpSocket::peek": fn(&net::UdpSocket, &mut [u8]) -> io::Result<usize> = net::UdpSocket::peek;
    Same "net::UdpSocket::set_nonblocking":
        fn(&net::UdpSocket, bool) -> io::Result<()>
        = net::UdpSocket::set_nonblocking;
    Same "impl AsFd, AsRawFd for net::UdpSocket": fn() = is_descriptor::<net::UdpSocket>;
    Same "impl IntoRawFd, Into<OwnedFd> for net::UdpSocket": fn() = gives_descriptor::<net::UdpSocket>;
    Same "impl From<OwnedFd> for net::UdpSocket": fn() = takes_descriptor::<net::UdpSocket>;
    Same "impl FromRawFd for net::UdpSocket": fn() = takes_raw_descriptor::<net::UdpSocket>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for net::UdpSocket":
        fn()
        = is_shared::<net::UdpSocket>;
}
