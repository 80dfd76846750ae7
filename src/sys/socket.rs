//! Sockets: the calls that move data, none of which waits, and the rest as rustix has it.
//!
//! `MSG_DONTWAIT` says with each call that it must not wait, so that the descriptor's own flags, which it
//! shares with its duplicates in this and in other processes, can stay as they are. `MSG_NOSIGNAL` turns
//! the SIGPIPE of a connection that is gone into EPIPE.

#![allow(unsafe_code)]

use super::syscall::syscall6;
use rustix::net::{
    RecvAncillaryBuffer, SendAncillaryBuffer, SendFlags, SocketFlags, recv as receive,
};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

pub(crate) use rustix::io::{
    Errno, fcntl_dupfd_cloexec as duplicate, ioctl_fionbio as set_nonblocking,
};
pub(crate) use rustix::net::addr::SocketAddrArg;
pub(crate) use rustix::net::{
    AddressFamily, RecvFlags, Shutdown, SocketAddrAny, SocketAddrUnix, SocketType, bind, connect,
    getpeername, getsockname, listen, shutdown, sockopt,
};

/// What every call that receives is told.
const RECEIVE: RecvFlags = RecvFlags::DONTWAIT;
/// What every call that sends is told.
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// How many parts the kernel takes at once (`UIO_MAXIOV`).
const MOST_PARTS: usize = 1024;

/// A socket that is closed on exec.
pub(crate) fn socket(
    family: AddressFamily,
    kind: SocketType,
    nonblocking: bool,
) -> Result<OwnedFd, Errno> {
    let mut flags = SocketFlags::CLOEXEC;
    flags.set(SocketFlags::NONBLOCK, nonblocking);
    rustix::net::socket_with(family, kind, flags, None)
}

/// Two sockets of the Unix domain that are connected to each other.
pub(crate) fn socket_pair(kind: SocketType) -> Result<(OwnedFd, OwnedFd), Errno> {
    rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
}

/// Accepts a connection. Waits if the listening socket is not non-blocking.
pub(crate) fn accept(fd: BorrowedFd<'_>) -> Result<(OwnedFd, Option<SocketAddrAny>), Errno> {
    rustix::net::acceptfrom_with(fd, SocketFlags::CLOEXEC)
}

/// Whether calls on the descriptor are told not to wait by its own flags.
pub(crate) fn is_nonblocking(fd: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(rustix::fs::fcntl_getfl(fd)?.contains(rustix::fs::OFlags::NONBLOCK))
}

/// How long an operation on a socket waits, none for ever; what `sockopt::set_socket_timeout` sets.
///
/// rustix asks by a newer name of the option, which an emulator answers with less than was asked for, and
/// panics.
pub(crate) fn timeout(
    fd: BorrowedFd<'_>,
    which: sockopt::Timeout,
) -> Result<Option<Duration>, Errno> {
    let option = match which {
        sockopt::Timeout::Recv => libc::SO_RCVTIMEO,
        sockopt::Timeout::Send => libc::SO_SNDTIMEO,
    };
    let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut len = size_of::<libc::timeval>() as libc::socklen_t;
    let arguments = [
        fd.as_raw_fd() as usize,
        libc::SOL_SOCKET as usize,
        option as usize,
        (&raw mut time).expose_provenance(),
        (&raw mut len).expose_provenance(),
        0,
    ];
    // SAFETY: the kernel writes at the most as many bytes as `len` says to `time`, and their number to `len`.
    unsafe { syscall6(libc::SYS_getsockopt, arguments) }.map_err(Errno::from_raw_os_error)?;
    let micros = Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0));
    let timeout = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0)) + micros;
    Ok((timeout != Duration::ZERO).then_some(timeout))
}

/// What stands in an address of the Unix domain behind the family: nothing; a zero and a name; or a path,
/// and mostly a zero. None for an address of another family.
///
/// rustix would take an address without a name for an abstract one, and panics over a path that fills the
/// space and has no zero at its end.
pub(crate) fn unix_name(address: &SocketAddrAny) -> Option<&[u8]> {
    const PATH: usize = core::mem::offset_of!(libc::sockaddr_un, sun_path);
    if address.address_family() != AddressFamily::UNIX {
        return None;
    }
    let len = (address.addr_len() as usize).clamp(PATH, size_of::<libc::sockaddr_storage>());
    // SAFETY: the storage is initialized up to its length, and borrowed with the address.
    unsafe {
        let start = address.as_ptr().cast::<u8>().add(PATH);
        Some(core::slice::from_raw_parts(start, len - PATH))
    }
}

#[inline]
pub(crate) fn recv(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
) -> Result<usize, Errno> {
    receive(fd, buffer, flags | RECEIVE).map(|(len, _)| len)
}

pub(crate) fn recv_from(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
) -> Result<(usize, Option<SocketAddrAny>), Errno> {
    rustix::net::recvfrom(fd, buffer, flags | RECEIVE).map(|(len, _, from)| (len, from))
}

pub(crate) fn recv_vectored(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> Result<usize, Errno> {
    let count = buffers.len().min(MOST_PARTS);
    let mut control = RecvAncillaryBuffer::default();
    let received = rustix::net::recvmsg(
        fd,
        &mut buffers[..count],
        &mut control,
        RECEIVE | RecvFlags::CMSG_CLOEXEC,
    )?;
    Ok(received.bytes)
}

#[inline]
pub(crate) fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    rustix::net::send(fd, bytes, SEND)
}

pub(crate) fn send_to(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    to: &impl SocketAddrArg,
) -> Result<usize, Errno> {
    rustix::net::sendto(fd, bytes, SEND, to)
}

pub(crate) fn send_vectored(fd: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let count = parts.len().min(MOST_PARTS);
    let mut nothing = SendAncillaryBuffer::default();
    rustix::net::sendmsg(fd, &parts[..count], &mut nothing, SEND)
}
