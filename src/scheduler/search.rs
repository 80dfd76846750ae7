//! The root's side of a worker: what it does when no task of its own can run.
//!
//! It polls for a moment, because a partner on another core often answers within a microsecond; then it
//! searches the other workers' deques; then it rests. What it finds in another's deque is not always
//! worth taking: two tasks that were spawned to talk to each other are best left to the worker that is
//! about to start both. So a short deque is only taken, and then whole, from a worker that has not
//! started anything for a while.

use super::idle::{BACKLOG, Rest};
use super::trimming::Next;
use super::worker::Worker;
use core::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often the worker looks into its inbox before it searches: some microseconds.
const POLLS: u32 = 400;

/// How long it searches before it rests.
const SEARCH: Duration = Duration::from_micros(40);

/// How long another worker must have started nothing before a short deque is taken from it.
const HELD_UP: Duration = Duration::from_micros(15);

/// The most tasks of a long deque that are taken at once: enough to keep a worker busy for longer than it
/// polls and searches when it has come to their end.
const MOST_STOLEN: usize = 256;

/// The first nap and the longest, where there is work that was left to others.
const FIRST_NAP: Duration = Duration::from_micros(100);
const LONGEST_NAP: Duration = Duration::from_millis(1);

/// What was last seen of another worker.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    taken_on: usize,
    since: Instant,
}

impl Worker {
    /// The root: runs tasks while there are any, looks for more, and rests; until the runtime stops.
    pub(super) fn run_root(&self) {
        let mut sightings = Vec::new();
        while !self.shared().stopping() {
            // Relaxed, both: for placement.
            self.tally().busy.store(true, Ordering::Relaxed);
            self.look_at_clock();
            self.fire_due();
            self.run_tasks();
            self.tally().busy.store(false, Ordering::Relaxed);
            if !self.poll() {
                self.search(&mut sightings);
            }
        }
    }

    /// Waits a moment for somebody to send something; says whether there is something to run.
    fn poll(&self) -> bool {
        if self.reactor().in_use() {
            self.look_at_descriptors();
        }
        let polls = if self.is_led_by_descriptors() { 1 } else { POLLS };
        for _ in 0..polls {
            if self.has_work() || self.take_injected() {
                return true;
            }
            core::hint::spin_loop();
        }
        false
    }

    /// Searches and rests until there is something to run, or the runtime stops.
    fn search(&self, sightings: &mut Vec<Option<Sighting>>) {
        let shared = self.shared();
        shared.idle.begin_search();
        sightings.clear();
        sightings.resize(shared.workers(), None);
        let mut naps = 0;
        let mut nap_before_sleep = true;
        loop {
            if self.search_for_a_while(sightings) || shared.stopping() {
                break;
            }
            // Work that was left to others, and tasks that wait for a stack, are looked at again soon.
            let left = self.others_have_work() || !self.starved.is_empty();
            let rest = if left {
                naps += 1;
                Rest::Nap((FIRST_NAP * naps).min(LONGEST_NAP))
            } else if core::mem::take(&mut nap_before_sleep) && shared.workers() > 1 {
                // A short nap comes first: makers of little work leave a napping worker alone, so a loop
                // that spawns and joins does not pay for waking it each time.
                Rest::Nap(LONGEST_NAP)
            } else {
                Rest::Sleep
            };
            let found_work = || {
                shared.report_if_quiet();
                self.has_work()
                    || !shared.injector.is_empty()
                    || shared.stopping()
                    || (rest == Rest::Sleep && self.others_have_work())
            };
            shared.idle.rest(self.index(), rest, found_work, |_, timeout| match rest {
                Rest::Nap(_) => self.sleep(timeout),
                Rest::Sleep => self.sleep_or_trim(),
            });
            self.retry_a_starved();
        }
        shared.idle.end_search(|| shared.waiting());
    }

    /// Sleeps, for a rest that nobody's work is waiting for; or does a piece of what may be done first.
    fn sleep_or_trim(&self) {
        match self.trim_before_sleep() {
            Next::Look => self.sleep(Some(Duration::ZERO)),
            Next::Sleep(None) => self.sleep_for_good(),
            Next::Sleep(timeout) => self.sleep(timeout),
        }
    }

    fn search_for_a_while(&self, sightings: &mut [Option<Sighting>]) -> bool {
        let begin = Instant::now();
        loop {
            if self.has_work() || self.take_injected() {
                return true;
            }
            let now = Instant::now();
            self.fire_due_at(now);
            if self.has_work() || self.steal(sightings, now) {
                return true;
            }
            if self.is_led_by_descriptors() || now.duration_since(begin) >= SEARCH {
                return false;
            }
            core::hint::spin_loop();
        }
    }

    fn others_have_work(&self) -> bool {
        let remotes = &self.shared().remotes;
        remotes.iter().any(|remote| !remote.stealer.is_empty())
    }

    /// Takes work from another worker that has much of it, or has been held up.
    fn steal(&self, sightings: &mut [Option<Sighting>], now: Instant) -> bool {
        let remotes = &self.shared().remotes;
        let count = remotes.len();
        for index in (1..count).map(|distance| (self.index() + distance) % count) {
            let remote = &remotes[index];
            let waiting = remote.stealer.len();
            if waiting == 0 {
                sightings[index] = None;
                continue;
            }
            if waiting < BACKLOG {
                let taken_on = remote.tally.taken_on.get();
                match sightings[index] {
                    Some(seen) if seen.taken_on == taken_on => {
                        if now.duration_since(seen.since) < HELD_UP {
                            continue;
                        }
                    }
                    _ => {
                        sightings[index] = Some(Sighting { taken_on, since: now });
                        continue;
                    }
                }
            }
            if self.steal_from(index, waiting) {
                return true;
            }
        }
        false
    }

    /// Takes half of a long deque, as far as that is not too much at once, and all of a short one.
    fn steal_from(&self, index: usize, waiting: usize) -> bool {
        let stealer = &self.shared().remotes[index].stealer;
        let enough = if waiting >= BACKLOG { (waiting / 2).min(MOST_STOLEN) } else { usize::MAX };
        self.fill_deque(enough, || stealer.steal_batch(&self.deque))
    }
}
