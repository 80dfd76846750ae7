//! The state of a task that several threads may change: one word, and its moves.
//!
//! | bit | set means | set by | cleared by |
//! | --- | --- | --- | --- |
//! | `set` of a [`Wait`] | somebody has woken a task that did not wait | `unpark` | `take`, `publish_park` |
//! | `parked` of a [`Wait`] | the task waits; its waker makes it run | `publish_park` | `unpark`, `cancel`, `expire` |
//! | `IN_KERNEL` | it waits in the kernel, on this very word | `publish_park` | `unpark`, `cancel`, `expire` |
//! | `CANCELLABLE` | a cancellation may end the wait | `publish_park` | `unpark`, `cancel`, `expire` |
//! | `CANCEL` | somebody has cancelled the task | `cancel` | nobody |
//! | `JOINING` | the joiner is written down in the header | `begin_join` | nobody |
//! | `DETACHED` | nobody will join | `detach` | nobody |
//! | `COMPLETE` | the closure has ended and its output is there | `complete` | nobody |
//!
//! For each [`Wait`] on its own, `set` and `parked` make the three states of a parker: EMPTY (neither),
//! NOTIFIED (`set`), PARKED (`parked`); both at once never.
//!
//! # Invariants
//!
//! 1. `parked` is set for a task that runs, by itself or by whoever arrives once it has left its stack,
//!    and only one of the two at a time.
//! 2. Whoever clears `parked` must make the task run, and nobody else may.
//! 3. `CANCEL` is set once and for all; `CANCELLABLE` never without a `parked`.

use crate::util::atomic::{AtomicU32, Ordering, futex_word};

/// What a task waits for. Each has a token of its own, so that a user's `unpark` neither ends a wait
/// for something else nor gets lost in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// `thread::unpark`, by the user.
    Token,
    /// Something of kettle's own: a join, a lock, readiness.
    Event,
}

impl Wait {
    const fn set(self) -> u32 {
        match self {
            Self::Token => 1 << 0,
            Self::Event => 1 << 1,
        }
    }

    const fn parked(self) -> u32 {
        match self {
            Self::Token => 1 << 2,
            Self::Event => 1 << 3,
        }
    }
}

const IN_KERNEL: u32 = 1 << 4;
const JOINING: u32 = 1 << 5;
const DETACHED: u32 = 1 << 6;
const COMPLETE: u32 = 1 << 7;
const CANCEL: u32 = 1 << 8;
const CANCELLABLE: u32 = 1 << 9;

/// Both kinds of `parked`.
const ANY_PARKED: u32 = Wait::Token.parked() | Wait::Event.parked();

/// How a parking task waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the scheduler, off its stack.
    Scheduler,
    /// In the kernel, on its stack, its OS thread with it.
    Kernel,
}

/// Whether a cancellation ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancelling {
    /// The wait is a cancellation point.
    Allowed,
    /// It is none, or the task has masked cancellation.
    Masked,
}

/// What came of publishing a park.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Published {
    /// The task waits; from now on whoever wakes it makes it run.
    Parked,
    /// It had been woken already; that wake-up is used up and the task must go on.
    Woken,
    /// It had been cancelled already, and must go on to hear of it.
    Cancelled,
}

/// What a waker must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Unparked {
    /// Nothing: the task did not wait, and will see it when it is about to.
    Noted,
    /// Put it where it will run.
    Schedule,
    /// Wake the thread that sleeps on the word.
    WakeKernel,
}

/// What a task that ends must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Completed {
    /// Nothing: the owner of the join handle will look.
    Unobserved,
    /// Wake the joiner, whose name is in the header.
    WakeJoiner,
    /// Drop the output: nobody will ask for it.
    DropOutput,
}

/// What a joiner must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Join {
    /// Take the output.
    Complete,
    /// Wait to be woken.
    Registered,
}

/// What a join handle that is dropped must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Detached {
    /// Drop the output: the task has ended without knowing.
    DropOutput,
    /// Nothing: the task will.
    LeaveIt,
}

/// The word.
#[derive(Debug)]
pub(super) struct State(AtomicU32);

impl State {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Uses up a wake-up that came before the wait, if one did.
    #[inline]
    pub(super) fn take(&self, wait: Wait) -> bool {
        // Relaxed: only the task itself clears the bit; if it is set, the next line acquires.
        self.0.load(Ordering::Relaxed) & wait.set() != 0 && {
            // Acquire: pairs with the Release in `unpark`.
            self.0.fetch_and(!wait.set(), Ordering::Acquire);
            true
        }
    }

    /// Lets the world know that the task waits. For the task itself, or for whoever runs in its stead
    /// once it has left its stack.
    #[inline]
    pub(super) fn publish_park(
        &self,
        wait: Wait,
        place: Place,
        cancelling: Cancelling,
    ) -> Published {
        let mut parked = wait.parked();
        if place == Place::Kernel {
            parked |= IN_KERNEL;
        }
        if cancelling == Cancelling::Allowed {
            parked |= CANCELLABLE;
        }
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            let (next, published) = if state & wait.set() != 0 {
                (state & !wait.set(), Published::Woken)
            } else if state & CANCEL != 0 && cancelling == Cancelling::Allowed {
                (state, Published::Cancelled)
            } else {
                (state | parked, Published::Parked)
            };
            // Release: pairs with the Acquires in `unpark` and `cancel`: whoever makes the task run sees
            // its stack as it left it. Acquire: pairs with the Release in `unpark`, where it was woken.
            match self.0.compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return published,
                Err(now) => state = now,
            }
        }
    }

    /// Wakes the task from `wait`, now or when it next waits for it.
    #[inline]
    pub(super) fn unpark(&self, wait: Wait) -> Unparked {
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            let (next, unparked) = if state & wait.parked() == 0 {
                (state | wait.set(), Unparked::Noted)
            } else {
                Self::woken(state, wait.parked())
            };
            // Release: pairs with the Acquires in `take`, `publish_park` and `waits_in_kernel`: what the
            // waker did before is seen after the wait, also where the token was set already.
            // Acquire: pairs with the Release in `publish_park`.
            match self.0.compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return unparked,
                Err(now) => state = now,
            }
        }
    }

    /// The state of a task that waited, once its `parked` is cleared, and what that calls for.
    fn woken(state: u32, parked: u32) -> (u32, Unparked) {
        let unparked =
            if state & IN_KERNEL == 0 { Unparked::Schedule } else { Unparked::WakeKernel };
        (state & !(parked | IN_KERNEL | CANCELLABLE), unparked)
    }

    /// Cancels the task: from now on for ever, and out of the wait that it is in if that is a cancellation
    /// point.
    pub(super) fn cancel(&self) -> Unparked {
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            let (next, unparked) = if state & CANCELLABLE == 0 {
                (state, Unparked::Noted)
            } else {
                Self::woken(state, ANY_PARKED)
            };
            // Acquire: pairs with the Release in `publish_park`. Release: pairs with the Acquire in
            // `is_cancelled`: what the canceller did before is seen by who unwinds.
            match self.0.compare_exchange_weak(
                state,
                next | CANCEL,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return unparked,
                Err(now) => state = now,
            }
        }
    }

    /// Makes a task run that waits in the scheduler, whatever for: it goes on waiting by itself.
    pub(super) fn nudge(&self) -> Unparked {
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            if state & ANY_PARKED == 0 || state & IN_KERNEL != 0 {
                return Unparked::Noted;
            }
            let (next, unparked) = Self::woken(state, ANY_PARKED);
            // Acquire: pairs with the Release in `publish_park`. Release is not needed: nothing was written
            // that the task must see.
            match self.0.compare_exchange_weak(state, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return unparked,
                Err(now) => state = now,
            }
        }
    }

    /// Ends `wait` because its time is up. `Noted` means that something else has ended it before; what led
    /// to that is then seen.
    pub(super) fn expire(&self, wait: Wait) -> Unparked {
        // Acquire: pairs with the Release in `unpark`: a thread that ends its own wait in the kernel goes on
        // as woken where it finds that it has been.
        let mut state = self.0.load(Ordering::Acquire);
        loop {
            if state & wait.parked() == 0 {
                return Unparked::Noted;
            }
            let (next, unparked) = Self::woken(state, wait.parked());
            // Acquire: pairs with the Release in `publish_park`; where it fails, as above. Release is not
            // needed: nothing was written for the task to see.
            match self.0.compare_exchange_weak(state, next, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return unparked,
                Err(now) => state = now,
            }
        }
    }

    /// Whether somebody has cancelled the task.
    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        // Acquire: pairs with the Release in `cancel`.
        self.0.load(Ordering::Acquire) & CANCEL != 0
    }

    /// Whether the task still waits in the kernel, and the word's value to sleep on if so.
    pub(super) fn waits_in_kernel(&self, wait: Wait) -> Option<u32> {
        // Acquire: pairs with the Releases in `unpark` and `cancel`.
        let state = self.0.load(Ordering::Acquire);
        (state & wait.parked() != 0).then_some(state)
    }

    /// Where to sleep while [`waits_in_kernel`](Self::waits_in_kernel).
    pub(super) fn futex(&self) -> &core::sync::atomic::AtomicU32 {
        futex_word(&self.0)
    }

    /// The task has ended and its output is written.
    pub(super) fn complete(&self) -> Completed {
        // Release: pairs with the Acquires in `is_complete`, `begin_join` and `detach`, which lead to
        // the output. Acquire: pairs with the Release in `begin_join`, which leads to the joiner.
        let before = self.0.fetch_or(COMPLETE, Ordering::AcqRel);
        if before & DETACHED != 0 {
            Completed::DropOutput
        } else if before & JOINING != 0 {
            Completed::WakeJoiner
        } else {
            Completed::Unobserved
        }
    }

    /// Whether the output is there.
    #[inline]
    pub(super) fn is_complete(&self) -> bool {
        // Acquire: pairs with the Release in `complete`.
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// The joiner is written down in the header.
    pub(super) fn begin_join(&self) -> Join {
        // Release: pairs with the Acquire in `complete`. Acquire: pairs with the Release there.
        if self.0.fetch_or(JOINING, Ordering::AcqRel) & COMPLETE != 0 {
            Join::Complete
        } else {
            Join::Registered
        }
    }

    /// Nobody will join.
    pub(super) fn detach(&self) -> Detached {
        // Acquire: pairs with the Release in `complete`. Release is not needed: nothing was written.
        if self.0.fetch_or(DETACHED, Ordering::Acquire) & COMPLETE != 0 {
            Detached::DropOutput
        } else {
            Detached::LeaveIt
        }
    }
}

#[cfg(all(test, kettle_loom))]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_before_the_wait_is_kept_once() {
        let state = State::new();
        assert_eq!(state.unpark(Wait::Token), Unparked::Noted);
        assert_eq!(state.unpark(Wait::Token), Unparked::Noted);
        assert!(state.take(Wait::Token));
        assert!(!state.take(Wait::Token));
        assert_eq!(state.unpark(Wait::Token), Unparked::Noted);
        assert_eq!(
            state.publish_park(Wait::Token, Place::Scheduler, Cancelling::Allowed),
            Published::Woken
        );
        assert_eq!(
            state.publish_park(Wait::Token, Place::Scheduler, Cancelling::Allowed),
            Published::Parked
        );
    }

    #[test]
    fn only_one_waker_makes_the_task_run() {
        for (place, expected) in
            [(Place::Scheduler, Unparked::Schedule), (Place::Kernel, Unparked::WakeKernel)]
        {
            let state = State::new();
            assert_eq!(
                state.publish_park(Wait::Event, place, Cancelling::Allowed),
                Published::Parked
            );
            assert_eq!(state.unpark(Wait::Event), expected);
            assert_eq!(state.waits_in_kernel(Wait::Event), None);
            assert_eq!(state.unpark(Wait::Event), Unparked::Noted);
        }
    }

    #[test]
    fn the_waits_do_not_disturb_each_other() {
        let state = State::new();
        assert_eq!(
            state.publish_park(Wait::Event, Place::Scheduler, Cancelling::Allowed),
            Published::Parked
        );
        assert_eq!(state.unpark(Wait::Token), Unparked::Noted);
        assert_eq!(state.unpark(Wait::Event), Unparked::Schedule);
        assert!(!state.take(Wait::Event));
        assert!(state.take(Wait::Token));
    }

    #[test]
    fn a_cancellation_ends_a_wait_that_allows_it_and_no_other() {
        for (place, expected) in
            [(Place::Scheduler, Unparked::Schedule), (Place::Kernel, Unparked::WakeKernel)]
        {
            let state = State::new();
            assert_eq!(
                state.publish_park(Wait::Event, place, Cancelling::Allowed),
                Published::Parked
            );
            assert_eq!(state.cancel(), expected);
            assert!(state.is_cancelled());
            assert_eq!(state.cancel(), Unparked::Noted);
            // The wake-up that comes too late is kept for the next wait.
            assert_eq!(state.unpark(Wait::Event), Unparked::Noted);
            assert!(state.take(Wait::Event));
            assert_eq!(
                state.publish_park(Wait::Token, place, Cancelling::Allowed),
                Published::Cancelled
            );
            assert_eq!(
                state.publish_park(Wait::Token, place, Cancelling::Masked),
                Published::Parked
            );
            assert_eq!(state.unpark(Wait::Token), expected);
        }
        let state = State::new();
        assert_eq!(
            state.publish_park(Wait::Token, Place::Scheduler, Cancelling::Masked),
            Published::Parked
        );
        assert_eq!(state.cancel(), Unparked::Noted);
        assert_eq!(state.unpark(Wait::Token), Unparked::Schedule);
    }

    #[test]
    fn a_wait_expires_once_and_only_if_nothing_else_has_ended_it() {
        for (place, expected) in
            [(Place::Scheduler, Unparked::Schedule), (Place::Kernel, Unparked::WakeKernel)]
        {
            let state = State::new();
            assert_eq!(state.expire(Wait::Event), Unparked::Noted);
            let parked = state.publish_park(Wait::Event, place, Cancelling::Allowed);
            assert_eq!(parked, Published::Parked);
            assert_eq!(state.expire(Wait::Token), Unparked::Noted);
            assert_eq!(state.expire(Wait::Event), expected);
            assert_eq!(state.expire(Wait::Event), Unparked::Noted);
            // It has left no wake-up behind, and takes none away.
            assert!(!state.take(Wait::Event));
            assert_eq!(state.unpark(Wait::Event), Unparked::Noted);
            assert_eq!(state.expire(Wait::Event), Unparked::Noted);
            assert!(state.take(Wait::Event));
        }
    }

    #[test]
    fn the_output_has_one_owner() {
        let state = State::new();
        assert_eq!(state.complete(), Completed::Unobserved);
        assert_eq!(state.detach(), Detached::DropOutput);

        let state = State::new();
        assert_eq!(state.detach(), Detached::LeaveIt);
        assert_eq!(state.complete(), Completed::DropOutput);

        let state = State::new();
        assert_eq!(state.begin_join(), Join::Registered);
        assert_eq!(state.complete(), Completed::WakeJoiner);
        assert!(state.is_complete());

        let state = State::new();
        assert_eq!(state.complete(), Completed::Unobserved);
        assert_eq!(state.begin_join(), Join::Complete);
    }
}
