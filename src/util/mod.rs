//! What no well-kept crate gives: intrusive lists that allocate nothing, boxes that may fail, and a lock
//! that makes its own system calls.

pub(crate) mod atomic;
pub(crate) mod chain;
pub(crate) mod fallible;
pub(crate) mod list;
pub(crate) mod lock;
#[cfg(all(test, kettle_loom))]
pub(crate) mod weakened;
