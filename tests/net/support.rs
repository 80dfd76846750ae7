//! What the tests of sockets have in common.

use kettle::net::{TcpListener, TcpStream};
use kettle::runtime::Runtime;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) fn workers(count: usize) -> Runtime {
    Runtime::builder().workers(count).build().unwrap()
}

/// Runs `test` in a coroutine beside nobody, in one among four workers, and on a plain thread.
pub(crate) fn everywhere(test: impl Fn() + Sync) {
    workers(1).run(&test);
    workers(4).run(&test);
    test();
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

/// A path for a socket that nobody else uses.
pub(crate) fn path() -> std::path::PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("kettle-{}-{number}", std::process::id()))
}

/// Bytes that a lost, doubled or swapped piece would not fit.
pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next().to_le_bytes()).collect();
    bytes.truncate(len);
    bytes
}
