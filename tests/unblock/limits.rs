//! Where threads cannot be started, and what concerns the whole process.

use super::{Gate, child, join_all, os_thread, pool, scoped, workers};
use kettle::runtime::Runtime;
use kettle::{thread, unblock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

/// A stack that no address space has room for: every thread of such a pool fails to start.
const NO_SUCH_STACK: usize = 1 << 50;

#[test]
fn where_no_thread_can_be_started_the_job_runs_in_place() {
    let own = unblock::Builder::new().stack_size(NO_SUCH_STACK).build().unwrap();
    workers(1).run(|| {
        let here = os_thread();
        assert_eq!(own.run(os_thread), here);
        let payload = catch_unwind(AssertUnwindSafe(|| own.run(|| panic!("dry")))).unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "dry");
    });
    assert_eq!(own.threads(), 0);
}

#[test]
fn who_queues_for_a_thread_that_cannot_be_started_is_not_forgotten() {
    // One thread at most: while somebody tries to start it, the others queue.
    let own =
        Arc::new(unblock::Builder::new().threads(1).stack_size(NO_SUCH_STACK).build().unwrap());
    let runtime = workers(4);
    let all = (0..64)
        .map(|_| {
            let own = Arc::clone(&own);
            runtime.spawn(move || (0..100_u64).map(|n| own.run(|| n)).sum::<u64>())
        })
        .collect();
    assert_eq!(join_all(all), [4_950; 64]);
}

/// In the parent runs `test` again as a child; in the child plays `scenario` and does not return.
fn in_a_child(test: &str, scenario: fn()) {
    if child::scenario().is_some() {
        scenario();
        std::process::exit(0);
    }
    let output = child::child(test, test).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().filter(|line| line.starts_with("skipped:")).for_each(|line| println!("{line}"));
}

#[test]
fn where_another_thread_cannot_be_started_the_job_waits_for_one_that_there_is() {
    in_a_child(
        "limits::where_another_thread_cannot_be_started_the_job_waits_for_one_that_there_is",
        || {
            let own = unblock::Builder::new().stack_size(1 << 30).build().unwrap();
            let gate = Gate::default();
            let only = Mutex::new(None);
            workers(1).run(|| {
                let starts = |n: usize| {
                    own.run(|| {
                        let before = *only.lock().unwrap();
                        match n {
                            0 => {
                                *only.lock().unwrap() = Some(os_thread());
                                gate.pass();
                            }
                            _ => assert_eq!(before, Some(os_thread())),
                        }
                    });
                };
                scoped(1, starts, || {
                    while only.lock().unwrap().is_none() {
                        thread::yield_now();
                    }
                    // No room for another stack of a gigabyte.
                    let limit = libc::rlimit { rlim_cur: 1 << 29, rlim_max: libc::RLIM_INFINITY };
                    // SAFETY: a limit of this process.
                    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
                    if std::thread::Builder::new().stack_size(1 << 30).spawn(|| ()).is_ok() {
                        // An emulator needs address space of its own, and does as if.
                        println!("skipped: RLIMIT_AS limits nothing here");
                        std::process::exit(0);
                    }
                    scoped(
                        3,
                        |n| starts(n + 1),
                        || {
                            assert_eq!(own.threads(), 1);
                            gate.open();
                        },
                    );
                });
            });
        },
    );
}

#[test]
fn at_the_end_of_main_jobs_under_way_end_with_the_process() {
    in_a_child("limits::at_the_end_of_main_jobs_under_way_end_with_the_process", || {
        let (sender, receiver) = mpsc::channel::<()>();
        drop(thread::spawn(move || {
            kettle::unblock(move || {
                drop(sender);
                loop {
                    std::thread::park();
                }
            });
        }));
        assert!(receiver.recv().is_err());
    });
}

#[test]
fn the_process_s_pool_is_shaped_once_and_before_it_is_used() {
    in_a_child("limits::the_process_s_pool_is_shaped_once_and_before_it_is_used", || {
        unblock::Builder::new().threads(2).name("cauldron").build_global().unwrap();
        let name =
            kettle::run(|| kettle::unblock(|| std::thread::current().name().map(str::to_string)));
        assert_eq!(name.as_deref(), Some("cauldron"));
        let error = unblock::Builder::new().build_global().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("before the first `unblock`"), "{error}");
    });
}

#[test]
fn pools_come_and_go_without_a_trace() {
    in_a_child("limits::pools_come_and_go_without_a_trace", || {
        let count = |path: &str| std::fs::read_dir(path).unwrap().count();
        let once = || {
            let own = Arc::new(pool(3));
            let runtime = workers(2);
            let all = (0..30)
                .map(|n| {
                    let own = Arc::clone(&own);
                    runtime.spawn(move || own.run(|| n))
                })
                .collect();
            assert_eq!(join_all(all).into_iter().sum::<u32>(), 435);
        };
        once();
        let before = (count("/proc/self/fd"), count("/proc/self/task"));
        for _ in 0..100 {
            once();
        }
        assert_eq!(count("/proc/self/fd"), before.0);
        // A thread that has left may stand on the kernel's list for a moment more; the alarm of the
        // child ends this if it is more than a moment.
        while count("/proc/self/task") > before.1 {
            std::thread::yield_now();
        }
    });
}

#[test]
fn in_a_forked_process_it_runs_in_place() {
    in_a_child("limits::in_a_forked_process_it_runs_in_place", || {
        let status = workers(1).run(|| {
            // The pool has a thread, which the fork does not take along.
            kettle::unblock(|| ());
            // SAFETY: the child only does what is tested, and ends.
            match unsafe { libc::fork() } {
                0 => {
                    // SAFETY: a timer that ends this process if it hangs.
                    unsafe { libc::alarm(30) };
                    let here = os_thread();
                    let same = kettle::unblock(os_thread) == here;
                    // SAFETY: ends the process.
                    unsafe { libc::_exit(if same { 7 } else { 8 }) }
                }
                child => {
                    let mut status = 0;
                    // SAFETY: waits for the child, which ends.
                    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
                    status
                }
            }
        });
        assert_eq!(libc::WEXITSTATUS(status), 7, "{status}");
    });
}

#[test]
fn names_are_resolved_on_the_pool_and_addresses_are_not() {
    in_a_child("limits::names_are_resolved_on_the_pool_and_addresses_are_not", || {
        use kettle::net::ToSocketAddrs;

        let on_the_pool = || {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            let comm = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm"));
            tasks
                .filter_map(|task| comm(task.unwrap()).ok())
                .any(|it| it.trim() == "kettle-unblock")
        };
        workers(1).run(|| {
            assert_eq!("127.0.0.1:80".to_socket_addrs().unwrap().next().unwrap().port(), 80);
            assert!(!on_the_pool());
            let addresses: Vec<_> = ("localhost", 80).to_socket_addrs().unwrap().collect();
            assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
            assert!(!addresses.is_empty());
            assert!(on_the_pool());
        });
    });
}

#[test]
fn threads_that_wait_use_no_cpu() {
    in_a_child("limits::threads_that_wait_use_no_cpu", || {
        /// The CPU time that this process has used.
        fn cpu_time() -> Duration {
            let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: writes to `time`.
            let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
            assert_eq!(result, 0);
            Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
        }

        let own = pool(16);
        let runtime = workers(1);
        let together = Barrier::new(16);
        runtime.run(|| scoped(16, |_| own.run(|| _ = together.wait()), || ()));
        assert_eq!(own.threads(), 16);
        // Until all have come to rest, however slow the machine is: then there is a while in which less than
        // a hundredth of a core is used. The alarm of the child ends this if they never rest.
        let mut before = cpu_time();
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let now = cpu_time();
            if now - before < Duration::from_millis(2) {
                break;
            }
            before = now;
        }
        assert_eq!(own.threads(), 16);
    });
}

#[test]
fn beside_pinned_workers_the_pools_threads_and_children_run_anywhere() {
    in_a_child("limits::beside_pinned_workers_the_pools_threads_and_children_run_anywhere", || {
        fn cores(status: &str) -> String {
            let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            cores.unwrap().trim().to_string()
        }

        let own = || cores(&std::fs::read_to_string("/proc/thread-self/status").unwrap());
        let everywhere = own();
        Runtime::builder().workers(2).pin_to_cores(true).build().unwrap().run(|| {
            assert!(own().parse::<usize>().is_ok(), "one core alone");
            assert_eq!(kettle::unblock(own), everywhere);
            let output = kettle::process::Command::new("cat").arg("/proc/self/status").output();
            assert_eq!(cores(&String::from_utf8(output.unwrap().stdout).unwrap()), everywhere);
        });
    });
}
