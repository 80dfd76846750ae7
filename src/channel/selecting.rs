//! What a channel does for a select, which learns that an operation is its own before it does it.
//!
//! In between, a message or a place in the queue is *reserved*, in number only: any message will do, and the place
//! is taken when the message is there. Nobody waits for a reservation to be used.

#![allow(unsafe_code)]

use super::handle::Token;
use super::queues::Channel;
use super::waiting::{List, Node, State};
use super::{RecvError, SendError};
use crate::task::Wait;
use core::ptr;

impl<T> Channel<T> {
    /// Reserves a place, or a receiver that waits.
    pub(super) fn reserve_send(&self) -> Option<Token> {
        let mut tail = self.tail();
        if tail.disconnected {
            return Some(Token::Disconnected);
        }
        if self.capacity == 0 {
            return self.arrange_meeting(tail, List::Receivers).ok().map(Token::Meeting);
        }
        (!self.is_full(&mut tail)).then(|| {
            self.count_sent(1);
            Token::Reserved
        })
    }

    /// Reserves a message, or a sender that waits.
    #[inline]
    pub(super) fn reserve_recv(&self) -> Option<Token> {
        let tail = if self.capacity == 0 {
            match self.arrange_meeting(self.tail(), List::Senders) {
                Ok(pair) => return Some(Token::Meeting(pair)),
                Err(tail) => tail,
            }
        } else {
            let mut head = self.head();
            if !head.has_message() {
                let mut tail = self.tail();
                head.take_over(&mut tail);
                if !head.has_message() {
                    return tail.disconnected.then_some(Token::Disconnected);
                }
            }
            head.reserved += 1;
            self.count_received(1);
            drop(head);
            self.let_in_senders();
            return Some(Token::Reserved);
        };
        tail.disconnected.then_some(Token::Disconnected)
    }

    /// Whether somebody else than the waiter of `node` waits in `list`. Of this channel, under its lock.
    fn somebody_waits<'a>(mut list: impl Iterator<Item = &'a Node>, node: Option<&Node>) -> bool {
        list.any(|other| {
            let is_own = node.is_some_and(|node| ptr::eq(node.waiter(), other.waiter()));
            !is_own && other.waiter().state() == State::Waiting
        })
    }

    /// Lets `node` wait to send; says whether it is worth a try instead.
    ///
    /// # Safety
    ///
    /// It is in no list, and its owner calls [`unregister`](Self::unregister) before it leaves.
    pub(super) unsafe fn register_send(&self, node: &Node) -> bool {
        let mut tail = self.tail();
        if tail.disconnected {
            return true;
        }
        if self.capacity == 0 {
            if Self::somebody_waits(tail.lists.iter(List::Receivers), Some(node)) {
                return true;
            }
            // SAFETY: the caller's.
            unsafe { tail.lists.push(List::Senders, node) };
            if !tail.lists.is_empty(List::ReceiveWatchers) {
                drop(tail);
                self.tell_watchers(List::ReceiveWatchers);
            }
            return false;
        }
        // SAFETY: the caller's.
        unsafe { tail.lists.push(List::Senders, node) };
        let ready = self.has_room_after_all(&mut tail);
        if ready {
            tail.lists.unlink(node);
        }
        ready
    }

    /// Lets `node` wait to receive; says whether it is worth a try instead.
    ///
    /// # Safety
    ///
    /// As for [`register_send`](Self::register_send).
    pub(super) unsafe fn register_recv(&self, node: &Node) -> bool {
        if self.capacity == 0 {
            let tail = self.tail();
            if tail.disconnected || Self::somebody_waits(tail.lists.iter(List::Senders), Some(node))
            {
                return true;
            }
            // SAFETY: the caller's.
            unsafe { tail.lists.push(List::Receivers, node) };
            if !tail.lists.is_empty(List::SendWatchers) {
                drop(tail);
                self.tell_watchers(List::SendWatchers);
            }
            return false;
        }
        let mut head = self.head();
        let mut tail = self.tail();
        head.take_over(&mut tail);
        if head.has_message() || tail.disconnected {
            return true;
        }
        // SAFETY: the caller's.
        unsafe { tail.lists.push(List::Receivers, node) };
        false
    }

    /// Takes `node` out of the list that it is in, if it is.
    pub(super) fn unregister(&self, node: &Node) {
        self.tail().lists.unlink(node);
    }

    /// Whether a send would not have to wait now.
    pub(super) fn send_is_ready(&self) -> bool {
        let mut tail = self.tail();
        tail.disconnected
            || match self.capacity {
                0 => Self::somebody_waits(tail.lists.iter(List::Receivers), None),
                _ => !self.is_full(&mut tail),
            }
    }

    /// Whether a receive would not have to wait now.
    pub(super) fn recv_is_ready(&self) -> bool {
        let mut head = self.head();
        let mut tail = self.tail();
        head.take_over(&mut tail);
        head.has_message()
            || tail.disconnected
            || self.capacity == 0 && Self::somebody_waits(tail.lists.iter(List::Senders), None)
    }

    /// Lets `node` know when a send would not have to wait; says whether that is so now.
    ///
    /// # Safety
    ///
    /// As for [`register_send`](Self::register_send).
    pub(super) unsafe fn watch_send(&self, node: &Node) -> bool {
        let mut tail = self.tail();
        // SAFETY: the caller's.
        unsafe { tail.lists.push(List::SendWatchers, node) };
        let ready = tail.disconnected
            || match self.capacity {
                0 => Self::somebody_waits(tail.lists.iter(List::Receivers), Some(node)),
                _ => self.has_room_after_all(&mut tail),
            };
        if ready {
            tail.lists.unlink(node);
        }
        ready
    }

    /// Lets `node` know when a receive would not have to wait; says whether that is so now.
    ///
    /// # Safety
    ///
    /// As for [`register_send`](Self::register_send).
    pub(super) unsafe fn watch_recv(&self, node: &Node) -> bool {
        let mut head = self.head();
        let mut tail = self.tail();
        head.take_over(&mut tail);
        let ready = tail.disconnected
            || head.has_message()
            || Self::somebody_waits(tail.lists.iter(List::Senders), Some(node))
                && self.capacity == 0;
        if !ready {
            // SAFETY: the caller's.
            unsafe { tail.lists.push(List::ReceiveWatchers, node) };
        }
        ready
    }

    /// Sends what [`reserve_send`](Self::reserve_send) or a grant has given the right to.
    pub(super) fn complete_send(&self, token: Token, value: T) -> Result<(), SendError<T>> {
        let mut tail = self.tail();
        match token {
            Token::Reserved if tail.disconnected => {
                self.count_sent(-1);
                Err(SendError(value))
            }
            Token::Reserved => {
                match self.hand_over(&mut tail, value) {
                    Ok(task) => {
                        // The place was not needed.
                        self.count_sent(-1);
                        drop(tail);
                        task.unpark(Wait::Event);
                        self.let_in_senders();
                    }
                    Err(value) => {
                        tail.arrived.push_back(value);
                        drop(tail);
                        self.tell_watchers(List::ReceiveWatchers);
                    }
                }
                Ok(())
            }
            Token::Meeting(pair) => match self.meet_to_send(tail, None, pair, value) {
                Ok(()) => Ok(()),
                Err(value) => self.send(value, None).map_err(|error| SendError(error.into_inner())),
            },
            Token::Disconnected | Token::Time(_) | Token::Ready => Err(SendError(value)),
        }
    }

    /// Receives what [`reserve_recv`](Self::reserve_recv) or a grant has given the right to.
    #[inline]
    pub(super) fn complete_recv(&self, token: Token) -> Result<T, RecvError> {
        match token {
            Token::Reserved => {
                let mut head = self.head();
                if head.ready.is_empty() {
                    head.take_over(&mut self.tail());
                }
                head.reserved -= 1;
                Ok(head.ready.pop_front().expect("what is reserved is there"))
            }
            Token::Meeting(pair) => match self.meet_to_recv(self.tail(), None, pair) {
                Some(value) => Ok(value),
                None => self.recv(None).map_err(|_| RecvError),
            },
            Token::Disconnected | Token::Time(_) | Token::Ready => Err(RecvError),
        }
    }

    /// Gives back the right to send.
    pub(super) fn abandon_send(&self, token: Token) {
        match token {
            Token::Reserved => {
                let tail = self.tail();
                self.count_sent(-1);
                drop(tail);
                self.let_in_senders();
            }
            Token::Meeting(pair) => self.miss_meeting(pair),
            Token::Disconnected | Token::Time(_) | Token::Ready => {}
        }
    }

    /// Gives back the right to receive; the message is for whoever waits.
    pub(super) fn abandon_recv(&self, token: Token) {
        match token {
            Token::Reserved => {
                let mut head = self.head();
                let mut tail = self.tail();
                head.take_over(&mut tail);
                head.reserved -= 1;
                let Some(value) = head.ready.pop_front() else { return };
                match self.hand_over(&mut tail, value) {
                    Ok(task) => {
                        drop(tail);
                        drop(head);
                        task.unpark(Wait::Event);
                    }
                    Err(value) => {
                        head.ready.push_front(value);
                        self.count_received(-1);
                        drop(tail);
                        drop(head);
                        self.tell_watchers(List::ReceiveWatchers);
                    }
                }
            }
            Token::Meeting(pair) => self.miss_meeting(pair),
            Token::Disconnected | Token::Time(_) | Token::Ready => {}
        }
    }
}
