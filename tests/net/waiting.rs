//! Waiting: cancelled, timed out, from several workers at once, with descriptors from outside.

use crate::support::{everywhere, listener, pair, workers};
use kettle::io::{Interest, Registration};
use kettle::net::{TcpListener, TcpStream, UdpSocket};
use kettle::os::unix::net::UnixStream;
use kettle::thread::{self, Builder};
use kettle::time::timeout;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn is_nonblocking(fd: &impl AsRawFd) -> bool {
    // SAFETY: asks an open descriptor for its flags.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}

#[test]
fn a_cancelled_wait_leaves_the_socket_to_others() {
    for count in [1, 4] {
        workers(count).run(|| {
            let (ours, mut theirs) = pair();
            let ours = Arc::new(ours);
            let reader = |ours: &Arc<TcpStream>| {
                let ours = Arc::clone(ours);
                thread::spawn(move || {
                    let mut word = [0; 5];
                    (&*ours).read_exact(&mut word).unwrap();
                    word
                })
            };
            for _ in 0..50 {
                let (first, doomed, last) = (reader(&ours), reader(&ours), reader(&ours));
                thread::yield_now();
                doomed.cancel().unwrap();
                assert!(doomed.join().unwrap_err().is::<thread::Cancelled>());
                theirs.write_all(b"waterwater").unwrap();
                for survivor in [first, last] {
                    survivor.join().unwrap();
                }
            }
            // Dropped in time, or the debug build finds who is still in its lists.
            assert_eq!(Arc::strong_count(&ours), 1);
        });
    }
}

#[test]
fn a_time_limit_ends_a_read_an_accept_and_a_connect_and_loses_nothing() {
    for count in [1, 4] {
        workers(count).run(|| {
            let (listener, address) = listener();
            timeout(Duration::from_millis(10), || listener.accept().map(drop)).unwrap_err();
            let mut ours = TcpStream::connect(address).unwrap();
            let (mut theirs, _) = listener.accept().unwrap();
            let mut word = [0; 5];
            for _ in 0..3 {
                timeout(Duration::from_millis(10), || ours.read(&mut word)).unwrap_err();
            }
            theirs.write_all(b"water").unwrap();
            timeout(Duration::from_secs(60), || ours.read_exact(&mut word)).unwrap().unwrap();
            assert_eq!(&word, b"water");
        });
    }
}

#[test]
fn a_shared_socket_follows_its_waiters_from_worker_to_worker() {
    let runtime = workers(2);
    runtime.run(|| {
        let (ours, mut theirs) = pair();
        let ours = Arc::new(ours);
        // Two coroutines that take turns in reading, on two workers if there is any justice; and a third
        // that waits to write through it meanwhile.
        let turn = Arc::new(AtomicUsize::new(0));
        let readers: Vec<_> = (0..2)
            .map(|me| {
                let (ours, turn) = (Arc::clone(&ours), Arc::clone(&turn));
                thread::spawn(move || {
                    for round in 0..200 {
                        while turn.load(Ordering::SeqCst) != round * 2 + me {
                            thread::yield_now();
                        }
                        let mut byte = [0; 1];
                        (&*ours).read_exact(&mut byte).unwrap();
                        assert_eq!(usize::from(byte[0]), (round * 2 + me) % 251);
                        turn.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for n in 0..400_usize {
            while turn.load(Ordering::SeqCst) != n {
                thread::yield_now();
            }
            // The reader is waiting, or about to.
            thread::yield_now();
            theirs.write_all(&[(n % 251) as u8]).unwrap();
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn a_waiter_survives_the_runtime_at_whose_worker_the_socket_is_watched() {
    let (ours, mut theirs) = pair();
    let ours = Arc::new(ours);
    let (first, second) = (workers(1), workers(1));
    let reader = |ours: &Arc<TcpStream>| {
        let ours = Arc::clone(ours);
        move || (&*ours).read(&mut [0; 1]).unwrap()
    };
    // Watched at the first's worker, because its coroutine waits there first...
    let early = first.spawn(reader(&ours));
    first.run(thread::yield_now);
    // ... and where the other then joins it.
    let late = second.spawn(reader(&ours));
    second.run(thread::yield_now);
    early.cancel().unwrap();
    assert!(early.join().is_err());
    drop(first);
    theirs.write_all(b"x").unwrap();
    assert_eq!(late.join().unwrap(), 1);
}

#[test]
fn sockets_outlive_runtimes_and_work_in_the_next() {
    let (mut ours, mut theirs) = pair();
    for n in 0..5_u8 {
        let runtime = workers(1 + usize::from(n) % 2);
        (ours, theirs) = runtime.run(move || {
            let reader = thread::spawn(move || {
                let mut byte = [0; 1];
                ours.read_exact(&mut byte).unwrap();
                assert_eq!(byte, [n]);
                ours
            });
            thread::yield_now();
            theirs.write_all(&[n]).unwrap();
            (reader.join().unwrap(), theirs)
        });
    }
    theirs.write_all(b"y").unwrap();
    assert_eq!(ours.read(&mut [0; 1]).unwrap(), 1);
}

#[test]
fn who_never_has_to_wait_leaves_time_to_others() {
    workers(1).run(|| {
        let (mut ours, mut theirs) = pair();
        let others = Arc::new(AtomicUsize::new(0));
        let other = {
            let others = Arc::clone(&others);
            thread::spawn(move || {
                for _ in 0..3 {
                    others.fetch_add(1, Ordering::Relaxed);
                    thread::yield_now();
                }
            })
        };
        // Each read finds what the write has brought: neither ever waits.
        let mut rounds = 0;
        while others.load(Ordering::Relaxed) < 3 {
            ours.write_all(b"x").unwrap();
            theirs.read_exact(&mut [0; 1]).unwrap();
            rounds += 1;
            assert!(rounds < 1000, "the neighbour starves");
        }
        other.join().unwrap();
    });
}

#[test]
fn a_destructor_may_use_a_socket_while_its_coroutine_panics() {
    struct Goodbye(TcpStream);

    impl Drop for Goodbye {
        fn drop(&mut self) {
            let mut word = [0; 4];
            self.0.write_all(b"bye?").unwrap();
            self.0.read_exact(&mut word).unwrap();
            assert_eq!(&word, b"bye!");
        }
    }

    let (ours, mut theirs) = pair();
    let peer = std::thread::spawn(move || {
        let mut word = [0; 4];
        theirs.read_exact(&mut word).unwrap();
        theirs.write_all(b"bye!").unwrap();
    });
    let runtime = workers(1);
    let coroutine = runtime.spawn(move || {
        let _goodbye = Goodbye(ours);
        panic!("with a conversation to end");
    });
    assert_eq!(
        *coroutine.join().unwrap_err().downcast::<&str>().unwrap(),
        "with a conversation to end"
    );
    peer.join().unwrap();
}

#[test]
fn into_std_and_back_the_flags_are_as_their_owner_expects() {
    everywhere(|| {
        let (listener, address) = listener();
        let connector = thread::spawn(move || TcpStream::connect(address).unwrap());
        let (stream, _) = listener.accept().unwrap();
        let connected = connector.join().unwrap();
        for ours in [stream, connected] {
            assert!(!is_nonblocking(&ours));
            let std = std::net::TcpStream::from(ours);
            assert!(!is_nonblocking(&std));
        }
        let clone = listener.try_clone().unwrap();
        let std = std::net::TcpListener::from(listener);
        assert!(!is_nonblocking(&std), "std's accept would not wait");
        // Its clone now is one that may block, and accepts all the same.
        let connector = thread::spawn(move || TcpStream::connect(address).unwrap());
        clone.accept().unwrap();
        drop(connector.join().unwrap());
        // From outside: the flags are not touched, blocking or not.
        for flag in [false, true] {
            std.set_nonblocking(flag).unwrap();
            let ours = TcpListener::from(std.try_clone().unwrap());
            if flag {
                assert_eq!(ours.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
            } else {
                let connector = thread::spawn(move || TcpStream::connect(address).unwrap());
                ours.accept().unwrap();
                drop(connector.join().unwrap());
            }
            assert_eq!(is_nonblocking(&std), flag);
        }
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_nonblocking(true).unwrap();
        let udp = std::net::UdpSocket::from(OwnedFd::from(udp));
        assert_eq!(udp.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_socket_from_outside_keeps_the_timeout_that_it_came_with() {
    everywhere(|| {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut ours = UnixStream::from(ours);
        assert_eq!(ours.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(!is_nonblocking(&ours));
    });
}

#[test]
fn a_number_that_is_used_again_is_another_descriptor() {
    workers(1).run(|| {
        for _ in 0..100 {
            let (mut ours, mut theirs) = pair();
            // Registered, and a duplicate keeps what it stands for alive.
            theirs.write_all(b"x").unwrap();
            ours.read_exact(&mut [0; 1]).unwrap();
            timeout(Duration::from_millis(0), || ours.read(&mut [0; 1])).unwrap_err();
            let duplicate = ours.as_fd().try_clone_to_owned().unwrap();
            let number = ours.as_raw_fd();
            drop(ours);
            let (mut next, mut its_peer) = UnixStream::pair().unwrap();
            if next.as_raw_fd() != number {
                continue; // Another test was quicker.
            }
            theirs.write_all(b"for the duplicate").unwrap();
            let reader = thread::spawn(move || {
                let mut word = [0; 32];
                let len = next.read(&mut word).unwrap();
                word[..len].to_vec()
            });
            thread::yield_now();
            its_peer.write_all(b"for the next").unwrap();
            assert_eq!(reader.join().unwrap(), b"for the next");
            drop(duplicate);
        }
    });
}

#[test]
fn any_descriptor_can_be_waited_for() {
    everywhere(|| {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (ours, theirs) = (Registration::new(ours), Registration::new(theirs));
        ours.writable().unwrap();
        let reader = thread::spawn(move || {
            theirs.readable().unwrap();
            let mut word = [0; 16];
            // Still there, so it is told again.
            theirs.readable().unwrap();
            let len = theirs.try_io(Interest::Readable, |mut it| it.read(&mut word)).unwrap();
            assert_eq!(&word[..len], b"water");
            theirs
        });
        thread::yield_now();
        ours.get_ref().write_all(b"water").unwrap();
        let theirs = reader.join().unwrap();
        // Full, until somebody reads.
        let filler = thread::spawn(move || {
            let mut sent = 0;
            while sent < 8 << 20 {
                let write = |mut it: &std::os::unix::net::UnixStream| it.write(&[0; 4096]);
                sent += ours.try_io(Interest::Writable, write).unwrap();
            }
            (ours.into_inner(), sent)
        });
        let mut received = 0;
        let mut buffer = vec![0; 1 << 16];
        while received < 8 << 20 {
            received += theirs.try_io(Interest::Readable, |mut it| it.read(&mut buffer)).unwrap();
        }
        let (ours, sent) = filler.join().unwrap();
        drop(ours);
        while theirs.try_io(Interest::Readable, |mut it| it.read(&mut buffer)).unwrap() > 0 {
            received += 1;
        }
        assert!(received >= sent);
        let error = theirs
            .try_io(Interest::Readable, |_| Err::<(), _>(ErrorKind::PermissionDenied.into()))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    });
}

#[test]
fn a_descriptor_is_registered_once_and_what_cannot_be_waited_for_says_so() {
    workers(1).run(|| {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let (one, two) = (Registration::new(ours.as_fd()), Registration::new(ours.as_fd()));
        assert!(timeout(Duration::from_millis(1), || one.readable()).is_err());
        assert_eq!(two.readable().unwrap_err().kind(), ErrorKind::AlreadyExists);
        drop(one);
        assert!(timeout(Duration::from_millis(1), || two.readable()).is_err());
        // A file is always ready; who says that he has to wait for one all the same is told that he cannot.
        let file = Registration::new(std::fs::File::open("/proc/self/exe").unwrap());
        file.readable().unwrap();
        let refused = file.try_io(Interest::Readable, |_| {
            Err::<(), _>(std::io::Error::from(ErrorKind::WouldBlock))
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    });
}

#[test]
fn descriptors_by_number_go_in_and_out() {
    let (ours, mut theirs) = pair();
    let number = ours.into_raw_fd();
    // SAFETY: just given up, so ours to give.
    let mut ours = unsafe { TcpStream::from_raw_fd(number) };
    assert_eq!(ours.as_raw_fd(), number);
    theirs.write_all(b"x").unwrap();
    assert_eq!(ours.read(&mut [0; 8]).unwrap(), 1);
}

#[test]
fn migratable_coroutines_wait_wherever_they_are() {
    workers(4).run(|| {
        let coroutines: Vec<_> = (0..16_u8)
            .map(|n| {
                let (mut ours, mut theirs) = UnixStream::pair().unwrap();
                let echo = move || {
                    let mut byte = [0; 1];
                    while theirs.read(&mut byte).unwrap() == 1 {
                        thread::yield_now();
                        theirs.write_all(&byte).unwrap();
                    }
                };
                // SAFETY: nothing of the closures' depends on the thread.
                let echo = unsafe { Builder::new().migratable() }.spawn(echo).unwrap();
                let talk = move || {
                    for _ in 0..100 {
                        ours.write_all(&[n]).unwrap();
                        let mut byte = [0; 1];
                        ours.read_exact(&mut byte).unwrap();
                        assert_eq!(byte, [n]);
                    }
                };
                // SAFETY: as above.
                let talk = unsafe { Builder::new().migratable() }.spawn(talk).unwrap();
                (echo, talk)
            })
            .collect();
        for (echo, talk) in coroutines {
            talk.join().unwrap();
            echo.join().unwrap();
        }
    });
}
