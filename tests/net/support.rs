//! What the tests of sockets have in common.

use kettle::net::{TcpListener, TcpStream};
use kettle::runtime::Runtime;
use std::net::SocketAddr;

pub(crate) fn workers(count: usize) -> Runtime {
    Runtime::builder().workers(count).build().unwrap()
}

/// A listener at a port of its own.
pub(crate) fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Two ends of one connection.
pub(crate) fn pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listener();
    let ours = TcpStream::connect(address).unwrap();
    let (theirs, peer) = listener.accept().unwrap();
    assert_eq!(ours.local_addr().unwrap(), peer);
    (ours, theirs)
}
