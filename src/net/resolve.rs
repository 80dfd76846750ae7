//! From names to addresses.

use crate::unblock::unblock;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// The addresses of `host`, as the system knows them.
///
/// This is the one place where kettle looks up a name. The C library's resolver blocks its thread, for
/// seconds where a server does not answer, so it is asked on the pool's.
pub(super) fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    unblock(|| Ok((host, port).to_socket_addrs()?.collect()))
}
