//! Who of the workers searches, who sleeps, and whom to wake.
//!
//! A worker without work *searches* for a while, then *naps* (sleeps for a bounded time) or *sleeps*.
//! Work that may be stolen needs one searching worker, not more: whoever makes some wakes a sleeper
//! only if nobody searches; a searcher that finds some and was the last one wakes another if there is
//! more. Work for one worker alone (its inbox) wakes that one.
//!
//! Why no wake-up is lost stands in `PROTOCOL.md`, beside this file; `idle/model.rs` has loom look for one
//! that is.

use crate::reactor::Reactor;
use crate::util::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use crate::util::lock::Lock;
use core::time::Duration;
use crossbeam_utils::CachePadded;

/// From how many waiting tasks on there is work for one more worker without a doubt.
pub(super) const BACKLOG: usize = 16;

/// Who of one runtime's workers rests: the counts, and a place to sleep for each worker.
///
/// It is never freed, only used again by a later runtime: whoever wakes a task from outside may still be
/// on its way to wake the worker when the task has run, ended, and its runtime is gone. What it does here
/// then is at worst to wake somebody for nothing.
#[derive(Debug)]
pub(super) struct Idle<A = Reactor> {
    /// How many workers search, nap and sleep: sixteen bits each.
    counts: CachePadded<AtomicU64>,
    sleepers: Box<[CachePadded<Sleep<A>>]>,
}

/// What ends a worker's sleep. How the worker sleeps is no matter of this file: it is told when to, and
/// tells the worker when it need not any more.
pub(super) trait Alarm {
    /// Ends the worker's sleep, or the next one if it does not sleep. What the caller did before is seen
    /// by the worker after a sleep that this ends.
    ///
    /// It may ring when the reason is over already; the sleep that this ends then ends for nothing.
    fn ring(&self);
}

/// Those that no runtime uses.
static UNUSED: Lock<Vec<&'static Idle>> = Lock::new(Vec::new());

const SEARCHING: u64 = 1;
const NAPPING: u64 = 1 << 16;
const SLEEPING: u64 = 1 << 32;

/// A look at the counts.
#[derive(Clone, Copy, Debug)]
struct Counts(u64);

impl Counts {
    fn searching(self) -> bool {
        self.0 & 0xFFFF != 0
    }

    fn napping(self) -> bool {
        (self.0 >> 16) & 0xFFFF != 0
    }

    fn sleeping(self) -> bool {
        (self.0 >> 32) & 0xFFFF != 0
    }
}

impl Idle {
    /// One for so many workers.
    pub(super) fn take(workers: usize) -> &'static Self {
        let mut unused = UNUSED.lock();
        match unused.iter().position(|idle| idle.sleepers.len() == workers) {
            Some(index) => unused.swap_remove(index),
            None => Box::leak(Box::new(Self::new((0..workers).map(|_| Reactor::new())))),
        }
    }

    /// Gives it to the next runtime. The workers have gone home.
    pub(super) fn give_back(&'static self) {
        UNUSED.lock().push(self);
    }
}

impl<A: Alarm> Idle<A> {
    /// One for a worker with each of the alarms.
    pub(super) fn new(alarms: impl Iterator<Item = A>) -> Self {
        let sleep = |alarm| CachePadded::new(Sleep { word: AtomicU32::new(AWAKE), alarm });
        Self { counts: CachePadded::new(AtomicU64::new(0)), sleepers: alarms.map(sleep).collect() }
    }

    /// What ends the sleep of worker `index`.
    pub(super) fn alarm(&self, index: usize) -> &A {
        &self.sleepers[index].alarm
    }

    /// Tasks were pushed to a worker's deque, which now holds `waiting`: somebody else might want them.
    #[inline]
    pub(super) fn work_pushed(&self, waiting: usize) {
        let counts = self.look();
        if counts.searching() {
            return;
        }
        if counts.sleeping() || (counts.napping() && waiting >= BACKLOG) {
            self.wake_one(waiting >= BACKLOG);
        }
    }

    /// Tasks were injected: without a worker awake nobody will find them.
    pub(super) fn work_injected(&self) {
        self.work_pushed(BACKLOG);
    }

    /// Whether every worker sleeps for good; a glimpse.
    pub(super) fn all_sleep(&self) -> bool {
        // Acquire: a waker that has not been counted yet has put its work into a queue before.
        let counts = self.counts.load(Ordering::Acquire);
        (counts >> 32) & 0xFFFF == self.sleepers.len() as u64
    }

    #[cold]
    fn wake_one(&self, also_nap: bool) {
        // Few workers, rarely: a list of sleepers would cost more to keep than this to walk.
        for sleep in &self.sleepers {
            if sleep.wake(self, also_nap) {
                return;
            }
        }
    }

    /// Wakes worker `index` if it rests; the caller has put something into its inbox, or has set a flag.
    pub(super) fn wake(&self, index: usize) {
        self.sleepers[index].wake(self, true);
    }

    /// Worker `index`, a searcher, goes to rest, unless `found_work`, asked after everybody can see it
    /// rest, says that there is work. Returns when it is a searcher again: woken, rested, or not tired.
    ///
    /// `sleep` sleeps until the alarm rings, at most for the time given, or has slept enough if the alarm
    /// has rung since the last time. It may return for any other reason, and may do the worker's own work
    /// meanwhile, as far as that only puts tasks into queues: `found_work` is asked again after a sleep
    /// that was not ended by a waker. A nap ends with its first sleep.
    pub(super) fn rest(
        &self,
        index: usize,
        rest: Rest,
        found_work: impl FnMut() -> bool,
        sleep: impl FnMut(&A, Option<Duration>),
    ) {
        self.sleepers[index].rest(self, rest, found_work, sleep);
    }

    /// What a maker of work sees, after it has put the work where it is found.
    #[inline]
    fn look(&self) -> Counts {
        // Pairs with the fences in `Sleep::rest` and `end_search`; see PROTOCOL.md.
        fence(Ordering::SeqCst);
        Counts(self.counts.load(Ordering::Relaxed))
    }

    pub(super) fn begin_search(&self) {
        // Relaxed: what counts is the step out of it.
        self.counts.fetch_add(SEARCHING, Ordering::Relaxed);
    }

    /// A searcher has found work, or goes home. If it was the last one, and `left`, asked after that, says
    /// how many more tasks wait, the next one must search. Injected ones count as [`BACKLOG`].
    pub(super) fn end_search(&self, left: impl FnOnce() -> usize) {
        // Relaxed: the fence keeps it in its place; only who is the last needs one.
        if self.counts.fetch_sub(SEARCHING, Ordering::Relaxed) & 0xFFFF == 1 {
            // Pairs with the fence in `look`: work that a maker left to this searcher is seen here.
            fence(Ordering::SeqCst);
            let left = left();
            if left > 0 {
                self.work_pushed(left);
            }
        }
    }
}

/// How long a worker sleeps at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Not longer than this: it has seen work that others will do, unless they are held up.
    Nap(Duration),
    /// Until it is woken.
    Sleep,
}

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
const DROWSY: u32 = 2;
/// Being woken: the waker counts it as a searcher first, so that it cannot leave the count, and be
/// missed in it, before it is in it.
const CLAIMED: u32 = 3;

/// One worker's place to sleep.
#[derive(Debug)]
struct Sleep<A> {
    word: AtomicU32,
    alarm: A,
}

impl<A: Alarm> Sleep<A> {
    /// See [`Idle::rest`].
    fn rest(
        &self,
        idle: &Idle<A>,
        rest: Rest,
        mut found_work: impl FnMut() -> bool,
        mut sleep: impl FnMut(&A, Option<Duration>),
    ) {
        let (word, count, timeout) = match rest {
            Rest::Nap(timeout) => (DROWSY, NAPPING, Some(timeout)),
            Rest::Sleep => (ASLEEP, SLEEPING, None),
        };
        // Relaxed, both: the fence keeps them in their place. A waker may be quicker and take the worker
        // out of the count before it is in it; the sum is right again in a moment.
        self.word.store(word, Ordering::Relaxed);
        idle.counts.fetch_add(count.wrapping_sub(SEARCHING), Ordering::Relaxed);
        // Pairs with the fences in `Idle::look`, `wake` and `Shared::close`; see PROTOCOL.md.
        fence(Ordering::SeqCst);
        let mut rested = false;
        loop {
            // Acquire: pairs with the Release in `wake`: it is in the count before it leaves it.
            match self.word.load(Ordering::Acquire) {
                AWAKE => return,
                // In a moment it rings.
                CLAIMED => sleep(&self.alarm, None),
                _ if rested || found_work() => {
                    // Relaxed: nobody has woken it, so there is nobody to pair with.
                    if self
                        .word
                        .compare_exchange(word, AWAKE, Ordering::Relaxed, Ordering::Relaxed)
                        .is_ok()
                    {
                        // Nor has anybody counted it as searching. Relaxed: it looks again before it
                        // rests again.
                        idle.counts.fetch_add(SEARCHING.wrapping_sub(count), Ordering::Relaxed);
                        return;
                    }
                }
                _ => {
                    sleep(&self.alarm, timeout);
                    // A nap may end early for no reason; it is a nap. A sleep goes on.
                    rested = timeout.is_some();
                }
            }
        }
    }

    /// Wakes the worker if it rests and makes it a searcher; says whether it did. The caller has made
    /// its work visible before.
    fn wake(&self, idle: &Idle<A>, also_nap: bool) -> bool {
        // Pairs with the fence in `rest`; see PROTOCOL.md.
        fence(Ordering::SeqCst);
        let word = self.word.load(Ordering::Relaxed);
        let count = match word {
            ASLEEP => SLEEPING,
            DROWSY if also_nap => NAPPING,
            _ => return false,
        };
        // Relaxed: the store below publishes.
        if self.word.compare_exchange(word, CLAIMED, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return false;
        }
        // Relaxed: the store below publishes it.
        idle.counts.fetch_add(SEARCHING.wrapping_sub(count), Ordering::Relaxed);
        // Release: pairs with the Acquire in `rest`.
        self.word.store(AWAKE, Ordering::Release);
        self.alarm.ring();
        true
    }
}

#[cfg(all(test, kettle_loom))]
mod model;
