//! What a program that is built with `panic = "abort"` can rely on: all but cancellation, which it is told of.

use kettle::coroutine::{Coroutine, State};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use kettle::time::{self, Duration, Instant};
use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[path = "../../support/child.rs"]
mod child;
#[path = "../../support/harness.rs"]
mod harness;
#[path = "../../support/mod.rs"]
mod support;

fn workers(count: usize) -> Runtime {
    Runtime::builder().workers(count).build().unwrap()
}

fn coroutines_run_and_are_joined() {
    let runtime = workers(2);
    let all: Vec<_> = (0..10_000_u64)
        .map(|number| {
            runtime.spawn(move || {
                thread::yield_now();
                number
            })
        })
        .collect();
    let sum: u64 = all.into_iter().map(|one| one.join().unwrap()).sum();
    assert_eq!(sum, 10_000 * 9_999 / 2);
}

/// It says so, and nothing else happens.
fn cancel_is_an_error_that_says_why() {
    workers(1).run(|| {
        let sleeper = thread::spawn(|| {
            thread::park();
            assert!(!thread::is_cancelled());
            7
        });
        thread::yield_now();
        let error = sleeper.cancel().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("panic = \"abort\""), "{error}");
        sleeper.thread().unpark();
        assert_eq!(sleeper.join().unwrap(), 7);
    });
}

fn a_runtime_that_is_dropped_waits_for_its_coroutines() {
    let ended = Arc::new(AtomicUsize::new(0));
    let runtime = workers(2);
    for _ in 0..100 {
        let ended = Arc::clone(&ended);
        drop(runtime.spawn(move || {
            thread::sleep(Duration::from_millis(1));
            ended.fetch_add(1, Ordering::SeqCst);
        }));
    }
    drop(runtime);
    assert_eq!(ended.load(Ordering::SeqCst), 100);
}

fn a_shutdown_says_who_is_left() {
    let runtime = workers(1);
    let left =
        Builder::new().name("left".to_string()).spawn_on(runtime.handle(), thread::park).unwrap();
    while format!("{:?}", left.thread()).contains("not waiting") {
        std::thread::yield_now();
    }
    let error = runtime.shutdown(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.count(), 1);
    assert_eq!(error.left()[0].name(), Some("left"));
}

fn scopes_lend_and_wait() {
    workers(2).run(|| {
        let sum = AtomicUsize::new(0);
        thread::scope(|scope| {
            for number in 0..100 {
                let sum = &sum;
                scope.spawn(move || {
                    thread::yield_now();
                    sum.fetch_add(number, Ordering::SeqCst)
                });
            }
        });
        assert_eq!(sum.into_inner(), 4_950);
    });
}

fn locals_are_destroyed_at_the_end() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Counts;
    impl Drop for Counts {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
    kettle::thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(1) };
        static COUNTS: Counts = const { Counts };
    }
    workers(1).run(|| {
        let all: Vec<_> = (0..10)
            .map(|number| {
                thread::spawn(move || {
                    NUMBER.set(number);
                    COUNTS.with(|_| thread::yield_now());
                    assert_eq!(NUMBER.get(), number);
                })
            })
            .collect();
        all.into_iter().for_each(|one| one.join().unwrap());
        assert_eq!(NUMBER.get(), 1);
    });
    assert_eq!(DROPPED.load(Ordering::SeqCst), 10);
}

fn time_goes_by() {
    workers(1).run(|| {
        let begin = Instant::now();
        thread::sleep(Duration::from_millis(2));
        assert!(begin.elapsed() >= Duration::from_millis(2));
        thread::park_timeout(Duration::from_millis(1));
        assert_eq!(time::timeout(Duration::MAX, || 1), Ok(1));
    });
}

fn a_time_limit_ends_the_program_with_the_reason() {
    let name = "a_time_limit_ends_the_program_with_the_reason";
    if child::scenario().is_some() {
        let _ = time::timeout(Duration::from_secs(1), || ());
        return;
    }
    let output = child::child(name, "limit").output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("this program is built with panic = \"abort\""), "{said}");
}

fn sockets_carry_bytes() {
    workers(2).run(|| {
        let listener = kettle::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
        });
        let mut stream = kettle::net::TcpStream::connect(address).unwrap();
        stream.write_all(&[7; 100_000]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!(all, [7; 100_000]);
        server.join().unwrap();
    });
}

fn work_that_blocks_does_not_block_others() {
    workers(1).run(|| {
        let gate = Arc::new(AtomicBool::new(false));
        let open = Arc::clone(&gate);
        let other = thread::spawn(move || open.store(true, Ordering::SeqCst));
        kettle::unblock(|| {
            while !gate.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        });
        other.join().unwrap();
    });
}

/// One that is suspended is leaked with its stack: nothing of it runs any more.
fn a_raw_coroutine_is_leaked() {
    struct Never;
    impl Drop for Never {
        fn drop(&mut self) {
            unreachable!("it cannot be unwound");
        }
    }
    let mut coroutine = Coroutine::new(|suspender, ()| {
        let _never = Never;
        suspender.suspend(1);
    });
    assert_eq!(coroutine.resume(()), State::Yielded(1));
    drop(coroutine);
}

fn a_panic_in_a_coroutine_aborts_with_its_message() {
    let name = "a_panic_in_a_coroutine_aborts_with_its_message";
    if child::scenario().is_some() {
        let _ = workers(1).spawn(|| panic!("of a coroutine")).join();
        return;
    }
    let output = child::child(name, "panic").output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("of a coroutine"));
}

macro_rules! tests {
    ($($name:ident)*) => {
        vec![$((stringify!($name).to_string(), Box::new($name) as _)),*]
    };
}

fn main() -> ExitCode {
    harness::run(tests! {
        coroutines_run_and_are_joined
        cancel_is_an_error_that_says_why
        a_runtime_that_is_dropped_waits_for_its_coroutines
        a_shutdown_says_who_is_left
        scopes_lend_and_wait
        locals_are_destroyed_at_the_end
        time_goes_by
        a_time_limit_ends_the_program_with_the_reason
        sockets_carry_bytes
        work_that_blocks_does_not_block_others
        a_raw_coroutine_is_leaked
        a_panic_in_a_coroutine_aborts_with_its_message
    })
}
