//! The mirror of [`std::os::unix`].

pub mod net;
