//! A million coroutines alive at once, each parked on a guarded stack of its own.
//!
//! ```text
//! cargo run --release --example million
//! cargo run --release --example million -- --count 100000 --depth 20000 --json
//! ```
//!
//! Each coroutine runs, counts itself and parks ([`settle`]). When all of them are parked at once the
//! program says what that took; then it wakes every one and joins it ([`keep_kettles`]). Those two
//! functions are the demo, in the words of `std::thread`. The rest is options, a progress bar, a table,
//! and an eye on the memory, so that a machine that is too small hears about it from here and not from
//! the kernel's out-of-memory killer.

#[path = "million/memory.rs"]
mod memory;
#[path = "million/options.rs"]
mod options;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use kettle::{runtime::Runtime, thread};
use options::Options;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{fs, io};

/// What is left for everybody else: below this the kernel may soon start to kill.
const MEMORY_RESERVE: u64 = 512 << 20;

/// Set when there is not enough memory: nobody settles any more.
static STOP: AtomicBool = AtomicBool::new(false);

/// How many coroutines have been asked for, once that is known.
static SPAWNED: AtomicUsize = AtomicUsize::new(usize::MAX);

/// How many of those did not settle, because they were told to stop or had no stack.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

/// The workers' counters, one each.
static COUNTERS: Mutex<Vec<&Counter>> = Mutex::new(Vec::new());

thread_local! {
    /// This worker's counter. A coroutine stays on the worker that it has started on, so it may use
    /// what belongs to that thread; were there one counter for all, the workers would fight over it.
    static COUNTER: &'static Counter = {
        let counter: &Counter = Box::leak(Box::default());
        COUNTERS.lock().unwrap().push(counter);
        counter
    };
}

/// Aligned so that no two share a cache line.
#[derive(Default)]
#[repr(align(128))]
struct Counter {
    parked: AtomicUsize,
    woken: AtomicUsize,
}

fn total(count: fn(&Counter) -> &AtomicUsize) -> usize {
    COUNTERS.lock().unwrap().iter().map(|counter| count(counter).load(Relaxed)).sum()
}

/// What one coroutine does. Says whether it has been parked with the others.
fn settle(unsettled: Unsettled, number: usize, options: &Options) -> bool {
    if STOP.load(Relaxed) {
        return false;
    }
    // It counts itself as parked from here on, and no longer as refused.
    std::mem::forget(unsettled);
    if options.format {
        black_box(format!("kettle number {number} is on the boil"));
    }
    let base = 0_u8;
    descend((&raw const base).addr().saturating_sub(options.depth), &|| {
        COUNTER.with(|counter| counter.parked.fetch_add(1, Relaxed));
        thread::park();
        COUNTER.with(|counter| counter.woken.fetch_add(1, Relaxed));
    });
    true
}

/// Calls `at_the_bottom` with the stack in use down to the address `until`: each frame fills a part of
/// its page, and looks after it when it comes back.
#[inline(never)]
fn descend(until: usize, at_the_bottom: &dyn Fn()) {
    let here = 0_u8;
    if (&raw const here).addr() <= until {
        return at_the_bottom();
    }
    let mut filled = [0xA5_u8; 1024];
    black_box(&mut filled);
    descend(until, at_the_bottom);
    assert!(*black_box(&filled) == [0xA5; 1024], "a stack was overwritten");
}

/// Held by a coroutine's closure until it settles. If it never does, because it is told to stop, or is
/// dropped because there is no stack for it, then this is dropped too, and everybody else is told.
struct Unsettled;

impl Drop for Unsettled {
    fn drop(&mut self) {
        STOP.store(true, Relaxed);
        REFUSED.fetch_add(1, Relaxed);
    }
}

/// Spawns the coroutines, waits until `main` has seen them all parked, wakes and joins them. Says how
/// many there were, and if something went wrong, what. This is a coroutine itself.
fn keep_kettles(options: &'static Options) -> (usize, Option<String>) {
    let mut trouble = None;
    let mut asked = 0;
    // The bookkeeping: a handle is a pointer, so this is eight bytes for each coroutine.
    let mut handles = Vec::new();
    if let Err(error) = handles.try_reserve_exact(options.count) {
        trouble = Some(format!("no room for the join handles: {error}"));
    }
    while asked < options.count && trouble.is_none() && !STOP.load(Relaxed) {
        let (number, unsettled) = (asked, Unsettled);
        asked += 1;
        match thread::Builder::new().spawn(move || settle(unsettled, number, options)) {
            Ok(handle) => handles.push(handle),
            Err(error) => trouble = Some(error.to_string()),
        }
    }
    SPAWNED.store(asked, Relaxed);
    thread::park();

    for handle in &handles {
        handle.thread().unpark();
    }
    let mut parked = 0;
    for handle in handles {
        match handle.join() {
            Ok(settled) => parked += usize::from(settled),
            // A coroutine for which there was no stack says so here.
            Err(payload) => {
                let reason = payload.downcast().map_or("a coroutine panicked".into(), |text| *text);
                trouble.get_or_insert(reason);
            }
        }
    }
    (parked, trouble)
}

/// Runs it all and reports. Says whether all were parked at once.
fn run(options: &'static Options) -> io::Result<bool> {
    let Options { count, stack_size, workers, .. } = *options;
    let builder = Runtime::builder().stack_size(stack_size).workers(workers);
    let bar = progress_bar(options);
    let reserve = MEMORY_RESERVE.min(memory::left().unwrap_or(u64::MAX) / 4);
    let (rss_before, pte_before) = (memory::own_bytes("VmRSS")?, memory::own_bytes("VmPTE")?);

    let start = Instant::now();
    let runtime = builder.build()?;
    let keeper = runtime.spawn(move || keep_kettles(options));
    bar.set_message("parked");
    // Whoever has counted itself parks with its next few instructions.
    watch(&bar, || {
        if memory::left().is_some_and(|left| left < reserve) {
            STOP.store(true, Relaxed);
        }
        let parked = total(|counter| &counter.parked);
        (parked, parked + REFUSED.load(Relaxed) >= SPAWNED.load(Relaxed))
    });
    let spawn_s = start.elapsed().as_secs_f64();

    let reached = total(|counter| &counter.parked);
    let each = |bytes: u64| bytes / reached.max(1) as u64;
    // At its highest, which is now: VmRSS lags behind by a little, VmHWM does not.
    let rss_bytes_each = each(memory::own_bytes("VmHWM")?.saturating_sub(rss_before));
    let pte_bytes_each = each(memory::own_bytes("VmPTE")?.saturating_sub(pte_before));
    let maps_lines = fs::read_to_string("/proc/self/maps")?.lines().count();

    let start = Instant::now();
    keeper.thread().unpark();
    bar.set_message("woken");
    watch(&bar, || {
        let woken = total(|counter| &counter.woken);
        (woken, woken >= reached)
    });
    let (parked, trouble) = keeper.join().map_err(|_| io::Error::other("the keeper panicked"))?;
    let wake_join_s = start.elapsed().as_secs_f64();
    bar.finish_and_clear();
    assert_eq!(parked, reached, "each coroutine that was parked comes back from it");

    let stack = HumanBytes(stack_size as u64);
    let human = |count: u64| HumanCount(count).to_string();
    println!("{} coroutines parked at once", human(reached as u64));
    println!("  {workers} workers, stacks of up to {stack}, {} bytes of depth", options.depth);
    println!("  until all were parked     {spawn_s:>10.3} s");
    println!("  to wake and join them     {wake_join_s:>10.3} s");
    println!("  resident memory           {:>10} bytes each", human(rss_bytes_each));
    println!("  page tables               {:>10} bytes each", human(pte_bytes_each));
    println!("  lines in /proc/self/maps  {maps_lines:>10}");
    if options.json {
        println!(
            "{{\"count\":{reached},\"workers\":{workers},\"stack_size\":{stack_size},\
             \"spawn_s\":{spawn_s:.6},\"wake_join_s\":{wake_join_s:.6},\
             \"rss_bytes_each\":{rss_bytes_each},\"pte_bytes_each\":{pte_bytes_each},\
             \"maps_lines\":{maps_lines}}}"
        );
    }
    if reached < count {
        eprintln!(
            "million: only {} of {} coroutines could be parked at once, at {} bytes each\n  because: {}\n  \
             what helps: a smaller --count, less --depth, or more memory",
            human(reached as u64),
            human(count as u64),
            human(rss_bytes_each + pte_bytes_each),
            trouble.unwrap_or(format!("less than {} of memory were left", HumanBytes(reserve))),
        );
    }
    Ok(reached == count)
}

/// Moves the bar until `look` says that it is done: seldom, but often enough at the end to be told in
/// time.
fn watch(bar: &ProgressBar, look: impl Fn() -> (usize, bool)) {
    loop {
        let (position, done) = look();
        bar.set_position(position as u64);
        if done {
            return;
        }
        let nearly = position as u64 > bar.length().unwrap_or(0) / 20 * 19;
        std::thread::sleep(Duration::from_millis(if nearly { 1 } else { 20 }));
    }
}

fn progress_bar(options: &Options) -> ProgressBar {
    let target = match options.quiet {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr_with_hz(15),
    };
    let style = ProgressStyle::with_template("[{elapsed}] {wide_bar} {human_pos} {msg}");
    ProgressBar::with_draw_target(Some(options.count as u64), target)
        .with_style(style.expect("the template is right"))
}

fn main() -> ExitCode {
    let options: &'static Options = match Options::parse() {
        Ok(Some(options)) => Box::leak(Box::new(options)),
        Ok(None) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("million: {error}\n  `--help` lists the options");
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("million: {error}");
            ExitCode::from(if error.kind() == io::ErrorKind::InvalidInput { 2 } else { 1 })
        }
    }
}
