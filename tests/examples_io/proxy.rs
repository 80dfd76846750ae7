//! The forwarder.

use crate::{Server, serve};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

/// A proxy before a listener of the test's.
fn proxy(arguments: &str) -> (Server, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    (serve(&format!("proxy --listen 127.0.0.1:0 --to {to}{arguments}")), listener)
}

/// A connection through it: the client's end and the server's.
fn through(proxy: &Server, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address).unwrap();
    let (server, _) = listener.accept().unwrap();
    for end in [&client, &server] {
        end.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    }
    (client, server)
}

fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

#[test]
fn an_end_is_handed_on_and_the_other_direction_goes_on() {
    for arguments in ["", " --buffer 1 --workers 1"] {
        let (proxy, listener) = proxy(arguments);
        // Whoever ends first, the client or the server.
        for swap in [false, true] {
            let (client, server) = through(&proxy, &listener);
            let (mut one, mut other) = if swap { (server, client) } else { (client, server) };
            one.write_all(b"question").unwrap();
            one.shutdown(Shutdown::Write).unwrap();
            let mut heard = String::new();
            other.read_to_string(&mut heard).unwrap();
            assert_eq!(heard, "question");
            for _ in 0..3 {
                other.write_all(b"answer").unwrap();
                let mut word = [0; 6];
                one.read_exact(&mut word).unwrap();
                assert_eq!(&word, b"answer");
            }
            drop(other);
            assert_eq!(one.read(&mut [0; 1]).unwrap(), 0);
        }
    }
}

#[test]
fn a_reset_is_handed_on_as_a_reset() {
    let (proxy, listener) = proxy("");
    for swap in [false, true] {
        let (client, server) = through(&proxy, &listener);
        let (mut one, mut other) = if swap { (server, client) } else { (client, server) };
        one.write_all(b"half a fi").unwrap();
        other.read_exact(&mut [0; 9]).unwrap();
        reset(one);
        assert_eq!(other.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    // Also where one direction has ended already, and the proxy waits to write in the other.
    let (client, mut server) = through(&proxy, &listener);
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
    server.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    while server.write(&[0; 1 << 16]).is_ok() {}
    reset(client);
    server.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    let error = loop {
        if let Err(error) = server.write(&[0; 1 << 16]) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
}

#[test]
fn where_nobody_listens_the_client_is_reset_and_the_next_one_served() {
    let (proxy, listener) = proxy("");
    let to = listener.local_addr().unwrap();
    drop(listener);
    let mut client = TcpStream::connect(proxy.address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(client.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let listener = TcpListener::bind(to).unwrap();
    let (mut client, mut server) = through(&proxy, &listener);
    client.write_all(b"x").unwrap();
    assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);
}

#[test]
fn a_side_that_does_not_read_holds_back_only_who_sends_to_it() {
    let (proxy, listener) = proxy(" --workers 1");
    let (mut client, mut server) = through(&proxy, &listener);
    client.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut sent = 0;
    while let Ok(len) = client.write(&[7; 1 << 16]) {
        sent += len;
    }
    // The other direction, and other connections, are free.
    server.write_all(b"still here").unwrap();
    client.read_exact(&mut [0; 10]).unwrap();
    let (mut client2, mut server2) = through(&proxy, &listener);
    client2.write_all(b"x").unwrap();
    assert_eq!(server2.read(&mut [0; 8]).unwrap(), 1);
    client.shutdown(Shutdown::Write).unwrap();
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), sent);
}
