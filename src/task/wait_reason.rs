//! [`WaitReason`]: what a task waits for, in words.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

/// Why a task waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WaitReason {
    /// It does not.
    None,
    /// `thread::park`.
    Park,
    /// A coroutine to end.
    Join,
    /// All coroutines of a scope to end.
    Scope,
    /// All coroutines of a runtime to end.
    Shutdown,
    /// A time to come.
    Sleep,
    /// A closure on a thread of the pool.
    Unblock,
    /// A descriptor to have something to read.
    Readable,
    /// A descriptor to have room for writing.
    Writable,
    /// A mutex.
    Mutex,
    /// A lock, to read.
    RwLockRead,
    /// A lock, to write.
    RwLockWrite,
    /// A condition variable.
    Condvar,
    /// The others at a barrier.
    Barrier,
    /// Somebody's initialisation to be over.
    Once,
    /// Permits of a semaphore.
    Semaphore,
    /// A notification.
    Notify,
    /// The members of a group to be done.
    WaitGroup,
    /// The one value of a `oneshot`.
    Oneshot,
    /// A channel to have room, or a receiver.
    Send,
    /// A channel to have a message.
    Receive,
    /// One of several operations to be ready.
    Select,
}

impl WaitReason {
    fn from_u8(number: u8) -> Self {
        [
            Self::None,
            Self::Park,
            Self::Join,
            Self::Scope,
            Self::Shutdown,
            Self::Sleep,
            Self::Unblock,
            Self::Readable,
            Self::Writable,
            Self::Mutex,
            Self::RwLockRead,
            Self::RwLockWrite,
            Self::Condvar,
            Self::Barrier,
            Self::Once,
            Self::Semaphore,
            Self::Notify,
            Self::WaitGroup,
            Self::Oneshot,
            Self::Send,
            Self::Receive,
            Self::Select,
        ]
        .into_iter()
        .find(|&reason| reason as u8 == number)
        .unwrap_or(Self::None)
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "not waiting",
            Self::Park => "parked",
            Self::Join => "waiting for a coroutine to end",
            Self::Scope => "waiting for a scope's coroutines to end",
            Self::Shutdown => "waiting for a runtime's coroutines to end",
            Self::Sleep => "sleeping",
            Self::Unblock => "waiting for work on the pool's threads",
            Self::Readable => "waiting for something to read",
            Self::Writable => "waiting for room to write",
            Self::Mutex => "waiting for a mutex",
            Self::RwLockRead => "waiting to read under a lock",
            Self::RwLockWrite => "waiting to write under a lock",
            Self::Condvar => "waiting for a condition variable",
            Self::Barrier => "waiting at a barrier",
            Self::Once => "waiting for an initialisation",
            Self::Semaphore => "waiting for a semaphore",
            Self::Notify => "waiting for a notification",
            Self::WaitGroup => "waiting for a group",
            Self::Oneshot => "waiting for a value",
            Self::Send => "sending to a channel",
            Self::Receive => "receiving from a channel",
            Self::Select => "selecting",
        })
    }
}

/// What a task waits for now, and whether its stack was looked after since it began to.
///
/// Relaxed everywhere: only the task and the worker that it is on write it, one at a time; what others read
/// of it is for people.
#[derive(Debug)]
pub(super) struct Waiting(AtomicU8);

/// Its stack was looked after; whoever sets a reason clears it.
const MARKED: u8 = 1 << 7;

impl Waiting {
    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(WaitReason::None as u8))
    }

    pub(super) fn get(&self) -> WaitReason {
        WaitReason::from_u8(self.0.load(Ordering::Relaxed) & !MARKED)
    }

    #[inline(always)]
    pub(super) fn set(&self, reason: WaitReason) {
        self.0.store(reason as u8, Ordering::Relaxed);
    }

    /// Says whether the task waits and is not marked; from now on it is. For the worker.
    pub(super) fn mark(&self) -> bool {
        let reason = self.0.load(Ordering::Relaxed);
        let news = reason != WaitReason::None as u8 && reason & MARKED == 0;
        if news {
            self.0.store(reason | MARKED, Ordering::Relaxed);
        }
        news
    }
}
