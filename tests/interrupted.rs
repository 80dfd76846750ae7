//! What the kernel answers now and then: a connection that was aborted before it could be accepted, a signal, a
//! table of open files that is full. A child answers so in the kernel's place, by a filter of system calls, and
//! then lets the kernel go on.

#![allow(unsafe_code, reason = "a filter of system calls")]

#[path = "support/child.rs"]
mod child;
#[path = "support/filter.rs"]
mod filter;
mod support;

use kettle::net::{TcpListener, TcpStream};
use kettle::runtime::Runtime;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the first calls of it are answered, one after the other.
const ANSWERS: [i32; 6] =
    [libc::ECONNABORTED, libc::EINTR, libc::ENFILE, libc::EMFILE, libc::ECONNABORTED, libc::ENFILE];

/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`: the kernel does what was asked of it.
const GO_ON: u32 = 1;

/// Answers `number`, called with `first` as its first argument by this thread or those that it starts from now
/// on. How many times it did is counted. None where there are no such filters.
fn answer_for_the_kernel(number: libc::c_long, first: u32) -> Option<Arc<AtomicUsize>> {
    let mut steps = filter::filter(number, 0, first, libc::SECCOMP_RET_USER_NOTIF);
    let listener = filter::install(&mut steps, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if listener < 0 {
        return None;
    }
    let answered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&answered);
    std::thread::spawn(move || {
        // As <linux/seccomp.h> has them: _IOWR('!', 0, struct seccomp_notif) and 1 with its answer.
        let number = |n: u64, size: usize| 3 << 30 | (size as u64) << 16 | 0x21 << 8 | n;
        let receive = number(0, size_of::<libc::seccomp_notif>());
        let send = number(1, size_of::<libc::seccomp_notif_resp>());
        loop {
            // SAFETY: all zeroes is valid for both, and both live while the kernel uses them.
            unsafe {
                let mut asked: libc::seccomp_notif = std::mem::zeroed();
                let mut answer: libc::seccomp_notif_resp = std::mem::zeroed();
                if libc::ioctl(listener as i32, receive as _, &raw mut asked) != 0 {
                    continue;
                }
                answer.id = asked.id;
                match ANSWERS.get(count.load(Ordering::SeqCst)) {
                    Some(error) => {
                        count.fetch_add(1, Ordering::SeqCst);
                        answer.error = -error;
                    }
                    None => answer.flags = GO_ON,
                }
                libc::ioctl(listener as i32, send as _, &raw mut answer);
            }
        }
    });
    Some(answered)
}

/// Plays `play` in a child, which says on its error stream what is returned.
fn in_a_child(test: &str, play: fn()) -> Option<String> {
    if child::scenario().is_some() {
        play();
        std::process::exit(0);
    }
    let output = child::child(test, "interrupted").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if let Some(line) = said.lines().find(|line| line.starts_with("skipped")) {
        println!("{line}");
        return None;
    }
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn accept_passes_over_who_has_given_up_and_signals_and_waits_for_descriptors() {
    let said = in_a_child(
        "accept_passes_over_who_has_given_up_and_signals_and_waits_for_descriptors",
        || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let Some(answered) =
                answer_for_the_kernel(libc::SYS_accept4, listener.as_raw_fd() as u32)
            else {
                println!("skipped: nobody can answer in the kernel's place here");
                return;
            };
            let runtime = Runtime::builder().workers(1).build().unwrap();
            runtime.run(move || {
                let client = kettle::thread::spawn(move || {
                    let mut client = TcpStream::connect(address).unwrap();
                    client.write_all(b"water").unwrap();
                    client
                });
                let (mut stream, _) = listener.accept().unwrap();
                let mut word = [0; 5];
                stream.read_exact(&mut word).unwrap();
                assert_eq!(&word, b"water");
                drop(client.join().unwrap());
            });
            assert_eq!(answered.load(Ordering::SeqCst), ANSWERS.len());
        },
    );
    if let Some(said) = said {
        assert_eq!(said.matches("new connections wait until descriptors are free").count(), 1);
    }
}

#[test]
fn a_signal_in_the_middle_of_a_call_makes_it_try_again() {
    if std::env::var_os("KETTLE_TEST_RUNNER").is_some() {
        println!("skipped: an emulator has threads of its own, which signals are not for");
        return;
    }
    in_a_child("a_signal_in_the_middle_of_a_call_makes_it_try_again", || {
        static SIGNALS: AtomicUsize = AtomicUsize::new(0);
        extern "C" fn count(_: libc::c_int) {
            SIGNALS.fetch_add(1, Ordering::SeqCst);
        }
        // Without SA_RESTART, so that calls end with EINTR.
        // SAFETY: the handler only counts.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
        }
        let main = Arc::new(std::sync::Mutex::new(true));
        let goes_on = Arc::clone(&main);
        let runtime = Runtime::builder().workers(2).build().unwrap();
        // Signals go to any thread, workers that sleep in their epoll and plain ones that block among them.
        let signals = std::thread::spawn(move || {
            while *goes_on.lock().unwrap() {
                let Ok(threads) = std::fs::read_dir("/proc/self/task") else { continue };
                for thread in threads.flatten() {
                    let id: i32 = thread.file_name().to_str().unwrap().parse().unwrap();
                    // SAFETY: sends a signal that is handled to a thread of this process.
                    unsafe {
                        libc::syscall(libc::SYS_tgkill, std::process::id(), id, libc::SIGUSR1)
                    };
                }
            }
        });
        let talk = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = kettle::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut word = [0; 5];
                for _ in 0..300 {
                    stream.read_exact(&mut word).unwrap();
                    stream.write_all(&word).unwrap();
                }
            });
            let mut client = TcpStream::connect(address).unwrap();
            let mut word = [0; 5];
            for _ in 0..300 {
                client.write_all(b"water").unwrap();
                client.read_exact(&mut word).unwrap();
            }
            server.join().unwrap();
        };
        runtime.run(talk);
        talk();
        *main.lock().unwrap() = false;
        signals.join().unwrap();
        assert!(SIGNALS.load(Ordering::SeqCst) > 100);
    });
}
