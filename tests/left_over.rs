//! Waits that were cancelled or timed out leave nothing behind: the kernel tells what each epoll of a process
//! watches, so it is counted there, in a child.

#[path = "support/child.rs"]
mod child;
mod support;

use kettle::os::unix::net::UnixStream;
use kettle::runtime::Runtime;
use kettle::thread;
use kettle::time::{Duration, timeout};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

/// How many descriptors the epolls of this process watch, but for the one by which each is woken; none where the kernel does not tell.
fn watched() -> Option<usize> {
    let mut epolls = 0;
    let mut watched = 0;
    for entry in std::fs::read_dir("/proc/self/fdinfo").ok()?.flatten() {
        // One may be closed meanwhile: that which lists the folder.
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let lines = text.lines().filter(|line| line.starts_with("tfd:")).count();
        epolls += usize::from(lines > 0);
        watched += lines;
    }
    (epolls > 0).then_some(watched - epolls)
}

#[test]
fn a_wait_that_is_cut_short_leaves_no_registration_behind() {
    const NAME: &str = "a_wait_that_is_cut_short_leaves_no_registration_behind";
    if child::scenario().is_none() {
        let output = child::child(NAME, "cut short").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        said.lines().filter(|line| line.starts_with("skipped")).for_each(|line| println!("{line}"));
        return;
    }
    const SOCKETS: usize = 100;
    for workers in [1, 2] {
        Runtime::builder().workers(workers).build().unwrap().run(|| {
            let (first, _peer) = UnixStream::pair().unwrap();
            timeout(Duration::from_millis(1), || (&first).read(&mut [0; 1])).unwrap_err();
            let Some(before) = watched() else {
                println!("skipped: the kernel does not tell what an epoll watches here");
                return;
            };
            let pairs: Vec<_> = (0..SOCKETS).map(|_| UnixStream::pair().unwrap()).collect();
            let (ours, theirs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let ours: Vec<_> = ours.into_iter().map(Arc::new).collect();
            for round in 0..20 {
                let readers: Vec<_> = ours
                    .iter()
                    .map(|stream| {
                        let stream = Arc::clone(stream);
                        thread::spawn(move || {
                            timeout(Duration::from_secs(3600), || (&*stream).read(&mut [0; 1]))
                        })
                    })
                    .collect();
                thread::yield_now();
                for reader in readers {
                    reader.cancel().unwrap();
                    reader.join().unwrap_err();
                }
                for stream in &ours {
                    let limit = Some(Duration::from_micros(1 + round));
                    stream.set_read_timeout(limit).unwrap();
                    let error = (&**stream).read(&mut [0; 1]).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    stream.set_read_timeout(None).unwrap();
                }
            }
            // Each once, however often it was waited for, and wherever.
            assert_eq!(watched(), Some(before + SOCKETS));
            // They are as good as new.
            for (ours, mut theirs) in ours.iter().zip(&theirs) {
                theirs.write_all(b"x").unwrap();
                assert_eq!((&**ours).read(&mut [0; 8]).unwrap(), 1);
            }
            drop((ours, theirs));
            assert_eq!(watched(), Some(before));
        });
    }
    std::process::exit(0);
}
