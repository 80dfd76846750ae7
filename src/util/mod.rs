//! What no well-kept crate gives: intrusive lists that allocate nothing, and a lock that makes its own
//! system calls.

pub(crate) mod list;
pub(crate) mod lock;
