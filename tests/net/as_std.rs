//! What std's own suites of its sockets hold besides what the other files here do: clones that are used at once,
//! both versions of IP, names of sockets, and how they are printed.

use crate::support::{everywhere, listener, pair, path};
use kettle::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use kettle::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use kettle::thread;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// Those of this machine; where there is no IPv6, it says so.
fn loopbacks() -> Vec<IpAddr> {
    let mut all = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    match std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => all.push(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        Err(error) => println!("skipped: without IPv6: {error}"),
    }
    all
}

#[test]
fn both_ends_know_both_names_in_both_versions_of_ip() {
    everywhere(|| {
        for ip in loopbacks() {
            let listener = TcpListener::bind((ip, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            assert_eq!(address.ip(), ip);
            assert_ne!(address.port(), 0);
            let mut ours = TcpStream::connect(address).unwrap();
            let (mut theirs, peer) = listener.accept().unwrap();
            assert_eq!(ours.local_addr().unwrap(), peer);
            assert_eq!(ours.peer_addr().unwrap(), address);
            assert_eq!(theirs.local_addr().unwrap(), address);
            assert_eq!(theirs.peer_addr().unwrap(), peer);
            ours.write_all(b"water").unwrap();
            let mut word = [0; 5];
            theirs.read_exact(&mut word).unwrap();
            assert_eq!(&word, b"water");

            let (one, other) =
                (UdpSocket::bind((ip, 0)).unwrap(), UdpSocket::bind((ip, 0)).unwrap());
            let (from, to) = (one.local_addr().unwrap(), other.local_addr().unwrap());
            assert_eq!(from.ip(), ip);
            assert_eq!(one.send_to(b"steam", to).unwrap(), 5);
            assert_eq!(other.recv_from(&mut word).unwrap(), (5, from));
            // Connected, it hears its peer alone.
            one.connect(to).unwrap();
            assert_eq!(one.peer_addr().unwrap(), to);
            let stranger = UdpSocket::bind((ip, 0)).unwrap();
            stranger.send_to(b"other", from).unwrap();
            other.send_to(b"water", from).unwrap();
            assert_eq!(one.recv(&mut word).unwrap(), 5);
            assert_eq!(&word, b"water");
        }
    });
}

#[test]
fn two_clones_read_and_each_byte_goes_to_one_of_them() {
    everywhere(|| {
        let (ours, mut theirs) = pair();
        let readers: Vec<_> = [ours.try_clone().unwrap(), ours]
            .into_iter()
            .map(|mut stream| {
                thread::spawn(move || {
                    let mut all = Vec::new();
                    let mut byte = [0; 1];
                    while stream.read(&mut byte).unwrap() == 1 {
                        all.push(byte[0]);
                        thread::yield_now();
                    }
                    all
                })
            })
            .collect();
        for n in 0..200_u8 {
            theirs.write_all(&[n]).unwrap();
            thread::yield_now();
        }
        drop(theirs);
        let mut all = Vec::new();
        for reader in readers {
            let bytes = reader.join().unwrap();
            assert!(bytes.is_sorted());
            all.extend(bytes);
        }
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<u8>>());
    });
}

#[test]
fn two_clones_write_and_nothing_is_lost() {
    everywhere(|| {
        let (ours, mut theirs) = pair();
        let writers: Vec<_> = [(ours.try_clone().unwrap(), 1_u8), (ours, 2)]
            .into_iter()
            .map(|(mut stream, n)| {
                thread::spawn(move || {
                    for _ in 0..500 {
                        stream.write_all(&[n; 1000]).unwrap();
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).unwrap();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(all.len(), 1_000_000);
        assert_eq!(all.iter().filter(|&&byte| byte == 1).count(), 500_000);

        let (one, other) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let to = other.local_addr().unwrap();
        let senders: Vec<_> = [(one.try_clone().unwrap(), 1_u8), (one, 2)]
            .into_iter()
            .map(|(socket, n)| thread::spawn(move || socket.send_to(&[n], to).unwrap()))
            .collect();
        let mut received = [0; 2];
        other.recv_from(&mut received[..1]).unwrap();
        other.recv_from(&mut received[1..]).unwrap();
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        senders.into_iter().for_each(|sender| assert_eq!(sender.join().unwrap(), 1));
    });
}

#[test]
fn a_socket_is_cloned_and_its_clone_dropped_while_somebody_reads() {
    everywhere(|| {
        let (ours, mut theirs) = pair();
        let mut reader = ours.try_clone().unwrap();
        let reader = thread::spawn(move || reader.read(&mut [0; 8]).unwrap());
        for _ in 0..20 {
            thread::yield_now();
            drop(ours.try_clone().unwrap());
        }
        drop(ours);
        theirs.write_all(b"x").unwrap();
        assert_eq!(reader.join().unwrap(), 1);
    });
}

#[test]
fn what_one_clone_shuts_down_is_shut_for_all() {
    everywhere(|| {
        let (ours, mut theirs) = pair();
        let (mut one, mut other) = (ours.try_clone().unwrap(), ours);
        one.shutdown(Shutdown::Write).unwrap();
        for stream in [&mut one, &mut other] {
            assert_eq!(stream.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
        assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 0);
        other.shutdown(Shutdown::Read).unwrap();
        for stream in [&mut one, &mut other] {
            assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        }
        // What is shut stays so, and to say it again is no error as long as there is a peer.
        one.shutdown(Shutdown::Read).unwrap();
        drop(one);
        assert_eq!(other.read(&mut [0; 1]).unwrap(), 0);
    });
}

#[test]
fn connections_are_accepted_first_and_served_in_any_order() {
    everywhere(|| {
        let (listener, address) = listener();
        let mut clients: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut served: Vec<_> = (0..20).map(|_| listener.accept().unwrap().0).collect();
        // The last one first.
        for (n, client) in clients.iter_mut().enumerate().rev() {
            client.write_all(&[n as u8]).unwrap();
        }
        for (n, stream) in served.iter_mut().enumerate() {
            let mut byte = [0; 1];
            stream.read_exact(&mut byte).unwrap();
            assert_eq!(usize::from(byte[0]), n);
        }
    });
}

#[test]
fn a_peer_that_resets_before_it_is_accepted_is_no_error_of_the_listener() {
    everywhere(|| {
        let (listener, address) = listener();
        for _ in 0..3 {
            let gone = TcpStream::connect(address).unwrap();
            rustix::net::sockopt::set_socket_linger(&gone, Some(Duration::ZERO)).unwrap();
            drop(gone);
        }
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"x").unwrap();
        // Linux hands out those that were reset; the reset shows when they are used.
        let mut resets = 0;
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            match stream.read(&mut [0; 1]) {
                Ok(1) => break,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => resets += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(resets, 3);
    });
}

#[test]
fn a_writer_that_waits_is_told_of_a_reset() {
    everywhere(|| {
        let (mut ours, theirs) = pair();
        let writer = thread::spawn(move || {
            // Nobody reads it.
            ours.write_all(&vec![0; 64 << 20]).unwrap_err().kind()
        });
        while theirs.peek(&mut [0; 1]).unwrap() == 0 {}
        thread::yield_now();
        // Closed with something unread: reset.
        drop(theirs);
        let kind = writer.join().unwrap();
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind:?}");
    });
}

#[test]
fn a_datagram_socket_that_is_shut_down_wakes_who_waits() {
    everywhere(|| {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let waiting = ours.try_clone().unwrap();
        theirs.send(b"first").unwrap();
        assert_eq!(ours.recv(&mut [0; 8]).unwrap(), 5);
        let receiver = thread::spawn(move || waiting.recv(&mut [0; 8]).unwrap());
        thread::yield_now();
        ours.shutdown(Shutdown::Read).unwrap();
        assert_eq!(receiver.join().unwrap(), 0);
        assert_eq!(ours.recv_from(&mut [0; 8]).unwrap().0, 0);
        ours.set_nonblocking(true).unwrap();
        assert_eq!(ours.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let reader = {
            let mut theirs = theirs.try_clone().unwrap();
            thread::spawn(move || theirs.read(&mut [0; 8]).unwrap())
        };
        let writer = thread::spawn(move || ours.write_all(&vec![0; 8 << 20]).unwrap_err().kind());
        thread::yield_now();
        theirs.shutdown(Shutdown::Both).unwrap();
        reader.join().unwrap();
        assert_eq!(writer.join().unwrap(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn they_are_printed_as_std_prints_its_own() {
    let (listener, _) = listener();
    let (ours, _theirs) = pair();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    // std's has the same descriptor afterwards, and nothing else that it prints.
    let pairs = [
        (format!("{listener:?}"), format!("{:?}", std::net::TcpListener::from(listener))),
        (format!("{ours:?}"), format!("{:?}", std::net::TcpStream::from(ours))),
        (format!("{udp:?}"), format!("{:?}", std::net::UdpSocket::from(udp))),
    ];
    for (ours, stds) in pairs {
        assert_eq!(ours, stds);
    }
}

#[test]
fn datagram_timeouts_are_kept_time_out_and_lose_nothing() {
    everywhere(|| {
        let (one, other) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let to = one.local_addr().unwrap();
        let zero = Some(Duration::ZERO);
        assert_eq!(one.set_read_timeout(zero).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(one.set_write_timeout(zero).unwrap_err().kind(), ErrorKind::InvalidInput);
        let short = Some(Duration::from_millis(20));
        one.set_read_timeout(short).unwrap();
        one.set_write_timeout(short).unwrap();
        assert_eq!((one.read_timeout().unwrap(), one.write_timeout().unwrap()), (short, short));
        assert_eq!(one.recv_from(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(one.peek_from(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        other.send_to(b"water", to).unwrap();
        one.set_read_timeout(None).unwrap();
        assert_eq!(one.recv_from(&mut [0; 8]).unwrap().0, 5);

        let (one, other) = UnixDatagram::pair().unwrap();
        assert_eq!(one.set_read_timeout(zero).unwrap_err().kind(), ErrorKind::InvalidInput);
        one.set_read_timeout(short).unwrap();
        assert_eq!(one.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        other.send(b"water").unwrap();
        one.set_read_timeout(None).unwrap();
        assert_eq!(one.recv(&mut [0; 8]).unwrap(), 5);
    });
}

#[test]
fn unix_streams_take_parts_and_have_clones() {
    everywhere(|| {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let parts = [IoSlice::new(b"po"), IoSlice::new(b""), IoSlice::new(b"lly")];
        assert_eq!(ours.try_clone().unwrap().write_vectored(&parts).unwrap(), 5);
        let (mut one, mut two) = ([0; 3], [0; 8]);
        let mut parts = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(theirs.read_vectored(&mut parts).unwrap(), 5);
        assert_eq!((&one, &two[..2]), (b"pol", &b"ly"[..]));
        theirs.set_nonblocking(true).unwrap();
        let copy = theirs.try_clone().unwrap();
        assert_eq!((&copy).read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
        ours.write_all(b"x").unwrap();
        assert_eq!((&copy).read(&mut [0; 1]).unwrap(), 1);
    });
}

#[test]
fn unix_datagrams_are_connected_anew_and_tell_who_sent_them() {
    everywhere(|| {
        let (here, there, elsewhere) = (path(), path(), path());
        let ours = UnixDatagram::bind(&here).unwrap();
        let theirs = UnixDatagram::bind(&there).unwrap();
        let others = UnixDatagram::bind(&elsewhere).unwrap();
        ours.send_to(b"letter", &there).unwrap();
        let mut word = [0; 16];
        let (len, from) = theirs.recv_from(&mut word).unwrap();
        assert_eq!((&word[..len], from.as_pathname()), (&b"letter"[..], Some(&*here)));
        for (path, receiver) in [(&there, &theirs), (&elsewhere, &others), (&there, &theirs)] {
            ours.connect(path).unwrap();
            assert_eq!(ours.peer_addr().unwrap().as_pathname(), Some(&**path));
            ours.send(b"water").unwrap();
            assert_eq!(receiver.recv(&mut word).unwrap(), 5);
        }
        for path in [here, there, elsewhere] {
            std::fs::remove_file(path).unwrap();
        }
        for nonsense in ["\0nowhere", "nowhere\0"] {
            let kinds = [
                UnixListener::bind(nonsense).unwrap_err().kind(),
                UnixStream::connect(nonsense).unwrap_err().kind(),
                UnixDatagram::bind(nonsense).unwrap_err().kind(),
                ours.connect(nonsense).unwrap_err().kind(),
                ours.send_to(b"x", nonsense).unwrap_err().kind(),
            ];
            assert_eq!(kinds, [ErrorKind::InvalidInput; 5]);
        }
    });
}
