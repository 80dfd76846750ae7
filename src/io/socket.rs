//! What all sockets have in common: moving data, accepting, and connecting, on a [`Descriptor`].

use super::descriptor::{Descriptor, Origin};
use super::pause::Pause;
use super::waiting::Patience;
use crate::reactor::Direction;
use crate::sys::poll;
use crate::sys::socket::{
    self, AddressFamily, Errno, RecvFlags, Shutdown, SocketAddrAny, SocketAddrArg, SocketAddrUnix,
    SocketType, sockopt,
};
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// The longest pause where another socket of the Unix domain is full.
const FULL: Duration = Duration::from_millis(20);

/// The longest pause where there are no descriptors for connections that wait.
const NO_DESCRIPTORS: Duration = Duration::from_millis(100);

/// A socket of any kind.
#[derive(Debug)]
pub(crate) struct Socket(Descriptor);

impl Socket {
    /// A new one, that is not non-blocking: what it is to do is told with each call.
    pub(crate) fn new(family: AddressFamily, kind: SocketType) -> io::Result<Self> {
        let fd = socket::socket(family, kind, false)?;
        Ok(Self(Descriptor::new(fd, Origin::Plain)))
    }

    /// One that came into being by another of ours.
    pub(crate) fn from_ours(fd: OwnedFd) -> Self {
        Self(Descriptor::new(fd, Origin::Plain))
    }

    /// One from outside.
    pub(crate) fn from_foreign(fd: OwnedFd) -> Self {
        Self(Descriptor::new(fd, Origin::Foreign))
    }

    /// One that listens at `address`, after `prepare`.
    pub(crate) fn listen(
        family: AddressFamily,
        address: &impl SocketAddrArg,
        backlog: i32,
        prepare: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<Self> {
        // accept(2) has no flag that tells it not to wait.
        let fd = socket::socket(family, SocketType::STREAM, true)?;
        prepare(fd.as_fd())?;
        socket::bind(&fd, address)?;
        socket::listen(&fd, backlog)?;
        Ok(Self(Descriptor::new(fd, Origin::NonBlocking)))
    }

    /// One that is connected to `address`, at most after `timeout`.
    pub(crate) fn connect(
        family: AddressFamily,
        kind: SocketType,
        address: &impl SocketAddrArg,
        patience: Patience,
    ) -> io::Result<Self> {
        // connect(2) has no such flag either. It is set back as soon as the connection is made.
        let fd = socket::socket(family, kind, true)?;
        let this = Self(Descriptor::new(fd, Origin::Plain));
        match socket::connect(&this, address) {
            Ok(()) => {}
            Err(Errno::INPROGRESS | Errno::INTR) => this.wait_for_connection(patience)?,
            Err(error) => return Err(error.into()),
        }
        socket::set_nonblocking(&this, false)?;
        Ok(this)
    }

    /// One of the Unix domain that is connected to `address`.
    pub(crate) fn connect_unix(kind: SocketType, address: &SocketAddrUnix) -> io::Result<Self> {
        let mut pause = Pause::up_to(FULL);
        loop {
            match Self::connect(AddressFamily::UNIX, kind, address, Patience::Endless) {
                // Too many wait to be accepted there, and nothing tells when that is over.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    pause.wait(Patience::Endless)?
                }
                connected => return connected,
            }
        }
    }

    fn wait_for_connection(&self, patience: Patience) -> io::Result<()> {
        let mut first = true;
        let connected = self.0.try_else_wait_for(Direction::Write, patience, |fd| {
            // The first try is there to be waited for.
            if std::mem::take(&mut first) {
                return Err(Errno::AGAIN);
            }
            sockopt::socket_error(fd)??;
            // A wait may end for no reason; a socket that has neither an error nor a peer is not connected
            // yet.
            match socket::getpeername(fd) {
                Ok(_) => Ok(()),
                Err(Errno::NOTCONN) => Err(Errno::AGAIN),
                Err(error) => Err(error),
            }
        });
        match connected {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out"))
            }
            connected => connected,
        }
    }

    /// Accepts a connection. Where there are too many descriptors open to take it, waits until there are
    /// fewer, and says so once.
    pub(crate) fn accept(&self) -> io::Result<(Self, Option<SocketAddrAny>)> {
        let may_block = self.0.may_block()?;
        let mut pause = None;
        loop {
            let accepted = self.0.try_else_wait(Direction::Read, |fd| {
                // Another process may take the connection between the two calls; then the second waits, and
                // this worker with it. There is nothing better without touching flags that are not ours.
                if may_block && !poll::wait(fd, poll::Events::IN, Some(Duration::ZERO))? {
                    return Err(Errno::AGAIN);
                }
                socket::accept(fd)
            });
            match accepted {
                // The peer has given up before it was accepted: its affair.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // The connection stays where it is, and nothing tells when there are descriptors again.
                Err(error) if is_out_of_descriptors(&error) => {
                    let patience = self.0.patience(Direction::Read)?;
                    if patience == Patience::None {
                        return Err(error);
                    }
                    say_once(&error);
                    pause.get_or_insert_with(|| Pause::up_to(NO_DESCRIPTORS)).wait(patience)?;
                }
                Ok((fd, peer)) => return Ok((Self::from_ours(fd), peer)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads from a stream that is empty after a read that did not fill its buffer.
    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len();
        self.0.read_else_wait(len, |fd| socket::recv(fd, buffer, RecvFlags::empty()))
    }

    #[inline]
    pub(crate) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let flags = RecvFlags::empty();
        self.0.try_else_wait(Direction::Read, |fd| socket::recv(fd, buffer, flags))
    }

    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let flags = RecvFlags::PEEK;
        self.0.try_else_wait(Direction::Read, |fd| socket::recv(fd, buffer, flags))
    }

    pub(crate) fn recv_from(
        &self,
        buffer: &mut [u8],
        flags: RecvFlags,
    ) -> io::Result<(usize, Option<SocketAddrAny>)> {
        self.0.try_else_wait(Direction::Read, |fd| socket::recv_from(fd, buffer, flags))
    }

    /// As [`recv_from`](Self::recv_from), of datagrams in the Unix domain. Where their end has been shut down for
    /// reading, the kernel tells with zero bytes only who waits in it, and others to try again for ever.
    pub(crate) fn recv_from_unix(
        &self,
        buffer: &mut [u8],
    ) -> io::Result<(usize, Option<SocketAddrAny>)> {
        let flags = RecvFlags::empty();
        self.0.try_else_wait(Direction::Read, |fd| match socket::recv_from(fd, buffer, flags) {
            Err(Errno::AGAIN)
                if poll::wait(fd, poll::Events::RDHUP, Some(Duration::ZERO))?
                    && self.0.patience(Direction::Read).is_ok_and(|it| it != Patience::None) =>
            {
                // What came before the end comes first.
                match socket::recv_from(fd, buffer, flags) {
                    Err(Errno::AGAIN) => Ok((0, None)),
                    received => received,
                }
            }
            received => received,
        })
    }

    pub(crate) fn recv_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.try_else_wait(Direction::Read, |fd| socket::recv_vectored(fd, buffers))
    }

    #[inline]
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_else_wait(Direction::Write, |fd| socket::send(fd, bytes))
    }

    pub(crate) fn send_to(&self, bytes: &[u8], to: &impl SocketAddrArg) -> io::Result<usize> {
        self.0.try_else_wait(Direction::Write, |fd| socket::send_to(fd, bytes, to))
    }

    /// As [`send_to`](Self::send_to), in the Unix domain, where this socket may be ready for writing and the
    /// one at `to` full, and nothing tells when that is over.
    pub(crate) fn send_to_unix(&self, bytes: &[u8], to: &SocketAddrUnix) -> io::Result<usize> {
        let patience = self.0.patience(Direction::Write)?;
        let mut pause = Pause::up_to(FULL);
        loop {
            match self.0.try_else_wait_for(Direction::Write, Patience::None, |fd| {
                socket::send_to(fd, bytes, to)
            }) {
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock && patience != Patience::None =>
                {
                    pause.wait(patience)?;
                }
                sent => return sent,
            }
        }
    }

    pub(crate) fn send_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_else_wait(Direction::Write, |fd| socket::send_vectored(fd, parts))
    }

    pub(crate) fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        let how = match how {
            std::net::Shutdown::Read => Shutdown::Read,
            std::net::Shutdown::Write => Shutdown::Write,
            std::net::Shutdown::Both => Shutdown::Both,
        };
        Ok(socket::shutdown(self, how)?)
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(sockopt::socket_error(self)?.err().map(io::Error::from))
    }

    pub(crate) fn local_address(&self) -> io::Result<SocketAddrAny> {
        Ok(socket::getsockname(self)?)
    }

    /// None for a peer without a name, as those of the Unix domain may be.
    pub(crate) fn peer_address(&self) -> io::Result<Option<SocketAddrAny>> {
        Ok(socket::getpeername(self)?)
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }

    pub(crate) fn set_timeout(
        &self,
        direction: Direction,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        self.0.set_timeout(direction, timeout)
    }

    pub(crate) fn timeout(&self, direction: Direction) -> io::Result<Option<Duration>> {
        self.0.timeout(direction)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0.into_fd()
    }
}

impl AsFd for Socket {
    #[inline(always)]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].iter().any(|it| error.raw_os_error() == Some(it.raw_os_error()))
}

/// Tells whoever looks after the program why connections are not accepted: they would just seem to hang.
#[cold]
fn say_once(error: &io::Error) {
    static SAID: AtomicBool = AtomicBool::new(false);
    // Relaxed: nothing hangs on it.
    if !SAID.swap(true, Ordering::Relaxed) {
        let line = format!(
            "kettle: new connections wait until descriptors are free: {error}. `ulimit -n` raises the \
             limit. This is said once.\n"
        );
        crate::sys::write_to_stderr(line.as_bytes());
    }
}
