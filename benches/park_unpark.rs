//! Two coroutines that park and wake each other: on one worker, and forced apart onto two.
//!
//! ```text
//! cargo bench --bench park_unpark
//! ```
//!
//! What is measured: a round trip. One coroutine wakes the other and parks; the other, woken, wakes the
//! first and parks. On one worker that is two passages through the scheduler. On two it is the unlucky
//! case that placement avoids where it can: each wake crosses to another core, and each worker has
//! nothing to do but wait for it.
//!
//! Why it is fair: the pair is forced apart by [`Builder::beside`] two anchors that are known to be on
//! different workers, and both are busy with nothing else for the whole chunk, so no worker goes to
//! sleep. The yardstick is what the hardware asks for a round trip: a cache line there and back, by two
//! threads that spin on atomics. It is measured by the same two threads, the workers, in turns with the
//! other; the ratio is of neighbours. If fewer than two cores are free, the system decides what is
//! measured: the median skips the chunks in which it took a thread away, as long as they are few.
//!
//! [`Builder::beside`]: kettle::thread::Builder::beside

#[path = "support/mod.rs"]
mod support;

use criterion::Criterion;
use kettle::runtime::Runtime;
use kettle::thread::{self, JoinHandle, Thread, park};
use std::hint::spin_loop;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{Effort, Paired, anchors, ns_each, release, scaled};

/// What the two of a pair share. A cache line by itself.
#[derive(Default)]
#[repr(align(128))]
struct Table {
    ball: AtomicU64,
    first: OnceLock<Thread>,
    second: OnceLock<Thread>,
}

/// One of a pair: which, and with whom.
struct Player {
    serves: bool,
    partner: Thread,
    table: &'static Table,
}

impl Player {
    /// Takes its place at the table and waits for the other.
    fn sit_down(serves: bool, table: &'static Table) -> Self {
        let (mine, other) =
            if serves { (&table.first, &table.second) } else { (&table.second, &table.first) };
        mine.set(thread::current()).expect("each seat is taken once");
        let partner = loop {
            match other.get() {
                Some(partner) => break partner.clone(),
                None => thread::yield_now(),
            }
        };
        Self { serves, partner, table }
    }

    /// Round trips by parking.
    fn park_rounds(&self, rounds: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..rounds {
            if self.serves {
                self.partner.unpark();
                park();
            } else {
                park();
                self.partner.unpark();
            }
        }
        start.elapsed()
    }

    /// Round trips by a cache line that both spin on; from one table to the next the ball goes on.
    fn spin_rounds(&self, rounds: u64) -> Duration {
        let ball = &self.table.ball;
        let parity = u64::from(!self.serves);
        let start = Instant::now();
        for _ in 0..rounds {
            // Acquire and Release pair with each other, across the two players.
            let seen = loop {
                let seen = ball.load(Ordering::Acquire);
                if seen % 2 == parity {
                    break seen;
                }
                spin_loop();
            };
            ball.store(seen + 1, Ordering::Release);
        }
        start.elapsed()
    }
}

/// Seats a pair beside `places`, has both `play`, and gives what the one who serves brings back.
fn play<T: Send + 'static>(
    runtime: &Runtime,
    places: [&Thread; 2],
    play: impl Fn(&Player) -> T + Send + Copy + 'static,
) -> T {
    let table: &'static Table = Box::leak(Box::default());
    let spawn = |serves: bool, place: &Thread| -> JoinHandle<T> {
        let coroutine = move || play(&Player::sit_down(serves, table));
        thread::Builder::new()
            .beside(place)
            .spawn_on(runtime.handle(), coroutine)
            .expect("there is memory")
    };
    let first = spawn(true, places[0]);
    let second = spawn(false, places[1]);
    second.join().expect("no panic");
    first.join().expect("no panic")
}

/// Round trips that are not timed, until both workers are awake and warm.
const WARM_UP: u64 = 1_000;

/// Of a chunk: a fraction of a millisecond, less than the kernel lets a thread run at a time.
const ROUNDS: u64 = 500;

/// Round trips by `how`, for criterion: whole chunks, scaled to the number wanted.
fn chunks_of(
    how: fn(&Player, u64) -> Duration,
    wanted: u64,
) -> impl Fn(&Player) -> Duration + Copy {
    let rounds = wanted.next_multiple_of(ROUNDS);
    move |player| {
        how(player, WARM_UP);
        scaled(how(player, rounds), rounds, wanted)
    }
}

fn two_workers() -> Runtime {
    Runtime::builder().workers(2).build().expect("the system gives threads")
}

fn groups(criterion: &mut Criterion) {
    let runtime = two_workers();
    let anchors = anchors(&runtime, 2);
    let [left, right] = [anchors[0].thread(), anchors[1].thread()];

    let mut group = criterion.benchmark_group("park and unpark, a round trip");
    for (title, places) in [("same worker", [left, left]), ("forced apart", [left, right])] {
        group.bench_function(title, |bencher| {
            bencher.iter_custom(|rounds| {
                play(&runtime, places, chunks_of(Player::park_rounds, rounds))
            });
        });
    }
    group.bench_function("a cache line there and back", |bencher| {
        bencher.iter_custom(|rounds| {
            play(&runtime, [left, right], chunks_of(Player::spin_rounds, rounds))
        });
    });
    group.finish();
    release(anchors);
}

fn summary(effort: Effort) {
    let runtime = two_workers();
    let anchors = anchors(&runtime, 2);
    let [left, right] = [anchors[0].thread(), anchors[1].thread()];
    let chunks = effort.chunks(1_000);
    let together = play(&runtime, [left, left], move |player| {
        player.park_rounds(WARM_UP);
        support::median((0..chunks).map(|_| ns_each(player.park_rounds(ROUNDS), ROUNDS)))
    });
    let apart = play(&runtime, [left, right], move |player| {
        let mut paired = Paired::default();
        player.park_rounds(WARM_UP);
        for _ in 0..chunks {
            // The last ball may still be in the air when a player goes on to park; then that one
            // just waits a little longer for the first wake, which is one of many.
            let parking = ns_each(player.park_rounds(ROUNDS), ROUNDS);
            let spinning = ns_each(player.spin_rounds(ROUNDS), ROUNDS);
            paired.add(parking, spinning);
        }
        paired
    });
    release(anchors);
    println!("park_unpark, same worker: {together:.0} ns a round trip");
    println!(
        "park_unpark: forced apart {:.0} ns a round trip, a cache line there and back {:.0} ns, ratio {:.1}",
        apart.ours(),
        apart.theirs(),
        apart.ratio()
    );
}

fn main() {
    support::run(groups, summary);
}
