//! Models of the locks under loom: one at a time has the mutex, permits are neither lost nor doubled, and a
//! wait that is cancelled or out of time loses nothing that was meant for it or for those behind it.
//!
//! The protocols (`raw_mutex.rs`, `raw_rwlock.rs`, `raw_semaphore.rs`) and the list of waiters are the real
//! ones, compiled over the base that stands here: atomics and cells of loom's, a lock of loom's for the list,
//! and tasks that wait for a bell. How a real task waits, and that a wake-up, a cancellation and a deadline do
//! not get lost on the way to it, is shown by the models of `task/state.rs`.
//!
//! What is under a lock is plain data, so that two who touch it with nothing to order them fail a model. A
//! wake-up that is lost is a deadlock.
//!
//! Shown: two threads or three, with up to so many interruptions as each model says. Not shown: that a mutex is
//! handed over after so many times in vain (here at once, or never), the look before the wait (`SPINS`), and
//! `Condvar`'s way from list to list.

#![allow(unsafe_code)]
#![allow(dead_code, reason = "each of the files uses its part of the base")]

// What `raw_*.rs` and `waiters.rs` find where the real ones have `sync/base.rs` and `task/`.
#[path = "tasks.rs"]
mod base;
#[path = "../raw_mutex.rs"]
mod raw_mutex;
#[path = "../raw_rwlock.rs"]
mod raw_rwlock;
#[path = "../raw_semaphore.rs"]
mod raw_semaphore;
#[path = "../../task/waiters.rs"]
mod waiters;

use base::{current, park, pointer, state, wait_reason};

use crate::util::weakened::{Interruptions, Plain, check};
use base::Person;
use loom::thread;
use raw_mutex::RawMutex;
use raw_rwlock::RawRwLock;
use raw_semaphore::RawSemaphore;
use std::sync::Arc;
use waiters::Waited;

/// A lock, and what is under it.
struct Under<L> {
    lock: L,
    data: Plain,
}

impl<L> Under<L> {
    fn new(lock: L) -> Arc<Self> {
        Arc::new(Self { lock, data: Plain::new(0) })
    }

    fn add_one(&self) {
        self.data.set(self.data.get() + 1);
    }
}

/// Locks, adds one and unlocks, unless it is cancelled; says whether it has.
fn lock_once(shared: &Under<RawMutex>) -> bool {
    if shared.lock.lock().is_err() {
        return false;
    }
    shared.add_one();
    // SAFETY: locked above.
    unsafe { shared.lock.unlock() };
    true
}

/// Starts `body` as `person`.
fn start<R: 'static>(
    person: &Arc<Person>,
    body: impl FnOnce() -> R + 'static,
) -> thread::JoinHandle<R> {
    let person = Arc::clone(person);
    thread::spawn(move || person.run(body))
}

/// Several who lock the mutex once, the first of them while the others begin; those `cancelled` may give up.
fn mutex(patience: u32, interruptions: usize, others: usize, cancelled: bool) {
    check(Interruptions::UpTo(interruptions), move || {
        base::set_patience(patience);
        let shared = Under::new(RawMutex::new());
        let people: Vec<_> = (0..others).map(|_| Person::new()).collect();
        let threads: Vec<_> = people
            .iter()
            .map(|person| {
                let shared = Arc::clone(&shared);
                start(person, move || lock_once(&shared))
            })
            .collect();
        let locked = Person::new().run(|| lock_once(&shared));
        assert!(locked);
        if cancelled {
            people[0].cancel();
        }
        let entered = threads.into_iter().map(|thread| thread.join().unwrap());
        let entered: Vec<_> = entered.collect();
        assert!(entered[1..].iter().all(|&entered| entered), "only the first may give up");
        assert!(cancelled || entered[0]);
        // It is free, and nobody is on the way.
        assert!(shared.lock.is_quiet());
        assert_eq!(shared.data.get() as usize, 1 + entered.iter().filter(|&&it| it).count());
    });
}

#[test]
fn two_have_the_mutex_one_after_the_other() {
    mutex(u32::MAX, 4, 1, false);
}

#[test]
fn two_have_the_mutex_handed_over() {
    mutex(0, 4, 1, false);
}

#[test]
fn three_have_the_mutex_one_after_the_other() {
    mutex(u32::MAX, 2, 2, false);
}

#[test]
fn who_is_cancelled_on_the_way_leaves_the_mutex_to_the_next() {
    mutex(u32::MAX, 2, 2, true);
}

#[test]
fn who_is_cancelled_when_the_mutex_is_handed_over_leaves_it_to_the_next() {
    mutex(0, 2, 2, true);
}

/// Who comes past those who wait sees what the last holder did.
#[test]
fn a_mutex_that_is_free_in_between_goes_to_whoever_comes() {
    check(Interruptions::UpTo(3), || {
        base::set_patience(u32::MAX);
        let shared = Under::new(RawMutex::new());
        let waiting = {
            let shared = Arc::clone(&shared);
            start(&Person::new(), move || lock_once(&shared))
        };
        let passing = {
            let shared = Arc::clone(&shared);
            start(&Person::new(), move || {
                let passed = shared.lock.lock_if_free();
                if passed {
                    shared.add_one();
                    // SAFETY: locked above.
                    unsafe { shared.lock.unlock() };
                }
                passed
            })
        };
        assert!(Person::new().run(|| lock_once(&shared)));
        assert!(waiting.join().unwrap());
        let passed = passing.join().unwrap();
        assert!(shared.lock.is_quiet());
        assert_eq!(shared.data.get(), 2 + u32::from(passed));
    });
}

/// Takes `permits` of two, adds one, and gives them back, unless it is cancelled.
fn permits_once(shared: &Under<RawSemaphore>, permits: u64) -> bool {
    match shared.lock.take(permits, None) {
        Waited::Released(_) => {}
        Waited::TimedOut | Waited::Cancelled => return false,
    }
    shared.lock.release(permits);
    true
}

/// As with the mutex, for who wants all permits alone.
#[test]
fn all_permits_go_to_one_after_the_other() {
    check(Interruptions::UpTo(3), || {
        let shared = Under::new(RawSemaphore::new(2));
        let take_all = |shared: &Under<RawSemaphore>| {
            assert!(matches!(shared.lock.take(2, None), Waited::Released(_)));
            shared.add_one();
            shared.lock.release(2);
        };
        let other = {
            let shared = Arc::clone(&shared);
            start(&Person::new(), move || take_all(&shared))
        };
        Person::new().run(|| take_all(&shared));
        other.join().unwrap();
        assert_eq!((shared.data.get(), shared.lock.available()), (2, 2));
        assert!(shared.lock.take_if_there(2), "nobody waits");
    });
}

/// The one that wants much may give up; then the one behind it may have its own, and in any case both permits
/// are there in the end.
fn semaphore(cancelled: bool) {
    check(Interruptions::UpTo(2), move || {
        let shared = Under::new(RawSemaphore::new(1));
        let greedy = Person::new();
        let much = {
            let shared = Arc::clone(&shared);
            start(&greedy, move || permits_once(&shared, 2))
        };
        let little = {
            let shared = Arc::clone(&shared);
            start(&Person::new(), move || permits_once(&shared, 1))
        };
        if cancelled {
            greedy.cancel();
        } else {
            shared.lock.release(1);
        }
        let got_much = much.join().unwrap();
        assert_eq!(got_much, !cancelled);
        assert!(little.join().unwrap());
        assert_eq!(shared.lock.available(), if cancelled { 1 } else { 2 });
        assert!(shared.lock.take_if_there(1), "nobody waits");
    });
}

#[test]
fn who_gives_up_its_wait_for_many_permits_lets_in_who_wants_few() {
    semaphore(true);
}

#[test]
fn a_permit_that_comes_serves_everybody_in_turn() {
    semaphore(false);
}

/// Who gives more than the waiter wants: somebody else may take the rest, and sees what the giver did.
#[test]
fn permits_that_nobody_waits_for_go_to_whoever_comes() {
    check(Interruptions::UpTo(2), || {
        let shared = Under::new(RawSemaphore::new(0));
        let waiting = {
            let shared = Arc::clone(&shared);
            start(&Person::new(), move || {
                assert!(matches!(shared.lock.take(1, None), Waited::Released(_)));
                assert_eq!(shared.data.get(), 1);
            })
        };
        let passing = {
            let shared = Arc::clone(&shared);
            start(&Person::new(), move || {
                let passed = shared.lock.take_if_there(1);
                assert!(!passed || shared.data.get() == 1);
                passed
            })
        };
        shared.add_one();
        shared.lock.release(2);
        waiting.join().unwrap();
        let passed = passing.join().unwrap();
        assert_eq!(shared.lock.available(), u64::from(!passed));
    });
}

/// The permit comes at the same time as the cancellation or the deadline: it goes to the one, or the other, or
/// stays.
#[test]
fn a_permit_that_comes_with_the_end_of_the_wait_is_not_lost() {
    check(Interruptions::UpTo(3), || {
        let shared = Under::new(RawSemaphore::new(0));
        let person = Person::new();
        let waiting = {
            let shared = Arc::clone(&shared);
            start(&person, move || shared.lock.take(1, None))
        };
        let ending = {
            let person = Arc::clone(&person);
            thread::spawn(move || person.expire())
        };
        shared.lock.release(1);
        ending.join().unwrap();
        let has_it = match waiting.join().unwrap() {
            Waited::Released(_) => true,
            Waited::TimedOut => false,
            Waited::Cancelled => unreachable!("nobody has cancelled it"),
        };
        assert_eq!(shared.lock.available(), u64::from(!has_it));
    });
}

/// Writes, or reads, under the lock.
fn visit(shared: &Under<RawRwLock>, write: bool) -> bool {
    // SAFETY: each lock is taken in the line before.
    unsafe {
        if write {
            if shared.lock.write().is_err() {
                return false;
            }
            shared.add_one();
            shared.lock.unlock_write();
        } else {
            if shared.lock.read().is_err() {
                return false;
            }
            let _ = shared.data.get();
            shared.lock.unlock_read();
        }
    }
    true
}

/// The main thread and two others visit; the first of those may be cancelled.
fn rwlock(writes: [bool; 3], cancelled: bool) {
    check(Interruptions::UpTo(2), move || {
        let shared = Under::new(RawRwLock::new());
        let people = [Person::new(), Person::new()];
        let threads: Vec<_> = people
            .iter()
            .zip(&writes[1..])
            .map(|(person, &write)| {
                let shared = Arc::clone(&shared);
                start(person, move || visit(&shared, write))
            })
            .collect();
        assert!(Person::new().run(|| visit(&shared, writes[0])));
        if cancelled {
            people[0].cancel();
        }
        let came: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(came[1] && (came[0] || cancelled));
        assert!(shared.lock.try_write(), "it is free, and nobody waits");
        let came = [true, came[0], came[1]];
        let written = came.iter().zip(writes).filter(|&(&came, write)| came && write).count();
        assert_eq!(shared.data.get() as usize, written);
    });
}

#[test]
fn writers_alone() {
    rwlock([true, true, true], false);
}

#[test]
fn a_reader_between_writers() {
    rwlock([true, false, true], false);
}

#[test]
fn readers_around_a_writer_that_may_give_up() {
    rwlock([false, true, false], true);
}

/// The main thread reads until all is over: only the writer's end can let the other reader in.
#[test]
fn a_writer_that_gives_up_lets_in_the_reader_behind_it() {
    check(Interruptions::UpTo(3), || {
        let shared = Under::new(RawRwLock::new());
        assert!(Person::new().run(|| shared.lock.read().is_ok()));
        let gives_up = Person::new();
        let writer = {
            let shared = Arc::clone(&shared);
            start(&gives_up, move || visit(&shared, true))
        };
        let reader = {
            let shared = Arc::clone(&shared);
            start(&Person::new(), move || visit(&shared, false))
        };
        gives_up.cancel();
        assert!(!writer.join().unwrap());
        assert!(reader.join().unwrap());
        // SAFETY: taken to read above.
        unsafe { shared.lock.unlock_read() };
        assert!(shared.lock.try_write(), "it is free, and nobody waits");
    });
}

#[test]
fn who_goes_on_to_read_lets_other_readers_in_and_no_writer() {
    check(Interruptions::UpTo(2), || {
        let shared = Under::new(RawRwLock::new());
        let others: Vec<_> = [false, true]
            .into_iter()
            .map(|write| {
                let shared = Arc::clone(&shared);
                start(&Person::new(), move || visit(&shared, write))
            })
            .collect();
        Person::new().run(|| {
            assert!(shared.lock.write().is_ok());
            shared.add_one();
            let written = shared.data.get();
            // SAFETY: taken to write above, then to read.
            unsafe {
                shared.lock.downgrade();
                assert_eq!(shared.data.get(), written);
                shared.lock.unlock_read();
            }
        });
        assert!(others.into_iter().all(|thread| thread.join().unwrap()));
        assert_eq!(shared.data.get(), 2);
    });
}
