//! TCP as std has it, waiting included.

use crate::support::{listener, pair, workers};
use kettle::net::TcpStream;
use kettle::thread;
use std::io::{Read, Write};

#[test]
fn a_read_waits_for_the_write_of_a_neighbour_on_the_same_worker() {
    workers(1).run(|| {
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
fn ping_pong_for_a_while() {
    for count in [1, 2] {
        workers(count).run(|| {
            let (listener, address) = listener();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut byte = [0; 1];
                let mut count = 0;
                while stream.read(&mut byte).unwrap() == 1 {
                    stream.write_all(&byte).unwrap();
                    count += 1;
                }
                count
            });
            let mut stream = TcpStream::connect(address).unwrap();
            for n in 0..1000 {
                stream.write_all(&[n as u8]).unwrap();
                let mut byte = [0; 1];
                stream.read_exact(&mut byte).unwrap();
                assert_eq!(byte[0], n as u8);
            }
            drop(stream);
            assert_eq!(server.join().unwrap(), 1000);
        });
    }
}

#[test]
fn on_plain_threads_it_blocks_and_works() {
    let (listener, address) = listener();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all
    });
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&vec![7; 1 << 20]).unwrap();
    drop(stream);
    assert_eq!(server.join().unwrap().len(), 1 << 20);
}
