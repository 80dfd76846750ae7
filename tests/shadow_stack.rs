//! On a thread with a shadow stack kettle makes no coroutine and says why: a switch would leave that stack
//! behind, and the next return would end the process.
//!
//! Few machines have one. So a child puts a filter before the system call that asks for it, and answers in
//! the kernel's place.

#![allow(unsafe_code, reason = "a filter of system calls")]

#[path = "support/child.rs"]
mod child;
#[path = "support/filter.rs"]
mod filter;
mod support;

use kettle::coroutine::Coroutine;
use kettle::runtime::Runtime;
use std::io;

#[cfg(target_arch = "x86_64")]
const ASKS: (libc::c_long, u32) = (libc::SYS_arch_prctl, 0x5005);
#[cfg(target_arch = "aarch64")]
const ASKS: (libc::c_long, u32) = (libc::SYS_prctl, 74);

/// Answers from now on, whenever a thread of this process asks, that it has a shadow stack. False where
/// there are no such filters.
fn pretend() -> bool {
    let mut steps = filter::filter(ASKS.0, 0, ASKS.1, libc::SECCOMP_RET_USER_NOTIF);
    let listener = filter::install(&mut steps, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if listener < 0 {
        return false;
    }
    std::thread::spawn(move || {
        // As <linux/seccomp.h> has them: _IOWR('!', 0, struct seccomp_notif) and 1 with its answer.
        let number = |n: u64, size: usize| 3 << 30 | (size as u64) << 16 | 0x21 << 8 | n;
        let receive = number(0, size_of::<libc::seccomp_notif>());
        let send = number(1, size_of::<libc::seccomp_notif_resp>());
        loop {
            // SAFETY: all zeroes is valid for both; the asking thread waits in the kernel, and its second
            // argument is where it wants the answer.
            unsafe {
                let mut asked: libc::seccomp_notif = std::mem::zeroed();
                let mut answer: libc::seccomp_notif_resp = std::mem::zeroed();
                if libc::ioctl(listener as i32, receive, &raw mut asked) != 0 {
                    return;
                }
                std::ptr::with_exposed_provenance_mut::<u64>(asked.data.args[1] as usize).write(1);
                answer.id = asked.id;
                libc::ioctl(listener as i32, send, &raw mut answer);
            }
        }
    });
    true
}

#[track_caller]
fn is_the_reason<T>(result: io::Result<T>) {
    let error = result.err().expect("it is refused");
    assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("shadow stack"), "{error}");
    assert!(error.to_string().contains("GLIBC_TUNABLES"), "{error}");
}

#[test]
fn a_thread_with_a_shadow_stack_gets_no_coroutine_and_the_reason() {
    if child::scenario().is_some() {
        if !pretend() {
            println!("skipped: nobody can answer in the kernel's place here");
            return;
        }
        is_the_reason(Coroutine::<(), (), ()>::with_stack_size(0, |_, ()| ()));
        is_the_reason(Runtime::builder().workers(1).build());
        is_the_reason(Runtime::builder().build_global());
        println!("refused");
        return;
    }
    let name = "a_thread_with_a_shadow_stack_gets_no_coroutine_and_the_reason";
    let output = child::child(name, "pretend").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    match said.lines().find(|line| line.starts_with("skipped")) {
        Some(line) => println!("{line}"),
        None => assert!(said.contains("refused"), "{said}"),
    }
}

#[test]
fn without_one_there_are_coroutines() {
    // As every machine is that these tests run on.
    let mut coroutine = Coroutine::<(), (), u32>::new(|_, ()| 42);
    assert!(matches!(coroutine.resume(()), kettle::coroutine::State::Returned(42)));
}
