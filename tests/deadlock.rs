//! A runtime none of whose coroutines can go on says so, as long as nobody else could wake one.
//!
//! Without libtest, whose main thread waits for the tests: to whoever looks it might wake somebody.

use kettle::runtime::{OnDeadlock, Runtime};
use kettle::thread::{self, Builder};
use kettle::time::Duration;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, Output};
use std::sync::Arc;

#[path = "support/child.rs"]
mod child;
#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/harness.rs"]
mod harness;
mod support;

fn runtime(workers: usize, action: OnDeadlock) -> Runtime {
    Runtime::builder().workers(workers).on_deadlock(action).build().unwrap()
}

/// Two coroutines, each of which holds the mutex that the other one wants.
fn embrace(runtime: &Runtime) {
    let (first, second) = (kettle::sync::Mutex::new(()), kettle::sync::Mutex::new(()));
    let locks = Arc::new([first, second]);
    let both = Arc::new(kettle::sync::Barrier::new(2));
    let all: Vec<_> = [(0, "polly"), (1, "suki")]
        .map(|(mine, name)| {
            let (locks, both) = (Arc::clone(&locks), Arc::clone(&both));
            let body = move || {
                let _mine = locks[mine].lock().unwrap();
                both.wait();
                let _other = locks[1 - mine].lock().unwrap();
            };
            Builder::new().name(name.to_string()).spawn_on(runtime.handle(), body).unwrap()
        })
        .into();
    all.into_iter().for_each(|one| one.join().unwrap());
}

fn play(name: &str) -> Output {
    child::child(name, "play").output().unwrap()
}

fn two_that_wait_for_each_other_are_named_with_what_and_where() {
    if child::scenario().is_some() {
        embrace(&runtime(2, OnDeadlock::Abort));
        return;
    }
    if foreign::has_foreign_threads() {
        return;
    }
    let output = play("two_that_wait_for_each_other_are_named_with_what_and_where");
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("deadlock: 2 coroutines wait, and nobody is left"), "{said}");
    assert!(said.contains("in a circle, each for the next: ThreadId("), "{said}");
    for name in ["polly", "suki"] {
        let line = said.lines().position(|line| line.contains(&format!("'{name}'"))).unwrap();
        let lines: Vec<_> = said.lines().skip(line).take(3).collect();
        assert!(lines[0].contains("waiting for a mutex, for some 0."), "{said}");
        // An optimised build without debug information knows no more than that it does not know.
        let place = if cfg!(debug_assertions) { "tests/deadlock.rs" } else { "      " };
        assert!(lines[1].contains(place), "{said}");
    }
}

/// To say where it is it runs for a moment, and then waits as before: a signal's handler wakes it in the end.
fn who_was_asked_goes_on_waiting_as_if_nothing_had_been() {
    if child::scenario().is_some() {
        let runtime = runtime(1, OnDeadlock::Report);
        let parked = runtime.spawn(|| {
            thread::park();
            7
        });
        // For ever, were it not for the report, which the parent sees and answers with a signal.
        install_waker(parked.thread().clone());
        assert_eq!(parked.join().unwrap(), 7);
        println!("went on");
        return;
    }
    use std::io::{BufRead, BufReader, Read};
    if foreign::has_foreign_threads() {
        return;
    }
    let mut child = child::child("who_was_asked_goes_on_waiting_as_if_nothing_had_been", "play")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.by_ref().any(|line| line.unwrap().contains("'<unnamed>'")), "no report");
    // SAFETY: sends a signal to a child that has not been waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGUSR1) };
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success() && said.contains("went on"), "{said}");
}

/// What wakes a coroutine when SIGUSR1 comes: unpark, from the handler. That is more than a handler may do in
/// general; here every thread of the process waits, so no lock is held.
fn install_waker(thread: thread::Thread) {
    use std::sync::OnceLock;
    static THREAD: OnceLock<thread::Thread> = OnceLock::new();
    extern "C" fn wake(_: i32) {
        THREAD.get().unwrap().unpark();
    }
    assert!(THREAD.set(thread).is_ok());
    // SAFETY: a handler that does what is said above.
    unsafe { libc::signal(libc::SIGUSR1, wake as *const () as usize) };
}

fn nothing_is_said_while_somebody_might_still_wake_one() {
    if child::scenario().is_some() {
        // A thread that sleeps, a timer, a descriptor, work on the pool: each in a runtime of its own.
        let parked = runtime(1, OnDeadlock::Abort);
        let one = parked.spawn(thread::park);
        std::thread::sleep(Duration::from_millis(300));
        one.thread().unpark();
        one.join().unwrap();

        runtime(2, OnDeadlock::Abort).run(|| {
            let sleeper = thread::spawn(|| thread::sleep(Duration::from_millis(300)));
            sleeper.join().unwrap();
        });
        runtime(2, OnDeadlock::Abort).run(|| {
            kettle::unblock(|| std::thread::sleep(Duration::from_millis(300)));
        });
        runtime(2, OnDeadlock::Abort).run(|| {
            let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
            let mut ours = kettle::os::unix::net::UnixStream::from(ours);
            let waker = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                drop(theirs);
            });
            assert_eq!(std::io::Read::read(&mut ours, &mut [0]).unwrap(), 0);
            waker.join().unwrap();
        });
        return;
    }
    let output = play("nothing_is_said_while_somebody_might_still_wake_one");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

fn a_runtime_that_is_to_ignore_it_does() {
    if child::scenario().is_some() {
        // SAFETY: sets the timer of this process, whose signal ends it.
        unsafe { libc::alarm(1) };
        embrace(&runtime(2, OnDeadlock::Ignore));
        return;
    }
    let output = play("a_runtime_that_is_to_ignore_it_does");
    assert_eq!(output.status.signal(), Some(libc::SIGALRM), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

macro_rules! tests {
    ($($name:ident)*) => {
        vec![$((stringify!($name).to_string(), Box::new($name) as _)),*]
    };
}

fn main() -> ExitCode {
    harness::run(tests! {
        two_that_wait_for_each_other_are_named_with_what_and_where
        who_was_asked_goes_on_waiting_as_if_nothing_had_been
        nothing_is_said_while_somebody_might_still_wake_one
        a_runtime_that_is_to_ignore_it_does
    })
}
