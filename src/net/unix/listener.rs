//! [`UnixListener`].

#![allow(unsafe_code)]

use super::address::{from_kernel, path_to_kernel, to_kernel};
use super::stream::UnixStream;
use crate::io::{Socket, fd_traits};
use crate::sys::socket::{AddressFamily, SocketAddrUnix};
use core::fmt;
use core::iter::FusedIterator;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;

/// A socket of the Unix domain that listens: the mirror of [`std::os::unix::net::UnixListener`].
///
/// ```no_run
/// use kettle::os::unix::net::UnixListener;
/// use kettle::thread;
///
/// for stream in UnixListener::bind("/tmp/kettle")?.incoming() {
///     let mut stream = stream?;
///     thread::spawn(move || std::io::copy(&mut stream.try_clone()?, &mut stream));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixListener(Socket);

impl UnixListener {
    /// Listens at `path`, where there must be nothing yet.
    ///
    /// # Errors
    ///
    /// The kernel's: `AddrInUse`; `InvalidInput` for a path that is too long.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::bind_to(&path_to_kernel(path.as_ref())?)
    }

    /// Listens at an address.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<Self> {
        Self::bind_to(&to_kernel(socket_addr)?)
    }

    fn bind_to(address: &SocketAddrUnix) -> io::Result<Self> {
        Socket::listen(AddressFamily::UNIX, address, i32::MAX, |_| Ok(())).map(Self)
    }

    /// Waits for a connection and takes it.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.0.accept()?;
        Ok((UnixStream::from_socket(stream), from_kernel(peer)?))
    }

    /// Another handle to the same socket: each connection goes to one of them.
    ///
    /// # Errors
    ///
    /// The kernel's, where there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// The address that it listens at.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(Some(self.0.local_address()?))
    }

    /// With true, an accept that would have to wait returns `WouldBlock` from now on.
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

    /// The connections as they come, without end.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }
}

fd_traits!(UnixListener, std::os::unix::net::UnixListener);

impl<'a> IntoIterator for &'a UnixListener {
    type Item = io::Result<UnixStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UnixListener");
        debug.field("fd", &self.as_raw_fd());
        if let Ok(address) = self.local_addr() {
            debug.field("local", &address);
        }
        debug.finish()
    }
}

/// The connections of a [`UnixListener`], as they come: the mirror of [`std::os::unix::net::Incoming`].
#[must_use = "iterators are lazy and do nothing unless consumed"]
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a UnixListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<UnixStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedIterator for Incoming<'_> {}
