//! The yardsticks that kettle is held against, on this machine, now: bare programs without kettle.
//!
//! ```text
//! cargo bench --bench yardsticks              all of it: a minute or two, and 7 GiB of memory
//! cargo bench --bench yardsticks -- --quick   small counts: a few seconds, and rougher figures
//! ```
//!
//! What each figure means is told in its module. The measurements are interleaved, so that a
//! machine that slows down for a while slows them all, and repeated; a line gives the median and,
//! in brackets, the least and the most. The least is the truer figure on a busy machine, and for
//! the floors on a virtual machine whose host takes freed memory back and must find it anew for
//! every run. Nothing is asserted about a time, but every measurement's result is checked. An
//! unoptimised build only runs the quick form, as a test that it all works.

use std::thread;
use std::time::Duration;

#[path = "yardsticks/million_floor.rs"]
mod million_floor;
#[path = "yardsticks/pooled_corosensei.rs"]
mod pooled_corosensei;
#[path = "yardsticks/switch_loops.rs"]
mod switch_loops;

use switch_loops::SWITCHES_PER_ROUND;

/// How much to measure.
struct Plan {
    repeats: usize,
    switch_rounds: u64,
    lives: u64,
    outstanding: usize,
    floor_repeats: usize,
    floor_count: usize,
}

const FULL: Plan = Plan {
    repeats: 31,
    switch_rounds: 3_000_000,
    lives: 500_000,
    outstanding: 10_000,
    floor_repeats: 5,
    floor_count: 1_000_000,
};

const QUICK: Plan = Plan {
    repeats: 5,
    switch_rounds: 200_000,
    lives: 20_000,
    outstanding: 10_000,
    floor_repeats: 3,
    floor_count: 20_000,
};

const FLOOR_STACK_SIZES: [usize; 2] = [64 << 10, 1 << 20];

fn main() {
    if million_floor::answer_as_child() {
        return;
    }
    // Cargo adds arguments of its own, such as `--bench`: whatever is not known is ignored.
    let quick = std::env::args().any(|argument| argument == "--quick") || cfg!(debug_assertions);
    let plan = if quick { &QUICK } else { &FULL };

    measure_switches_and_lives(plan);
    measure_floors(plan);
}

fn measure_switches_and_lives(plan: &Plan) {
    let rounds = plan.switch_rounds;
    let switches = rounds * SWITCHES_PER_ROUND;
    let payload = switch_loops::payload_checksum(rounds);
    let eight_live = switch_loops::eight_live_checksum(rounds);
    let waves = (plan.lives / plan.outstanding as u64).max(1);
    let wave_lives = waves * plan.outstanding as u64;

    let mut corosensei = Samples::default();
    let mut silent = Samples::default();
    let mut live = Samples::default();
    let mut generator = Samples::default();
    let mut one_at_a_time = Samples::default();
    let mut in_waves = Samples::default();
    for _ in 0..plan.repeats {
        corosensei.add(switch_loops::corosensei(rounds), payload, switches);
        silent.add(switch_loops::corosensei_silent_resume(rounds), payload, switches);
        live.add(switch_loops::corosensei_eight_live(rounds), eight_live, switches);
        generator.add(switch_loops::generator(rounds), payload, switches);
        one_at_a_time.add(pooled_corosensei::one_at_a_time(plan.lives), plan.lives, plan.lives);
        in_waves.add(pooled_corosensei::in_waves(waves, plan.outstanding), wave_lives, wave_lives);
    }
    println!("corosensei switch: {}", corosensei.summary());
    println!("corosensei switch, nothing handed in: {}", silent.summary());
    println!("corosensei switch, eight live values: {}", live.summary());
    println!("generator switch: {}", generator.summary());
    println!(
        "pooled corosensei: one at a time {}, {} outstanding {} each",
        one_at_a_time.summary(),
        plan.outstanding,
        in_waves.summary()
    );
}

fn measure_floors(plan: &Plan) {
    let count = plan.floor_count;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut runs = FLOOR_STACK_SIZES.map(|size| (size, Vec::new()));
    let obstacles = FLOOR_STACK_SIZES.map(|size| million_floor::obstacle(count, size));
    for _ in 0..plan.floor_repeats {
        for ((size, floors), obstacle) in runs.iter_mut().zip(&obstacles) {
            if obstacle.is_none() {
                floors.push(million_floor::in_fresh_process(count, *size, threads));
            }
        }
    }
    for ((size, mut floors), obstacle) in runs.into_iter().zip(obstacles) {
        let title = format!("floor, {count} x {size} B, {threads} threads");
        if let Some(obstacle) = obstacle {
            println!("{title}: not measured: {obstacle}");
            continue;
        }
        floors.sort_by_key(|floor| floor.wall);
        let microseconds =
            |floor: &million_floor::Floor| floor.wall.as_secs_f64() * 1e6 / count as f64;
        let floor = &floors[floors.len() / 2];
        println!(
            "{title}: {:.2} us each ({:.2} to {:.2}), {} B RSS each, {} B page tables each, \
             {} lines in maps",
            microseconds(floor),
            microseconds(&floors[0]),
            microseconds(&floors[floors.len() - 1]),
            floor.rss_bytes_each,
            floor.pte_bytes_each,
            floor.maps_lines
        );
    }
}

/// One figure's repeated measurements, in nanoseconds for each operation.
#[derive(Default)]
struct Samples(Vec<f64>);

impl Samples {
    /// Adds a measurement of so many operations, after checking what it computed.
    fn add(&mut self, (elapsed, checksum): (Duration, u64), expected: u64, operations: u64) {
        assert_eq!(checksum, expected, "a yardstick computed the wrong thing");
        self.0.push(elapsed.as_secs_f64() * 1e9 / operations as f64);
    }

    /// The median, the least and the most.
    fn summary(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        format!(
            "{:.2} ns ({:.2} to {:.2})",
            sorted[sorted.len() / 2],
            sorted[0],
            sorted[sorted.len() - 1]
        )
    }
}
