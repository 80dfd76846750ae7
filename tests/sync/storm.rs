//! Random programs with a cancellation at each of their steps, against what must hold whoever is cancelled.

use crate::coroutines::{Random, is_cancelled, workers};
use kettle::sync::{Arc, Condvar, Mutex, Notify, RwLock, Semaphore};
use kettle::thread;

const CREW: u64 = 5;
const PERMITS: usize = 2;

/// What the crew shares; the counts say what has been done with each.
#[derive(Default)]
struct Ship {
    mutex: Mutex<Ledger>,
    changed: Condvar,
    permits: Permits,
    log: RwLock<u64>,
    written: Mutex<u64>,
    bell: Notify,
}

struct Permits(Semaphore, Mutex<usize>);

impl Default for Permits {
    fn default() -> Self {
        Self(Semaphore::new(PERMITS), Mutex::new(0))
    }
}

#[derive(Default)]
struct Ledger {
    stored: u64,
    put_in: u64,
    taken_out: u64,
    /// Nobody waits any more for something to be put in.
    closed: bool,
    /// Somebody is in the middle of a change that takes several steps.
    inside: bool,
}

/// Counts up while it lives.
struct Count<'a>(&'a Mutex<usize>, usize);

impl<'a> Count<'a> {
    fn new(count: &'a Mutex<usize>, by: usize, most: usize) -> Self {
        let _mask = thread::mask_cancellation();
        let mut now = count.lock().unwrap();
        *now += by;
        assert!(*now <= most, "more permits than there are");
        drop(now);
        Self(count, by)
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap() -= self.1;
    }
}

impl Ship {
    /// One random thing that a member of the crew does.
    fn act(&self, random: &mut Random) {
        let pause = |random: &mut Random| {
            if random.below(2) == 0 {
                thread::yield_now();
            }
        };
        match random.below(7) {
            0 => {
                let mut ledger = self.mutex.lock().unwrap();
                assert!(!ledger.inside, "two at once");
                ledger.inside = true;
                let mask = thread::mask_cancellation();
                pause(random);
                ledger.inside = false;
                drop(mask);
                pause(random);
            }
            1 => {
                let mut ledger = self.mutex.lock().unwrap();
                (ledger.stored, ledger.put_in) = (ledger.stored + 1, ledger.put_in + 1);
                self.changed.notify_one();
                pause(random);
            }
            2 => {
                let empty = |ledger: &mut Ledger| ledger.stored == 0 && !ledger.closed;
                let mut ledger =
                    self.changed.wait_while(self.mutex.lock().unwrap(), empty).unwrap();
                if ledger.stored > 0 {
                    (ledger.stored, ledger.taken_out) = (ledger.stored - 1, ledger.taken_out + 1);
                }
                pause(random);
            }
            3 => {
                let wanted = 1 + random.below(PERMITS as u64) as usize;
                let _permits = self.permits.0.acquire_many(wanted);
                let _count = Count::new(&self.permits.1, wanted, PERMITS);
                pause(random);
            }
            4 => {
                let mut log = self.log.write().unwrap();
                pause(random);
                *log += 1;
                let _mask = thread::mask_cancellation();
                *self.written.lock().unwrap() += 1;
            }
            5 => {
                let log = self.log.read().unwrap();
                let before = *log;
                pause(random);
                assert_eq!(*log, before);
            }
            _ => {
                self.bell.notify_one();
                pause(random);
                self.bell.wait();
                // For the next one, so that nobody waits for good.
                self.bell.notify_one();
            }
        }
    }

    /// What must hold when all have left.
    fn inspect(&self) {
        let ledger = self.mutex.try_lock().expect("free, and not poisoned");
        assert_eq!(ledger.put_in, ledger.taken_out + ledger.stored);
        assert!(!ledger.inside);
        assert_eq!(self.permits.0.available_permits(), PERMITS);
        assert!(self.permits.0.try_acquire_many(PERMITS).is_some(), "nobody waits");
        assert_eq!(*self.permits.1.lock().unwrap(), 0);
        let log = self.log.try_write().expect("free, and not poisoned");
        assert_eq!(*log, *self.written.lock().unwrap());
    }
}

/// Runs the program of `seed`, in which `victim` is cancelled after so many steps; says whether it was in time.
fn run(seed: u64, victim: u64, step: usize) -> bool {
    let ship = Arc::new(Ship::default());
    let crew: Vec<_> = (0..CREW)
        .map(|member| {
            let ship = Arc::clone(&ship);
            thread::spawn(move || {
                let mut random = Random::new(seed * CREW + member + 1);
                for _ in 0..6 {
                    ship.act(&mut random);
                }
            })
        })
        .collect();
    for _ in 0..step {
        thread::yield_now();
    }
    let in_time = !crew[victim as usize].is_finished();
    crew[victim as usize].cancel().unwrap();
    // Those who would wait for something that nobody does any more.
    ship.mutex.lock().unwrap().closed = true;
    ship.changed.notify_all();
    ship.bell.notify_one();
    for (member, join) in crew.into_iter().enumerate() {
        let result = join.join();
        assert!(
            result.is_ok() || (member as u64 == victim && is_cancelled(result)),
            "member {member}, seed {seed}, victim {victim}, step {step}"
        );
    }
    ship.inspect();
    in_time
}

#[test]
fn a_cancellation_at_any_step_of_a_random_program_harms_nobody() {
    workers(1).run(|| {
        for seed in 0..25 {
            for victim in 0..CREW {
                // A program has fewer steps than that; then the victim is at its end, or waits for the last one.
                let in_time = (0..50).take_while(|&step| run(seed, victim, step)).count();
                assert!(in_time > 0, "the first step is always in time");
            }
        }
    });
}

/// The same on several workers, where the steps are as the day brings them.
#[test]
fn a_cancellation_at_any_time_on_many_workers_harms_nobody() {
    let runtime = workers(3);
    runtime.run(|| {
        for seed in 100..300 {
            run(seed, seed % CREW, seed as usize % 7);
        }
    });
}
