//! Locks and other ways to wait for each other, in the shape of [`std::sync`].
//!
//! Swap `use std::sync` for `use kettle::sync`: only the coroutine waits, not its worker. Everything here
//! works between coroutines on any workers and OS threads in any mix; an OS thread blocks, as with std.
//!
//! ```
//! use kettle::sync::{Arc, Mutex};
//! use kettle::thread;
//!
//! let total = Arc::new(Mutex::new(0));
//! let adder = thread::spawn({
//!     let total = Arc::clone(&total);
//!     move || *total.lock().unwrap() += 1
//! });
//! adder.join().unwrap();
//! assert_eq!(*total.lock().unwrap(), 1);
//! ```
//!
//! # Cancellation and time limits
//!
//! Every wait here is a cancellation point, where it has to wait; each method says so. Who is cancelled, or
//! whose time is up, leaves no trace: what it was given at the same moment it keeps, or it goes to the next
//! one who waits. What unwinds because of it poisons no lock; a panic does.

mod barrier;
mod base;
mod condvar;
mod lazy_lock;
#[cfg(all(test, kettle_loom))]
mod model;
pub mod mpsc;
mod mutex;
mod notify;
mod once;
mod once_lock;
pub mod oneshot;
mod poison;
mod raw_mutex;
mod raw_rwlock;
mod raw_semaphore;
mod rwlock;
mod semaphore;
mod wait_group;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak, atomic};
pub use wait_group::WaitGroup;
