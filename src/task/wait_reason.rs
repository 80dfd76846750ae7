//! [`WaitReason`]: what a task waits for, in words.

use core::fmt;

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
}

impl WaitReason {
    pub(super) fn from_u8(number: u8) -> Self {
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
        })
    }
}
