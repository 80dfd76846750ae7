//! UDP as std has it, in coroutines and on plain threads.

use crate::support::everywhere;
use kettle::net::UdpSocket;
use kettle::thread;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

#[test]
fn a_receive_waits_for_a_datagram() {
    everywhere(|| {
        let (ours, theirs) = (socket(), socket());
        let (from, to) = (ours.local_addr().unwrap(), theirs.local_addr().unwrap());
        let receiver = thread::spawn(move || {
            let mut bytes = [0; 16];
            assert_eq!(theirs.peek_from(&mut bytes).unwrap(), (5, from));
            let (len, sender) = theirs.recv_from(&mut bytes).unwrap();
            assert_eq!((&bytes[..len], sender), (&b"water"[..], from));
            theirs.connect(sender).unwrap();
            assert_eq!(theirs.peer_addr().unwrap(), sender);
            theirs.send(b"steam").unwrap();
        });
        thread::yield_now();
        assert_eq!(ours.send_to(b"water", to).unwrap(), 5);
        let mut bytes = [0; 16];
        assert_eq!(ours.peek(&mut bytes).unwrap(), 5);
        assert_eq!(ours.recv(&mut bytes).unwrap(), 5);
        assert_eq!(&bytes[..5], b"steam");
        receiver.join().unwrap();
    });
}

#[test]
fn datagrams_keep_their_bounds() {
    everywhere(|| {
        let (ours, theirs) = (socket(), socket());
        ours.connect(theirs.local_addr().unwrap()).unwrap();
        for len in [1, 100, 0, 1000, 7] {
            ours.send(&vec![1; len]).unwrap();
        }
        let mut bytes = [0; 500];
        // What does not fit is lost, and a datagram of nothing is one too.
        for expected in [1, 100, 0, 500, 7] {
            assert_eq!(theirs.recv_from(&mut bytes).unwrap().0, expected);
        }
    });
}

#[test]
fn an_error_that_came_back_is_told_once() {
    everywhere(|| {
        let (ours, theirs) = (socket(), socket());
        ours.connect(theirs.local_addr().unwrap()).unwrap();
        drop(theirs);
        ours.send(b"to nobody").unwrap();
        let mut bytes = [0; 16];
        assert_eq!(ours.recv(&mut bytes).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        ours.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(ours.recv(&mut bytes).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn clones_share_the_datagrams_and_the_options() {
    everywhere(|| {
        let (ours, theirs) = (socket(), socket());
        let copy = theirs.try_clone().unwrap();
        let to = theirs.local_addr().unwrap();
        let receivers: Vec<_> = [theirs, copy]
            .into_iter()
            .map(|socket| {
                thread::spawn(move || {
                    let mut bytes = [0; 16];
                    socket.recv_from(&mut bytes).unwrap().0
                })
            })
            .collect();
        ours.send_to(b"one", to).unwrap();
        ours.send_to(b"three", to).unwrap();
        let lens: usize = receivers.into_iter().map(|receiver| receiver.join().unwrap()).sum();
        assert_eq!(lens, 8);

        let copy = ours.try_clone().unwrap();
        copy.set_nonblocking(true).unwrap();
        assert_eq!(ours.recv_from(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn nowhere_to_send_to_is_said() {
    let ours = socket();
    assert_eq!(ours.send_to(b"x", &[][..]).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(ours.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(UdpSocket::bind("198.51.100.1:9").unwrap_err().kind(), ErrorKind::AddrNotAvailable);
}

#[test]
fn options_are_the_kernels() {
    let ours = socket();
    for flag in [true, false] {
        ours.set_broadcast(flag).unwrap();
        assert_eq!(ours.broadcast().unwrap(), flag);
        ours.set_multicast_loop_v4(flag).unwrap();
        assert_eq!(ours.multicast_loop_v4().unwrap(), flag);
    }
    ours.set_ttl(42).unwrap();
    assert_eq!(ours.ttl().unwrap(), 42);
    ours.set_multicast_ttl_v4(43).unwrap();
    assert_eq!(ours.multicast_ttl_v4().unwrap(), 43);
    assert!(ours.take_error().unwrap().is_none());
    ours.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    assert_eq!(ours.read_timeout().unwrap(), Some(Duration::from_secs(1)));
    assert!(format!("{ours:?}").starts_with("UdpSocket"));
    let group = Ipv4Addr::new(239, 1, 2, 3);
    let error = ours.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    ours.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
    ours.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
}
