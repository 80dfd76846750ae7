//! [`TryLockError`].

use core::fmt;
use std::error::Error;
use std::io;

/// Why a file's lock was not taken at once: the mirror of `std::fs::TryLockError`, which is younger than
/// the Rust that kettle needs.
pub enum TryLockError {
    /// The attempt failed.
    Error(io::Error),
    /// Somebody else holds the lock.
    WouldBlock,
}

impl From<io::Error> for TryLockError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock => Self::WouldBlock,
            _ => Self::Error(error),
        }
    }
}

impl From<TryLockError> for io::Error {
    fn from(error: TryLockError) -> Self {
        match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        }
    }
}

impl fmt::Debug for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::WouldBlock => f.write_str("WouldBlock"),
        }
    }
}

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(_) => f.write_str("the lock could not be taken because of an I/O error"),
            Self::WouldBlock => {
                f.write_str("the lock could not be taken because somebody holds it")
            }
        }
    }
}

impl Error for TryLockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Error(error) => Some(error),
            Self::WouldBlock => None,
        }
    }
}
