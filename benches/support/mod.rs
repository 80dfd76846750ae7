//! What the benchmarks share: how much to measure, and how to compare two things fairly.
//!
//! criterion measures one benchmark after the other, seconds apart. On a machine whose speed wanders,
//! two of its figures cannot be divided by each other. The summary line that each benchmark ends
//! with therefore has its own measurement: the two sides take turns in chunks of well under a
//! millisecond, each chunk is divided by its neighbour, and the median of those ratios is what counts.
//! Whatever slows the machine down for longer than a chunk slows both sides of a ratio.

#![allow(dead_code, reason = "each benchmark that includes this file uses its own part of it")]

use criterion::Criterion;
use kettle::runtime::Runtime;
use kettle::thread::{self, JoinHandle};
use std::env;
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// How much there is to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For `cargo bench`.
    Full,
    /// For `cargo bench -- --quick`: rougher figures.
    Quick,
    /// For `cargo test --benches`, which only asks whether it all works.
    Test,
}

impl Effort {
    /// As the command line has it. None if it asks for something other than figures.
    fn asked_for() -> Option<Self> {
        let given = |flag: &str| env::args().any(|argument| argument == flag);
        if ["--list", "--help", "-h", "--version", "-V"].into_iter().any(given) {
            None
        } else if !given("--bench") || given("--test") {
            Some(Self::Test)
        } else if given("--quick") {
            Some(Self::Quick)
        } else {
            Some(Self::Full)
        }
    }

    /// How many chunks to measure, of `full` for good figures.
    pub(crate) fn chunks(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full.div_ceil(8),
            Self::Test => 2,
        }
    }
}

/// Runs criterion's `groups`, then prints what `summary` measures.
pub(crate) fn run(groups: fn(&mut Criterion), summary: fn(Effort)) {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    groups(&mut criterion);
    criterion.final_summary();
    if let Some(effort) = Effort::asked_for() {
        summary(effort);
    }
}

/// Scales the time that `done` operations took to `wanted` of them, for `Bencher::iter_custom`.
pub(crate) fn scaled(elapsed: Duration, done: u64, wanted: u64) -> Duration {
    elapsed.mul_f64(wanted as f64 / done as f64)
}

/// Nanoseconds for each of so many operations.
pub(crate) fn ns_each(elapsed: Duration, operations: u64) -> f64 {
    elapsed.as_secs_f64() * 1e9 / operations as f64
}

/// Two things measured in turns, in nanoseconds for each operation.
#[derive(Debug, Default)]
pub(crate) struct Paired {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Paired {
    /// Measures each side once more; which goes first, alternates.
    pub(crate) fn measure(&mut self, ours: impl FnOnce() -> f64, theirs: impl FnOnce() -> f64) {
        if self.ours.len() % 2 == 0 {
            self.ours.push(ours());
            self.theirs.push(theirs());
        } else {
            self.theirs.push(theirs());
            self.ours.push(ours());
        }
    }

    /// Of chunks that were measured in turns.
    pub(crate) fn of(ours: &[f64], theirs: &[f64]) -> Self {
        Self { ours: ours.to_vec(), theirs: theirs.to_vec() }
    }

    pub(crate) fn add(&mut self, ours: f64, theirs: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
    }

    pub(crate) fn ours(&self) -> f64 {
        median(self.ours.iter().copied())
    }

    pub(crate) fn theirs(&self) -> f64 {
        median(self.theirs.iter().copied())
    }

    /// The median of what one chunk took by what its neighbour took.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours / theirs))
    }
}

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// A parked coroutine on each worker, beside which others can be placed.
///
/// They meet at a barrier that blocks the OS thread, so each has to start on a worker of its own. All
/// have started when this returns.
pub(crate) fn anchors(runtime: &Runtime, workers: usize) -> Vec<JoinHandle<()>> {
    let barrier = Arc::new(Barrier::new(workers + 1));
    let anchors = (0..workers)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            runtime.spawn(move || {
                barrier.wait();
                thread::park();
            })
        })
        .collect();
    barrier.wait();
    anchors
}

/// Lets the anchors go.
pub(crate) fn release(anchors: Vec<JoinHandle<()>>) {
    for anchor in anchors {
        anchor.thread().unpark();
        anchor.join().expect("an anchor does not panic");
    }
}
