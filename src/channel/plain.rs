//! Plain sending and receiving, which may wait. See `queues` for the channel and `waiting` for the nodes.

#![allow(unsafe_code)]

use super::queues::{Channel, Head, Offer, Tail};
use super::waiting::{Grant, List, Node, State, Waiter};
use super::{RecvTimeoutError, SendTimeoutError};
use crate::task::{Outcome, Wait, WaitReason, cancel, park_masked, park_until};
use crate::util::lock::Locked;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use std::time::Instant;

/// How a plain wait ended.
enum Ended {
    Granted(Grant),
    TimedOut,
    Cancelled,
}

impl<T> Channel<T> {
    /// Sends, at the longest until `deadline`. Where it waits, a cancellation point.
    #[inline]
    pub(super) fn send(
        &self,
        mut value: T,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<T>> {
        loop {
            match self.offer(self.tail(), value) {
                Offer::Sent => return Ok(()),
                Offer::Disconnected(value) => return Err(SendTimeoutError::Disconnected(value)),
                Offer::Full(tail, back) => match self.wait_to_send(tail, back, deadline) {
                    Ok(None) => return Ok(()),
                    Ok(Some(back)) => value = back,
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Waits until a receiver has taken the message, or there was room for it; gives it back if it is worth
    /// another try.
    #[cold]
    #[inline(never)]
    fn wait_to_send(
        &self,
        mut tail: Locked<'_, Tail<T>>,
        value: T,
        deadline: Option<Instant>,
    ) -> Result<Option<T>, SendTimeoutError<T>> {
        let place = UnsafeCell::new(MaybeUninit::new(value));
        // SAFETY: to be called when the wait is over and the message has not been moved (invariant 4 of
        // `waiting`), and then once.
        let back = || unsafe { (*place.get()).assume_init_read() };
        let waiter = Waiter::new(false);
        let node = Node::plain(&waiter, place.get().cast());
        // SAFETY: `wait` returns when it is out.
        unsafe { tail.lists.push(List::Senders, &node) };
        if self.capacity == 0 {
            let watched = !tail.lists.is_empty(List::ReceiveWatchers);
            drop(tail);
            if watched {
                self.tell_watchers(List::ReceiveWatchers);
            }
        } else if self.has_room_after_all(&mut tail) {
            tail.lists.unlink(&node);
            return Ok(Some(back()));
        } else {
            drop(tail);
        }
        match self.wait(&node, WaitReason::Send, deadline) {
            Ended::Granted(Grant::Done | Grant::Pair(_)) => Ok(None),
            Ended::Granted(Grant::Again) => Ok(Some(back())),
            Ended::Granted(Grant::Disconnected) => Err(SendTimeoutError::Disconnected(back())),
            Ended::TimedOut => Err(SendTimeoutError::Timeout(back())),
            Ended::Cancelled => {
                drop(back());
                cancel::unwind()
            }
        }
    }

    /// Receives, at the longest until `deadline`. Where it waits, a cancellation point.
    #[inline]
    pub(super) fn recv(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        loop {
            let received = if self.capacity == 0 {
                match self.take_by_hand(self.tail()) {
                    Ok(value) => return Ok(value),
                    Err(tail) => self.wait_to_recv(None, tail, deadline),
                }
            } else {
                match self.take() {
                    Ok(value) => return Ok(value),
                    Err((head, tail)) => self.wait_to_recv(Some(head), tail, deadline),
                }
            };
            if let Some(value) = received? {
                return Ok(value);
            }
        }
    }

    /// Waits for a message; none if it is worth another try.
    fn wait_to_recv(
        &self,
        head: Option<Locked<'_, Head<T>>>,
        tail: Locked<'_, Tail<T>>,
        deadline: Option<Instant>,
    ) -> Result<Option<T>, RecvTimeoutError> {
        if tail.disconnected {
            return Err(RecvTimeoutError::Disconnected);
        }
        let place = UnsafeCell::new(MaybeUninit::<T>::uninit());
        let waiter = Waiter::new(false);
        let node = Node::plain(&waiter, place.get().cast());
        // SAFETY: `wait` returns when it is out.
        unsafe { tail.lists.push(List::Receivers, &node) };
        let watched = self.capacity == 0 && !tail.lists.is_empty(List::SendWatchers);
        drop(tail);
        drop(head);
        if watched {
            self.tell_watchers(List::SendWatchers);
        }
        match self.wait(&node, WaitReason::Receive, deadline) {
            Ended::Granted(Grant::Done | Grant::Pair(_)) => {
                // SAFETY: whoever granted it has put the message there (invariant 4 of `waiting`).
                Ok(Some(unsafe { place.into_inner().assume_init() }))
            }
            Ended::Granted(Grant::Again) => Ok(None),
            Ended::Granted(Grant::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Ended::TimedOut => Err(RecvTimeoutError::Timeout),
            Ended::Cancelled => cancel::unwind(),
        }
    }

    /// Waits until the plain operation of `node` has been granted, or is over. It is in no list then. A
    /// cancellation point; what was granted before it was cancelled is granted.
    fn wait(&self, node: &Node, reason: WaitReason, deadline: Option<Instant>) -> Ended {
        loop {
            let outcome = park_until(Wait::Event, reason, deadline);
            match node.waiter().state() {
                State::Waiting | State::Aborted if outcome == Outcome::Woken => continue,
                State::Waiting | State::Aborted => {
                    let tail = self.tail();
                    if node.waiter().state() == State::Waiting {
                        tail.lists.unlink(node);
                        return if outcome == Outcome::TimedOut {
                            Ended::TimedOut
                        } else {
                            Ended::Cancelled
                        };
                    }
                }
                State::Granted(..) => {}
            }
            return Ended::Granted(Self::wait_for_peer(node, reason));
        }
    }

    /// Waits for the end of the meeting that `node` is promised, if it is. No cancellation point: the other one
    /// counts on it.
    pub(super) fn wait_for_peer(node: &Node, reason: WaitReason) -> Grant {
        loop {
            match node.waiter().state() {
                State::Granted(_, grant @ (Grant::Done | Grant::Disconnected | Grant::Again)) => {
                    return grant;
                }
                State::Waiting | State::Aborted | State::Granted(_, Grant::Pair(_)) => {
                    park_masked(Wait::Event, reason);
                }
            }
        }
    }
}
