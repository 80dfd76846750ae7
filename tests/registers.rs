//! A switch keeps what the calling convention says a call keeps, and nothing of the OS thread that it
//! began on.
//!
//! The probe fills every callee-saved register with a pattern of its own, calls a function that
//! switches away, and reads the registers afterwards. The other side is in a probe too, with other
//! patterns: so it tramples all that this side relies on, and the other way round.
//!
//! Meant to be run in debug, in release and with fat LTO (`cargo test --profile lto`): what the compiler
//! keeps in which register, and what it inlines around the switch, differs in each.

#![allow(unsafe_code, reason = "a probe in assembly, and migration")]

#[cfg(target_arch = "aarch64")]
#[path = "registers/aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "registers/x86_64.rs"]
mod arch;

use arch::{DOWN, NAMES, UP, floating_point_control, set_floating_point_control};
use kettle::coroutine::{Coroutine, State};
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

type Registers = [u64; NAMES.len()];

const ROUNDS: u64 = 100;

unsafe extern "C" {
    /// Fills the registers from `patterns`, calls `function` with `argument`, and writes to `found`
    /// what the registers then hold.
    fn registers_probe(
        patterns: *const Registers,
        found: *mut Registers,
        function: unsafe extern "C" fn(*mut ()),
        argument: *mut (),
    );
}

/// What no other register of no other call holds.
fn fresh_patterns() -> Registers {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    std::array::from_fn(|index| (call << 16 | index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Calls `f` with every callee-saved register filled, and checks that they come back as they were. `f`
/// must not unwind, nor be dropped while it is suspended.
#[track_caller]
fn keeping_registers<F: FnOnce() -> T, T>(f: F) -> T {
    /// Where the closure lies before, and its value after.
    struct Call<F, T>(Option<F>, Option<T>);

    /// The switch is inlined here, where the registers hold the patterns.
    unsafe extern "C" fn run<F: FnOnce() -> T, T>(call: *mut ()) {
        // SAFETY: `keeping_registers` passes a `Call` of these types that nobody else uses.
        let call = unsafe { &mut *call.cast::<Call<F, T>>() };
        call.1 = call.0.take().map(|f| f());
    }

    let patterns = fresh_patterns();
    let mut found = [0; NAMES.len()];
    let mut call = Call(Some(f), None);
    // SAFETY: the arrays are as long as the probe's; `run` is given what it expects and does not
    // unwind, being `extern "C"`.
    unsafe { registers_probe(&patterns, &mut found, run::<F, T>, (&raw mut call).cast()) };
    for (index, name) in NAMES.iter().enumerate() {
        let (before, after) = (patterns[index], found[index]);
        assert_eq!(before, after, "{name} held {before:#x} before the switch, {after:#x} after it");
    }
    call.1.expect("the probe calls the function")
}

#[test]
fn a_suspend_and_a_resume_keep_both_sides_registers() {
    let mut coroutine = Coroutine::new(|suspender, first: u64| {
        let mut input = first;
        for round in 0..ROUNDS {
            assert_eq!(input, round * 3);
            input = keeping_registers(|| suspender.suspend(round));
        }
        input
    });
    for round in 0..ROUNDS {
        let state = keeping_registers(|| coroutine.resume(round * 3));
        assert_eq!(state, State::Yielded(round));
    }
    assert_eq!(keeping_registers(|| coroutine.resume(7)), State::Returned(7));
}

#[test]
fn a_switch_with_values_too_large_for_a_register_keeps_the_registers() {
    let mut coroutine = Coroutine::new(|suspender, first: [u64; 9]| {
        let mut input = first;
        for _ in 0..ROUNDS {
            input = keeping_registers(|| suspender.suspend(input.map(|word| word + 1)));
        }
        input
    });
    for round in 0..ROUNDS {
        let state = keeping_registers(|| coroutine.resume([round; 9]));
        assert_eq!(state, State::Yielded([round + 1; 9]));
    }
    assert_eq!(keeping_registers(|| coroutine.resume([7; 9])), State::Returned([7; 9]));
}

#[test]
fn a_resumer_keeps_its_registers_when_the_coroutine_panics_or_is_dropped() {
    for _ in 0..10 {
        let mut panics = Coroutine::new(|suspender, ()| {
            keeping_registers(|| suspender.suspend(()));
            std::panic::resume_unwind(Box::new(42))
        });
        let _: State<(), ()> = keeping_registers(|| panics.resume(()));
        let payload =
            keeping_registers(|| catch_unwind(AssertUnwindSafe(|| panics.resume(())))).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&42));

        let mut dropped = Coroutine::new(|suspender, ()| suspender.suspend(()));
        let _: State<(), ()> = keeping_registers(|| dropped.resume(()));
        keeping_registers(|| drop(dropped));
    }
}

/// Not the calling convention but the compiler's own use of registers: values that are live around a
/// switch that is inlined between them.
#[test]
fn values_that_are_live_around_an_inlined_switch_survive_it() {
    #[inline(always)]
    fn churn(mut switch: impl FnMut(), seed: u64) {
        let mut words: [u64; 16] = black_box(std::array::from_fn(|index| seed ^ index as u64));
        let mut numbers: [f64; 16] = black_box(std::array::from_fn(|index| index as f64));
        for _ in 0..ROUNDS {
            words.iter_mut().for_each(|word| *word = word.wrapping_mul(3).rotate_left(7));
            numbers.iter_mut().for_each(|number| *number += 1.5);
            switch();
        }
        for (index, word) in words.into_iter().enumerate() {
            let step = |word: u64, _| word.wrapping_mul(3).rotate_left(7);
            assert_eq!(word, (0..ROUNDS).fold(seed ^ index as u64, step));
        }
        for (index, number) in numbers.into_iter().enumerate() {
            assert_eq!(number, index as f64 + 1.5 * ROUNDS as f64);
        }
    }

    let mut coroutine = Coroutine::new(|suspender, ()| churn(|| suspender.suspend(()), 1));
    churn(|| assert_eq!(coroutine.resume(()), State::Yielded(())), 2);
    assert_eq!(coroutine.resume(()), State::Returned(()));

    let runtime = Runtime::builder().workers(1).build().unwrap();
    let green: Vec<_> =
        (0..4).map(|n| runtime.spawn(move || churn(thread::yield_now, n))).collect();
    green.into_iter().for_each(|green| green.join().unwrap());
}

#[test]
fn a_scheduled_yield_keeps_the_registers() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let turns = Arc::new(AtomicUsize::new(0));
    let pair = [0, 1].map(|side| {
        let turns = Arc::clone(&turns);
        runtime.spawn(move || {
            for round in 0..ROUNDS as usize {
                // Each waits for its turn, so that every round goes through the other's probe.
                while turns.load(Ordering::Relaxed) != 2 * round + side {
                    keeping_registers(thread::yield_now);
                }
                turns.fetch_add(1, Ordering::Relaxed);
                keeping_registers(thread::yield_now);
            }
        })
    });
    pair.into_iter().for_each(|side| side.join().unwrap());
    assert_eq!(turns.load(Ordering::Relaxed), 2 * ROUNDS as usize);
}

#[test]
fn parking_spawning_and_joining_keep_the_registers() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        for round in 0..ROUNDS {
            let this = thread::current();
            let other = keeping_registers(|| {
                thread::spawn(move || {
                    keeping_registers(thread::yield_now);
                    this.unpark();
                    round
                })
            });
            // Parked, with nothing else to run: by way of the worker's own stack, and back.
            keeping_registers(thread::park);
            // The other one ends meanwhile, and its stack is left for good.
            assert_eq!(keeping_registers(|| other.join()).unwrap(), round);
        }
    });
}

/// Documented: MXCSR, the x87 control word and FPCR are the thread's, and a switch leaves them as they are,
/// both ways.
#[test]
fn how_floating_point_rounds_is_the_threads_affair_and_no_coroutines() {
    let plain = floating_point_control();
    assert_eq!(plain & (UP | DOWN), 0, "a thread begins by rounding to the nearest");

    let mut coroutine = Coroutine::new(move |suspender, ()| {
        let at_first = floating_point_control();
        // SAFETY: as below.
        unsafe { set_floating_point_control(plain | DOWN) };
        suspender.suspend(at_first);
        floating_point_control()
    });
    // SAFETY: put back below; until then nothing computes.
    unsafe { set_floating_point_control(plain | UP) };
    let State::Yielded(inside) = coroutine.resume(()) else { panic!("it suspends first") };
    let outside = floating_point_control();
    // SAFETY: what it was.
    unsafe { set_floating_point_control(plain) };
    let State::Returned(later) = coroutine.resume(()) else { panic!("it ends then") };
    assert_eq!([inside, outside, later], [plain | UP, plain | DOWN, plain]);

    let runtime = Runtime::builder().workers(1).build().unwrap();
    let found = runtime.run(move || {
        let neighbour = thread::spawn(floating_point_control);
        // SAFETY: as above.
        unsafe { set_floating_point_control(plain | UP) };
        thread::yield_now();
        // SAFETY: what it was.
        unsafe { set_floating_point_control(plain) };
        neighbour.join().unwrap()
    });
    assert_eq!(found, plain | UP, "a scheduled switch leaves it alone too");
}

/// The OS thread, asked of the kernel each time: nothing that the compiler could keep.
fn os_thread() -> libc::pid_t {
    // SAFETY: no arguments, and it cannot fail.
    unsafe { libc::gettid() }
}

/// Makes the calling, migratable coroutine go on on another OS thread: again and again it leaves one
/// behind that blocks the thread where it runs, until it runs elsewhere.
#[inline(always)]
fn change_threads() {
    let before = os_thread();
    let moved = Arc::new(AtomicBool::new(false));
    while os_thread() == before {
        let moved = Arc::clone(&moved);
        drop(thread::spawn(move || {
            while os_thread() == before && !moved.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
        }));
        thread::yield_now();
    }
    moved.store(true, Ordering::Release);
}

/// Everything that asks who runs, before and after a change of threads in one function: whatever the
/// compiler kept of the first answer would be the other thread's.
fn stays_itself(hops: u32) {
    let this = thread::current();
    for hop in 0..hops {
        assert_eq!(thread::current().id(), this.id());
        change_threads();
        assert_eq!(thread::current().id(), this.id());
        assert_eq!(thread::current().name(), Some("migrant"));
        // On the worker where it is now, or these would wait behind the blocked thread's.
        assert_eq!(thread::spawn(move || hop).join().unwrap(), hop);
        let unparker = thread::current();
        drop(thread::spawn(move || unparker.unpark()));
        thread::park();
        assert_eq!(thread::current().id(), this.id());
    }
}

#[test]
fn a_coroutine_that_changes_threads_is_itself_on_each() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let builder = Builder::new().name("migrant".to_string());
    // SAFETY: nothing in `stays_itself` belongs to a thread: it holds atomics and kettle's handles.
    let builder = unsafe { builder.migratable() };
    builder.spawn_on(runtime.handle(), || stays_itself(50)).unwrap().join().unwrap();
}

#[test]
fn many_coroutines_that_change_threads_are_never_taken_for_another() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let coroutines: Vec<_> = (0..100)
        .map(|number| {
            let name = format!("migrant {number}");
            // SAFETY: as above; what it allocates is no thread's.
            let builder = unsafe { Builder::new().name(name.clone()).migratable() };
            let body = move || {
                let id = thread::current().id();
                for _ in 0..ROUNDS {
                    thread::yield_now();
                    assert_eq!(thread::current().id(), id);
                    assert_eq!(thread::current().name(), Some(&*name));
                }
            };
            builder.spawn_on(runtime.handle(), body).unwrap()
        })
        .collect();
    coroutines.into_iter().for_each(|coroutine| coroutine.join().unwrap());
}

#[test]
fn the_current_task_is_its_own_after_each_yield() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    let coroutines: Vec<_> = (0..20)
        .map(|_| {
            runtime.spawn(|| {
                let id = thread::current().id();
                for _ in 0..ROUNDS {
                    // In one function, so that an answer could be kept if it were not read afresh.
                    assert_eq!(thread::current().id(), id);
                    thread::yield_now();
                    assert_eq!(thread::current().id(), id);
                }
                id
            })
        })
        .collect();
    let ids: std::collections::HashSet<_> =
        coroutines.into_iter().map(|coroutine| coroutine.join().unwrap()).collect();
    assert_eq!(ids.len(), 20);
}
