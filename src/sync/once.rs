//! [`Once`]: the mirror of [`std::sync::Once`].
//!
//! # Invariants
//!
//! 1. Who has moved the state to `RUNNING` alone runs an initialisation, until it moves it on.
//! 2. The state changes from `RUNNING` before the list is emptied, and who waits looks at the state under the
//!    list's lock before it puts itself there: so nobody waits for a change that has been.

#![allow(unsafe_code)]

use super::poison::Before;
use crate::task::{Told, Wait, WaitReason, Waited, Waiter, Waiters, cancel};
use crate::util::lock::Lock;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::sync::atomic::{AtomicU32, Ordering};

const INCOMPLETE: u32 = 0;
const POISONED: u32 = 1;
const RUNNING: u32 = 2;
const COMPLETE: u32 = 3;

/// Something that is done once, by whoever comes first; the others wait for it: the mirror of
/// [`std::sync::Once`].
///
/// ```
/// use kettle::sync::Once;
///
/// static ON: Once = Once::new();
/// ON.call_once(|| println!("put the kettle on"));
/// ON.call_once(|| unreachable!("it is on"));
/// assert!(ON.is_completed());
/// ```
///
/// A closure that waits for its own `Once` waits for ever.
///
/// # Poisoning
///
/// As with std, by a closure that panics. One that is unwound by a cancellation or a time limit leaves all as
/// it was: the next one to come does it.
///
/// # Cancellation
///
/// To wait for another one's closure is a cancellation point.
pub struct Once {
    state: AtomicU32,
    waiters: Lock<Waiters<()>>,
}

// Somebody's panic is found in the state.
impl UnwindSafe for Once {}
impl RefUnwindSafe for Once {}

/// What [`Once::call_once_force`] tells its closure: the mirror of [`std::sync::OnceState`].
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether an earlier closure has panicked.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl fmt::Debug for OnceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceState").field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Moves the state on when a closure has ended, in whatever way.
struct Running<'a> {
    once: &'a Once,
    earlier: u32,
    before: Before,
    returned: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let next = if self.returned {
            COMPLETE
        } else if self.before.is_cancelled_since() {
            self.earlier
        } else {
            POISONED
        };
        // Release: pairs with the Acquires of those who look at it.
        self.once.state.store(next, Ordering::Release);
        self.once.release_all();
    }
}

impl Once {
    /// One that has not been done.
    #[allow(clippy::new_without_default, reason = "std's has none")]
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { state: AtomicU32::new(INCOMPLETE), waiters: Lock::new(Waiters::new()) }
    }

    /// Calls `f` if nothing has been called here yet, and otherwise waits until that has returned. What it did
    /// is seen after this.
    ///
    /// # Panics
    ///
    /// With `f`'s own panic, or if an earlier closure has panicked.
    #[inline]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        if !self.is_completed() {
            let mut f = Some(f);
            self.call(false, &mut |_| f.take().expect("called once")());
        }
    }

    /// As [`call_once`](Self::call_once), but an earlier closure's panic is no obstacle.
    ///
    /// # Panics
    ///
    /// With `f`'s own panic.
    #[inline]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        if !self.is_completed() {
            let mut f = Some(f);
            self.call(true, &mut |state| f.take().expect("called once")(state));
        }
    }

    /// Whether it has been done, and what was done can be seen.
    #[inline]
    pub fn is_completed(&self) -> bool {
        // Acquire: pairs with the Release in `Running::drop`.
        self.state.load(Ordering::Acquire) == COMPLETE
    }

    /// Waits until somebody has done it.
    ///
    /// # Panics
    ///
    /// If a closure has panicked.
    pub fn wait(&self) {
        while !self.is_completed() {
            assert!(!self.is_poisoned(), "{PANICKED}");
            self.wait_for_change(|state| state != COMPLETE && state != POISONED);
        }
    }

    /// As [`wait`](Self::wait), but goes on waiting where a closure has panicked.
    pub fn wait_force(&self) {
        while !self.is_completed() {
            self.wait_for_change(|state| state != COMPLETE);
        }
    }

    pub(super) fn is_poisoned(&self) -> bool {
        // Acquire: as in `is_completed`.
        self.state.load(Ordering::Acquire) == POISONED
    }

    /// For who has it to itself.
    pub(super) fn is_completed_mut(&mut self) -> bool {
        *self.state.get_mut() == COMPLETE
    }

    #[cold]
    #[track_caller]
    fn call(&self, force: bool, f: &mut dyn FnMut(&OnceState)) {
        loop {
            // Acquire: as in `is_completed`.
            let earlier = self.state.load(Ordering::Acquire);
            match earlier {
                COMPLETE => return,
                RUNNING => self.wait_for_change(|state| state == RUNNING),
                POISONED if !force => panic!("{PANICKED}"),
                _ => {
                    // Acquire: as above, for what an earlier closure has done.
                    let taken = self.state.compare_exchange(
                        earlier,
                        RUNNING,
                        Ordering::Acquire,
                        Ordering::Relaxed,
                    );
                    if taken.is_ok() {
                        return self.run(earlier, f);
                    }
                }
            }
        }
    }

    fn run(&self, earlier: u32, f: &mut dyn FnMut(&OnceState)) {
        let mut running = Running { once: self, earlier, before: Before::now(), returned: false };
        f(&OnceState { poisoned: earlier == POISONED });
        running.returned = true;
    }

    /// Waits until somebody's closure has ended, if the state is one to wait in.
    fn wait_for_change(&self, in_vain: impl FnOnce(u32) -> bool) {
        let waiter = Waiter::new(());
        {
            let waiters = self.waiters.lock();
            // Acquire: as in `is_completed`.
            if !in_vain(self.state.load(Ordering::Acquire)) {
                return;
            }
            // SAFETY: it is new, and stays here until it is out.
            unsafe { waiters.push_back(&waiter) };
        }
        // SAFETY: pushed there above.
        let withdraw = || unsafe { self.waiters.lock().remove(&waiter) };
        match waiter.wait(WaitReason::Once, None, withdraw) {
            Waited::Released(_) | Waited::TimedOut => {}
            Waited::Cancelled => cancel::unwind(),
        }
    }

    /// Lets everybody look again. Who puts itself there meanwhile, to wait for the next one, looks once more
    /// than need be.
    fn release_all(&self) {
        loop {
            let Some(task) = self.waiters.lock().pop(Told::TryAgain) else {
                return;
            };
            task.unpark(Wait::Event);
        }
    }
}

const PANICKED: &str = "Once instance has previously been poisoned";

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}
