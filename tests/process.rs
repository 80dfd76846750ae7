//! What concerns the whole process. Each scenario is a child: this program again, told by a variable
//! which scenario to play.

#[allow(dead_code, reason = "each program uses a part")]
mod support;

use kettle::runtime::Runtime;
use kettle::thread;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SCENARIO: &str = "KETTLE_TEST_SCENARIO";

/// In the parent runs `test` again as a child and returns what it said; in the child plays `scenario`
/// and does not return.
fn in_a_child(test: &str, scenario: fn()) -> Output {
    if std::env::var(SCENARIO).is_ok_and(|name| name == test) {
        scenario();
        // As the end of `main` does it.
        std::process::exit(0);
    }
    let output = support::this_program()
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(SCENARIO, test)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

#[test]
fn at_the_end_of_main_the_default_runtimes_coroutines_die() {
    in_a_child("at_the_end_of_main_the_default_runtimes_coroutines_die", || {
        drop(thread::spawn(thread::park));
        drop(thread::spawn(|| {
            loop {
                thread::yield_now();
            }
        }));
    });
}

#[test]
fn the_default_runtime_is_configured_once_and_before_it_starts() {
    in_a_child("the_default_runtime_is_configured_once_and_before_it_starts", || {
        Runtime::builder().workers(3).worker_name("pot").build_global().unwrap();
        let name = kettle::run(|| std::thread::current().name().map(str::to_string));
        assert!(name.unwrap().starts_with("pot-"));
        let error = Runtime::builder().build_global().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("before the first spawn"), "{error}");
    });
}

#[test]
fn a_panic_is_reported_by_std_and_then_with_the_coroutines_name() {
    let output = in_a_child("a_panic_is_reported_by_std_and_then_with_the_coroutines_name", || {
        let named = thread::Builder::new().name("whistler".into());
        named.spawn(|| panic!("steam")).unwrap().join().unwrap_err();
        thread::spawn(|| panic!("more steam")).join().unwrap_err();
    });
    let said = String::from_utf8(output.stderr).unwrap();
    let position = |text: &str| said.find(text).unwrap_or_else(|| panic!("no {text:?} in {said}"));
    assert!(position("steam") < position("coroutine 'whistler' panicked"), "{said}");
    assert!(position("more steam") < position("coroutine '<unnamed>' ("), "{said}");
}

/// The CPU time that this process has used.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to `time`.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn parked_coroutines_use_no_cpu() {
    in_a_child("parked_coroutines_use_no_cpu", || {
        const COUNT: usize = 20_000;
        let runtime = Runtime::builder().workers(2).stack_size(64 * 1024).build().unwrap();
        let parked = Arc::new(AtomicUsize::new(0));
        let all: Vec<_> = runtime.run(|| {
            let spawn = |_| {
                let parked = Arc::clone(&parked);
                thread::spawn(move || {
                    parked.fetch_add(1, Ordering::SeqCst);
                    thread::park();
                })
            };
            (0..COUNT).map(spawn).collect()
        });
        while parked.load(Ordering::SeqCst) < COUNT {
            std::thread::yield_now();
        }
        // Until it has come to rest, and then for as long as it takes to be sure. This measures CPU
        // time used while nothing is to be done, which is none, however slow the machine is.
        let begin = Instant::now();
        let mut before = cpu_time();
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let now = cpu_time();
            // Less than a hundredth of one core, this process's own sleeping included.
            if now - before < Duration::from_millis(2) {
                break;
            }
            before = now;
            assert!(begin.elapsed() < Duration::from_secs(20), "it never rests");
        }
        all.iter().for_each(|one| one.thread().unpark());
        all.into_iter().for_each(|one| one.join().unwrap());
    });
}

#[test]
fn a_child_process_gets_its_signals() {
    in_a_child("a_child_process_gets_its_signals", || {
        // A child inherits the signal mask of the thread that starts it: were signals blocked on the
        // workers, nobody could terminate what was started from a coroutine.
        let status = kettle::run(|| {
            Command::new("sh").args(["-c", "kill -TERM $$; exit 3"]).status().unwrap()
        });
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(status.signal(), Some(libc::SIGTERM));
    });
}

#[test]
fn runtimes_come_and_go_without_a_trace() {
    in_a_child("runtimes_come_and_go_without_a_trace", || {
        let count = |path: &str| std::fs::read_dir(path).unwrap().count();
        let once = || {
            let runtime = Runtime::builder().workers(2).build().unwrap();
            let all: Vec<_> = (0..100).map(|n| runtime.spawn(move || n)).collect();
            assert_eq!(all.into_iter().map(|one| one.join().unwrap()).sum::<i32>(), 4_950);
        };
        once();
        let maps = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        let before = (count("/proc/self/fd"), count("/proc/self/task"), maps());
        for _ in 0..100 {
            once();
        }
        assert_eq!(count("/proc/self/fd"), before.0);
        // A thread that was joined has let go of its memory, but the kernel may not have taken it off
        // its list yet.
        let began = Instant::now();
        while count("/proc/self/task") > before.1 && began.elapsed() < Duration::from_secs(30) {
            std::thread::yield_now();
        }
        assert!(count("/proc/self/task") <= before.1, "threads were left behind");
        // Allocator arenas and cached thread stacks may come, and guards by `mprotect` for a few stacks
        // more; what two hundred workers would leave behind, two mappings each at the least, may not.
        assert!(maps() < before.2 + 200, "{} mappings before, {} after", before.2, maps());
    });
}
