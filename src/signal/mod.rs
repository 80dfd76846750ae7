//! Signals that a coroutine waits for: ctrl-c, a request to end or to read the settings again, any other.
//!
//! ```no_run
//! use kettle::signal::{self, Signals};
//!
//! kettle::run(|| {
//!     kettle::thread::spawn(|| {
//!         for signal in &Signals::new(&[signal::SIGHUP, signal::SIGUSR1])? {
//!             println!("signal {signal}: reading the settings again");
//!         }
//!         Ok::<(), std::io::Error>(())
//!     });
//!     signal::ctrl_c()?;
//!     println!("taking the kettles off");
//!     Ok::<(), std::io::Error>(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What to expect
//!
//! - From the first time that somebody waits for a signal, what it did by default (to end the process, mostly)
//!   is no more, not even when nobody waits any longer: then the signal is ignored.
//! - Each [`Signals`] gets each of its signals. Several coroutines may wait with one; then each signal goes to
//!   one of them.
//! - A signal that comes twice before it is taken is taken once, as the kernel itself does with the classic
//!   signals. Different ones are kept apart, and taken with the smallest number first, not in their order.
//! - Other handlers of the same signal, of std or other libraries, are called as well: they are kept in order
//!   by [signal-hook-registry](https://docs.rs/signal-hook-registry), which is what those libraries use.
//!
//! Waiting is a cancellation point, which takes no signal away. On an OS thread it blocks the thread.

mod signals;

pub use signals::{Iter, Signals};

use std::io;

/// Waits for ctrl-c: the next SIGINT from now on.
///
/// # Errors
///
/// Where the system refuses: no descriptor is left.
pub fn ctrl_c() -> io::Result<()> {
    Signals::new(&[SIGINT])?.wait().map(drop)
}

macro_rules! numbers {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {
        $($(#[$doc])+ pub const $name: i32 = libc::$name;)+
    };
}

numbers! {
    /// The terminal is gone; for a service: read the settings again.
    SIGHUP,
    /// Ctrl-c.
    SIGINT,
    /// Ctrl-\.
    SIGQUIT,
    /// The user's own.
    SIGUSR1,
    /// The user's own, too.
    SIGUSR2,
    /// A pipe broke; Rust programs ignore it from the start.
    SIGPIPE,
    /// A timer of `alarm` or `setitimer`.
    SIGALRM,
    /// A request to end.
    SIGTERM,
    /// A child has ended or stopped.
    SIGCHLD,
    /// Going on after a stop.
    SIGCONT,
    /// Ctrl-z.
    SIGTSTP,
    /// Somebody in the background reads the terminal.
    SIGTTIN,
    /// Somebody in the background writes to the terminal.
    SIGTTOU,
    /// The terminal has another size.
    SIGWINCH,
    /// A descriptor is ready.
    SIGIO,
}
