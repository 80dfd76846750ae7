//! The lock in a [`Mutex`](super::Mutex): who holds it, who waits for it, and who gets it next.
//!
//! | bit of `state` | set means | set by | cleared by |
//! | --- | --- | --- | --- |
//! | `LOCKED` | somebody holds the lock | who takes it | its holder |
//! | `QUEUED` | the list is not empty | who puts itself into it | who takes the last one out |
//! | `WAKING` | somebody taken out of the list is on the way to try its luck | `unlock` | that one, when it has |
//!
//! A lock that is released is free for whoever comes first, since the one who waits needs a while to come:
//! handing it over each time would make everybody wait for that (a *convoy*). So that this starves nobody,
//! one that has come in vain goes back to the head of the list, and after [`patience`] times is handed the
//! lock. One at a time is woken, however often the lock is released meanwhile. The scheme is that of
//! parking_lot and of Go's `sync.Mutex`, which count the time instead.
//!
//! # No wake-up is lost
//!
//! `QUEUED` is set by who waits, under the list's lock, and only while `LOCKED` is. So the holder finds it
//! when it unlocks, unless `WAKING` is set: then somebody comes who will either hold the lock, and unlock it
//! in turn, or find it held, and clear `WAKING` while it is. Whoever has been taken out of the list comes,
//! also if it is to be cancelled or its time is up.
//!
//! # Invariants
//!
//! 1. Who has set `LOCKED`, or was told `Granted`, holds the lock, and nobody else.
//! 2. `QUEUED` says whether the list is empty, for who has the list's lock.

#![allow(unsafe_code)]

use super::base::{
    AtomicU32, Cell, Holder, Lock, Locked, Ordering, SPINS, TaskRef, Told, Wait, WaitReason,
    Waited, Waiter, Waiters, cancel, constant, patience, worker_tag,
};
use core::hint;
use core::ptr;

const LOCKED: u32 = 1 << 0;
const QUEUED: u32 = 1 << 1;
const WAKING: u32 = 1 << 2;

/// Who waits.
#[derive(Debug)]
pub(super) struct Comer {
    /// How often it has come in vain.
    vain: u32,
    /// Of one that waits for a condition first: where it goes then. Its owner borrows it meanwhile.
    mutex: *const RawMutex,
    /// It has gone there. Written under both lists' locks.
    moved: Cell<bool>,
}

// SAFETY: the mutex may be shared, and the rest is touched as the node is.
unsafe impl Send for Comer {}

impl Comer {
    fn new(vain: u32) -> Self {
        Self { vain, mutex: ptr::null(), moved: Cell::new(false) }
    }

    /// One that waits for a condition, and holds `mutex` before and after.
    pub(super) fn through(mutex: &RawMutex) -> Self {
        Self { vain: 0, mutex, moved: Cell::new(false) }
    }

    /// Whether it waits for the mutex, or has, and no longer for the condition.
    pub(super) fn has_moved(&self) -> bool {
        self.moved.get()
    }
}

/// Somebody's wait was to be cancelled. It holds nothing.
#[derive(Debug)]
pub(super) struct Interrupted;

#[derive(Debug)]
pub(super) struct RawMutex {
    state: AtomicU32,
    /// The worker that the last holder was on, as a guess whether it can be waited for by spinning.
    holder: AtomicU32,
    /// Who holds the lock, for those who look for a circle.
    owner: Holder,
    waiters: Lock<Waiters<Comer>>,
}

impl RawMutex {
    constant! {
        pub(super) fn new() -> Self {
            Self {
                state: AtomicU32::new(0),
                holder: AtomicU32::new(0),
                owner: Holder::new(),
                waiters: Lock::new(Waiters::new()),
            }
        }
    }

    /// Takes the lock, and waits for it if need be. A cancellation point where it has to.
    #[inline]
    pub(super) fn lock(&self) -> Result<(), Interrupted> {
        // Acquire: pairs with the Release in `unlock`.
        match self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {
                self.note_holder();
                Ok(())
            }
            Err(_) => self.lock_contended(),
        }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(super) fn lock_if_free(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & LOCKED == 0 {
            // Acquire: as in `lock`.
            match self.state.compare_exchange_weak(
                state,
                state | LOCKED,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    self.note_holder();
                    return true;
                }
                Err(now) => state = now,
            }
        }
        false
    }

    /// Whether it is free and nobody waits or is on the way.
    #[cfg(all(test, kettle_loom))]
    #[allow(dead_code, reason = "the models have a copy of this file")]
    pub(super) fn is_quiet(&self) -> bool {
        self.state.load(Ordering::Relaxed) == 0
    }

    #[inline]
    fn note_holder(&self) {
        // Relaxed: a guess.
        self.holder.store(worker_tag(), Ordering::Relaxed);
        self.owner.set_current();
    }

    /// Waits a moment for a holder that runs elsewhere now; says whether the lock was taken. Not if others wait
    /// already: then it is not a matter of a moment. A holder of the same worker has to run first.
    fn spin(&self) -> bool {
        let here = worker_tag();
        for _ in 0..SPINS {
            let state = self.state.load(Ordering::Relaxed);
            if state & LOCKED == 0 {
                return self.lock_if_free();
            }
            // Relaxed: a guess.
            if state & QUEUED != 0 || (here != 0 && self.holder.load(Ordering::Relaxed) == here) {
                return false;
            }
            hint::spin_loop();
        }
        false
    }

    #[cold]
    #[inline(never)]
    fn lock_contended(&self) -> Result<(), Interrupted> {
        if self.spin() { Ok(()) } else { self.lock_by_waiting(0) }
    }

    /// Takes the lock for somebody who has been taken out of the list `vain` times without getting it.
    fn lock_by_waiting(&self, mut vain: u32) -> Result<(), Interrupted> {
        loop {
            let waiter = Waiter::new(Comer::new(vain));
            if !self.enqueue(&waiter) {
                return Ok(());
            }
            let wait = || waiter.wait(WaitReason::Mutex, None, || self.withdraw(&waiter));
            match self.owner.wait_for(wait) {
                Waited::Released(Told::Granted) => {
                    self.note_holder();
                    return Ok(());
                }
                Waited::Released(Told::TryAgain) => vain += 1,
                Waited::TimedOut | Waited::Cancelled => return Err(Interrupted),
            }
        }
    }

    /// Puts `waiter` into the list, or takes the lock for it after all: says whether it has to wait. One that
    /// comes from the list again clears `WAKING` by either.
    fn enqueue(&self, waiter: &Waiter<Comer>) -> bool {
        let comes_again = waiter.content().vain > 0;
        let arrived = if comes_again { !WAKING } else { !0 };
        let waiters = self.waiters.lock();
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let bit = if state & LOCKED == 0 { LOCKED } else { QUEUED };
            // Acquire: as in `lock`, where it takes the lock.
            match self.state.compare_exchange_weak(
                state,
                (state | bit) & arrived,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) if bit == LOCKED => {
                    self.note_holder();
                    return false;
                }
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        // SAFETY: it is new, and its owner waits until it is out.
        unsafe {
            if comes_again {
                waiters.push_front(waiter);
            } else {
                waiters.push_back(waiter);
            }
        }
        true
    }

    /// Lets the first of `others`, who wait for a condition, wait for its mutex instead: whoever unlocks that
    /// wakes it. Gives its task where it is to be woken now, since the mutex is free.
    ///
    /// # Safety
    ///
    /// The caller holds the lock of `others`, in which there is somebody.
    pub(super) unsafe fn adopt_first(others: &Waiters<Comer>) -> Option<TaskRef> {
        let comer = others.first()?;
        comer.moved.set(true);
        // SAFETY: its owner holds on to it, and waits.
        let mutex = unsafe { &*comer.mutex };
        let waiters = mutex.waiters.lock();
        // SAFETY: the caller's, and the line above.
        unsafe { others.move_first(&waiters) };
        let mut state = mutex.state.load(Ordering::Relaxed);
        loop {
            let woken = state & (LOCKED | WAKING) == 0;
            let bit = if woken { WAKING } else { QUEUED };
            // Relaxed: nothing hangs on it but the list, which has a lock.
            match mutex.state.compare_exchange_weak(
                state,
                state | bit,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                // Nobody holds it and nobody is on the way: so nobody else waits either.
                Ok(_) if woken => return waiters.pop(Told::TryAgain),
                Ok(_) => return None,
                Err(now) => state = now,
            }
        }
    }

    /// Takes the lock for somebody who has waited for a condition, and has been told, or has given up. No
    /// cancellation point.
    pub(super) fn lock_again(&self, waiter: &Waiter<Comer>, waited: Waited) {
        let moved = waiter.content().has_moved();
        cancel::masked(|| {
            let told = match waited {
                Waited::Released(told) => Some(told),
                // It is in this list now, and stays there until it is taken out.
                _ if moved => {
                    match self.owner.wait_for(|| waiter.wait(WaitReason::Mutex, None, || {})) {
                        Waited::Released(told) => Some(told),
                        _ => unreachable!("what is masked is not interrupted"),
                    }
                }
                _ => None,
            };
            match told {
                Some(Told::Granted) => self.note_holder(),
                Some(Told::TryAgain) if moved => drop(self.lock_by_waiting(1)),
                _ => drop(self.lock()),
            }
        });
    }

    /// Takes `waiter` out, which waits no longer.
    fn withdraw(&self, waiter: &Waiter<Comer>) {
        let waiters = self.waiters.lock();
        // SAFETY: `enqueue` has put it there.
        unsafe { waiters.remove(waiter) };
        self.note_empty(&waiters);
    }

    /// Keeps invariant 2 after somebody was taken out.
    fn note_empty(&self, waiters: &Locked<'_, Waiters<Comer>>) {
        if waiters.is_empty() {
            // Relaxed: nothing hangs on the bit but the list, which has a lock.
            self.state.fetch_and(!QUEUED, Ordering::Relaxed);
        }
    }

    /// # Safety
    ///
    /// The caller holds the lock, and gives it up.
    #[inline]
    pub(super) unsafe fn unlock(&self) {
        self.owner.clear();
        // Release: pairs with the Acquires of those who take it.
        if self.state.compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed).is_err() {
            self.unlock_contended();
        }
    }

    #[cold]
    #[inline(never)]
    fn unlock_contended(&self) {
        if self.unlock_if(|state| state & (QUEUED | WAKING) != QUEUED) {
            return;
        }
        let waiters = self.waiters.lock();
        let Some(first) = waiters.first() else {
            // It has withdrawn meanwhile.
            drop(waiters);
            let unlocked = self.unlock_if(|_| true);
            debug_assert!(unlocked);
            return;
        };
        let task = if first.vain >= patience() {
            let task = waiters.pop(Told::Granted);
            self.note_empty(&waiters);
            task
        } else {
            let task = waiters.pop(Told::TryAgain);
            let queued = if waiters.is_empty() { 0 } else { QUEUED };
            // Release: as in `unlock`. While the lock is held and nobody is on the way, whoever has the list
            // alone changes the state.
            self.state.store(queued | WAKING, Ordering::Release);
            task
        };
        drop(waiters);
        if let Some(task) = task {
            task.unpark(Wait::Event);
        }
    }

    /// Gives up the lock if its state is as asked for. Says whether it has.
    fn unlock_if(&self, may: impl Fn(u32) -> bool) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while may(state) {
            // Release: as in `unlock`.
            match self.state.compare_exchange_weak(
                state,
                state & !LOCKED,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }
}
