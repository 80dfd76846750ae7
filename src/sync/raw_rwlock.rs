//! The lock in an [`RwLock`](super::RwLock): strictly in the order of arrival.
//!
//! | part of `state` | means | changed by |
//! | --- | --- | --- |
//! | `WRITER` | somebody writes | who takes the lock or is given it, and by its holder |
//! | `QUEUED` | the list is not empty | under the list's lock |
//! | the count above | how many read | as `WRITER` |
//!
//! Nobody takes the lock past those who wait: where `QUEUED` is set, who comes goes to the end of the list.
//! Who releases it gives it to the first in the list, if that one writes; if it reads, to all who read up to
//! the first who writes. So neither readers nor writers starve.
//!
//! # No wake-up is lost
//!
//! `QUEUED` is set while the lock is held so that the comer cannot have it, or others wait. Who releases it
//! changes the count or `WRITER` first and sees `QUEUED` in that same change, or it is set later, by somebody
//! who has seen the lock as it is then. Where the first in the list gives up, whoever it has held up is let in.
//!
//! # Invariants
//!
//! 1. Who has set `WRITER` or has been granted it alone holds the lock; else those who are counted share it.
//! 2. `QUEUED` says whether the list is empty, for who has the list's lock.

#![allow(unsafe_code)]

use super::base::{
    AtomicU32, Lock, Locked, Ordering, TaskRef, Told, Wait, WaitReason, Waited, Waiter, Waiters,
    constant,
};
use super::raw_mutex::Interrupted;

const WRITER: u32 = 1 << 0;
const QUEUED: u32 = 1 << 1;
/// One reader.
const READER: u32 = 1 << 2;
/// All of them.
const READERS: u32 = !(READER - 1);

/// What somebody wants to do under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Read,
    Write,
}

impl Intent {
    /// The state once somebody of this intent has the lock; none if it cannot have it, though nobody waits.
    #[inline]
    fn taken(self, state: u32) -> Option<u32> {
        match self {
            Self::Read if state & WRITER == 0 => {
                assert!(state & READERS != READERS, "too many readers of one lock");
                Some(state + READER)
            }
            Self::Write if state & (WRITER | READERS) == 0 => Some(state | WRITER),
            _ => None,
        }
    }

    fn reason(self) -> WaitReason {
        match self {
            Self::Read => WaitReason::RwLockRead,
            Self::Write => WaitReason::RwLockWrite,
        }
    }
}

#[derive(Debug)]
pub(super) struct RawRwLock {
    state: AtomicU32,
    waiters: Lock<Waiters<Intent>>,
}

impl RawRwLock {
    constant! {
        pub(super) fn new() -> Self {
            Self { state: AtomicU32::new(0), waiters: Lock::new(Waiters::new()) }
        }
    }

    /// Takes the lock to read. A cancellation point where it has to wait.
    #[inline]
    pub(super) fn read(&self) -> Result<(), Interrupted> {
        if self.try_read() { Ok(()) } else { self.wait(Intent::Read) }
    }

    /// As [`read`](Self::read), to write.
    #[inline]
    pub(super) fn write(&self) -> Result<(), Interrupted> {
        if self.try_write() { Ok(()) } else { self.wait(Intent::Write) }
    }

    /// Takes the lock to read, if that is possible at once.
    #[inline]
    pub(super) fn try_read(&self) -> bool {
        self.try_take(Intent::Read)
    }

    #[inline]
    pub(super) fn try_write(&self) -> bool {
        self.try_take(Intent::Write)
    }

    #[inline]
    fn try_take(&self, intent: Intent) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & QUEUED == 0 {
            let Some(next) = intent.taken(state) else {
                return false;
            };
            // Acquire: pairs with the Releases in `unlock_read` and `unlock_write`.
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    #[cold]
    #[inline(never)]
    fn wait(&self, intent: Intent) -> Result<(), Interrupted> {
        let waiter = Waiter::new(intent);
        {
            let waiters = self.waiters.lock();
            if !self.queue_or_take(intent) {
                return Ok(());
            }
            // SAFETY: it is new, and stays here until it is out.
            unsafe { waiters.push_back(&waiter) };
        }
        match waiter.wait(intent.reason(), None, || self.withdraw(&waiter)) {
            Waited::Released(_) => Ok(()),
            Waited::TimedOut | Waited::Cancelled => Err(Interrupted),
        }
    }

    /// Sets `QUEUED`, or takes the lock after all; says whether to wait. Under the list's lock.
    fn queue_or_take(&self, intent: Intent) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let taken = if state & QUEUED == 0 { intent.taken(state) } else { None };
            // Acquire: as in `try_take`.
            match self.state.compare_exchange_weak(
                state,
                taken.unwrap_or(state | QUEUED),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return taken.is_none(),
                Err(now) => state = now,
            }
        }
    }

    fn withdraw(&self, waiter: &Waiter<Intent>) {
        {
            let waiters = self.waiters.lock();
            // SAFETY: pushed there by `wait`.
            unsafe { waiters.remove(waiter) };
            self.note_empty(&waiters);
        }
        // Who stood behind it may have been held up by it alone.
        self.let_in();
    }

    /// Keeps invariant 2 after somebody was taken out.
    fn note_empty(&self, waiters: &Locked<'_, Waiters<Intent>>) {
        if waiters.is_empty() {
            // Relaxed: nothing hangs on the bit but the list, which has a lock.
            self.state.fetch_and(!QUEUED, Ordering::Relaxed);
        }
    }

    /// # Safety
    ///
    /// The caller reads under the lock, and gives that up.
    #[inline]
    pub(super) unsafe fn unlock_read(&self) {
        // Release: pairs with the Acquire of the next who writes.
        let state = self.state.fetch_sub(READER, Ordering::Release) - READER;
        if state == QUEUED {
            self.let_in();
        }
    }

    /// # Safety
    ///
    /// The caller writes under the lock, and gives that up.
    #[inline]
    pub(super) unsafe fn unlock_write(&self) {
        // Release: pairs with the Acquires of those who take it.
        if self.state.fetch_and(!WRITER, Ordering::Release) & QUEUED != 0 {
            self.let_in();
        }
    }

    /// # Safety
    ///
    /// The caller writes under the lock, and goes on to read.
    pub(super) unsafe fn downgrade(&self) {
        // Release: pairs with the Acquires of those who read with it.
        let before = self.state.fetch_add(READER - WRITER, Ordering::Release);
        if before & QUEUED != 0 {
            self.let_in();
        }
    }

    /// Gives the lock to those who are to have it next, if it is free for them.
    #[cold]
    fn let_in(&self) {
        while let Some(task) = self.let_one_in() {
            task.unpark(Wait::Event);
        }
    }

    fn let_one_in(&self) -> Option<TaskRef> {
        let waiters = self.waiters.lock();
        let &intent = waiters.first()?;
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            // Acquire: as in `try_take`; from here it goes on to the task by way of the list.
            match self.state.compare_exchange_weak(
                state,
                intent.taken(state)?,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        let task = waiters.pop(Told::Granted);
        self.note_empty(&waiters);
        task
    }
}
