//! Pipes and standard input.

#[path = "support/child.rs"]
mod child;
#[path = "support/coroutines.rs"]
mod coroutines;
#[path = "io/stdin.rs"]
mod stdin;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use coroutines::workers;
use kettle::io::{self, PipeReader, PipeWriter};
use kettle::thread::{self, Cancelled};
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

#[test]
fn neighbours_go_on_while_a_pipe_is_read_and_while_it_is_full() {
    workers(1).run(|| {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
        let sent = bytes.clone();
        let reading = thread::spawn(move || {
            let mut seen = Vec::new();
            reader.read_to_end(&mut seen).unwrap();
            seen
        });
        thread::spawn(move || writer.write_all(&sent).unwrap()).join().unwrap();
        assert!(reading.join().unwrap() == bytes);
    });
}

#[test]
fn what_goes_through_a_pipe_between_workers_comes_out_as_it_went_in() {
    let runtime = workers(3);
    let all: Vec<_> = (0..20_u8)
        .map(|seed| {
            runtime.spawn(move || {
                let (reader, writer) = io::pipe().unwrap();
                let writing = thread::spawn(move || {
                    for len in 1..400_usize {
                        let bytes = vec![(len as u8).wrapping_mul(seed); len];
                        (&writer).write_all(&bytes).unwrap();
                        if len % 7 == 0 {
                            thread::yield_now();
                        }
                    }
                });
                for len in 1..400_usize {
                    let mut bytes = vec![0; len];
                    (&reader).read_exact(&mut bytes).unwrap();
                    assert!(bytes.iter().all(|&byte| byte == (len as u8).wrapping_mul(seed)));
                }
                writing.join().unwrap();
                assert_eq!((&reader).read(&mut [0]).unwrap(), 0);
            })
        })
        .collect();
    all.into_iter().for_each(|one| one.join().unwrap());
}

#[test]
fn a_pipe_without_a_reader_breaks_and_without_a_writer_ends() {
    let check = || {
        let (reader, mut writer) = io::pipe().unwrap();
        drop(reader);
        assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        let (mut reader, writer) = io::pipe().unwrap();
        let clone = writer.try_clone().unwrap();
        drop(writer);
        (&clone).write_all(b"last").unwrap();
        drop(clone);
        let mut text = String::new();
        reader.try_clone().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "last");
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    };
    workers(1).run(check);
    check();
}

#[test]
fn a_reader_that_waits_sees_the_other_end_go() {
    workers(1).run(|| {
        let (mut reader, writer) = io::pipe().unwrap();
        let reading = thread::spawn(move || reader.read(&mut [0]).unwrap());
        thread::yield_now();
        drop(writer);
        assert_eq!(reading.join().unwrap(), 0);
        // And a writer for which there is no room.
        let (reader, mut writer) = io::pipe().unwrap();
        let writing = thread::spawn(move || writer.write_all(&[0; 1 << 20]).unwrap_err().kind());
        thread::yield_now();
        drop(reader);
        assert_eq!(writing.join().unwrap(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn several_parts_are_read_and_written_at_once() {
    workers(1).run(|| {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let parts = [IoSlice::new(b"put "), IoSlice::new(b""), IoSlice::new(b"the kettle")];
        assert_eq!(writer.write_vectored(&parts).unwrap(), 14);
        let (mut one, mut other) = ([0; 3], [0; 20]);
        let mut both = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut other)];
        assert_eq!(reader.read_vectored(&mut both).unwrap(), 14);
        assert_eq!((&one, &other[..11]), (b"put", &b" the kettle"[..]));
    });
}

#[test]
fn a_cancelled_read_takes_nothing() {
    workers(1).run(|| {
        let (reader, mut writer) = io::pipe().unwrap();
        let again = reader.try_clone().unwrap();
        let reading = thread::spawn(move || (&reader).read(&mut [0; 9]).unwrap());
        thread::yield_now();
        reading.cancel().unwrap();
        assert!(reading.join().unwrap_err().is::<Cancelled>());
        writer.write_all(b"all of it").unwrap();
        let mut bytes = [0; 9];
        (&again).read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"all of it");
    });
}

/// A pipe whose ends wait, as from another program.
fn foreign() -> (OwnedFd, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: writes two descriptors, which are then ours.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    }
}

fn is_nonblocking(fd: &impl AsRawFd) -> bool {
    // SAFETY: asks for the flags of a descriptor that is open.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}

#[test]
fn a_foreign_pipe_is_waited_for_and_its_flags_are_left_alone() {
    workers(1).run(|| {
        let (reader, writer) = foreign();
        let (mut reader, mut writer) = (PipeReader::from(reader), PipeWriter::from(writer));
        let bytes = vec![5; 1 << 20];
        let sent = bytes.clone();
        // To read nothing needs no waiting.
        assert_eq!(reader.read(&mut []).unwrap(), 0);
        let reading = thread::spawn(move || {
            let mut seen = Vec::new();
            reader.read_to_end(&mut seen).unwrap();
            assert!(!is_nonblocking(&reader));
            seen
        });
        writer.write_all(&sent).unwrap();
        assert!(!is_nonblocking(&writer));
        drop(writer);
        assert!(reading.join().unwrap() == bytes);
    });
}

#[test]
fn a_foreign_pipe_that_was_set_not_to_wait_does_not() {
    workers(1).run(|| {
        let (reader, _writer) = foreign();
        // SAFETY: a flag of a descriptor that is open.
        unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        let mut reader = PipeReader::from(reader);
        assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn an_end_that_is_given_away_waits_again() {
    workers(1).run(|| {
        let (reader, writer) = io::pipe().unwrap();
        assert!(is_nonblocking(&reader) && is_nonblocking(&writer));
        let clone = reader.try_clone().unwrap();
        let reader = OwnedFd::from(reader);
        assert!(!is_nonblocking(&reader));
        // SAFETY: let go of in the same line.
        let writer = unsafe { PipeWriter::from_raw_fd(writer.into_raw_fd()) };
        // The clone shares the flags that were set back; it makes no worker wait all the same.
        let reading = thread::spawn(move || {
            let mut byte = [0];
            (&clone).read_exact(&mut byte).unwrap();
            byte[0]
        });
        thread::yield_now();
        (&writer).write_all(&[9]).unwrap();
        assert_eq!(reading.join().unwrap(), 9);
    });
}
