//! The base of the models: see `mod.rs`.

use loom::sync::Notify;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32 as StdAtomicU32};

pub(super) use super::waiters::{Told, Waited, Waiter, Waiters};
pub(super) use crate::util::atomic::{AtomicU32, AtomicU64, Cell, Ordering};
pub(super) use pointer::TaskRef;
pub(super) use state::Wait;
pub(super) use wait_reason::WaitReason;

/// Loom's, for a list.
pub(super) struct Lock<T>(loom::sync::Mutex<T>);

pub(super) type Locked<'a, T> = loom::sync::MutexGuard<'a, T>;

impl<T> Lock<T> {
    pub(super) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> Locked<'_, T> {
        self.0.lock().unwrap()
    }
}

impl<T> std::fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lock")
    }
}

macro_rules! constant {
    ($vis:vis fn $name:ident($($argument:ident: $type:ty),*) -> Self $body:block) => {
        $vis fn $name($($argument: $type),*) -> Self $body
    };
}

pub(super) use constant;

static PATIENCE: StdAtomicU32 = StdAtomicU32::new(0);

pub(super) fn set_patience(patience: u32) {
    PATIENCE.store(patience, Ordering::Relaxed);
}

pub(super) fn patience() -> u32 {
    PATIENCE.load(Ordering::Relaxed)
}

pub(super) const SPINS: u32 = 0;

pub(super) fn worker_tag() -> u32 {
    0
}

/// Who holds a lock is of no consequence here.
#[derive(Debug)]
pub(super) struct Holder;

impl Holder {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn set_current(&self) {}

    pub(super) fn clear(&self) {}

    pub(super) fn wait_for<T>(&self, wait: impl FnOnce() -> T) -> T {
        wait()
    }
}

/// A task. What may end its waits is told by flags that order nothing, as hints do.
pub(super) struct Person {
    bell: Notify,
    cancelled: AtomicU32,
    expired: AtomicU32,
    masks: StdAtomicU32,
    named: AtomicBool,
}

loom::thread_local! {
    static CURRENT: RefCell<Option<Arc<Person>>> = RefCell::new(None);
}

impl Person {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            bell: Notify::new(),
            cancelled: AtomicU32::new(0),
            expired: AtomicU32::new(0),
            masks: StdAtomicU32::new(0),
            named: AtomicBool::new(false),
        })
    }

    /// Calls `body` as this task.
    pub(super) fn run<R>(self: Arc<Self>, body: impl FnOnce() -> R) -> R {
        CURRENT.with(|current| *current.borrow_mut() = Some(self));
        let result = body();
        CURRENT.with(|current| *current.borrow_mut() = None);
        result
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(1, Ordering::Relaxed);
        self.bell.notify();
    }

    pub(super) fn expire(&self) {
        self.expired.store(1, Ordering::Relaxed);
        self.bell.notify();
    }
}

pub(super) mod current {
    use super::{CURRENT, TaskRef};

    pub(in super::super) fn current() -> TaskRef {
        let person = CURRENT.with(|current| current.borrow().clone());
        TaskRef(person.expect("a model's thread is a person"))
    }
}

pub(super) mod pointer {
    use super::{Arc, Person, Wait};

    #[derive(Clone)]
    pub(in super::super) struct TaskRef(pub(super) Arc<Person>);

    impl TaskRef {
        pub(in super::super) fn unpark(&self, _: Wait) {
            self.0.bell.notify();
        }
    }
}

pub(super) mod state {
    #[derive(Clone, Copy)]
    pub(in super::super) enum Wait {
        Event,
    }
}

pub(super) mod wait_reason {
    #[derive(Clone, Copy)]
    pub(in super::super) enum WaitReason {
        Mutex,
        RwLockRead,
        RwLockWrite,
        Semaphore,
    }
}

pub(super) mod park {
    use super::current::current;
    use super::{Ordering, Wait, WaitReason};
    use std::time::Instant;

    #[derive(Clone, Copy)]
    pub(in super::super) enum Outcome {
        Woken,
        TimedOut,
        Cancelled,
    }

    pub(in super::super) fn park_until(_: Wait, _: WaitReason, _: Option<Instant>) -> Outcome {
        let person = current().0;
        let ended = || {
            if person.masks.load(Ordering::Relaxed) != 0 {
                None
            } else if person.cancelled.load(Ordering::Relaxed) != 0 {
                Some(Outcome::Cancelled)
            } else {
                (person.expired.load(Ordering::Relaxed) != 0).then_some(Outcome::TimedOut)
            }
        };
        ended().unwrap_or_else(|| {
            person.bell.wait();
            ended().unwrap_or(Outcome::Woken)
        })
    }
}

pub(super) mod cancel {
    use super::Ordering;
    use super::current::current;

    pub(in super::super) fn masked<R>(body: impl FnOnce() -> R) -> R {
        let person = current().0;
        person.masks.fetch_add(1, Ordering::Relaxed);
        let result = body();
        person.masks.fetch_sub(1, Ordering::Relaxed);
        result
    }
}
