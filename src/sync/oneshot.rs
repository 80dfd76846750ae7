//! A channel for one value: for an answer, say.
//!
//! ```
//! use kettle::sync::oneshot;
//! use kettle::thread;
//!
//! let (sender, receiver) = oneshot::channel();
//! thread::spawn(move || sender.send("boiled"));
//! assert_eq!(receiver.recv(), Ok("boiled"));
//! ```
//!
//! # Cancellation
//!
//! To wait for the value is a cancellation point. One that comes at the same moment is received.

#![allow(unsafe_code)]

use crate::task::{Told, Wait, WaitReason, Waited, Waiter, Waiters, cancel};
use crate::util::lock::Lock;
use core::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError};

/// The right to send the value.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The right to receive it.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    slot: Lock<Slot<T>>,
}

struct Slot<T> {
    value: Option<T>,
    /// One of the two is gone: the sender, having sent or not, or the receiver.
    closed: bool,
    /// The receiver, or nobody.
    waiters: Waiters<()>,
}

/// A sender and a receiver for one value.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Slot { value: None, closed: false, waiters: Waiters::new() };
    let shared = Arc::new(Shared { slot: Lock::new(slot) });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

impl<T> Sender<T> {
    /// Sends the value. Never waits.
    ///
    /// # Errors
    ///
    /// With the value in it, if the receiver is gone.
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        let mut slot = self.shared.slot.lock();
        if slot.closed {
            return Err(SendError(value));
        }
        slot.value = Some(value);
        // Dropped, it wakes the receiver.
        Ok(())
    }

    /// Whether the receiver is gone, so that nobody wants the value any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.slot.lock().closed
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let receiver = {
            let mut slot = self.shared.slot.lock();
            slot.closed = true;
            slot.waiters.pop(Told::TryAgain)
        };
        if let Some(receiver) = receiver {
            receiver.unpark(Wait::Event);
        }
    }
}

impl<T> Receiver<T> {
    /// Waits for the value.
    ///
    /// # Errors
    ///
    /// If the sender is gone without having sent one, or the value has been received.
    pub fn recv(self) -> Result<T, RecvError> {
        self.recv_until(None).map_err(|_| RecvError)
    }

    /// As [`recv`](Self::recv), for `timeout` at the longest.
    ///
    /// # Errors
    ///
    /// [`Timeout`](RecvTimeoutError::Timeout) if there was no value in time, as often as one likes;
    /// [`Disconnected`](RecvTimeoutError::Disconnected) as in `recv`.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// As [`recv`](Self::recv), but never waits.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) if there is no value yet;
    /// [`Disconnected`](TryRecvError::Disconnected) as in `recv`.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.shared.slot.lock().take()
    }

    fn recv_until(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let slot = &self.shared.slot;
        let waiter = Waiter::new(());
        {
            let mut slot = slot.lock();
            match slot.take() {
                Ok(value) => return Ok(value),
                Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => {}
            }
            // SAFETY: it is new, and stays here until it is out.
            unsafe { slot.waiters.push_back(&waiter) };
        }
        // SAFETY: pushed there above.
        let withdraw = || unsafe { slot.lock().waiters.remove(&waiter) };
        match waiter.wait(WaitReason::Oneshot, deadline, withdraw) {
            // The sender is gone: so there is a value now or there never is.
            Waited::Released(_) => slot.lock().take().map_err(|_| RecvTimeoutError::Disconnected),
            Waited::TimedOut => Err(RecvTimeoutError::Timeout),
            Waited::Cancelled => cancel::unwind(),
        }
    }
}

impl<T> Slot<T> {
    fn take(&mut self) -> Result<T, TryRecvError> {
        let none = if self.closed { TryRecvError::Disconnected } else { TryRecvError::Empty };
        self.value.take().ok_or(none)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let value = {
            let mut slot = self.shared.slot.lock();
            slot.closed = true;
            slot.value.take()
        };
        // Not under the lock: its destructor is somebody else's.
        drop(value);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
