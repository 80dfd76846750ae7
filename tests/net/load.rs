//! Many connections, and many bytes.

use crate::support::{bytes, listener, workers};
use kettle::net::{Shutdown, TcpStream};
use kettle::thread;
use std::io::{Read, Write};
use std::net::SocketAddr;

/// How many descriptors a test may need; the limit is raised as far as the system lets us.
fn descriptors(wanted: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: asks for and sets a limit of this process.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max.min(wanted.max(limit.rlim_cur));
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
    limit.rlim_cur
}

#[test]
fn thousands_of_connections_wait_and_each_gets_its_own_answer() {
    let connections = (descriptors(8192).saturating_sub(512) / 2).min(2500);
    assert!(connections >= 200, "the limit of open files is too low for this test");
    for count in [1, 4] {
        workers(count).run(|| {
            let (listener, address) = listener();
            let server = thread::spawn(move || {
                let echoes: Vec<_> = listener
                    .incoming()
                    .take(connections as usize)
                    .map(|stream| {
                        let mut stream = stream.unwrap();
                        thread::spawn(move || {
                            let mut word = [0; 16];
                            loop {
                                match stream.read(&mut word).unwrap() {
                                    0 => return,
                                    len => stream.write_all(&word[..len]).unwrap(),
                                }
                            }
                        })
                    })
                    .collect();
                echoes.into_iter().for_each(|echo| echo.join().unwrap());
            });
            let mut streams: Vec<_> =
                (0..connections).map(|_| TcpStream::connect(address).unwrap()).collect();
            for round in 0..3 {
                for (n, stream) in streams.iter_mut().enumerate() {
                    stream.write_all(&(n * 3 + round).to_le_bytes()).unwrap();
                }
                for (n, stream) in streams.iter_mut().enumerate() {
                    let mut word = [0; 8];
                    stream.read_exact(&mut word).unwrap();
                    assert_eq!(usize::from_le_bytes(word), n * 3 + round);
                }
            }
            drop(streams);
            server.join().unwrap();
        });
    }
}

/// Sends `sent` in pieces of `piece` and takes it back meanwhile, in pieces of another size.
fn talk(address: SocketAddr, sent: &[u8], piece: usize) {
    let stream = TcpStream::connect(address).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut reader = stream;
    let received = thread::scope(|scope| {
        scope.spawn(move || {
            for (n, part) in sent.chunks(piece).enumerate() {
                writer.write_all(part).unwrap();
                if n % 7 == 0 {
                    thread::yield_now();
                }
            }
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut received = Vec::with_capacity(sent.len());
        let mut buffer = vec![0; piece * 2 / 3 + 1];
        loop {
            match reader.read(&mut buffer).unwrap() {
                0 => return received,
                len => received.extend_from_slice(&buffer[..len]),
            }
        }
    });
    assert!(received == sent, "{} of {} bytes came back, or others", received.len(), sent.len());
}

#[test]
fn every_byte_comes_back_once_and_in_order_whatever_the_sizes() {
    for count in [1, 3] {
        workers(count).run(|| {
            let (listener, address) = listener();
            let server = thread::spawn(move || {
                for stream in listener.incoming().take(32) {
                    let mut stream = stream.unwrap();
                    thread::spawn(move || {
                        let mut buffer = [0; 1500];
                        loop {
                            match stream.read(&mut buffer).unwrap() {
                                0 => return,
                                len => stream.write_all(&buffer[..len]).unwrap(),
                            }
                        }
                    });
                }
            });
            let talkers: Vec<_> = (0..32_u64)
                .map(|n| {
                    thread::spawn(move || {
                        let piece = [1, 13, 512, 4096, 65_536][n as usize % 5];
                        talk(address, &bytes(n, (piece * 200).min(1 << 20)), piece);
                    })
                })
                .collect();
            talkers.into_iter().for_each(|talker| talker.join().unwrap());
            server.join().unwrap();
        });
    }
}
