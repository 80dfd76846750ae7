//! Stackful coroutines (green threads) for Linux: blocking code, a million at a time.
//!
//! There are three ways to boil water. You can stand and watch the kettle (blocking threads); you can do
//! something else and keep walking over to look (polling); or you can buy a kettle that whistles. The
//! third is the cheap one, and callbacks are how most programs get it, at the price of being turned
//! inside out. A coroutine is the whistling kettle without the callback: the code says *wait*, and the
//! runtime boils something else.
//!
//! ```
//! use kettle::thread; // instead of std::thread
//!
//! let whistling: Vec<_> = (0..10_000)
//!     .map(|kettle| {
//!         thread::spawn(move || {
//!             thread::park(); // waits, at the cost of a page of stack
//!             kettle % 2
//!         })
//!     })
//!     .collect();
//! for kettle in &whistling {
//!     kettle.thread().unpark();
//! }
//! let odd: usize = whistling.into_iter().map(|kettle| kettle.join().unwrap()).sum();
//! assert_eq!(odd, 5_000);
//! ```
//!
//! A server is a loop that accepts, and a loop for each connection:
//!
//! ```
//! use kettle::net::{TcpListener, TcpStream};
//! use kettle::thread;
//! use std::io::{self, Read, Write};
//!
//! fn echo(mut stream: TcpStream) -> io::Result<()> {
//!     let mut buffer = [0; 1024];
//!     loop {
//!         let len = stream.read(&mut buffer)?; // waits; another coroutine runs
//!         if len == 0 {
//!             return Ok(());
//!         }
//!         stream.write_all(&buffer[..len])?;
//!     }
//! }
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = thread::spawn(move || {
//!     for stream in listener.incoming() {
//!         let stream = stream.unwrap();
//!         thread::spawn(move || echo(stream));
//!     }
//! });
//!
//! // All of it works on plain OS threads too, such as this one.
//! let mut stream = TcpStream::connect(address)?;
//! stream.write_all(b"polly")?;
//! let mut answer = [0; 5];
//! stream.read_exact(&mut answer)?;
//! assert_eq!(&answer, b"polly");
//!
//! // Nobody comes any more: the server unwinds from where it waits, and its listener is closed.
//! server.cancel()?;
//! assert!(server.join().unwrap_err().is::<thread::Cancelled>());
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Where to look
//!
//! - [`thread`]: the mirror of `std::thread`. Spawn, join, park, yield, cancel; what is as in std and what is
//!   not. Start here.
//! - [`net`]: the mirror of `std::net`; [`os`] has what is Unix's own.
//! - [`run`]: from `main` into a coroutine and back, with borrowing.
//! - [`runtime`]: the worker threads underneath; needed only to shape them or to have several.
//! - [`group`]: coroutines that belong together: the first error, a bounded map, a race.
//! - [`sync`]: the mirror of `std::sync`, and more: locks and other ways to wait for each other.
//! - [`time`]: the mirror of `std::time`; sleeping, and a time limit around anything that waits.
//! - [`io`], [`fs`], [`process`]: the mirrors of std's modules of these names; [`signal`]: ctrl-c and others.
//! - [`unblock`](unblock()): for what blocks an OS thread and cannot be helped: it runs on another,
//!   while its coroutine waits.
//! - [`channel`]: messages between coroutines, and OS threads, in crossbeam-channel's shape; `select!`.
//! - [`coroutine`]: the raw coroutine without a scheduler, for generators.
//!
//! # What it stands on
//!
//! - Each coroutine has its own stack: 1 MiB of address space by default, committed by touch, so that
//!   one that waits in a shallow frame holds a page. It grows without copying, so pointers into it
//!   stay good. Below it lies a guard: an overflow stops the process with the coroutine's name.
//! - A switch saves what the compiler says is live and three registers, in about a nanosecond.
//! - A worker thread for each core takes coroutines in turn and steals those that have not started.
//!   One that has started stays on its thread, which is what makes this safe: `Rc`s, lock guards and
//!   thread-locals never change threads under a suspended frame.
//!
//! # Limits
//!
//! - Linux on x86_64 and aarch64.
//! - Nothing is preempted: a coroutine that computes for long without waiting or yielding keeps its
//!   worker, and whatever blocks the OS thread (std's sleep, locks and I/O) blocks the coroutines on it,
//!   unless it is wrapped in [`unblock`](unblock()).
//! - A raw [`coroutine`] that waits inside the `with` of one of std's thread-locals, and that is kept in another
//!   one, is unwound when the OS thread ends, by when the first may be gone; one that is forgotten never is, and
//!   whom it has lent that to goes on. Drop raw coroutines before their thread ends. kettle's own
//!   [`thread_local!`] has no such hole.
//! - A program that sets and restores a thread-local around a closure, in LIFO order, and waits inside
//!   the closure, can see two coroutines of one thread interleave there. Crates that build unsafe code on
//!   that order (scoped-tls, pyo3) must not be entered by two coroutines of one worker at once.
//! - Two versions of kettle can live in one program, and kettle in a shared library under a program in
//!   another language. To such a program a coroutine of the other version is an OS thread. Loading the
//!   library with `dlopen` takes eight bytes of the static thread-local storage that glibc keeps in reserve
//!   for this (musl keeps none and refuses). `dlclose` does not stop the default runtime: its workers stay,
//!   and so does the library.
//! - AddressSanitizer is noticed by the build (leak detection must be off, `ASAN_OPTIONS=detect_leaks=0`);
//!   for a program that runs under valgrind there is the feature `valgrind`.
//! - MXCSR, the x87 control word and FPCR are the thread's: whoever changes one puts it back before it
//!   waits.
//! - On a thread with a shadow stack (CET on x86_64, the guarded control stack on aarch64), a second stack
//!   of return addresses that the processor compares each return with, there is no coroutine to be had,
//!   but an error of the kind `Unsupported`: a switch would leave that stack behind, and one for each
//!   coroutine would cost a page and a mapping each. No Linux distribution turns them on by default.
//!   Branch-target identification and pointer authentication on aarch64 are kept: with
//!   `-Zbranch-protection=bti,pac-ret` kettle's objects have both.
//! - `KETTLE_GUARD=mprotect` in the environment makes the stacks' guards as on kernels before Linux 6.13,
//!   of which `vm.max_map_count` allows some thirty thousand.

#![deny(unsafe_code)]

mod context;
mod reactor;
mod scheduler;
mod stack;
mod sys;
mod task;
mod timer;
mod util;

pub mod channel;
pub mod coroutine;
pub mod fs;
pub mod group;
pub mod io;
pub mod net;
pub mod os;
pub mod process;
pub mod runtime;
pub mod signal;
pub mod sync;
pub mod thread;
pub mod time;
pub mod unblock;

pub use unblock::unblock;

/// Runs `f` as a coroutine, waits for it, and returns its value: [`runtime::Handle::run`] on the
/// current runtime, which outside of a coroutine is the default one. `f` may borrow.
///
/// ```
/// let words = ["polly", "put", "the", "kettle", "on"];
/// let longest = kettle::run(|| words.iter().max_by_key(|word| word.len()).copied());
/// assert_eq!(longest, Some("kettle"));
/// ```
///
/// # Panics
///
/// With `f`'s own panic, and where the default runtime cannot be started.
pub fn run<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    runtime::Handle::current().run(f)
}
