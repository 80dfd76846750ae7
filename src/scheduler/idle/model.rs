//! Models of the sleep/wake protocol under loom: no work is left while its worker sleeps, and none while
//! everybody does who may take it.
//!
//! `Idle` is the real one. Around it stand a [`World`] of queues and a worker's root in small
//! ([`World::serve`]): it runs tasks, searches, rests, and hands over when it stops searching, as
//! `scheduler/search.rs` does. A task that waits for another one makes sure that a second worker is really
//! woken: a lost wake-up is a deadlock, which loom reports. At the end all counts must be back at zero.
//!
//! The queues are counters, with the weakest orderings that an inbox and crossbeam's queues have. A queue
//! under a lock would order the maker's look after the worker's by itself, and so hide the fences that the
//! protocol stands on. The alarm remembers a ring, as an eventfd does, and may end a sleep for no reason.
//!
//! Shown: two threads or three, with up to [`INTERRUPTIONS`]. Not shown: that a nap ends by time; that a worker looks into its queues at all when it is awake.

use super::{Alarm, BACKLOG, Idle, Rest};
use crate::util::atomic::{AtomicU32, Ordering};
use crate::util::weakened::{Interruptions, check};
use core::time::Duration;
use loom::sync::Notify;
use loom::thread;
use std::sync::Arc;

const INTERRUPTIONS: Interruptions = Interruptions::UpTo(2);

/// An eventfd.
impl Alarm for Notify {
    fn ring(&self) {
        self.notify();
    }
}

/// How many tasks are in a queue.
struct Pile(AtomicU32);

impl Pile {
    fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn push(&self) {
        // Release: as an inbox, an injector and a deque publish what they hold.
        self.0.fetch_add(1, Ordering::Release);
    }

    fn len(&self) -> usize {
        // Relaxed: an inbox asks no more. A hint, as theirs.
        self.0.load(Ordering::Relaxed) as usize
    }

    fn take(&self) -> bool {
        let mut count = self.0.load(Ordering::Relaxed);
        while count > 0 {
            // Acquire: pairs with the Release in `push`.
            match self.0.compare_exchange_weak(
                count,
                count - 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }
}

/// Where the tasks are. One kind in each model, to keep it small.
#[derive(Clone, Copy, PartialEq)]
enum Queue {
    /// One for each worker, which alone takes from it.
    Inboxes,
    /// One for all.
    Injector,
    /// Another worker's, to all that there are in the model.
    Deque,
}

/// What a worker does first when it finds no work.
#[derive(Clone, Copy, PartialEq)]
enum Tired {
    /// It sleeps.
    Sleeps,
    /// It naps until it is woken: to show that it is.
    NapsLong,
    /// It naps, and wakes up by itself.
    NapsShort,
}

struct World {
    idle: Idle<Notify>,
    tired: Tired,
    queue: Queue,
    piles: Vec<Pile>,
    /// How many tasks each worker runs before it is busy for ever. More do not end.
    tasks: usize,
    stopping: AtomicU32,
}

impl World {
    fn new(workers: usize, tired: Tired, queue: Queue, tasks: usize) -> Self {
        let piles = if queue == Queue::Inboxes { workers } else { 1 };
        Self {
            idle: Idle::new((0..workers).map(|_| Notify::new())),
            tired,
            queue,
            piles: (0..piles).map(|_| Pile::new()).collect(),
            tasks,
            stopping: AtomicU32::new(0),
        }
    }

    /// As `Shared::deliver`, `Shared::inject` and `Worker::push_new`; `waiting` tasks are then in the deque.
    fn make(&self, home: usize, waiting: usize) {
        match self.queue {
            Queue::Inboxes => {
                self.piles[home].push();
                self.idle.wake(home);
            }
            Queue::Injector => {
                self.piles[0].push();
                self.idle.work_injected();
            }
            Queue::Deque => {
                self.piles[0].push();
                self.idle.work_pushed(waiting);
            }
        }
    }

    /// As `Shared::stop`.
    fn stop(&self) {
        // Release: pairs with the Acquire in `stopping`.
        self.stopping.store(1, Ordering::Release);
        for index in 0..self.idle.sleepers.len() {
            self.idle.wake(index);
        }
    }

    fn stopping(&self) -> bool {
        // Acquire: pairs with the Release in `stop`.
        self.stopping.load(Ordering::Acquire) != 0
    }

    fn pile(&self, index: usize) -> &Pile {
        &self.piles[if self.queue == Queue::Inboxes { index } else { 0 }]
    }

    /// As `Worker::run_root`.
    fn serve(&self, index: usize) {
        for _ in 0..self.tasks {
            if !self.pile(index).take() && !self.search(index) {
                return;
            }
        }
    }

    /// As `Worker::search`; says whether it has taken a task.
    fn search(&self, index: usize) -> bool {
        let pile = self.pile(index);
        self.idle.begin_search();
        let mut tired = self.tired;
        let mut found = false;
        while !self.stopping() {
            found = pile.take();
            if found {
                break;
            }
            let rest = match tired {
                Tired::Sleeps => Rest::Sleep,
                Tired::NapsLong | Tired::NapsShort => Rest::Nap(Duration::ZERO),
            };
            let sees = rest == Rest::Sleep || self.queue != Queue::Deque;
            let found_work = || (sees && pile.len() > 0) || self.stopping();
            self.idle.rest(index, rest, found_work, |alarm, _| {
                if tired != Tired::NapsShort {
                    alarm.wait();
                }
            });
            tired = Tired::Sleeps;
        }
        self.idle.end_search(|| match self.queue {
            Queue::Inboxes => 0,
            Queue::Injector if pile.len() > 0 => BACKLOG,
            Queue::Injector | Queue::Deque => pile.len(),
        });
        found
    }
}

/// Runs the `makers` beside the workers of `world`, each in its own thread, to the end of them all.
fn run(world: impl Fn() -> World + Sync + Send + 'static, makers: &'static [fn(&World)]) {
    check(INTERRUPTIONS, move || {
        let world = Arc::new(world());
        let serve = |index| {
            let world = Arc::clone(&world);
            thread::spawn(move || world.serve(index))
        };
        let mut threads: Vec<_> = (0..world.idle.sleepers.len()).map(serve).collect();
        for &make in &makers[1..] {
            let world = Arc::clone(&world);
            threads.push(thread::spawn(move || make(&world)));
        }
        makers[0](&world);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(world.idle.counts.load(Ordering::Relaxed), 0, "somebody is still counted");
    });
}

#[test]
fn a_delivered_task_wakes_its_worker() {
    run(|| World::new(1, Tired::Sleeps, Queue::Inboxes, 1), &[|world| world.make(0, 1)]);
}

#[test]
fn a_delivered_task_wakes_its_worker_from_a_nap() {
    run(|| World::new(1, Tired::NapsLong, Queue::Inboxes, 1), &[|world| world.make(0, 1)]);
}

/// Each of two wakers may find that the other is about to wake the worker, and leave it to that one.
#[test]
fn two_deliveries_at_once_wake_their_worker() {
    run(
        || World::new(1, Tired::Sleeps, Queue::Inboxes, 2),
        &[|world| world.make(0, 1), |world| world.make(0, 1)],
    );
}

#[test]
fn an_injected_task_wakes_a_worker() {
    run(|| World::new(1, Tired::Sleeps, Queue::Injector, 1), &[|world| world.make(0, 1)]);
}

#[test]
fn an_injected_task_wakes_a_worker_from_a_nap() {
    run(|| World::new(1, Tired::NapsLong, Queue::Injector, 1), &[|world| world.make(0, 1)]);
}

/// Few tasks do not end a nap: who naps finds them before it sleeps.
#[test]
fn a_pushed_task_is_found_before_a_napper_sleeps() {
    run(|| World::new(1, Tired::NapsShort, Queue::Deque, 1), &[|world| world.make(0, 1)]);
}

/// Many do, or come when it has ended by itself.
#[test]
fn a_nap_that_ends_while_it_is_ended_counts_once() {
    run(|| World::new(1, Tired::NapsShort, Queue::Deque, 1), &[|world| world.make(0, BACKLOG)]);
}

/// The second maker may find the worker searching that the first has woken, and leaves its task to it: who
/// takes the first task must then see to it that somebody takes the second.
#[test]
fn of_two_injected_tasks_neither_waits_for_the_other_ones_end() {
    run(
        || World::new(2, Tired::Sleeps, Queue::Injector, 1),
        &[|world| {
            world.make(0, 1);
            world.make(0, 1);
        }],
    );
}

#[test]
fn of_two_pushed_tasks_neither_waits_for_the_other_ones_end() {
    run(
        || World::new(2, Tired::Sleeps, Queue::Deque, 1),
        &[|world| {
            world.make(0, 1);
            world.make(0, 2);
        }],
    );
}

#[test]
fn workers_that_rest_are_sent_home() {
    run(|| World::new(2, Tired::Sleeps, Queue::Inboxes, usize::MAX), &[World::stop]);
}
