//! What the children play.

use super::frames::{enormous_frame, limit, null_write, recurse, unprobed_frame};
use super::ignored::{self, Answer};
use super::sigsegv;
use kettle::coroutine::{Coroutine, State};
use kettle::thread::{self, Builder, JoinHandle};
use std::hint::black_box;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

const KIB: usize = 1024;

/// Plays the scenario, a name and its words. Returns where nothing ended the process.
pub(crate) fn play(scenario: &str) {
    let mut words: Vec<&str> = scenario.split(' ').collect();
    if let ["where-the-kernel", answer, ..] = words[..] {
        let wanted = match answer {
            "ignores" => Answer::Ignores,
            "refuses" => Answer::Refuses,
            _ => panic!("no such answer: {answer}"),
        };
        if !ignored::make(wanted) {
            println!("skipped: nothing here makes a kernel that {answer} guards");
            return;
        }
        words.drain(..2);
    }
    match words[..] {
        ["overflow", how, "named", size] => {
            let (how, size) = (how.to_string(), size.parse().unwrap());
            let whistler = Builder::new().name("whistler".to_string()).stack_size(size);
            whistler.spawn(move || overflow(&how, size)).unwrap().join().unwrap();
        }
        ["overflow", how, "unnamed", size] => {
            let (how, size) = (how.to_string(), size.parse().unwrap());
            let nobody = Builder::new().stack_size(size);
            nobody.spawn(move || overflow(&how, size)).unwrap().join().unwrap();
        }
        ["overflow", how, "raw", size] => {
            let size = size.parse().unwrap();
            overflow_raw(how, size);
        }
        ["overflow-on-a-foreign-thread"] => on_a_foreign_thread(|| overflow_raw("deep", 64 * KIB)),
        ["overflow-inside"] => {
            let whistler = Builder::new().name("whistler".to_string());
            whistler.spawn(|| overflow_raw("deep", 128 * KIB)).unwrap().join().unwrap();
        }
        ["main-overflow-without-kettle"] => drop(black_box(recurse(0))),
        ["main-overflow"] => {
            start();
            recurse(0);
        }
        ["thread-overflow"] => {
            start();
            let deep = std::thread::Builder::new().name("well".to_string());
            deep.spawn(|| recurse(0)).unwrap().join().unwrap();
        }
        ["overflow-among-many"] => overflow_among_many(),
        ["stray-write", place] => stray_write_into_a_guard(place),
        ["null-write", place] => null_write_at(place),
        ["null-write", place, "handled", how] => {
            sigsegv::install(how);
            null_write_at(place);
        }
        ["overflow", "handled", how] => {
            sigsegv::install(how);
            overflow_raw("deep", 64 * KIB);
        }
        ["sent", how] => {
            sigsegv::install(how);
            start();
            send_sigsegv();
        }
        ["repair", place] => {
            let page = sigsegv::install_repair();
            at(place, move || {
                // SAFETY: a page of ours that the handler makes writable.
                unsafe { page.load(Ordering::Relaxed).write_volatile(42) };
            });
            // SAFETY: as above.
            assert_eq!(unsafe { page.load(Ordering::Relaxed).read_volatile() }, 42);
            println!("repaired");
        }
        ["kind-of-guard"] => {
            let protected = thread::spawn(|| ignored::is_protected(limit())).join().unwrap();
            println!("{:?}, {}", ignored::answer(), if protected { "mprotect" } else { "marker" });
        }
        ["guard-budget"] => guard_budget(),
        ["address-space"] => address_space(),
        _ => panic!("no such scenario: {scenario}"),
    }
    println!("played to the end");
}

/// Has kettle start its workers and install its handler.
fn start() {
    thread::spawn(|| ()).join().unwrap();
}

fn overflow(how: &str, size: usize) {
    match how {
        "deep" => drop(black_box(recurse(0))),
        "enormous" => enormous_frame(),
        "over-a-page" => unprobed_frame(8 * KIB),
        // The documented length of the guard: 64 KiB from stacks of 256 KiB on, 16 KiB below.
        "over-most-of-the-guard" if size < 256 * KIB => unprobed_frame(16 * KIB - 64),
        "over-most-of-the-guard" => unprobed_frame(64 * KIB - 64),
        _ => panic!("no such overflow: {how}"),
    }
}

fn overflow_raw(how: &str, size: usize) {
    let how = how.to_string();
    let mut raw = Coroutine::with_stack_size(size, move |_, ()| overflow(&how, size)).unwrap();
    let _: State<(), ()> = raw.resume(());
}

/// As another process may, with nothing at fault here.
fn send_sigsegv() {
    // SAFETY: sends a signal to the calling thread.
    assert_eq!(unsafe { libc::raise(libc::SIGSEGV) }, 0);
}

/// Runs `f` on a thread that std knows nothing of: it has no alternate signal stack.
fn on_a_foreign_thread(f: fn()) {
    extern "C" fn call(f: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: the function that is passed below.
        unsafe { std::mem::transmute::<*mut libc::c_void, fn()>(f)() };
        std::ptr::null_mut()
    }
    let mut id = 0;
    // SAFETY: a thread that runs `call`, joined before this returns.
    unsafe {
        let error = libc::pthread_create(&mut id, std::ptr::null(), call, f as *mut libc::c_void);
        assert_eq!(error, 0);
        libc::pthread_join(id, std::ptr::null_mut());
    }
}

/// Runs `f` in a green thread, in a raw coroutine, or on a plain thread of a program that uses kettle.
fn at(place: &str, f: impl FnOnce() + Send + 'static) {
    start();
    match place {
        "green" => thread::spawn(f).join().unwrap(),
        "raw" => {
            let _: State<(), ()> = Coroutine::new(|_, ()| f()).resume(());
        }
        "thread" => std::thread::spawn(f).join().unwrap(),
        "main" => f(),
        _ => panic!("no such place: {place}"),
    }
}

fn null_write_at(place: &str) {
    at(place, null_write);
}

fn stray_write_into_a_guard(place: &str) {
    // As `limit` finds it, in a coroutine that is still there when its guard is written to.
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    drop(thread::spawn(|| {
        LIMIT.store(limit(), Ordering::Release);
        thread::park();
    }));
    until(|| LIMIT.load(Ordering::Acquire) != 0);
    at(place, || {
        let stray: *mut u64 =
            std::ptr::with_exposed_provenance_mut(LIMIT.load(Ordering::Acquire) - 8);
        // SAFETY: none: this must fault.
        unsafe { stray.write_volatile(1) };
    });
}

/// Lets other threads run until `condition` holds.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}

const NEIGHBOURS: usize = 1_000;
const WORDS: usize = 64;

/// What each neighbour keeps on its stack.
static KEPT: [AtomicPtr<usize>; NEIGHBOURS] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; NEIGHBOURS];

/// When the process is about to die, says whether all neighbours' memory is as they left it.
extern "C" fn inspect(_: libc::c_int) {
    let intact = KEPT.iter().enumerate().all(|(number, kept)| {
        let kept = kept.load(Ordering::Acquire);
        // SAFETY: the neighbours never return, so what they keep is there.
        (0..WORDS).all(|word| unsafe { kept.add(word).read_volatile() } == number)
    });
    let verdict: &[u8] = if intact { b"neighbours intact\n" } else { b"neighbours corrupted\n" };
    // SAFETY: writes a live slice.
    unsafe { libc::write(2, verdict.as_ptr().cast(), verdict.len()) };
}

fn overflow_among_many() {
    // SAFETY: `inspect` calls nothing that a handler must not.
    unsafe { libc::signal(libc::SIGABRT, inspect as *const () as usize) };
    let small = || Builder::new().stack_size(64 * KIB);
    for (number, kept) in KEPT.iter().enumerate() {
        let run = move || {
            let mut memory = [number; WORDS];
            kept.store(black_box(&mut memory).as_mut_ptr(), Ordering::Release);
            loop {
                thread::yield_now();
                assert_eq!(black_box(&memory), &[number; WORDS]);
            }
        };
        drop(small().spawn(run).unwrap());
    }
    until(|| KEPT.iter().all(|kept| !kept.load(Ordering::Acquire).is_null()));
    let culprit = small().name("culprit".to_string());
    culprit.spawn(|| black_box(recurse(0))).unwrap().join().unwrap();
}

/// Spawns `count` coroutines that park once they run; returns when each runs or has been refused.
fn spawn_parked(count: usize, stack_size: usize) -> (Vec<JoinHandle<usize>>, usize) {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let handles: Vec<_> = (0..count)
        .map(|number| {
            let park = move || {
                STARTED.fetch_add(1, Ordering::SeqCst);
                thread::park();
                number
            };
            Builder::new().stack_size(stack_size).spawn(park).unwrap()
        })
        .collect();
    let ended = || handles.iter().filter(|handle| handle.is_finished()).count();
    until(|| STARTED.load(Ordering::SeqCst) + ended() == count);
    (handles, STARTED.load(Ordering::SeqCst))
}

/// Joins them all: those that were refused say `reason`, the others go on and return their number.
/// What they have given back serves others of their size.
fn join_parked(handles: Vec<JoinHandle<usize>>, started: usize, size: usize, reason: &str) {
    let refused = handles.len() - started;
    println!("{started} started, {refused} were refused");
    assert!(started > 0 && refused > 0);
    let mut ended_well = 0;
    for (number, handle) in handles.into_iter().enumerate() {
        if !handle.is_finished() {
            handle.thread().unpark();
        }
        match handle.join() {
            Ok(value) => {
                assert_eq!(value, number);
                ended_well += 1;
            }
            Err(payload) => {
                let said = payload.downcast_ref::<String>().expect("a String");
                assert!(said.contains(reason), "{said}");
            }
        }
    }
    assert_eq!(ended_well, started);
    let next = Builder::new().stack_size(size).spawn(|| 42).unwrap();
    assert_eq!(next.join().unwrap(), 42);
}

fn guard_budget() {
    // Each guard costs two mappings: these are more than the limit allows, whatever else there is.
    let (handles, started) = spawn_parked(super::max_map_count() / 2, 64 * KIB);
    join_parked(handles, started, 64 * KIB, "vm.max_map_count");
}

fn address_space() {
    const LARGE: usize = 256 << 20;
    // So that nothing but the stacks needs much more.
    start();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let used = line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * KIB;
    let limit = (used + 10 * LARGE + LARGE / 2) as u64;
    let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    // SAFETY: sets a limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    if memmap2::MmapOptions::new().len(12 * LARGE).no_reserve_swap().map_anon().is_ok() {
        // An emulator needs address space of its own, and does as if.
        println!("skipped: RLIMIT_AS limits nothing here");
        return;
    }
    let (handles, started) = spawn_parked(30, LARGE);
    assert!(started <= 10);
    join_parked(handles, started, LARGE, "no address space");
}
