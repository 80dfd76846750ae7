//! Models of a task's state machine under loom: a wake-up, a cancellation and the end of a wait's time may
//! come in any order and from any side. One of them makes the task run, none is lost, and who goes on sees
//! what was written before; the output has one owner.
//!
//! `State` and `Attention` are the real ones, and each step here is taken as `header.rs`, `park.rs` and
//! `join.rs` take it; the switch is left out. In its place a task has a [`context`](Waiting::context), plain
//! data that is touched where the real one is: by the task, by whoever publishes that it waits, and by who
//! makes it run. Two that touch it with nothing to order them fail the model, and so does what they have
//! written for each other ([`Written`]). A lost wake-up is a deadlock.
//!
//! Shown: every interleaving of two threads, and of three with up to [`THREE`]. Not shown: the count of
//! references to the block (as `Arc`'s), and what a futex does with the word (it sleeps while the word is
//! what was read, which here is a wait for a wake that is remembered).

use super::super::attention::Attention;
use super::{Cancelling, Completed, Detached, Join, Place, Published, State, Unparked, Wait};
use crate::util::atomic::{AtomicU32, Ordering};
use crate::util::weakened::{Interruptions, Plain, check};
use loom::sync::Notify;
use loom::thread;
use std::sync::Arc;

const THREE: Interruptions = Interruptions::UpTo(3);

/// A waiting side: of a coroutine, or of an OS thread.
struct Waiting {
    state: State,
    attention: Attention,
    context: Plain,
    /// The right to run it, on the way through somebody's queue.
    right: AtomicU32,
    bell: Notify,
}

/// How a wait has ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Woken,
    Cancelled,
}

impl Waiting {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: State::new(),
            attention: Attention::of_thread(),
            context: Plain::new(0),
            right: AtomicU32::new(0),
            bell: Notify::new(),
        })
    }

    fn touch(&self) {
        self.context.set(self.context.get() + 1);
    }

    /// As `task::park`, the door's `park` and what is done on arrival.
    fn park(&self, wait: Wait, place: Place, cancelling: Cancelling) -> Ended {
        if !self.state.take(wait) {
            self.touch();
            match (self.state.publish_park(wait, place, cancelling), place) {
                (Published::Woken | Published::Cancelled, _) => {}
                (Published::Parked, Place::Kernel) => {
                    while self.state.waits_in_kernel(wait).is_some() {
                        self.bell.wait();
                    }
                }
                (Published::Parked, Place::Scheduler) => self.wait_for_right(),
            }
            self.touch();
        }
        if cancelling == Cancelling::Allowed && self.is_cancelled() {
            Ended::Cancelled
        } else {
            Ended::Woken
        }
    }

    fn wait_for_right(&self) {
        // Acquire: pairs with the Release in `make_run`, as an inbox's.
        while self.right.swap(0, Ordering::Acquire) == 0 {
            self.bell.wait();
        }
    }

    fn is_cancelled(&self) -> bool {
        self.attention.is_cancelled() && self.state.is_cancelled()
    }

    /// As `TaskRef::unpark`.
    fn unpark(&self, wait: Wait) {
        self.make_run(self.state.unpark(wait));
    }

    /// As `TaskRef::cancel`.
    fn cancel(&self) {
        self.attention.set_cancelled();
        self.make_run(self.state.cancel());
    }

    fn make_run(&self, unparked: Unparked) {
        match unparked {
            Unparked::Noted => {}
            Unparked::Schedule => {
                self.touch();
                // Release: pairs with the Acquire in `wait_for_right`.
                assert_eq!(self.right.swap(1, Ordering::Release), 0, "made to run twice");
                self.bell.notify();
            }
            Unparked::WakeKernel => self.bell.notify(),
        }
    }
}

/// What a waker has to say: plain data, and a flag that orders nothing.
struct Written {
    value: Plain,
    flag: AtomicU32,
}

impl Written {
    fn new() -> Arc<Self> {
        Arc::new(Self { value: Plain::new(0), flag: AtomicU32::new(0) })
    }

    fn write(&self) {
        self.value.set(1);
        self.flag.store(1, Ordering::Relaxed);
    }

    fn is_there(&self) -> bool {
        self.flag.load(Ordering::Relaxed) == 1
    }

    fn read(&self) {
        assert_eq!(self.value.get(), 1);
    }
}

/// One wake-up, in each place: it ends the wait, before it or in it, and what it is for is seen.
fn one_wake_up(place: Place) {
    check(Interruptions::Any, move || {
        let task = Waiting::new();
        let written = Written::new();
        let waker = {
            let (task, written) = (Arc::clone(&task), Arc::clone(&written));
            thread::spawn(move || {
                written.write();
                task.unpark(Wait::Event);
            })
        };
        assert_eq!(task.park(Wait::Event, place, Cancelling::Masked), Ended::Woken);
        written.read();
        waker.join().unwrap();
        assert!(!task.state.take(Wait::Event), "one wake-up has ended two waits");
    });
}

#[test]
fn a_wake_up_ends_a_wait_in_the_scheduler() {
    one_wake_up(Place::Scheduler);
}

#[test]
fn a_wake_up_ends_a_wait_in_the_kernel() {
    one_wake_up(Place::Kernel);
}

/// Of two wakers one makes the task run, and it sees what both have written, though the second may only
/// have found the token set.
fn two_wake_ups(place: Place) {
    check(THREE, move || {
        let task = Waiting::new();
        let written = [Written::new(), Written::new()];
        let wakers = written.clone().map(|written| {
            let task = Arc::clone(&task);
            thread::spawn(move || {
                written.write();
                task.unpark(Wait::Token);
            })
        });
        while !written.iter().all(|written| written.is_there()) {
            assert_eq!(task.park(Wait::Token, place, Cancelling::Masked), Ended::Woken);
        }
        for waker in wakers {
            waker.join().unwrap();
        }
    });
}

#[test]
fn two_wake_ups_make_a_task_run_once() {
    two_wake_ups(Place::Scheduler);
}

#[test]
fn two_wake_ups_make_a_thread_run_once() {
    two_wake_ups(Place::Kernel);
}

#[test]
fn a_cancellation_ends_a_wait_that_allows_it() {
    check(Interruptions::Any, || {
        let task = Waiting::new();
        let written = Written::new();
        let canceller = {
            let (task, written) = (Arc::clone(&task), Arc::clone(&written));
            thread::spawn(move || {
                written.write();
                task.cancel();
            })
        };
        let ended = task.park(Wait::Token, Place::Scheduler, Cancelling::Allowed);
        assert_eq!(ended, Ended::Cancelled);
        written.read();
        canceller.join().unwrap();
    });
}

/// A task that computes looks at its attention, then at its state, and may see it at any time.
#[test]
fn whoever_sees_a_cancellation_sees_what_led_to_it() {
    check(Interruptions::Any, || {
        let task = Waiting::new();
        let written = Written::new();
        let canceller = {
            let (task, written) = (Arc::clone(&task), Arc::clone(&written));
            thread::spawn(move || {
                written.write();
                task.cancel();
            })
        };
        if task.is_cancelled() {
            written.read();
        }
        canceller.join().unwrap();
        assert!(task.is_cancelled());
    });
}

#[test]
fn a_cancellation_leaves_a_masked_wait_alone_and_takes_no_wake_up() {
    check(THREE, || {
        let task = Waiting::new();
        let written = Written::new();
        let threads = [
            {
                let (task, written) = (Arc::clone(&task), Arc::clone(&written));
                thread::spawn(move || {
                    written.write();
                    task.unpark(Wait::Event);
                })
            },
            {
                let task = Arc::clone(&task);
                thread::spawn(move || task.cancel())
            },
        ];
        assert_eq!(task.park(Wait::Event, Place::Scheduler, Cancelling::Masked), Ended::Woken);
        written.read();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(!task.state.take(Wait::Event));
        let next = task.park(Wait::Event, Place::Scheduler, Cancelling::Allowed);
        assert_eq!(next, Ended::Cancelled);
    });
}

/// Both at once: one of them makes the task run, and the wake-up is used up or still there.
#[test]
fn a_wake_up_and_a_cancellation_make_a_task_run_once() {
    check(THREE, || {
        let task = Waiting::new();
        let threads: [fn(&Waiting); 2] = [|task| task.unpark(Wait::Event), Waiting::cancel];
        let threads = threads.map(|does| {
            let task = Arc::clone(&task);
            thread::spawn(move || does(&task))
        });
        let first = task.park(Wait::Event, Place::Scheduler, Cancelling::Allowed);
        for thread in threads {
            thread.join().unwrap();
        }
        if first == Ended::Woken {
            assert!(!task.state.take(Wait::Event), "one wake-up has ended two waits");
        }
        assert!(task.is_cancelled());
        assert_eq!(task.right.load(Ordering::Relaxed), 0, "made to run while it ran");
    });
}

/// The time of a wait in the scheduler is up just when somebody wakes the task.
#[test]
fn a_wait_ends_by_its_time_or_by_a_wake_up() {
    check(THREE, || {
        let task = Waiting::new();
        let written = Written::new();
        let waker = {
            let (task, written) = (Arc::clone(&task), Arc::clone(&written));
            thread::spawn(move || {
                written.write();
                task.unpark(Wait::Event);
            })
        };
        let timer = {
            let task = Arc::clone(&task);
            thread::spawn(move || {
                let ended = task.state.expire(Wait::Event);
                task.make_run(ended);
                ended != Unparked::Noted
            })
        };
        assert_eq!(task.park(Wait::Event, Place::Scheduler, Cancelling::Allowed), Ended::Woken);
        let timed_out = timer.join().unwrap();
        waker.join().unwrap();
        written.read();
        assert_eq!(task.state.take(Wait::Event), timed_out, "a wake-up is lost, or counts twice");
    });
}

/// The timer may have looked at one wait, and end the next one, which looks the same.
#[test]
fn whoever_ends_a_wait_sees_that_very_wait() {
    check(THREE, || {
        let task = Waiting::new();
        let written = [Written::new(), Written::new()];
        let [first, second] = written.clone();
        let waker = {
            let task = Arc::clone(&task);
            thread::spawn(move || {
                first.write();
                task.unpark(Wait::Event);
            })
        };
        let timer = {
            let task = Arc::clone(&task);
            thread::spawn(move || {
                second.write();
                match task.state.expire(Wait::Event) {
                    Unparked::Noted => task.unpark(Wait::Event),
                    ended => task.make_run(ended),
                }
            })
        };
        while !written.iter().all(|written| written.is_there()) {
            assert_eq!(task.park(Wait::Event, Place::Scheduler, Cancelling::Masked), Ended::Woken);
        }
        waker.join().unwrap();
        timer.join().unwrap();
    });
}

/// As `park_in_kernel` with a deadline that has come: a thread ends its own wait.
#[test]
fn a_thread_whose_time_is_up_finds_that_it_was_woken() {
    check(Interruptions::Any, || {
        let task = Waiting::new();
        let written = Written::new();
        let waker = {
            let (task, written) = (Arc::clone(&task), Arc::clone(&written));
            thread::spawn(move || {
                written.write();
                task.unpark(Wait::Token);
            })
        };
        let published = task.state.publish_park(Wait::Token, Place::Kernel, Cancelling::Masked);
        let woken = published == Published::Woken
            || task.state.waits_in_kernel(Wait::Token).is_none()
            || task.state.expire(Wait::Token) == Unparked::Noted;
        if woken {
            written.read();
        }
        waker.join().unwrap();
        assert_eq!(task.state.take(Wait::Token), !woken, "a wake-up is lost, or counts twice");
    });
}

/// A task that ends, and who waits for it.
struct Ending {
    state: State,
    /// Zero when it has not been written or has been taken.
    output: Plain,
    joiner: Plain,
    waits: Arc<Waiting>,
}

impl Ending {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: State::new(),
            output: Plain::new(0),
            joiner: Plain::new(0),
            waits: Waiting::new(),
        })
    }

    fn take_output(&self) {
        assert_eq!(self.output.set(0), 1, "no output, or taken twice");
    }

    /// As `Task::run` at the end.
    fn end(&self) {
        self.output.set(1);
        match self.state.complete() {
            Completed::Unobserved => {}
            Completed::WakeJoiner => {
                assert_eq!(self.joiner.set(0), 1, "who joins is not written down");
                self.waits.unpark(Wait::Event);
            }
            Completed::DropOutput => self.take_output(),
        }
    }

    /// As `JoinHandle::join`: says whether it has the output, or is to unwind.
    fn join(&self, cancelling: Cancelling) -> bool {
        if !self.state.is_complete() {
            self.joiner.set(1);
            match self.state.begin_join() {
                Join::Registered => {
                    while !self.state.is_complete() {
                        let ended = self.waits.park(Wait::Event, Place::Scheduler, cancelling);
                        if ended == Ended::Cancelled && !self.state.is_complete() {
                            return false;
                        }
                    }
                }
                Join::Complete => assert_eq!(self.joiner.set(0), 1),
            }
        }
        self.take_output();
        true
    }

    /// As the drop of a `JoinHandle`.
    fn detach(&self) {
        match self.state.detach() {
            Detached::LeaveIt => {}
            Detached::DropOutput => self.take_output(),
        }
    }
}

/// Lets a task end while `other` does something with its handle; the output must then be gone.
fn ends_while(
    interruptions: Interruptions,
    other: impl Fn(&Arc<Ending>) + Copy + Sync + Send + 'static,
) {
    check(interruptions, move || {
        let ending = Ending::new();
        let task = {
            let ending = Arc::clone(&ending);
            thread::spawn(move || ending.end())
        };
        other(&ending);
        task.join().unwrap();
        assert_eq!(ending.output.get(), 0, "nobody has taken the output");
    });
}

#[test]
fn who_joins_takes_the_output() {
    ends_while(Interruptions::Any, |ending| assert!(ending.join(Cancelling::Masked)));
}

#[test]
fn an_output_that_nobody_wants_is_dropped_once() {
    ends_while(Interruptions::Any, |ending| ending.detach());
}

#[test]
fn who_is_cancelled_while_it_joins_leaves_the_output_to_one() {
    ends_while(THREE, |ending| {
        let canceller = {
            let joiner = Arc::clone(&ending.waits);
            thread::spawn(move || joiner.cancel())
        };
        if !ending.join(Cancelling::Allowed) {
            ending.detach();
        }
        canceller.join().unwrap();
    });
}
