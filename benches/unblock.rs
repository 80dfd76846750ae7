//! What it costs to have something done on a thread of the pool, and what a file saves by not doing so.
//!
//! ```text
//! cargo bench --bench unblock
//! ```
//!
//! What is measured: from the call to its return, in the only coroutine of a worker.
//!
//! - An empty closure, against its yardstick: an OS thread that hands a unit to another one and gets it
//!   back, through two of std's channels. Both sides of it sleep in the kernel, as the pool's thread does;
//!   kettle's worker polls for a few microseconds before it sleeps.
//! - A read of 64 bytes that are in memory: kettle's file, which tries it in place; std's file, which is the
//!   floor; and std's file in `unblock`, which is what it would be otherwise.
//! - How long it takes std to start a process: so long would a worker be held up that did so itself.
//!
//! Why it is fair: the sides take turns in chunks, in one coroutine on one thread, and the ratio is of
//! neighbours. Whether the other core is awake makes more of a difference than anything here: on an idle
//! machine the wake-ups are what is measured.

#[path = "support/mod.rs"]
mod support;

use criterion::Criterion;
use kettle::runtime::Runtime;
use std::fs::OpenOptions;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use support::{Effort, Paired, median, ns_each};

/// Of a chunk.
const ROUNDS: u64 = 50;

fn timed(rounds: u64, mut f: impl FnMut()) -> Duration {
    let begin = Instant::now();
    for _ in 0..rounds {
        f();
    }
    begin.elapsed()
}

/// A thread that gives back what it gets.
struct Partner {
    to: Sender<()>,
    from: Receiver<()>,
}

impl Partner {
    fn new() -> Self {
        let (to, get) = channel();
        let (give, from) = channel();
        std::thread::spawn(move || {
            while get.recv().is_ok() {
                let _ = give.send(());
            }
        });
        Self { to, from }
    }

    fn there_and_back(&self) {
        self.to.send(()).expect("the partner is there");
        self.from.recv().expect("the partner is there");
    }
}

fn file() -> std::fs::File {
    let path = std::env::temp_dir().join(format!("kettle-bench-unblock-{}", std::process::id()));
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(&path).expect("a file");
    std::fs::remove_file(path).expect("it was made just now");
    file.write_all_at(&[7; 4096], 0).expect("there is room");
    file
}

fn read(file: &impl FileExt) {
    let mut bytes = [0; 64];
    assert_eq!(file.read_at(black_box(&mut bytes), 128).expect("it is there"), 64);
}

fn one_worker() -> Runtime {
    Runtime::builder().workers(1).build().expect("the system gives a thread")
}

fn groups(criterion: &mut Criterion) {
    let runtime = one_worker();
    let mut group = criterion.benchmark_group("work that must block");
    group.bench_function("an empty closure", |bencher| {
        bencher.iter_custom(|rounds| runtime.run(|| timed(rounds, || kettle::unblock(|| ()))));
    });
    group.bench_function("a thread and back, std's channels", |bencher| {
        let partner = Partner::new();
        bencher.iter_custom(|rounds| timed(rounds, || partner.there_and_back()));
    });
    group.finish();
}

fn summary(effort: Effort) {
    let runtime = one_worker();
    let partner = Partner::new();
    let theirs = file();
    let ours = kettle::fs::File::from(theirs.try_clone().expect("a descriptor"));
    let chunks = effort.chunks(400);
    let (empty, in_place, on_the_pool) = runtime.run(move || {
        let chunk = |f: &mut dyn FnMut()| ns_each(timed(ROUNDS, f), ROUNDS);
        let (mut empty, mut in_place) = (Paired::default(), Paired::default());
        let mut on_the_pool = Paired::default();
        for _ in 0..chunks {
            empty.measure(
                || chunk(&mut || kettle::unblock(|| ())),
                || chunk(&mut || partner.there_and_back()),
            );
            in_place.measure(|| chunk(&mut || read(&ours)), || chunk(&mut || read(&theirs)));
            on_the_pool.measure(
                || chunk(&mut || kettle::unblock(|| read(&theirs))),
                || chunk(&mut || read(&ours)),
            );
        }
        (empty, in_place, on_the_pool)
    });
    let spawns = (0..effort.chunks(100)).map(|_| {
        let begin = Instant::now();
        let mut child = Command::new("true").spawn().expect("there is a `true`");
        let took = begin.elapsed();
        child.wait().expect("it is ours");
        took.as_secs_f64() * 1e6
    });
    println!(
        "unblock: an empty closure {:.0} ns, a thread and back by std's channels {:.0} ns, ratio {:.2}",
        empty.ours(),
        empty.theirs(),
        empty.ratio()
    );
    println!(
        "unblock: a read of 64 bytes in memory {:.0} ns, std's on the worker {:.0} ns, ratio {:.2}",
        in_place.ours(),
        in_place.theirs(),
        in_place.ratio()
    );
    println!(
        "unblock: the same read on the pool {:.0} ns, {:.1} times as long as in place",
        on_the_pool.ours(),
        on_the_pool.ratio()
    );
    println!("unblock: std starts a process in {:.0} us", median(spawns));
}

fn main() {
    support::run(groups, summary);
}
