//! The sending end.

use super::queues::{Channel, UNBOUNDED};
use super::waiting::List;
use super::{SendError, SendTimeoutError, TrySendError};
use crate::task::spend_budget;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An end of a channel that sends. Any number of them may be made by `clone`, and one may be used by many at once;
/// the last that goes disconnects the channel.
///
/// ```
/// use kettle::{channel, thread};
///
/// let (sender, receiver) = channel::unbounded();
/// for number in 1..=3 {
///     let sender = sender.clone();
///     thread::spawn(move || sender.send(number).unwrap());
/// }
/// drop(sender);
/// assert_eq!(receiver.iter().sum::<i32>(), 6);
/// ```
pub struct Sender<T> {
    pub(super) channel: Arc<Channel<T>>,
}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

impl<T> Sender<T> {
    /// Sends `message` if that is possible without waiting: if there is room, or a receiver waits.
    ///
    /// ```
    /// use kettle::channel::{TrySendError, bounded};
    ///
    /// let (sender, receiver) = bounded(1);
    /// assert_eq!(sender.try_send(1), Ok(()));
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// drop(receiver);
    /// assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message: if there is no room, or no receiver any more.
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        spend_budget();
        self.channel.try_send(message)
    }

    /// Sends `message`, and waits for room if need be; in a channel of capacity zero, for a receiver.
    ///
    /// A cancellation point where it waits, and now and then where it does not, because it lets others run. One that
    /// is cancelled has not sent: the message is dropped.
    ///
    /// ```
    /// use kettle::channel::{SendError, bounded};
    ///
    /// let (sender, receiver) = bounded(1);
    /// assert_eq!(sender.send(1), Ok(()));
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(SendError(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message, if there is no receiver any more, now or while it waits.
    #[inline]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        spend_budget();
        match self.channel.send(message, None) {
            Ok(()) => Ok(()),
            Err(error) => Err(SendError(error.into_inner())),
        }
    }

    /// As [`send`](Self::send), for `timeout` at the longest.
    ///
    /// ```
    /// use kettle::channel::{SendTimeoutError, bounded};
    /// use std::time::Duration;
    ///
    /// let (sender, _receiver) = bounded(0);
    /// let sent = sender.send_timeout("tea", Duration::from_millis(1));
    /// assert_eq!(sent, Err(SendTimeoutError::Timeout("tea")));
    /// ```
    ///
    /// # Errors
    ///
    /// With the message: if the time was up, or there is no receiver any more.
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        spend_budget();
        self.channel.send(message, Instant::now().checked_add(timeout))
    }

    /// As [`send`](Self::send), until `deadline` at the longest.
    ///
    /// # Errors
    ///
    /// As for [`send_timeout`](Self::send_timeout).
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        spend_budget();
        self.channel.send(message, Some(deadline))
    }

    /// Whether there is no message. A channel of capacity zero is always empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room. A channel of capacity zero is always full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= self.channel.capacity
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.channel.len()
    }

    /// How many messages the channel has room for; none if it is unbounded.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        (self.channel.capacity != UNBOUNDED).then_some(self.channel.capacity)
    }

    /// Whether both belong to one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Relaxed: a new one is made from one that there is.
        if self.channel.senders.fetch_add(1, Ordering::Relaxed) > isize::MAX as usize {
            // As `Arc` does: a program that leaks so many is beyond help.
            std::process::abort();
        }
        Self { channel: Arc::clone(&self.channel) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // AcqRel: pairs with itself: what was done with the other ends comes before the channel's end.
        if self.channel.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.channel.disconnect([List::Receivers, List::ReceiveWatchers]);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sender { .. }")
    }
}
