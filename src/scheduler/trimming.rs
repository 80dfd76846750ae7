//! Giving memory back that stacks have used and no longer need: by each worker for its own, when it rests and,
//! a little, while it is busy.
//!
//! Stacks that are free are looked at before a sleep. Stacks of coroutines that wait are looked at when the
//! worker has had nothing to do for a while ([`WAITED_LONG`]): in rounds, each of which walks once through
//! the worker's roster and looks at those that have begun to wait since they were last looked at. After that
//! there is nothing to do until something has run; an idle runtime sleeps for good.
//!
//! # No wake-up is raced with
//!
//! Only this worker ever goes on with a task that stays on it, and it does not while it is here: whoever wakes
//! such a task only puts it into a list. So it does not matter whether the task still waits. What matters is
//! that its context is kept, which it is as soon as anything else runs on this worker: the only listed task
//! whose context is not is the running one, which is left out. Migratable tasks may be gone on with by others
//! at any time; they are in no worker's roster and keep their pages.

#![allow(unsafe_code)]

use super::worker::Worker;
use core::cell::Cell;
use std::time::{Duration, Instant};

/// How long something must have waited, or nearly, for its stack to be looked at.
const WAITED_LONG: Duration = Duration::from_millis(50);

/// How many times as long as the last round took is waited for the next at the least: rounds take no more than
/// a thirtieth of the time.
const PAUSE: u32 = 30;

/// The longest pause after rounds that have given nothing back, each of which doubles it.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many tasks a worker that rests looks at before it looks for work again.
const STEPS: usize = 64;

/// Every so many looks round a busy worker looks at a few stacks.
const BUSY_ROUNDS: usize = 16;
const BUSY_STEPS: usize = 2;

/// What a worker knows of its rounds.
#[derive(Debug, Default)]
pub(super) struct Trimming {
    /// Something has run since the last round began.
    ran: Cell<bool>,
    /// When the next round is to begin, if there is to be one.
    due: Cell<Option<Instant>>,
    /// How long the round that is under way, if there is one, has taken so far.
    taken: Cell<Option<Duration>>,
    /// The round that is under way has given something back.
    gave: Cell<bool>,
    /// How long to wait for the next.
    pause: Cell<Duration>,
}

/// What a worker that rests is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To look whether it is to go on, and ask again.
    Look,
    /// To sleep, at most for this long.
    Sleep(Option<Duration>),
}

impl Worker {
    /// The worker has run something.
    pub(super) fn note_that_it_ran(&self) {
        self.trimming.ran.set(true);
    }

    /// Does a piece of what is to be done before the worker sleeps. For the root.
    pub(super) fn trim_before_sleep(&self) -> Next {
        if self.trim_free_stacks() {
            return Next::Look;
        }
        let trimming = &self.trimming;
        let now = Instant::now();
        if trimming.taken.get().is_none() {
            let due = match trimming.due.get() {
                Some(due) => due,
                None if trimming.ran.get() => now + trimming.pause.get().max(WAITED_LONG),
                None => return Next::Sleep(None),
            };
            if now < due {
                trimming.due.set(Some(due));
                return Next::Sleep(Some(due - now));
            }
            trimming.due.set(None);
            trimming.ran.set(false);
            self.remote().roster.end_walk();
        }
        let is_over = self.trim_waiting(STEPS);
        let taken = trimming.taken.take().unwrap_or_default() + now.elapsed();
        if is_over {
            // Where there was nothing to be had, as where many wait for a moment each, the next round comes later.
            let longer = if trimming.gave.replace(false) {
                Duration::ZERO
            } else {
                (trimming.pause.get().max(WAITED_LONG) * 2).min(LONGEST_PAUSE)
            };
            trimming.pause.set((taken * PAUSE).max(longer));
        } else {
            trimming.taken.set(Some(taken));
        }
        Next::Look
    }

    /// What a busy worker does of it, each time it looks round.
    pub(super) fn trim_while_busy(&self) {
        if self.tally().rounds.get() % BUSY_ROUNDS == 0 {
            self.look_at_clock();
            self.magazines.borrow_mut().trim_one();
            self.trim_waiting(BUSY_STEPS);
        }
    }

    /// Looks at some stacks that are free; says whether there may be more to look at.
    fn trim_free_stacks(&self) -> bool {
        self.magazines.borrow_mut().trim_some()
    }

    /// Goes on with a walk through the roster; says whether it has come to the end.
    fn trim_waiting(&self, steps: usize) -> bool {
        let running = self.local.task.get();
        self.remote().roster.walk(steps, |task| {
            if running.is_none_or(|running| !core::ptr::eq(running.as_ptr(), task)) {
                // SAFETY: the task is on this worker and stays, and it is not the running one; see the top.
                if unsafe { task.trim_stack() } {
                    self.trimming.gave.set(true);
                }
            }
        })
    }
}
