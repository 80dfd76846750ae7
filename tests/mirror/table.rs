//! How a module is written down to be checked.

use std::io::{BufRead, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;

/// What kettle has for a path of std's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "not every module has each")]
pub(crate) enum Here {
    /// The same signature, kettle's own.
    Same,
    /// std's own.
    Reexported,
    /// Kettle's own, and the signature differs.
    Ours,
    /// Nothing.
    Absent,
}

impl Here {
    /// As it stands on the page.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Reexported => "re-exported",
            Self::Ours => "ours",
            Self::Absent => "absent",
        }
    }
}

/// A path and what is here for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) path: &'static str,
    pub(crate) here: Here,
}

/// Makes `ROWS`, and coerces: what is after the colon is a type and what must be of it, once with the
/// modules of kettle in scope and once with those of std. The type may name std's items by `std::` where
/// both must be the very same.
macro_rules! mirror {
    (
        modules { $($module:ident),* }
        $($here:ident $path:literal $(: $type:ty = $item:expr)?;)*
    ) => {
        pub(crate) const ROWS: &[$crate::table::Row] = &[
            $($crate::table::Row { path: $path, here: $crate::table::Here::$here }),*
        ];

        #[test]
        #[allow(unused_imports, deprecated, clippy::type_complexity)]
        fn ours() {
            use kettle::{$($module),*};
            $($(let _: $type = $item;)?)*
        }

        #[test]
        #[allow(unused_imports, deprecated, clippy::type_complexity)]
        fn stds() {
            use std::{$($module),*};
            $($(let _: $type = $item;)?)*
        }
    };
}

/// A path, and something like one, as arguments.
pub(crate) type P = &'static Path;

/// What a type must implement to be an argument of this.
macro_rules! implements {
    ($($name:ident: $($bound:path),+;)*) => {
        $(#[allow(dead_code)]
        pub(crate) fn $name<T>() where T: $($bound +)+ {})*
    };
}

implements! {
    reads: Read;
    writes: Write;
    seeks: Seek;
    reads_by_lines: BufRead;
    is_descriptor: AsFd, AsRawFd;
    gives_descriptor: IntoRawFd, Into<OwnedFd>;
    takes_descriptor: From<OwnedFd>;
    takes_raw_descriptor: FromRawFd;
    gives_stdio: Into<Stdio>;
    is_shared: Send, Sync, std::fmt::Debug, Unpin, std::panic::UnwindSafe, std::panic::RefUnwindSafe;
}
