//! Models of a runtime's end under loom: whoever closes it waits until the last task has ended, and no longer.
//!
//! `Census`, `Count` and `Idle` are the real ones. Workers end their tasks and rest, as `search.rs` does; the
//! closer waits for somebody to report that it is over, as `closing.rs` does, but without its looks round
//! every second: a report that is lost is a deadlock. What a task has done is plain data, which the closer
//! reads when it has been told that nothing is left: if it was told too early, that is a race.
//!
//! Shown: one worker with up to three interruptions, two with up to [`TWO`].

use super::super::idle::{Idle, Rest};
use super::{Census, Count};
use crate::util::atomic::{AtomicU32, Ordering};
use crate::util::weakened::{Interruptions, Plain, check};
use loom::sync::Notify;
use loom::thread;
use std::sync::Arc;

const TWO: Interruptions = Interruptions::UpTo(2);

struct World {
    census: Census,
    spawned: Vec<Count>,
    ended: Vec<Count>,
    /// What each worker's tasks have done.
    done: Vec<Plain>,
    idle: Idle<Notify>,
    closer: Notify,
    stopping: AtomicU32,
}

impl World {
    fn new(workers: usize) -> Self {
        Self {
            census: Census::default(),
            spawned: (0..workers).map(|_| Count::default()).collect(),
            ended: (0..workers).map(|_| Count::default()).collect(),
            done: (0..workers).map(|_| Plain::new(0)).collect(),
            idle: Idle::new((0..workers).map(|_| Notify::new())),
            closer: Notify::new(),
            stopping: AtomicU32::new(0),
        }
    }

    fn sum(counts: &[Count]) -> usize {
        counts.iter().map(Count::get).sum()
    }

    /// As `Shared::close`, then `Shared::stop`; returns what the tasks have done.
    fn close(&self) -> u32 {
        self.census.close();
        while self.census.live(|| Self::sum(&self.spawned), || Self::sum(&self.ended)) != 0 {
            self.closer.wait();
        }
        let done = self.done.iter().map(Plain::get).sum();
        // Release: pairs with the Acquire in `stopping`.
        self.stopping.store(1, Ordering::Release);
        for index in 0..self.done.len() {
            self.idle.wake(index);
        }
        done
    }

    fn stopping(&self) -> bool {
        // Acquire: pairs with the Release in `close`.
        self.stopping.load(Ordering::Acquire) != 0
    }

    /// As `Shared::report_if_quiet`.
    fn report_if_quiet(&self) {
        if self.census.is_over(|| Self::sum(&self.spawned), || Self::sum(&self.ended)) {
            self.closer.notify();
        }
    }

    /// Worker `index` runs a task to its end.
    fn run(&self, index: usize) {
        self.done[index].set(self.done[index].get() + 1);
        self.ended[index].increment();
    }

    /// Worker `index` has nothing to do until it is sent home.
    fn rest(&self, index: usize) {
        self.idle.begin_search();
        while !self.stopping() {
            let found_work = || {
                self.report_if_quiet();
                self.stopping()
            };
            self.idle.rest(index, Rest::Sleep, found_work, |alarm, _| alarm.wait());
        }
        self.idle.end_search(|| 0);
    }
}

/// Closes beside the `workers`, and expects that each of their tasks has been waited for.
fn closes_beside<const N: usize>(
    interruptions: Interruptions,
    entered: usize,
    workers: [fn(&World) -> u32; N],
) {
    check(interruptions, move || {
        let world = Arc::new(World::new(N));
        for _ in 0..entered {
            assert!(world.census.enter());
        }
        let threads = workers.map(|work| {
            let world = Arc::clone(&world);
            thread::spawn(move || work(&world))
        });
        let seen = world.close();
        let done = threads.map(|thread| thread.join().unwrap());
        assert_eq!(seen, done.iter().sum::<u32>());
    });
}

/// The task spawns another one, which runs after it has ended itself.
#[test]
fn the_closer_waits_for_what_a_task_has_left_behind() {
    closes_beside(
        Interruptions::UpTo(3),
        1,
        [|world| {
            world.spawned[0].increment();
            world.run(0);
            world.run(0);
            world.rest(0);
            2
        }],
    );
}

/// Both end at once; whoever rests last must see it.
#[test]
fn the_closer_learns_of_the_last_of_two() {
    closes_beside(
        TWO,
        2,
        [
            |world| {
                world.run(0);
                world.rest(0);
                1
            },
            |world| {
                world.run(1);
                world.rest(1);
                1
            },
        ],
    );
}

/// Somebody comes in from outside, or is refused, while another task ends.
#[test]
fn who_comes_in_is_waited_for_and_who_is_refused_is_not() {
    closes_beside(
        TWO,
        1,
        [
            |world| {
                world.run(0);
                world.rest(0);
                1
            },
            |world| {
                let may_come = world.census.enter();
                if may_come {
                    world.run(1);
                    world.rest(1);
                } else {
                    // And does not rest: it is no worker.
                    world.census.leave();
                    world.report_if_quiet();
                }
                may_come.into()
            },
        ],
    );
}
