//! `std::os::unix::net`.

use crate::table::{
    gives_descriptor, is_descriptor, is_shared, reads, takes_descriptor, takes_raw_descriptor,
    writes,
};
use std::marker::PhantomData;
use std::net::Shutdown;
use std::time::Duration;

/// What `incoming` returns.
fn connections<I, S>()
where
    I: Iterator<Item = std::io::Result<S>> + std::fmt::Debug + Send + Sync,
{
}

#[test]
fn sockets_turn_into_stds_and_back() {
    fn into<A: Into<B> + From<B>, B>() {}
    into::<kettle::os::unix::net::UnixStream, std::os::unix::net::UnixStream>();
    into::<kettle::os::unix::net::UnixListener, std::os::unix::net::UnixListener>();
    into::<kettle::os::unix::net::UnixDatagram, std::os::unix::net::UnixDatagram>();
}

mirror! {
    modules { io, os }
    Reexported "os::unix::net::SocketAddr":
        PhantomData<std::os::unix::net::SocketAddr>
        = PhantomData::<os::unix::net::SocketAddr>;
    Same "os::unix::net::Incoming":
        fn()
        = connections::<os::unix::net::Incoming<'static>, os::unix::net::UnixStream>;
    Same "os::unix::net::UnixStream":
        PhantomData<os::unix::net::UnixStream>
        = PhantomData::<os::unix::net::UnixStream>;
    Same "os::unix::net::UnixStream::connect":
        fn(String) -> io::Result<os::unix::net::UnixStream>
        = os::unix::net::UnixStream::connect::<String>;
    Same "os::unix::net::UnixStream::connect_addr":
        fn(&os::unix::net::SocketAddr) -> io::Result<os::unix::net::UnixStream>
        = os::unix::net::UnixStream::connect_addr;
    Same "os::unix::net::UnixStream::pair":
        fn() -> io::Result<(os::unix::net::UnixStream, os::unix::net::UnixStream)>
        = os::unix::net::UnixStream::pair;
    Same "os::unix::net::UnixStream::try_clone":
        fn(&os::unix::net::UnixStream) -> io::Result<os::unix::net::UnixStream>
        = os::unix::net::UnixStream::try_clone;
    Same "os::unix::net::UnixStream::local_addr":
        fn(&os::unix::net::UnixStream) -> io::Result<os::unix::net::SocketAddr>
        = os::unix::net::UnixStream::local_addr;
    Same "os::unix::net::UnixStream::peer_addr":
        fn(&os::unix::net::UnixStream) -> io::Result<os::unix::net::SocketAddr>
        = os::unix::net::UnixStream::peer_addr;
    Same "os::unix::net::UnixStream::set_read_timeout":
        fn(&os::unix::net::UnixStream, Option<Duration>) -> io::Result<()>
        = os::unix::net::UnixStream::set_read_timeout;
    Same "os::unix::net::UnixStream::set_write_timeout":
        fn(&os::unix::net::UnixStream, Option<Duration>) -> io::Result<()>
        = os::unix::net::UnixStream::set_write_timeout;
    Same "os::unix::net::UnixStream::read_timeout":
        fn(&os::unix::net::UnixStream) -> io::Result<Option<Duration>>
        = os::unix::net::UnixStream::read_timeout;
    Same "os::unix::net::UnixStream::write_timeout":
        fn(&os::unix::net::UnixStream) -> io::Result<Option<Duration>>
        = os::unix::net::UnixStream::write_timeout;
    Same "os::unix::net::UnixStream::set_nonblocking":
        fn(&os::unix::net::UnixStream, bool) -> io::Result<()>
        = os::unix::net::UnixStream::set_nonblocking;
    Same "os::unix::net::UnixStream::take_error":
        fn(&os::unix::net::UnixStream) -> io::Result<Option<io::Error>>
        = os::unix::net::UnixStream::take_error;
    Same "os::unix::net::UnixStream::shutdown":
        fn(&os::unix::net::UnixStream, Shutdown) -> io::Result<()>
        = os::unix::net::UnixStream::shutdown;
    Same "impl Read for os::unix::net::UnixStream": fn() = reads::<os::unix::net::UnixStream>;
    Same "impl Write for os::unix::net::UnixStream": fn() = writes::<os::unix::net::UnixStream>;
    Same "impl Read for &os::unix::net::UnixStream": fn() = reads::<&'static os::unix::net::UnixStream>;
    Same "impl Write for &os::unix::net::UnixStream": fn() = writes::<&'static os::unix::net::UnixStream>;
    Same "impl AsFd, AsRawFd for os::unix::net::UnixStream":
        fn()
        = is_descriptor::<os::unix::net::UnixStream>;
    Same "impl IntoRawFd, Into<OwnedFd> for os::unix::net::UnixStream":
        fn()
        = gives_descriptor::<os::unix::net::UnixStream>;
    Same "impl From<OwnedFd> for os::unix::net::UnixStream":
        fn()
        = takes_descriptor::<os::unix::net::UnixStream>;
    Same "impl FromRawFd for os::unix::net::UnixStream":
        fn()
        = takes_raw_descriptor::<os::unix::net::UnixStream>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for os::unix::net::UnixStream":
        fn()
        = is_shared::<os::unix::net::UnixStream>;
    Same "os::unix::net::UnixListener":
        PhantomData<os::unix::net::UnixListener>
        = PhantomData::<os::unix::net::UnixListener>;
    Same "os::unix::net::UnixListener::bind":
        fn(String) -> io::Result<os::unix::net::UnixListener>
        = os::unix::net::UnixListener::bind::<String>;
    Same "os::unix::net::UnixListener::bind_addr":
        fn(&os::unix::net::SocketAddr) -> io::Result<os::unix::net::UnixListener>
        = os::unix::net::UnixListener::bind_addr;
    Same "os::unix::net::UnixListener::accept":
        fn(&os::unix::net::UnixListener) -> io::Result<(os::unix::net::UnixStream, os::unix::net::SocketAddr)>
        = os::unix::net::UnixListener::accept;
    Same "os::unix::net::UnixListener::try_clone":
        fn(&os::unix::net::UnixListener) -> io::Result<os::unix::net::UnixListener>
        = os::unix::net::UnixListener::try_clone;
    Same "os::unix::net::UnixListener::local_addr":
        fn(&os::unix::net::UnixListener) -> io::Result<os::unix::net::SocketAddr>
        = os::unix::net::UnixListener::local_addr;
    Same "os::unix::net::UnixListener::set_nonblocking":
        fn(&os::unix::net::UnixListener, bool) -> io::Result<()>
        = os::unix::net::UnixListener::set_nonblocking;
    Same "os::unix::net::UnixListener::take_error":
        fn(&os::unix::net::UnixListener) -> io::Result<Option<io::Error>>
        = os::unix::net::UnixListener::take_error;
    Same "os::unix::net::UnixListener::incoming":
        for<'a> fn(&'a os::unix::net::UnixListener) -> os::unix::net::Incoming<'a>
        = os::unix::net::UnixListener::incoming;
    Same "impl IntoIterator for &os::unix::net::UnixListener":
        fn(&'static os::unix::net::UnixListener) -> os::unix::net::Incoming<'static>
        = IntoIterator::into_iter;
    Same "impl AsFd, AsRawFd for os::unix::net::UnixListener":
        fn()
        = is_descriptor::<os::unix::net::UnixListener>;
    Same "impl IntoRawFd, Into<OwnedFd> for os::unix::net::UnixListener":
        fn()
        = gives_descriptor::<os::unix::net::UnixListener>;
    Same "impl From<OwnedFd> for os::unix::net::UnixListener":
        fn()
        = takes_descriptor::<os::unix::net::UnixListener>;
    Same "impl FromRawFd for os::unix::net::UnixListener":
        fn()
        = takes_raw_descriptor::<os::unix::net::UnixListener>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for os::unix::net::UnixListener":
        fn()
        = is_shared::<os::unix::net::UnixListener>;
    Same "os::unix::net::UnixDatagram":
        PhantomData<os::unix::net::UnixDatagram>
        = PhantomData::<os::unix::net::UnixDatagram>;
    Same "os::unix::net::UnixDatagram::bind":
        fn(String) -> io::Result<os::unix::net::UnixDatagram>
        = os::unix::net::UnixDatagram::bind::<String>;
    Same "os::unix::net::UnixDatagram::bind_addr":
        fn(&os::unix::net::SocketAddr) -> io::Result<os::unix::net::UnixDatagram>
        = os::unix::net::UnixDatagram::bind_addr;
    Same "os::unix::net::UnixDatagram::unbound":
        fn() -> io::Result<os::unix::net::UnixDatagram>
        = os::unix::net::UnixDatagram::unbound;
    Same "os::unix::net::UnixDatagram::pair":
        fn() -> io::Result<(os::unix::net::UnixDatagram, os::unix::net::UnixDatagram)>
        = os::unix::net::UnixDatagram::pair;
    Same "os::unix::net::UnixDatagram::connect":
        fn(&os::unix::net::UnixDatagram, String) -> io::Result<()>
        = os::unix::net::UnixDatagram::connect::<String>;
    Same "os::unix::net::UnixDatagram::connect_addr":
        fn(&os::unix::net::UnixDatagram, &os::unix::net::SocketAddr) -> io::Result<()>
        = os::unix::net::UnixDatagram::connect_addr;
    Same "os::unix::net::UnixDatagram::try_clone":
        fn(&os::unix::net::UnixDatagram) -> io::Result<os::unix::net::UnixDatagram>
        = os::unix::net::UnixDatagram::try_clone;
    Same "os::unix::net::UnixDatagram::local_addr":
        fn(&os::unix::net::UnixDatagram) -> io::Result<os::unix::net::SocketAddr>
        = os::unix::net::UnixDatagram::local_addr;
    Same "os::unix::net::UnixDatagram::peer_addr":
        fn(&os::unix::net::UnixDatagram) -> io::Result<os::unix::net::SocketAddr>
        = os::unix::net::UnixDatagram::peer_addr;
    Same "os::unix::net::UnixDatagram::recv_from":
        fn(&os::unix::net::UnixDatagram, &mut [u8]) -> io::Result<(usize, os::unix::net::SocketAddr)>
        = os::unix::net::UnixDatagram::recv_from;
    Same "os::unix::net::UnixDatagram::recv":
        fn(&os::unix::net::UnixDatagram, &mut [u8]) -> io::Result<usize>
        = os::unix::net::UnixDatagram::recv;
    Same "os::unix::net::UnixDatagram::send_to":
        fn(&os::unix::net::UnixDatagram, &[u8], String) -> io::Result<usize>
        = os::unix::net::UnixDatagram::send_to::<String>;
    Same "os::unix::net::UnixDatagram::send_to_addr":
        fn(&os::unix::net::UnixDatagram, &[u8], &os::unix::net::SocketAddr) -> io::Result<usize>
        = os::unix::net::UnixDatagram::send_to_addr;
    Same "os::unix::net::UnixDatagram::send":
        fn(&os::unix::net::UnixDatagram, &[u8]) -> io::Result<usize>
        = os::unix::net::UnixDatagram::send;
    Same "os::unix::net::UnixDatagram::set_read_timeout":
        fn(&os::unix::net::UnixDatagram, Option<Duration>) -> io::Result<()>
        = os::unix::net::UnixDatagram::set_read_timeout;
    Same "os::unix::net::UnixDatagram::set_write_timeout":
        fn(&os::unix::net::UnixDatagram, Option<Duration>) -> io::Result<()>
        = os::unix::net::UnixDatagram::set_write_timeout;
    Same "os::unix::net::UnixDatagram::read_timeout":
        fn(&os::unix::net::UnixDatagram) -> io::Result<Option<Duration>>
        = os::unix::net::UnixDatagram::read_timeout;
    Same "os::unix::net::UnixDatagram::write_timeout":
        fn(&os::unix::net::UnixDatagram) -> io::Result<Option<Duration>>
        = os::unix::net::UnixDatagram::write_timeout;
    Same "os::unix::net::UnixDatagram::set_nonblocking":
        fn(&os::unix::net::UnixDatagram, bool) -> io::Result<()>
        = os::unix::net::UnixDatagram::set_nonblocking;
    Same "os::unix::net::UnixDatagram::take_error":
        fn(&os::unix::net::UnixDatagram) -> io::Result<Option<io::Error>>
        = os::unix::net::UnixDatagram::take_error;
    Same "os::unix::net::UnixDatagram::shutdown":
        fn(&os::unix::net::UnixDatagram, Shutdown) -> io::Result<()>
        = os::unix::net::UnixDatagram::shutdown;
    Same "impl AsFd, AsRawFd for os::unix::net::UnixDatagram":
        fn()
        = is_descriptor::<os::unix::net::UnixDatagram>;
    Same "impl IntoRawFd, Into<OwnedFd> for os::unix::net::UnixDatagram":
        fn()
        = gives_descriptor::<os::unix::net::UnixDatagram>;
    Same "impl From<OwnedFd> for os::unix::net::UnixDatagram":
        fn()
        = takes_descriptor::<os::unix::net::UnixDatagram>;
    Same "impl FromRawFd for os::unix::net::UnixDatagram":
        fn()
        = takes_raw_descriptor::<os::unix::net::UnixDatagram>;
    Same "impl Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe for os::unix::net::UnixDatagram":
        fn()
        = is_shared::<os::unix::net::UnixDatagram>;
}
