//! Channels in the shape of [`std::sync::mpsc`]: many senders, one receiver.
//!
//! They are those of [`kettle::channel`](crate::channel), which can do more: several receivers, `select!`.
//! The errors are std's own.
//!
//! ```
//! use kettle::sync::mpsc;
//! use kettle::thread;
//!
//! let (sender, receiver) = mpsc::channel();
//! for n in 0..3 {
//!     let sender = sender.clone();
//!     thread::spawn(move || sender.send(n).unwrap());
//! }
//! drop(sender);
//! let mut received: Vec<_> = receiver.iter().collect();
//! received.sort();
//! assert_eq!(received, [0, 1, 2]);
//! ```
//!
//! # Cancellation
//!
//! Each wait is a cancellation point. Who is cancelled has sent nothing and received nothing.

use crate::channel;
use core::cell::Cell;
use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// The sending side of a [`channel()`]: the mirror of [`std::sync::mpsc::Sender`].
pub struct Sender<T> {
    inner: channel::Sender<T>,
}

/// The sending side of a [`sync_channel`]: the mirror of [`std::sync::mpsc::SyncSender`].
pub struct SyncSender<T> {
    inner: channel::Sender<T>,
}

/// The receiving side of either: the mirror of [`std::sync::mpsc::Receiver`].
pub struct Receiver<T> {
    inner: channel::Receiver<T>,
    /// As std's, it is for one at a time.
    _not_sync: PhantomData<Cell<()>>,
}

// A panic of who holds it leaves the channel as it was.
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

/// What is received, until all senders are gone: the mirror of [`std::sync::mpsc::Iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// What can be received at once: the mirror of [`std::sync::mpsc::TryIter`].
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// As [`Iter`], with the receiver in it: the mirror of [`std::sync::mpsc::IntoIter`].
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

/// A channel that holds any number of messages: who sends never waits.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = channel::unbounded();
    (Sender { inner: sender }, Receiver { inner: receiver, _not_sync: PhantomData })
}

/// A channel that holds up to `bound` messages: who sends waits where it is full. With zero, until somebody
/// receives.
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = channel::bounded(bound);
    (SyncSender { inner: sender }, Receiver { inner: receiver, _not_sync: PhantomData })
}

impl<T> Sender<T> {
    /// Sends a message. Never waits; that it is sent does not mean that it will be received.
    ///
    /// # Errors
    ///
    /// With the message in it, if the receiver is gone.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.inner.send(message).map_err(|error| SendError(error.0))
    }
}

impl<T> SyncSender<T> {
    /// Sends a message, and waits for room for it; in a channel without any, for it to be received.
    ///
    /// # Errors
    ///
    /// With the message in it, if the receiver is gone.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.inner.send(message).map_err(|error| SendError(error.0))
    }

    /// Sends a message if there is room; in a channel without any, if the receiver waits.
    ///
    /// # Errors
    ///
    /// With the message in it: [`Full`](TrySendError::Full), or [`Disconnected`](TrySendError::Disconnected)
    /// if the receiver is gone.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.inner.try_send(message).map_err(|error| match error {
            channel::TrySendError::Full(message) => TrySendError::Full(message),
            channel::TrySendError::Disconnected(message) => TrySendError::Disconnected(message),
        })
    }
}

impl<T> Receiver<T> {
    /// Receives a message if there is one.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty), or [`Disconnected`](TryRecvError::Disconnected) if it is empty and all
    /// senders are gone.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map_err(|error| match error {
            channel::TryRecvError::Empty => TryRecvError::Empty,
            channel::TryRecvError::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// If there is none and all senders are gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.inner.recv().map_err(|_| RecvError)
    }

    /// Waits for a message, for `timeout` at the longest.
    ///
    /// # Errors
    ///
    /// [`Timeout`](RecvTimeoutError::Timeout), or [`Disconnected`](RecvTimeoutError::Disconnected) if there is
    /// none and all senders are gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.inner.recv_timeout(timeout).map_err(|error| match error {
            channel::RecvTimeoutError::Timeout => RecvTimeoutError::Timeout,
            channel::RecvTimeoutError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// Waits for each message in turn, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The messages that there are, without waiting for more.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

macro_rules! show_the_name {
    ($($name:ident)*) => {$(
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

show_the_name!(Sender SyncSender Receiver);
