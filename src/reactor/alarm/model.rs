//! Models of the alarm under loom: a ring ends a sleep, wherever the worker sleeps, and who is rung awake
//! sees why.
//!
//! `Alarm` is the real one. The kernel is modelled after what it promises: a futex compares and sleeps under
//! a lock that its waker takes too; a bell is remembered, and may have been heard in a look between sleeps.
//! The worker sleeps until it sees a flag that orders nothing, as it does in `Idle` with its word, so a ring
//! that is lost, or heard without what led to it, leaves it asleep: a deadlock.
//!
//! Shown: one ringer with any interleaving, two with up to [`TWO`] interruptions.

use super::{Alarm, Bed, SILENT};
use crate::util::atomic::{AtomicU32, Ordering};
use crate::util::weakened::{Interruptions, Plain, check};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;

const TWO: Interruptions = Interruptions::UpTo(3);

/// An epoll with a bell in it.
struct Driver {
    /// Written when it is made.
    descriptor: Plain,
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Driver {
    fn leak() -> &'static Self {
        let driver = Box::leak(Box::new(Self {
            descriptor: Plain::new(0),
            rung: Mutex::new(false),
            changed: Condvar::new(),
        }));
        driver.descriptor.set(7);
        driver
    }

    fn ring(&self) {
        assert_eq!(self.descriptor.get(), 7);
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }

    fn look(&self) {
        *self.rung.lock().unwrap() = false;
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

struct World {
    alarm: Alarm<Driver>,
    bucket: Mutex<()>,
    sleeper: Condvar,
    reasons: [AtomicU32; 2],
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            alarm: Alarm::new(),
            bucket: Mutex::new(()),
            sleeper: Condvar::new(),
            reasons: [AtomicU32::new(0), AtomicU32::new(0)],
        })
    }

    /// As `Reactor::ring`, of which `reason` is the reason.
    fn ring(&self, reason: usize) {
        self.reasons[reason].store(1, Ordering::Relaxed);
        self.alarm.ring(|bed| match bed {
            Bed::Driver(driver) => driver.ring(),
            Bed::Word(_) => {
                let _bucket = self.bucket.lock().unwrap();
                self.sleeper.notify_one();
            }
        });
    }

    /// As `Reactor::sleep`, until there is a reason.
    fn sleep_until(&self, reason: usize) {
        while self.reasons[reason].load(Ordering::Relaxed) == 0 {
            self.alarm.sleep(|bed| match bed {
                Bed::Driver(driver) => driver.wait(),
                Bed::Word(word) => {
                    let bucket = self.bucket.lock().unwrap();
                    if word.load(Ordering::Relaxed) == SILENT {
                        drop(self.sleeper.wait(bucket));
                    }
                }
            });
        }
    }

    /// Lets another thread ring for `reason`.
    fn rings(self: &Arc<Self>, reason: usize) -> thread::JoinHandle<()> {
        let world = Arc::clone(self);
        thread::spawn(move || world.ring(reason))
    }
}

#[test]
fn a_ring_ends_a_sleep_on_the_word() {
    check(Interruptions::Any, || {
        let world = World::new();
        let ringer = world.rings(0);
        world.sleep_until(0);
        ringer.join().unwrap();
    });
}

/// Also where the worker gets its driver while somebody is about to ring, and looks into it before it sleeps.
#[test]
fn a_ring_ends_a_sleep_in_a_new_driver() {
    check(Interruptions::Any, || {
        let world = World::new();
        let ringer = world.rings(0);
        let driver = Driver::leak();
        world.alarm.set_driver(driver);
        driver.look();
        world.sleep_until(0);
        ringer.join().unwrap();
    });
}

/// The second may find that the first has rung, and leave it at that.
#[test]
fn of_two_rings_at_once_neither_is_lost() {
    check(TWO, || {
        let world = World::new();
        let driver = Driver::leak();
        world.alarm.set_driver(driver);
        let ringers = [world.rings(0), world.rings(1)];
        world.sleep_until(0);
        driver.look();
        world.sleep_until(1);
        for ringer in ringers {
            ringer.join().unwrap();
        }
    });
}

#[test]
fn of_two_rings_for_a_worker_on_its_word_neither_is_lost() {
    check(TWO, || {
        let world = World::new();
        let ringers = [world.rings(0), world.rings(1)];
        world.sleep_until(0);
        world.sleep_until(1);
        for ringer in ringers {
            ringer.join().unwrap();
        }
    });
}
