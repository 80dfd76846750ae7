//! Channels: messages between coroutines, and OS threads, many senders and many receivers at once; and waiting for
//! several at a time.
//!
//! The API and what it means are crossbeam-channel's (0.5): swap `use crossbeam_channel` for
//! `use kettle::channel`. Whoever waits gives its worker to other coroutines; an OS thread blocks.
//!
//! ```
//! use kettle::{channel, thread};
//!
//! let (sender, receiver) = channel::bounded(2);
//! let pourer = thread::spawn(move || {
//!     for cup in 1..=4 {
//!         sender.send(cup).unwrap(); // waits while two cups stand there
//!     }
//! });
//! assert_eq!(receiver.iter().sum::<i32>(), 10);
//! pourer.join().unwrap();
//! ```
//!
//! # Kinds
//!
//! | made by | holds | |
//! | --- | --- | --- |
//! | [`unbounded`] | any number of messages | sending never waits |
//! | [`bounded`] | so many | a sender waits for room |
//! | [`bounded`]`(0)` | none | a sender waits for a receiver, from hand to hand |
//! | [`after`], [`at`] | one | the clock sends it |
//! | [`tick`] | one | the clock sends it again and again |
//! | [`never`](never()) | none | nobody sends |
//!
//! # Disconnecting
//!
//! When all senders of a channel have gone, its receivers still get what was sent, and then an error. When all
//! receivers have gone, senders get an error, with the message, and what was not received is dropped. Whoever waits
//! is woken.
//!
//! # What is promised
//!
//! - What one sender sends arrives in order. A message that is sent while a receiver waits goes to the one that has
//!   waited longest; a sender that waits for room comes before those that come to wait later. Whoever need not wait
//!   does not queue behind them.
//! - Where receiver and sender live on one worker, the receiver runs as soon as the sender waits for something.
//! - Waiting allocates nothing. Memory for messages is allocated by the block, and given back as they are received.
//! - An operation that goes through at once still lets others run now and then, so that a channel that is always
//!   ready starves nobody.
//!
//! # Cancellation and time limits
//!
//! Every wait is a cancellation point, and an operation that lets others run too. One that is cancelled has not
//! happened: a message that was to be sent is dropped, one that was to be received stays for the next receiver. One
//! that has happened by then returns, and the cancellation comes at the next point. To meet the other one of a
//! `select` at a channel of capacity zero, once both are committed, is no cancellation point.

mod blocks;
mod error;
mod handle;
mod iter;
mod meeting;
mod plain;
mod queues;
mod receiver;
mod running;
mod select;
mod select_macro;
mod selecting;
mod sender;
mod timers;
mod waiting;

pub use crate::{select, select_biased};
pub use error::{
    ReadyTimeoutError, RecvError, RecvTimeoutError, SelectTimeoutError, SendError,
    SendTimeoutError, TryReadyError, TryRecvError, TrySelectError, TrySendError,
};
pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use select::{Select, SelectedOperation};
pub use sender::Sender;

use queues::{Channel, UNBOUNDED};
use receiver::Flavor;
use std::sync::Arc;
use std::time::{Duration, Instant};
use timers::{At, Tick};

fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel::new(capacity));
    let sender = Sender { channel: Arc::clone(&channel) };
    (sender, Receiver { flavor: Flavor::Channel(channel) })
}

/// A channel that holds any number of messages, so that sending never waits.
///
/// ```
/// let (sender, receiver) = kettle::channel::unbounded();
/// sender.send("tea").unwrap();
/// assert_eq!(receiver.recv(), Ok("tea"));
/// ```
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    channel(UNBOUNDED)
}

/// A channel that holds `capacity` messages: who sends to a full one waits. With a capacity of zero it holds none,
/// and who sends waits until somebody receives.
///
/// Memory is allocated as messages come.
///
/// ```
/// use kettle::{channel, thread};
///
/// let (sender, receiver) = channel::bounded(0);
/// let waiter = thread::spawn(move || sender.send("tea").unwrap());
/// assert_eq!(receiver.recv(), Ok("tea"));
/// waiter.join().unwrap();
/// ```
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    // No memory holds more.
    channel(capacity.min(isize::MAX as usize))
}

/// A receiver that gets one message, the time, after `duration`: a time limit for a [`select!`](select!). It is
/// received once, by one of the receiver's clones; after that nothing comes any more. For a time beyond what the
/// clock can tell nothing ever comes.
///
/// ```
/// use kettle::channel::{after, select, unbounded};
/// use std::time::Duration;
///
/// let (_sender, receiver) = unbounded::<()>();
/// select! {
///     recv(receiver) -> _ => unreachable!(),
///     recv(after(Duration::from_millis(1))) -> _ => println!("nobody has sent anything"),
/// }
/// ```
#[must_use]
pub fn after(duration: Duration) -> Receiver<Instant> {
    Instant::now().checked_add(duration).map_or(never(), at)
}

/// As [`after`], at the time `when`, which is the message.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let when = Instant::now() + Duration::from_millis(1);
/// assert_eq!(kettle::channel::at(when).recv(), Ok(when));
/// assert!(Instant::now() >= when);
/// ```
#[must_use]
pub fn at(when: Instant) -> Receiver<Instant> {
    Receiver { flavor: Flavor::At(Arc::new(At::new(when)), |time| time) }
}

/// A receiver that gets a message every `duration`: the time when it was due. There is never more than one: while
/// that is not received no other comes, and the next one is due a `duration` after it is received. The first one comes after
/// one `duration`.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let ticks = kettle::channel::tick(Duration::from_millis(1));
/// assert!(ticks.iter().nth(2).unwrap() >= start + Duration::from_millis(3));
/// ```
#[must_use]
pub fn tick(duration: Duration) -> Receiver<Instant> {
    match Instant::now().checked_add(duration) {
        Some(first) => {
            let tick = Arc::new(Tick::new(first, duration));
            Receiver { flavor: Flavor::Tick(tick, |time| time) }
        }
        None => never(),
    }
}

/// A receiver that never gets anything and is never disconnected: for an operation of a [`select!`](select!) that
/// is not always there.
///
/// ```
/// use kettle::channel::{never, select, unbounded};
///
/// let (sender, receiver) = unbounded();
/// sender.send(1).unwrap();
/// let optional = None;
/// select! {
///     recv(receiver) -> message => assert_eq!(message, Ok(1)),
///     recv(optional.unwrap_or(&never::<i32>())) -> _ => unreachable!(),
/// }
/// ```
#[must_use]
pub const fn never<T>() -> Receiver<T> {
    Receiver { flavor: Flavor::Never }
}

/// What `select!` is made of.
#[doc(hidden)]
pub mod internal {
    pub use super::handle::SelectHandle;
    pub use super::running::Entry;
    pub use super::select::{select, select_timeout, try_select};
    use super::{Receiver, RecvError, Sender, TryRecvError};

    /// Whatever leads to a receiver.
    #[inline(always)]
    pub fn receiver<T>(receiver: &Receiver<T>) -> &Receiver<T> {
        receiver
    }

    /// Whatever leads to a sender.
    #[inline(always)]
    pub fn sender<T>(sender: &Sender<T>) -> &Sender<T> {
        sender
    }

    /// The operation number `index`, of receiving.
    #[inline]
    pub fn recv<T>(receiver: &Receiver<T>, index: usize) -> Entry<'_> {
        Entry::new(receiver, index)
    }

    /// The operation number `index`, of sending.
    #[inline]
    pub fn send<T>(sender: &Sender<T>, index: usize) -> Entry<'_> {
        Entry::new(sender, index)
    }

    /// None if nothing is ready.
    #[inline]
    pub fn try_recv<T>(receiver: &Receiver<T>) -> Option<Result<T, RecvError>> {
        match receiver.try_recv() {
            Ok(message) => Some(Ok(message)),
            Err(TryRecvError::Disconnected) => Some(Err(RecvError)),
            Err(TryRecvError::Empty) => None,
        }
    }
}
