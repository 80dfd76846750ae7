//! The receiving end.

use super::handle::Token;
use super::queues::{Channel, UNBOUNDED};
use super::timers::{At, Tick};
use super::waiting::List;
use super::{Iter, RecvError, RecvTimeoutError, TryIter, TryRecvError};
use crate::task::{sleep_until, spend_budget};
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An end of a channel that receives. Any number of them may be made by `clone`, and one may be used by many at
/// once: each message goes to one of them. When the last has gone, sending fails and what was not received is
/// dropped.
///
/// It is also what [`after`](super::after), [`at`](super::at), [`tick`](super::tick) and [`never`](super::never)
/// return.
///
/// ```
/// let (sender, receiver) = kettle::channel::unbounded();
/// sender.send("polly").unwrap();
/// sender.send("put the kettle on").unwrap();
/// drop(sender);
/// assert_eq!(receiver.iter().collect::<Vec<_>>().join(", "), "polly, put the kettle on");
/// ```
pub struct Receiver<T> {
    pub(super) flavor: Flavor<T>,
}

/// Where the messages come from.
pub(super) enum Flavor<T> {
    Channel(Arc<Channel<T>>),
    /// `T` is `Instant`, which the function is there to say.
    At(Arc<At>, fn(Instant) -> T),
    /// As above.
    Tick(Arc<Tick>, fn(Instant) -> T),
    Never,
}

impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Receiver<T> {
    /// Receives a message if that is possible without waiting: if there is one, or a sender waits with one.
    ///
    /// ```
    /// use kettle::channel::{TryRecvError, unbounded};
    ///
    /// let (sender, receiver) = unbounded();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(5).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Ok(5));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no message; another error if there is no sender any more either.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        spend_budget();
        match &self.flavor {
            Flavor::Channel(channel) => channel.try_recv(),
            Flavor::At(at, wrap) => at.take().map(wrap).ok_or(TryRecvError::Empty),
            Flavor::Tick(tick, wrap) => {
                tick.take(Instant::now()).map(wrap).ok_or(TryRecvError::Empty)
            }
            Flavor::Never => Err(TryRecvError::Empty),
        }
    }

    /// Receives a message, and waits for one if need be.
    ///
    /// A cancellation point where it waits, and now and then where it does not, because it lets others run. No
    /// message is lost by that.
    ///
    /// ```
    /// use kettle::channel::{RecvError, unbounded};
    ///
    /// let (sender, receiver) = unbounded();
    /// sender.send(5).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.recv(), Ok(5));
    /// assert_eq!(receiver.recv(), Err(RecvError));
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no message, and no sender any more.
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_until(None).map_err(|_| RecvError)
    }

    /// As [`recv`](Self::recv), for `timeout` at the longest.
    ///
    /// ```
    /// use kettle::channel::{RecvTimeoutError, unbounded};
    /// use std::time::Duration;
    ///
    /// let (_sender, receiver) = unbounded::<()>();
    /// let received = receiver.recv_timeout(Duration::from_millis(1));
    /// assert_eq!(received, Err(RecvTimeoutError::Timeout));
    /// ```
    ///
    /// # Errors
    ///
    /// If the time was up; another error if there is no message and no sender any more.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// As [`recv`](Self::recv), until `deadline` at the longest.
    ///
    /// # Errors
    ///
    /// As for [`recv_timeout`](Self::recv_timeout).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Some(deadline))
    }

    #[inline]
    fn recv_until(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        spend_budget();
        match &self.flavor {
            Flavor::Channel(channel) => channel.recv(deadline),
            Flavor::At(at, wrap) => recv_timed(deadline, || at.take(), || at.due()).map(wrap),
            Flavor::Tick(tick, wrap) => {
                let since = Instant::now();
                recv_timed(deadline, || tick.take(since), || Some(tick.due())).map(wrap)
            }
            Flavor::Never => {
                sleep_until(deadline);
                Err(RecvTimeoutError::Timeout)
            }
        }
    }

    /// Receives what was selected.
    #[inline]
    pub(super) fn complete(&self, token: Token) -> Result<T, RecvError> {
        match (&self.flavor, token) {
            (Flavor::Channel(channel), token) => channel.complete_recv(token),
            (Flavor::At(_, wrap) | Flavor::Tick(_, wrap), Token::Time(time)) => Ok(wrap(time)),
            _ => Err(RecvError),
        }
    }

    /// Whether there is no message. A channel of capacity zero is always empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room. A channel of capacity zero is always full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.capacity().is_some_and(|capacity| self.len() >= capacity)
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.flavor {
            Flavor::Channel(channel) => channel.len(),
            Flavor::At(at, _) => usize::from(at.is_ready()),
            Flavor::Tick(tick, _) => usize::from(tick.is_ready()),
            Flavor::Never => 0,
        }
    }

    /// How many messages the channel has room for; none if it is unbounded.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        match &self.flavor {
            Flavor::Channel(channel) if channel.capacity == UNBOUNDED => None,
            Flavor::Channel(channel) => Some(channel.capacity),
            Flavor::At(..) | Flavor::Tick(..) => Some(1),
            Flavor::Never => Some(0),
        }
    }

    /// The messages, one by one, until the channel is empty and has no sender: each `next` is a
    /// [`recv`](Self::recv).
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The messages that there are: each `next` is a [`try_recv`](Self::try_recv).
    ///
    /// ```
    /// let (sender, receiver) = kettle::channel::unbounded();
    /// sender.send(1).unwrap();
    /// sender.send(2).unwrap();
    /// assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// Whether both belong to one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        match (&self.flavor, &other.flavor) {
            (Flavor::Channel(one), Flavor::Channel(other)) => Arc::ptr_eq(one, other),
            (Flavor::At(one, _), Flavor::At(other, _)) => Arc::ptr_eq(one, other),
            (Flavor::Tick(one, _), Flavor::Tick(other, _)) => Arc::ptr_eq(one, other),
            (Flavor::Never, Flavor::Never) => true,
            _ => false,
        }
    }
}

/// Receives from a timer, at the longest until `deadline`.
#[cold]
fn recv_timed(
    deadline: Option<Instant>,
    take: impl Fn() -> Option<Instant>,
    due: impl Fn() -> Option<Instant>,
) -> Result<Instant, RecvTimeoutError> {
    loop {
        if let Some(message) = take() {
            return Ok(message);
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(RecvTimeoutError::Timeout);
        }
        sleep_until(match (due(), deadline) {
            (Some(due), Some(deadline)) => Some(due.min(deadline)),
            (due, deadline) => due.or(deadline),
        });
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let flavor = match &self.flavor {
            Flavor::Channel(channel) => {
                // Relaxed: a new one is made from one that there is.
                if channel.receivers.fetch_add(1, Ordering::Relaxed) > isize::MAX as usize {
                    // As `Arc` does: a program that leaks so many is beyond help.
                    std::process::abort();
                }
                Flavor::Channel(Arc::clone(channel))
            }
            Flavor::At(at, wrap) => Flavor::At(Arc::clone(at), *wrap),
            Flavor::Tick(tick, wrap) => Flavor::Tick(Arc::clone(tick), *wrap),
            Flavor::Never => Flavor::Never,
        };
        Self { flavor }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Flavor::Channel(channel) = &self.flavor {
            // AcqRel: pairs with itself: what was done with the other ends comes before the channel's end.
            if channel.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
                channel.disconnect([List::Senders, List::SendWatchers]);
                channel.discard();
            }
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Receiver { .. }")
    }
}
