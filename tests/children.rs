//! Child processes: what they say, how they end, and who waits meanwhile.

#[path = "support/child.rs"]
mod child;
#[path = "support/coroutines.rs"]
mod coroutines;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use coroutines::workers;
use kettle::process::{Child, Command, ExitStatus, Stdio};
use kettle::thread::{self, Cancelled};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// A child that lives until its standard input ends, and echoes that.
fn cat() -> Child {
    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_childs_end_is_told_as_std_tells_it() {
    workers(1).run(|| {
        assert_eq!(shell("exit 3").status().unwrap().code(), Some(3));
        assert!(shell("true").status().unwrap().success());
        assert_eq!(shell("kill -TERM $$").status().unwrap().signal(), Some(libc::SIGTERM));
        // An emulator may start a process first and find out then.
        if std::process::Command::new("/no/such/program").spawn().is_ok() {
            println!("skipped: starting what is not there is no error here, for std neither");
        } else {
            let error = Command::new("/no/such/program").spawn().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        let error = Command::new("a\0b").status().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_child_is_waited_for_again_and_killed_as_with_std() {
    workers(1).run(|| {
        let mut child = cat();
        assert!(child.id() > 0);
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(libc::SIGKILL));
        assert_eq!(child.wait().unwrap(), status);
        assert_eq!(child.try_wait().unwrap(), Some(status));
        child.kill().unwrap();
    });
}

#[test]
fn waiting_closes_the_childs_input() {
    workers(1).run(|| {
        let mut child = cat();
        assert!(child.wait().unwrap().success());
        assert!(child.stdin.is_none());
    });
}

#[test]
fn neighbours_go_on_while_children_are_waited_for() {
    workers(1).run(|| {
        let ended = Arc::new(AtomicUsize::new(0));
        let (inputs, waiters): (Vec<_>, Vec<_>) = (0..20)
            .map(|_| {
                let mut child = cat();
                let ended = Arc::clone(&ended);
                let input = child.stdin.take().unwrap();
                let waiter = thread::spawn(move || {
                    let status = child.wait().unwrap();
                    ended.fetch_add(1, Ordering::SeqCst);
                    status
                });
                (input, waiter)
            })
            .unzip();
        thread::yield_now();
        assert_eq!(ended.load(Ordering::SeqCst), 0);
        drop(inputs);
        assert!(waiters.into_iter().all(|one| one.join().unwrap().success()));
    });
}

#[test]
fn much_goes_in_and_comes_out_at_the_same_time() {
    workers(1).run(|| {
        let mut child = cat();
        let mut input = child.stdin.take().unwrap();
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
        let sent = bytes.clone();
        let writer = thread::spawn(move || input.write_all(&sent).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, bytes);
    });
}

const BOTH: &str = "head -c 300000 /dev/zero >&2; head -c 400000 /dev/zero; exit 5";

#[test]
fn both_outputs_are_read_at_the_same_time() {
    let check = || {
        let output = shell(BOTH).output().unwrap();
        assert_eq!(output.status.code(), Some(5));
        assert_eq!((output.stdout.len(), output.stderr.len()), (400_000, 300_000));
    };
    workers(1).run(check);
    workers(4).run(check);
    check();
}

#[test]
fn output_captures_what_was_not_said_to_go_elsewhere() {
    workers(1).run(|| {
        // Standard input is empty unless it is said to be something.
        let mut command = shell("cat; echo out; echo err >&2");
        for _ in 0..2 {
            let output = command.output().unwrap();
            assert_eq!((&*output.stdout, &*output.stderr), (&b"out\n"[..], &b"err\n"[..]));
        }
        let output = command.stdout(Stdio::null()).output().unwrap();
        assert_eq!((&*output.stdout, &*output.stderr), (&b""[..], &b"err\n"[..]));
        // What `output` was told by itself is forgotten: these streams are inherited again.
        let child = shell("true").spawn().unwrap();
        assert!(child.stdin.is_none() && child.stdout.is_none() && child.stderr.is_none());
        child.wait_with_output().unwrap();
    });
}

#[test]
fn one_childs_output_is_anothers_input() {
    workers(1).run(|| {
        let first = shell("sleep 0.05; echo polly").stdout(Stdio::piped()).spawn();
        let mut first = first.unwrap();
        // `cat` would complain of a pipe that is non-blocking.
        let output = Command::new("cat").stdin(first.stdout.take().unwrap()).output().unwrap();
        assert_eq!(output.stdout, b"polly\n");
        assert!(first.wait().unwrap().success());
        let (reader, writer) = kettle::io::pipe().unwrap();
        let mut child = shell("sleep 0.05; echo put").stdout(writer).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).unwrap();
        assert_eq!(line, "put\n");
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn streams_turn_into_descriptors_that_wait_and_back() {
    workers(1).run(|| {
        let mut child = cat();
        let input: OwnedFd = child.stdin.take().unwrap().into();
        let output: OwnedFd = child.stdout.take().unwrap().into();
        // SAFETY: asks for the flags of a descriptor that is open.
        let flags = |fd: &OwnedFd| unsafe {
            libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(fd), libc::F_GETFL)
        };
        assert_eq!(flags(&input) & libc::O_NONBLOCK, 0);
        assert_eq!(flags(&output) & libc::O_NONBLOCK, 0);
        // Back again, their flags are others' business; they are waited for all the same.
        let mut input = kettle::process::ChildStdin::from(input);
        let output = kettle::process::ChildStdout::from(output);
        let reader = thread::spawn(move || {
            let mut lines = BufReader::new(output).lines();
            let line = lines.next().unwrap().unwrap();
            assert!(lines.next().is_none());
            line
        });
        thread::yield_now();
        (&input).write_all(b"on\n").unwrap();
        input.flush().unwrap();
        drop(input);
        assert_eq!(reader.join().unwrap(), "on");
        child.wait().unwrap();
    });
}

#[test]
fn what_is_said_of_the_child_is_so() {
    workers(1).run(|| {
        let mut command = shell("echo $0 $KETTLE_A $KETTLE_B; pwd");
        command.env_clear().env("KETTLE_A", "a").envs([("KETTLE_B", "b"), ("KETTLE_C", "c")]);
        command.env_remove("KETTLE_C").current_dir("/").arg0("kettle-sh").arg("pot");
        // SAFETY: does nothing.
        unsafe { command.pre_exec(|| Ok(())) };
        assert_eq!(command.get_program(), "sh");
        assert_eq!(command.get_args().len(), 3);
        assert_eq!(command.get_envs().count(), 2);
        assert_eq!(command.get_current_dir(), Some("/".as_ref()));
        assert!(format!("{command:?}").contains("sh"));
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "pot a b\n/\n");
        // SAFETY: only returns an error.
        let refuses = unsafe { command.pre_exec(|| Err(ErrorKind::Other.into())) };
        assert!(refuses.spawn().is_err());
    });
}

#[test]
fn a_cancelled_wait_leaves_a_child_that_can_be_waited_for() {
    workers(1).run(|| {
        let begun = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&begun);
        let coroutine = thread::spawn(move || -> ExitStatus {
            let mut child = cat();
            let _input = child.stdin.take();
            begun.store(1, Ordering::SeqCst);
            let payload = catch_unwind(AssertUnwindSafe(|| child.wait())).unwrap_err();
            assert!(payload.is::<Cancelled>());
            let _mask = thread::mask_cancellation();
            assert_eq!(child.try_wait().unwrap(), None);
            child.kill().unwrap();
            child.wait().unwrap()
        });
        while seen.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        coroutine.cancel().unwrap();
        assert_eq!(coroutine.join().unwrap().signal(), Some(libc::SIGKILL));
    });
}

#[test]
fn a_cancelled_read_ends_while_the_child_says_nothing() {
    workers(1).run(|| {
        let mut child = cat();
        let mut output = child.stdout.take().unwrap();
        let reader = thread::spawn(move || output.read(&mut [0]).unwrap());
        thread::yield_now();
        reader.cancel().unwrap();
        assert!(reader.join().unwrap_err().is::<Cancelled>());
        child.wait().unwrap();
    });
}

#[test]
fn many_children_on_many_workers() {
    let runtime = workers(3);
    let all: Vec<_> = (0..60)
        .map(|n| {
            runtime.spawn(move || {
                let mut child = cat();
                let mut input = child.stdin.take().unwrap();
                let line = format!("child {n}");
                input.write_all(line.as_bytes()).unwrap();
                drop(input);
                let output = child.wait_with_output().unwrap();
                assert_eq!(output.stdout, line.as_bytes());
            })
        })
        .collect();
    all.into_iter().for_each(|one| one.join().unwrap());
}

/// How many of this process's threads bear this name.
fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok())
        .filter(|comm| comm.trim() == name)
        .count()
}

#[test]
fn waiting_holds_no_thread_and_leaves_no_descriptor_and_no_zombie() {
    const TEST: &str = "waiting_holds_no_thread_and_leaves_no_descriptor_and_no_zombie";
    if child::scenario().is_none() {
        let output = child::child(TEST, TEST).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let runtime = workers(2);
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let children = || {
        let path = format!("/proc/self/task/{}/children", std::process::id());
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let round = || {
        let all: Vec<_> = (0..30).map(|_| runtime.run(cat)).collect();
        let (inputs, waiters): (Vec<_>, Vec<_>) = all
            .into_iter()
            .map(|mut child| {
                let input = child.stdin.take().unwrap();
                (input, runtime.spawn(move || child.wait_with_output().unwrap()))
            })
            .unzip();
        assert_eq!(threads_named("kettle-unblock"), 0);
        assert!(threads_named("kettle-starter") <= 4);
        drop(inputs);
        waiters.into_iter().for_each(|one| assert!(one.join().unwrap().status.success()));
    };
    round();
    let before = descriptors();
    for _ in 0..5 {
        round();
    }
    // A worker that waits for the first time takes two for itself; each round would leave thirty.
    assert!(descriptors() <= before + 4, "{before} before, {} after", descriptors());
    assert_eq!(children(), "");
    // SAFETY: waits for nothing, and finds that there is no child left.
    let left = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
    assert_eq!((left, std::io::Error::last_os_error().raw_os_error()), (-1, Some(libc::ECHILD)));
    std::process::exit(0);
}

#[test]
fn on_a_plain_thread_it_works_as_well() {
    let mut child = cat();
    child.stdin.take().unwrap().write_all(b"hot").unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hot");
    assert!(child.wait().unwrap().success());
    assert_eq!(shell("exit 4").status().unwrap().code(), Some(4));
}
