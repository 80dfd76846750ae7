//! Sockets of the Unix domain as std has them, in coroutines and on plain threads.

use crate::support::{everywhere, path};
use kettle::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use kettle::thread;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::time::Duration;

#[test]
fn a_connection_at_a_path() {
    everywhere(|| {
        let path = path();
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        let server = thread::spawn(move || {
            let (mut stream, peer) = listener.accept().unwrap();
            assert!(peer.is_unnamed());
            let mut word = Vec::new();
            stream.read_to_end(&mut word).unwrap();
            stream.write_all(&word).unwrap();
        });
        let mut stream = UnixStream::connect(&path).unwrap();
        assert_eq!(stream.peer_addr().unwrap().as_pathname(), Some(&*path));
        assert!(stream.local_addr().unwrap().is_unnamed());
        stream.write_all(b"water").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut word = String::new();
        stream.read_to_string(&mut word).unwrap();
        assert_eq!(word, "water");
        server.join().unwrap();
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn names_without_a_file() {
    everywhere(|| {
        let name = path();
        let address = SocketAddr::from_abstract_name(name.as_os_str().as_encoded_bytes()).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let bound = listener.local_addr().unwrap();
        assert_eq!(bound.as_abstract_name(), address.as_abstract_name());
        let stream = UnixStream::connect_addr(&address).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        drop((stream, accepted));
        let receiver = UnixDatagram::bind_addr(
            &SocketAddr::from_abstract_name(format!("{}-d", name.display())).unwrap(),
        )
        .unwrap();
        let to = receiver.local_addr().unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to_addr(b"water", &to).unwrap();
        sender.connect_addr(&to).unwrap();
        sender.send(b"steam!").unwrap();
        let mut bytes = [0; 16];
        let (len, from) = receiver.recv_from(&mut bytes).unwrap();
        assert!(len == 5 && from.is_unnamed());
        assert_eq!(receiver.recv(&mut bytes).unwrap(), 6);
    });
}

#[test]
fn the_longest_path_of_all_is_no_trouble() {
    // As std cannot bind it: 108 bytes and no zero.
    // SAFETY: all zeroes is a sockaddr_un.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    let path = format!("{:x<108}", path().display());
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (to, byte) in address.sun_path.iter_mut().zip(path.bytes()) {
        *to = byte as libc::c_char;
    }
    let long = UnixDatagram::unbound().unwrap();
    // SAFETY: bind(2) reads the address.
    let bound = unsafe {
        let fd = std::os::fd::AsRawFd::as_raw_fd(&long);
        libc::bind(fd, (&raw const address).cast(), size_of_val(&address) as libc::socklen_t)
    };
    assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
    long.local_addr().unwrap();
    let receiver = UnixDatagram::bind(&path[..100]).unwrap();
    long.send_to(b"water", &path[..100]).unwrap();
    let (len, _) = receiver.recv_from(&mut [0; 16]).unwrap();
    assert_eq!(len, 5);
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(&path[..100]).unwrap();
}

#[test]
fn a_path_that_cannot_be_says_why() {
    let long = "x".repeat(200);
    assert_eq!(UnixListener::bind(&long).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(UnixStream::connect(&long).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(UnixStream::connect("a\0b").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(UnixStream::connect(path()).unwrap_err().kind(), ErrorKind::NotFound);
    let path = path();
    let _first = UnixDatagram::bind(&path).unwrap();
    assert_eq!(UnixDatagram::bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_pair_waits_for_each_other() {
    everywhere(|| {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let echo = thread::spawn(move || {
            let mut buffer = [0; 7];
            loop {
                match theirs.read(&mut buffer).unwrap() {
                    0 => return,
                    len => theirs.write_all(&buffer[..len]).unwrap(),
                }
            }
        });
        for n in 0..100_u8 {
            ours.write_all(&[n; 10]).unwrap();
            let mut answer = [0; 10];
            ours.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [n; 10]);
        }
        drop(ours);
        echo.join().unwrap();
    });
}

#[test]
fn more_than_fits_is_written_by_and_by() {
    everywhere(|| {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let sent = crate::support::bytes(2, 2 << 20);
        let writer = {
            let sent = sent.clone();
            thread::spawn(move || ours.write_all(&sent).unwrap())
        };
        let mut received = Vec::new();
        theirs.read_to_end(&mut received).unwrap();
        assert!(received == sent);
        writer.join().unwrap();
    });
}

#[test]
fn a_full_receiver_makes_its_senders_wait_connected_or_not() {
    everywhere(|| {
        let path = path();
        let receiver = UnixDatagram::bind(&path).unwrap();
        // Of three, so that most are woken by the taking of another's datagram.
        let senders: Vec<_> = (0..3)
            .map(|sender| {
                let path = path.clone();
                thread::spawn(move || {
                    let socket = UnixDatagram::unbound().unwrap();
                    if sender == 0 {
                        socket.connect(&path).unwrap();
                    }
                    for n in 0..200_u8 {
                        let sent = match sender {
                            0 => socket.send(&[n]),
                            _ => socket.send_to(&[n], &path),
                        };
                        assert_eq!(sent.unwrap(), 1);
                    }
                })
            })
            .collect();
        let mut received = 0;
        let mut byte = [0; 1];
        while received < 600 {
            assert_eq!(receiver.recv(&mut byte).unwrap(), 1);
            received += 1;
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn a_full_receiver_and_no_patience() {
    everywhere(|| {
        let path = path();
        let _receiver = UnixDatagram::bind(&path).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut sent = 0;
        let error = loop {
            match sender.send_to(b"x", &path) {
                Ok(_) => sent += 1,
                Err(error) => break error,
            }
            assert!(sent < 1 << 20, "it never fills");
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        sender.set_nonblocking(true).unwrap();
        assert_eq!(sender.send_to(b"x", &path).unwrap_err().kind(), ErrorKind::WouldBlock);
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn a_full_listener_makes_connect_wait() {
    everywhere(|| {
        let path = path();
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: listen(2) again, on an open socket, changes the length of its queue.
        assert_eq!(unsafe { libc::listen(std::os::fd::AsRawFd::as_raw_fd(&listener), 1) }, 0);
        let clients: Vec<_> = (0..10)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || drop(UnixStream::connect(path).unwrap()))
            })
            .collect();
        for stream in (&listener).into_iter().take(10) {
            stream.unwrap();
            thread::yield_now();
        }
        clients.into_iter().for_each(|client| client.join().unwrap());
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn options_and_what_it_looks_like() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert_eq!(ours.read_timeout().unwrap(), Some(Duration::from_millis(100)));
    assert_eq!((&ours).read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(
        ours.set_write_timeout(Some(Duration::ZERO)).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert!(ours.take_error().unwrap().is_none());
    assert!(format!("{ours:?}").starts_with("UnixStream"));
    let (one, other) = UnixDatagram::pair().unwrap();
    one.shutdown(Shutdown::Both).unwrap();
    assert_eq!(one.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    drop(other);
}
