//! TCP as std has it, in coroutines and on plain threads. What is tested is what std's own suite tests.

use crate::support::{everywhere, listener, pair};
use kettle::net::{Shutdown, TcpListener, TcpStream};
use kettle::thread;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::time::Duration;

#[test]
fn a_read_waits_for_the_write_of_a_neighbour() {
    everywhere(|| {
        let (mut ours, mut theirs) = pair();
        let reader = thread::spawn(move || {
            let mut word = [0; 5];
            theirs.read_exact(&mut word).unwrap();
            word
        });
        thread::yield_now();
        ours.write_all(b"water").unwrap();
        assert_eq!(&reader.join().unwrap(), b"water");
    });
}

#[test]
fn an_address_that_is_not_ours_cannot_be_bound() {
    assert_eq!(
        TcpListener::bind("198.51.100.1:9").unwrap_err().kind(),
        ErrorKind::AddrNotAvailable
    );
    let (_first, address) = listener();
    assert_eq!(TcpListener::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(TcpListener::bind("no port").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(TcpListener::bind(&[][..]).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn nobody_at_the_port_refuses_the_connection() {
    everywhere(|| {
        let (listener, address) = listener();
        drop(listener);
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        let error = TcpStream::connect_timeout(&address, Duration::from_secs(30)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn of_several_addresses_the_first_that_answers_is_taken() {
    everywhere(|| {
        let (gone, nobody) = listener();
        drop(gone);
        let (_listener, address) = listener();
        let stream = TcpStream::connect(&[nobody, address][..]).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    });
}

#[test]
fn connect_timeout_takes_its_time_and_no_zero() {
    everywhere(|| {
        let (_listener, address) = listener();
        let error = TcpStream::connect_timeout(&address, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(30)).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    });
}

#[test]
fn a_full_queue_lets_connect_time_out() {
    everywhere(|| {
        // std's listener has no way to ask for a short queue either.
        let socket = rustix_listener_with_a_queue_of_one();
        let address = std::net::TcpListener::local_addr(&socket).unwrap();
        let mut held = Vec::new();
        let error = loop {
            match TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
                Ok(stream) => held.push(stream),
                Err(error) => break error,
            }
            assert!(held.len() < 64, "the queue is not full yet");
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

fn rustix_listener_with_a_queue_of_one() -> std::net::TcpListener {
    use std::os::fd::AsRawFd;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    // SAFETY: listen(2) again, on an open socket, changes the length of its queue.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    listener
}

#[test]
fn the_end_of_the_other_side_reads_as_zero_again_and_again() {
    everywhere(|| {
        let (mut ours, theirs) = pair();
        let closer = thread::spawn(move || drop(theirs));
        let mut byte = [0; 1];
        assert_eq!(ours.read(&mut byte).unwrap(), 0);
        assert_eq!(ours.read(&mut byte).unwrap(), 0);
        closer.join().unwrap();
    });
}

#[test]
fn what_came_before_the_end_is_read_first() {
    everywhere(|| {
        let (mut ours, mut theirs) = pair();
        let mut buffer = [0; 64];
        let mut reader = ours.try_clone().unwrap();
        let reader = thread::spawn(move || {
            // Short reads, so that the next one waits at once if nothing says that there is more.
            let mut lens = Vec::new();
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => return lens.iter().sum::<usize>(),
                    len => lens.push(len),
                }
            }
        });
        for _ in 0..50 {
            theirs.write_all(b"water").unwrap();
            thread::yield_now();
        }
        drop(theirs);
        assert_eq!(reader.join().unwrap(), 250);
        assert_eq!(ours.read(&mut buffer).unwrap(), 0);
    });
}

#[test]
fn writing_to_who_is_gone_is_an_error_and_no_signal() {
    everywhere(|| {
        let (mut ours, theirs) = pair();
        drop(theirs);
        let error = loop {
            if let Err(error) = ours.write(b"water") {
                break error;
            }
            thread::yield_now();
        };
        assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset));
        let error = ours.write_vectored(&[IoSlice::new(b"water")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_reset_is_an_error_once_and_then_the_end() {
    everywhere(|| {
        let (mut ours, mut theirs) = pair();
        ours.write_all(b"water").unwrap();
        theirs.read_exact(&mut [0; 1]).unwrap();
        let mut reader = ours.try_clone().unwrap();
        let reader = thread::spawn(move || {
            let mut byte = [0; 1];
            let first = reader.read(&mut byte).unwrap_err().kind();
            (first, reader.read(&mut byte).unwrap())
        });
        thread::yield_now();
        // Closed with something unread: reset.
        drop(theirs);
        assert_eq!(reader.join().unwrap(), (ErrorKind::ConnectionReset, 0));
    });
}

#[test]
fn more_than_the_kernel_takes_is_written_by_and_by() {
    everywhere(|| {
        let (mut ours, mut theirs) = pair();
        let sent = crate::support::bytes(1, 4 << 20);
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
fn vectored_calls_take_the_parts_in_order() {
    everywhere(|| {
        let (mut ours, mut theirs) = pair();
        let parts = [IoSlice::new(b""), IoSlice::new(b"po"), IoSlice::new(b"lly")];
        assert_eq!(ours.write_vectored(&parts).unwrap(), 5);
        let (mut one, mut two) = ([0; 3], [0; 8]);
        let mut parts = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(theirs.read_vectored(&mut parts).unwrap(), 5);
        assert_eq!((&one, &two[..2]), (b"pol", &b"ly"[..]));
        let many: Vec<_> = (0..5000).map(|_| IoSlice::new(b"x")).collect();
        assert!(ours.write_vectored(&many).unwrap() > 0);
    });
}

#[test]
fn peek_leaves_it_there() {
    everywhere(|| {
        let (mut ours, theirs) = pair();
        let peeker = thread::spawn(move || {
            let mut word = [0; 16];
            for _ in 0..3 {
                assert_eq!(theirs.peek(&mut word).unwrap(), 5);
            }
            theirs
        });
        thread::yield_now();
        ours.write_all(b"water").unwrap();
        let mut theirs = peeker.join().unwrap();
        let mut word = [0; 16];
        assert_eq!(theirs.read(&mut word).unwrap(), 5);
        theirs.set_nonblocking(true).unwrap();
        assert_eq!(theirs.peek(&mut word).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn clones_are_one_connection() {
    everywhere(|| {
        let (ours, mut theirs) = pair();
        let (mut reader, mut writer) = (ours.try_clone().unwrap(), ours.try_clone().unwrap());
        drop(ours);
        let reader = thread::spawn(move || {
            let mut word = [0; 5];
            reader.read_exact(&mut word).unwrap();
            word
        });
        let echo = thread::spawn(move || {
            let mut word = [0; 5];
            theirs.read_exact(&mut word).unwrap();
            theirs.write_all(&word).unwrap();
        });
        writer.write_all(b"steam").unwrap();
        assert_eq!(&reader.join().unwrap(), b"steam");
        echo.join().unwrap();
    });
}

#[test]
fn every_connection_goes_to_one_of_a_listeners_clones() {
    everywhere(|| {
        let (listener, address) = listener();
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let listener = listener.try_clone().unwrap();
                thread::spawn(move || {
                    (0..25).map(|_| listener.accept().unwrap().1).collect::<Vec<_>>()
                })
            })
            .collect();
        let ours: Vec<_> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut accepted: Vec<_> =
            acceptors.into_iter().flat_map(|acceptor| acceptor.join().unwrap()).collect();
        let mut expected: Vec<_> = ours.iter().map(|it| it.local_addr().unwrap()).collect();
        accepted.sort();
        expected.sort();
        assert_eq!(accepted, expected);
    });
}

#[test]
fn shutting_down_wakes_whoever_waits() {
    everywhere(|| {
        let (ours, _theirs) = pair();
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let mut ours = ours.try_clone().unwrap();
                thread::spawn(move || ours.read(&mut [0; 8]).unwrap())
            })
            .collect();
        thread::yield_now();
        ours.shutdown(Shutdown::Read).unwrap();
        for reader in readers {
            assert_eq!(reader.join().unwrap(), 0);
        }
    });
}

#[test]
fn shutting_down_wakes_a_writer_that_waits() {
    everywhere(|| {
        let (ours, _theirs) = pair();
        let writer = {
            let mut ours = ours.try_clone().unwrap();
            thread::spawn(move || {
                ours.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
                // Nobody reads it.
                ours.write_all(&vec![0; 64 << 20]).unwrap_err().kind()
            })
        };
        thread::yield_now();
        ours.shutdown(Shutdown::Both).unwrap();
        assert_eq!(writer.join().unwrap(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn half_a_shutdown_leaves_the_other_half() {
    everywhere(|| {
        let (mut ours, mut theirs) = pair();
        let server = thread::spawn(move || {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).unwrap();
            theirs.write_all(&all).unwrap();
        });
        ours.write_all(b"water").unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        assert_eq!(ours.write(b"more").unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"water");
        server.join().unwrap();
    });
}

#[test]
fn options_are_the_kernels() {
    let (ours, _theirs) = pair();
    for flag in [true, false] {
        ours.set_nodelay(flag).unwrap();
        assert_eq!(ours.nodelay().unwrap(), flag);
    }
    ours.set_ttl(42).unwrap();
    assert_eq!(ours.ttl().unwrap(), 42);
    assert!(ours.take_error().unwrap().is_none());
    let (listener, address) = listener();
    listener.set_ttl(43).unwrap();
    assert_eq!(listener.ttl().unwrap(), 43);
    assert!(listener.take_error().unwrap().is_none());
    assert!(format!("{listener:?}").contains(&address.to_string()));
    assert!(format!("{ours:?}").contains(&ours.peer_addr().unwrap().to_string()));
}

#[test]
fn a_timeout_is_kept_and_zero_refused() {
    let (ours, _theirs) = pair();
    assert_eq!(ours.read_timeout().unwrap(), None);
    assert_eq!(ours.write_timeout().unwrap(), None);
    let timeout = Some(Duration::from_millis(1500));
    ours.set_read_timeout(timeout).unwrap();
    ours.set_write_timeout(timeout).unwrap();
    assert_eq!(ours.read_timeout().unwrap(), timeout);
    assert_eq!(ours.try_clone().unwrap().write_timeout().unwrap(), timeout);
    ours.set_read_timeout(None).unwrap();
    assert_eq!(ours.read_timeout().unwrap(), None);
    for result in
        [ours.set_read_timeout(Some(Duration::ZERO)), ours.set_write_timeout(Some(Duration::ZERO))]
    {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_read_that_takes_too_long_would_block_and_loses_nothing() {
    everywhere(|| {
        let (mut ours, mut theirs) = pair();
        // Asked of a clone, so that it is common to both.
        ours.try_clone().unwrap().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut word = [0; 8];
        for _ in 0..2 {
            assert_eq!(ours.read(&mut word).unwrap_err().kind(), ErrorKind::WouldBlock);
        }
        theirs.write_all(b"water").unwrap();
        assert_eq!(ours.read(&mut word).unwrap(), 5);
        // Now that it is known to be empty.
        assert_eq!(ours.read(&mut word).unwrap_err().kind(), ErrorKind::WouldBlock);
        ours.set_read_timeout(None).unwrap();
        theirs.write_all(b"steam").unwrap();
        assert_eq!(ours.read(&mut word).unwrap(), 5);
    });
}

#[test]
fn a_write_that_takes_too_long_would_block() {
    everywhere(|| {
        let (mut ours, _theirs) = pair();
        ours.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let error = ours.write_all(&vec![0; 64 << 20]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn who_does_not_want_to_wait_need_not() {
    everywhere(|| {
        let (listener, address) = listener();
        let copy = listener.try_clone().unwrap();
        copy.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        listener.set_nonblocking(false).unwrap();
        let connector = thread::spawn(move || TcpStream::connect(address).unwrap());
        let (mut ours, _) = copy.accept().unwrap();
        let mut theirs = connector.join().unwrap();

        ours.set_nonblocking(true).unwrap();
        let mut byte = [0; 4];
        assert_eq!(ours.read(&mut byte).unwrap_err().kind(), ErrorKind::WouldBlock);
        theirs.write_all(b"wa").unwrap();
        ours.set_nonblocking(false).unwrap();
        assert_eq!(ours.read(&mut byte).unwrap(), 2);
        // Known to be empty, and yet what comes now is seen without a wait.
        ours.set_nonblocking(true).unwrap();
        theirs.write_all(b"ter").unwrap();
        while ours.peek(&mut byte).is_err() {
            std::hint::spin_loop();
        }
        assert_eq!(ours.read(&mut byte).unwrap(), 3);
        assert_eq!(ours.read(&mut byte).unwrap_err().kind(), ErrorKind::WouldBlock);
        let full = loop {
            if let Err(error) = ours.write(&[0; 1 << 16]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn incoming_gives_one_after_the_other() {
    everywhere(|| {
        let (listener, address) = listener();
        let client = thread::spawn(move || {
            for n in 0..10 {
                TcpStream::connect(address).unwrap().write_all(&[n]).unwrap();
            }
        });
        let mut received = Vec::new();
        for stream in listener.incoming().take(10) {
            stream.unwrap().read_to_end(&mut received).unwrap();
        }
        assert_eq!(received, (0..10).collect::<Vec<u8>>());
        client.join().unwrap();
    });
}

#[test]
fn names_are_looked_up() {
    use kettle::net::ToSocketAddrs;
    everywhere(|| {
        let (listener, address) = listener();
        let stream = TcpStream::connect(("localhost", address.port())).unwrap();
        let stream2 = TcpStream::connect(format!("localhost:{}", address.port())).unwrap();
        drop((stream, stream2, listener));
        for nonsense in ["localhost", "localhost:http:", "127.0.0.1:65536", ""] {
            let error = nonsense.to_socket_addrs().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{nonsense}");
        }
    });
}

#[test]
fn behind_urgent_data_the_rest_is_read() {
    use std::os::fd::AsRawFd;
    everywhere(|| {
        let (ours, mut theirs) = pair();
        let reader = thread::spawn(move || {
            let mut all = Vec::new();
            let mut buffer = [0; 16];
            while all.len() < 4 {
                // It stops before the urgent byte, with room left: that says nothing of what is behind.
                let read = || (&ours).read(&mut buffer).unwrap();
                let len = kettle::time::timeout(Duration::from_secs(30), read).unwrap();
                all.extend_from_slice(&buffer[..len]);
            }
            all
        });
        thread::yield_now();
        theirs.write_all(b"ab").unwrap();
        // SAFETY: send(2) reads one byte of a live slice.
        let sent =
            unsafe { libc::send(theirs.as_raw_fd(), b"!".as_ptr().cast(), 1, libc::MSG_OOB) };
        assert_eq!(sent, 1);
        theirs.write_all(b"cd").unwrap();
        assert_eq!(reader.join().unwrap(), b"abcd");
    });
}
