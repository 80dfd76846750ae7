//! A lock for the runtime's own few shared lists.
//!
//! It blocks the OS thread, by a system call of our own: nothing that it protects ever parks, and a
//! program that interposes libc's blocking calls must not find itself inside one of ours. It does not
//! poison: its holders do not panic.
//!
//! The algorithm is the three-state futex lock of Ulrich Drepper's "Futexes Are Tricky" (mutex 3).
//!
//! # Invariants
//!
//! 1. Whoever moved `state` from `FREE` holds the lock, and alone may touch `value`.

#![allow(unsafe_code)]

use crate::sys::futex;
use core::cell::UnsafeCell;
use core::fmt;
use core::hint;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may sleep on it.
const CONTENDED: u32 = 2;

/// How often to look before sleeping.
const SPINS: u32 = 100;

/// A value that one OS thread at a time may touch.
pub(crate) struct Lock<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: invariant 1: the value is handed from thread to thread, never shared.
unsafe impl<T: Send> Sync for Lock<T> {}

// Its holders do not panic, so nobody finds what one has left half done.
impl<T> UnwindSafe for Lock<T> {}
impl<T> RefUnwindSafe for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { state: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock, in the kernel if need be.
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        // Acquire: pairs with the Release in `Locked::drop`.
        if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_contended();
        }
        Locked { lock: self }
    }

    #[cold]
    fn lock_contended(&self) {
        // Who holds it does little: it is mostly free again before a system call would be over.
        for _ in 0..SPINS {
            if self.state.load(Ordering::Relaxed) == FREE
                // Acquire: as in `lock`.
                && self
                    .state
                    .compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                return;
            }
            hint::spin_loop();
        }
        // Acquire: as above. Marked contended even if nobody else waits: one wake too many.
        while self.state.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.state, CONTENDED, None);
        }
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// The right to touch the value, until dropped.
pub(crate) struct Locked<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: invariant 1.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariant 1.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        // Release: pairs with the Acquires in `Lock::lock`.
        if self.lock.state.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake_one(&self.lock.state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn every_increment_under_the_lock_counts() {
        let lock = Lock::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100_000 {
                        let mut value = lock.lock();
                        let read = *value;
                        std::hint::black_box(&mut *value);
                        *value = read + 1;
                    }
                });
            }
        });
        assert_eq!(*lock.lock(), 400_000);
    }
}
