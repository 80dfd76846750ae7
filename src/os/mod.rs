//! The mirror of [`std::os`]: what is special to the operating system, and may have to wait.

pub mod unix;
