//! From names to addresses.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// The addresses of `host`, as the system knows them.
///
/// This is the one place where kettle looks up a name. It blocks the worker.
pub(super) fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}
