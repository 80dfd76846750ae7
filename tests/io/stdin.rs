//! Standard input, in children that are given one.

use crate::{child, workers};
use kettle::io::stdin;
use kettle::thread::{self, Cancelled};
use std::fs::File;
use std::io::{BufRead, Read, Seek, Write};
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// In the parent starts `test` again as a child whose standard input is what `input` makes of it, and
/// checks that it ends well; in the child plays `scenario` and does not return.
fn in_a_child(
    test: &str,
    input: impl FnOnce() -> Stdio,
    talk: impl FnOnce(&mut Child),
    scenario: fn(),
) {
    let test = format!("stdin::{test}");
    if child::scenario().is_some() {
        scenario();
        std::process::exit(0);
    }
    let mut command = child::child(&test, &test);
    let command = command.stdin(input()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    talk(&mut child);
    let output: Output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn say(child: &mut Child, text: &str) {
    child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn lines_come_in_whole_from_a_pipe() {
    let talk = |child: &mut Child| say(child, "one\ntwo\nthree\nfour\nfive and no end");
    in_a_child("lines_come_in_whole_from_a_pipe", Stdio::piped, talk, || {
        workers(1).run(|| {
            let mut line = String::new();
            assert_eq!(stdin().read_line(&mut line).unwrap(), 4);
            assert_eq!(line, "one\n");
            let mut byte = [0];
            stdin().read_exact(&mut byte).unwrap();
            assert_eq!(byte, *b"t");
            let mut lock = stdin().lock();
            lock.read_line(&mut line).unwrap();
            assert_eq!(line, "one\nwo\n");
            drop(lock);
            let lines: Vec<_> = stdin().lines().map(Result::unwrap).collect();
            assert_eq!(lines, ["three", "four", "five and no end"]);
            assert_eq!(stdin().read_line(&mut line).unwrap(), 0);
            assert!(!stdin().is_terminal());
        });
    });
}

#[test]
fn neighbours_go_on_and_readers_take_turns() {
    // Says nothing more until the child has said that all of its coroutines wait.
    let talk = |child: &mut Child| {
        let mut said = std::io::BufReader::new(child.stdout.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains("they wait") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0);
        }
        say(child, &"a line\n".repeat(50));
    };
    in_a_child("neighbours_go_on_and_readers_take_turns", Stdio::piped, talk, || {
        workers(1).run(|| {
            let begun = Arc::new(AtomicUsize::new(0));
            let readers: Vec<_> = (0..10)
                .map(|_| {
                    let begun = Arc::clone(&begun);
                    thread::spawn(move || {
                        begun.fetch_add(1, Ordering::SeqCst);
                        for _ in 0..5 {
                            let mut line = String::new();
                            stdin().read_line(&mut line).unwrap();
                            assert_eq!(line, "a line\n");
                            thread::yield_now();
                        }
                    })
                })
                .collect();
            while begun.load(Ordering::SeqCst) < 10 {
                thread::yield_now();
            }
            println!("they wait");
            readers.into_iter().for_each(|one| one.join().unwrap());
        });
    });
}

#[test]
fn a_cancelled_reader_makes_way_for_the_next() {
    // Its end of the pipe stays open and says nothing until the child has cancelled what it will.
    let talk = |child: &mut Child| {
        let mut said = std::io::BufReader::new(child.stdout.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains("cancelled") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0);
        }
        say(child, "for the last\n");
    };
    in_a_child("a_cancelled_reader_makes_way_for_the_next", Stdio::piped, talk, || {
        workers(2).run(|| {
            let reader = || {
                thread::spawn(|| {
                    let mut line = String::new();
                    stdin().read_line(&mut line).unwrap();
                    line
                })
            };
            // One that reads and two that wait for it, whichever they are.
            let (first, second, third) = (reader(), reader(), reader());
            thread::yield_now();
            for one in [first, second] {
                one.cancel().unwrap();
                assert!(one.join().unwrap_err().is::<Cancelled>());
            }
            println!("cancelled");
            assert_eq!(third.join().unwrap(), "for the last\n");
            // Nor is the turn left with one that is gone.
            assert_eq!(stdin().read(&mut [0]).unwrap(), 0);
        });
    });
}

#[test]
fn a_file_is_read_to_its_end() {
    let text = "put the kettle on\n".repeat(5_000);
    let contents = text.clone();
    let file = move || {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("stdin-file");
        let mut file =
            File::options().read(true).write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(contents.as_bytes()).unwrap();
        file.sync_all().unwrap();
        file.rewind().unwrap();
        Stdio::from(file)
    };
    in_a_child(
        "a_file_is_read_to_its_end",
        file,
        |_| (),
        || {
            workers(1).run(|| {
                let mut text = String::new();
                stdin().read_to_string(&mut text).unwrap();
                assert_eq!(text, "put the kettle on\n".repeat(5_000));
            });
        },
    );
    drop(text);
}

#[test]
fn nothing_and_a_closed_input_are_at_their_end() {
    in_a_child(
        "nothing_and_a_closed_input_are_at_their_end",
        Stdio::null,
        |_| (),
        || {
            workers(1).run(|| {
                assert_eq!(stdin().read(&mut [0]).unwrap(), 0);
                // SAFETY: nothing of this process uses it.
                unsafe { libc::close(0) };
                assert_eq!(stdin().read(&mut [0]).unwrap(), 0);
            });
            assert_eq!(stdin().read(&mut [0]).unwrap(), 0);
        },
    );
}

#[test]
fn a_terminal_is_waited_for() {
    /// A pseudo-terminal: the side of its keyboard and screen, and that of the program.
    fn terminal() -> (File, File) {
        use std::os::fd::FromRawFd;
        // SAFETY: makes a descriptor that is then ours, and asks for its other side's name.
        let (master, slave) = unsafe {
            let master = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
            assert!(master >= 0);
            assert_eq!((libc::grantpt(master), libc::unlockpt(master)), (0, 0));
            let name = std::ffi::CStr::from_ptr(libc::ptsname(master)).to_str().unwrap();
            let slave = File::options().read(true).write(true).open(name).unwrap();
            (File::from_raw_fd(master), slave)
        };
        (master, slave)
    }

    if child::scenario().is_some() {
        in_a_child(
            "",
            Stdio::null,
            |_| (),
            || {
                workers(1).run(|| {
                    assert!(stdin().is_terminal());
                    let reader = thread::spawn(|| {
                        let mut line = String::new();
                        stdin().read_line(&mut line).unwrap();
                        line
                    });
                    thread::yield_now();
                    // The worker is free while the line is typed.
                    println!("it waits");
                    assert_eq!(reader.join().unwrap(), "whistle\n");
                });
            },
        );
    }
    let (mut keyboard, program) = terminal();
    let talk = move |child: &mut Child| {
        let mut said = std::io::BufReader::new(child.stdout.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains("it waits") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0);
        }
        keyboard.write_all(b"whi").unwrap();
        keyboard.write_all(b"stle\n").unwrap();
        // Open until the child has read it.
        child.wait().unwrap();
        drop(keyboard);
    };
    in_a_child("a_terminal_is_waited_for", || program.into(), talk, || ());
}
