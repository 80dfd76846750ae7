//! [`Barrier`]: the mirror of [`std::sync::Barrier`].

#![allow(unsafe_code)]

use crate::task::{Told, Wait, WaitReason, Waited, Waiter, Waiters, cancel};
use crate::util::lock::Lock;
use core::fmt;

/// A place where a number of coroutines wait until all of them have come: the mirror of
/// [`std::sync::Barrier`].
///
/// ```
/// use kettle::sync::{Arc, Barrier};
/// use kettle::thread;
///
/// let table = Arc::new(Barrier::new(3));
/// let guests: Vec<_> = (0..3)
///     .map(|_| {
///         let table = Arc::clone(&table);
///         thread::spawn(move || table.wait().is_leader())
///     })
///     .collect();
/// let leaders = guests.into_iter().map(|guest| guest.join().unwrap());
/// assert_eq!(leaders.filter(|&leads| leads).count(), 1);
/// ```
///
/// # Cancellation
///
/// A wait is a cancellation point. Who is cancelled has not come: the others wait for one more.
pub struct Barrier {
    gathered: Lock<Gathered>,
    size: usize,
}

struct Gathered {
    count: usize,
    /// How often all have come.
    round: u64,
    /// Each with the round that it waits for.
    waiters: Waiters<u64>,
}

/// What [`Barrier::wait`] tells: the mirror of [`std::sync::BarrierWaitResult`].
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether the caller was the last to come. That is one of those who have waited together.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult").field("is_leader", &self.is_leader()).finish()
    }
}

impl Barrier {
    /// A barrier for `n`; for none it is as for one.
    #[must_use]
    pub const fn new(n: usize) -> Self {
        let gathered = Gathered { count: 0, round: 0, waiters: Waiters::new() };
        Self { gathered: Lock::new(gathered), size: n }
    }

    /// Waits until all have come. After that the barrier can be used again.
    pub fn wait(&self) -> BarrierWaitResult {
        let waiter;
        {
            let mut gathered = self.gathered.lock();
            gathered.count += 1;
            if gathered.count >= self.size {
                gathered.count = 0;
                gathered.round += 1;
                let round = gathered.round;
                drop(gathered);
                self.release(round);
                return BarrierWaitResult(true);
            }
            waiter = Waiter::new(gathered.round);
            // SAFETY: it is new, and stays here until it is out.
            unsafe { gathered.waiters.push_back(&waiter) };
        }
        let withdraw = || {
            let mut gathered = self.gathered.lock();
            // One of a round that is over is about to be released.
            if gathered.round == *waiter.content() {
                gathered.count -= 1;
                // SAFETY: pushed there above.
                unsafe { gathered.waiters.remove(&waiter) };
                return;
            }
            drop(gathered);
            self.release(*waiter.content() + 1);
        };
        match waiter.wait(WaitReason::Barrier, None, withdraw) {
            Waited::Released(_) | Waited::TimedOut => BarrierWaitResult(false),
            Waited::Cancelled => cancel::unwind(),
        }
    }

    /// Lets those go on who have waited for `round` to come, but not those who wait already for the next one.
    fn release(&self, round: u64) {
        loop {
            let task = {
                let gathered = self.gathered.lock();
                match gathered.waiters.first() {
                    Some(&waits_in) if waits_in < round => gathered.waiters.pop(Told::Granted),
                    _ => return,
                }
            };
            if let Some(task) = task {
                task.unpark(Wait::Event);
            }
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
