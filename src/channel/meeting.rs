//! Channels of capacity zero: a message goes from hand to hand.
//!
//! Where the one who waits has a place for the message, or the message, whoever comes takes or gives it then and
//! there. One that selects has neither: it learns that an operation is its own before it says what to send, or
//! where to receive to. So the two agree on the number of a *meeting*, and whoever comes to it first puts a plain
//! node with this number into the list of meetings and waits for the other one.
//!
//! A meeting has no time limit and is no cancellation point: the other one counts on it.

#![allow(unsafe_code)]

use super::queues::{Channel, Offer, Tail};
use super::waiting::{Grant, List, Node, Waiter, pair_number};
use crate::task::{TaskRef, Wait, WaitReason};
use crate::util::lock::Locked;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

impl<T> Tail<T> {
    /// The number of a new meeting.
    fn new_meeting(&mut self) -> u64 {
        self.meetings = pair_number(self.meetings + 1);
        self.meetings
    }

    /// Takes out the one who has come to a meeting first.
    fn who_waits_at<'a>(&mut self, pair: u64) -> Option<&'a Node> {
        let node = self.lists.iter(List::Meetings).find(|node| node.pair() == pair)?;
        self.lists.unlink(node);
        Some(node)
    }

    /// Whether the other one has said that it will not come to a meeting.
    fn was_missed(&mut self, pair: u64) -> bool {
        let at = self.missed.iter().position(|&missed| missed == pair);
        at.map(|at| self.missed.swap_remove(at)).is_some()
    }
}

impl<T> Channel<T> {
    /// Gives `value` to a receiver that waits.
    pub(super) fn offer_by_hand<'a>(
        &'a self,
        mut tail: Locked<'a, Tail<T>>,
        value: T,
    ) -> Offer<'a, T> {
        while let Some(node) = tail.lists.first(List::Receivers) {
            tail.lists.unlink(node);
            if node.waiter().selects() {
                let pair = tail.new_meeting();
                let Some(task) = node.grant(Grant::Pair(pair)) else { continue };
                return match self.meet_to_send(tail, Some(task), pair, value) {
                    Ok(()) => Offer::Sent,
                    Err(value) => self.offer(self.tail(), value),
                };
            }
            // SAFETY: a plain receiver's place, for a message of this channel, and it is empty.
            unsafe { node.place().cast::<T>().write(value) };
            let task = node.grant(Grant::Done);
            drop(tail);
            wake(task);
            return Offer::Sent;
        }
        Offer::Full(tail, value)
    }

    /// Takes a message from a sender that waits; the lock back if there is none.
    pub(super) fn take_by_hand<'a>(
        &'a self,
        mut tail: Locked<'a, Tail<T>>,
    ) -> Result<T, Locked<'a, Tail<T>>> {
        while let Some(node) = tail.lists.first(List::Senders) {
            tail.lists.unlink(node);
            if node.waiter().selects() {
                let pair = tail.new_meeting();
                let Some(task) = node.grant(Grant::Pair(pair)) else { continue };
                match self.meet_to_recv(tail, Some(task), pair) {
                    Some(value) => return Ok(value),
                    None => tail = self.tail(),
                }
                continue;
            }
            // SAFETY: a plain sender's place, with a message of this channel.
            let value = unsafe { node.place().cast::<T>().read() };
            let task = node.grant(Grant::Done);
            drop(tail);
            wake(task);
            return Ok(value);
        }
        Err(tail)
    }

    /// Agrees on a meeting with one of those who wait in `list`, for one that selects.
    pub(super) fn arrange_meeting<'a>(
        &'a self,
        mut tail: Locked<'a, Tail<T>>,
        list: List,
    ) -> Result<u64, Locked<'a, Tail<T>>> {
        while let Some(node) = tail.lists.first(list) {
            tail.lists.unlink(node);
            let pair = tail.new_meeting();
            if node.waiter().selects() {
                let Some(task) = node.grant(Grant::Pair(pair)) else { continue };
                drop(tail);
                task.unpark(Wait::Event);
            } else {
                // It is at the meeting already.
                node.set_pair(pair);
                node.waiter().promise(pair);
                // SAFETY: it was taken out just now; `wait` sees the promise and waits on.
                unsafe { tail.lists.push(List::Meetings, node) };
            }
            return Ok(pair);
        }
        Err(tail)
    }

    /// Gives `value` to the other one of the meeting `pair`, whose task is to be woken if need be; back if it
    /// does not come.
    pub(super) fn meet_to_send(
        &self,
        mut tail: Locked<'_, Tail<T>>,
        other: Option<TaskRef>,
        pair: u64,
        value: T,
    ) -> Result<(), T> {
        if let Some(node) = tail.who_waits_at(pair) {
            // SAFETY: a plain receiver's place, for a message of this channel, and it is empty.
            unsafe { node.place().cast::<T>().write(value) };
            let task = node.grant(Grant::Done);
            drop(tail);
            wake(task);
            return Ok(());
        }
        if tail.was_missed(pair) {
            return Err(value);
        }
        let place = UnsafeCell::new(MaybeUninit::new(value));
        match self.wait_at_meeting(tail, other, pair, place.get().cast(), WaitReason::Send) {
            Grant::Done => Ok(()),
            // SAFETY: the message was not moved.
            _ => Err(unsafe { place.into_inner().assume_init() }),
        }
    }

    /// Takes the message of the other one of the meeting `pair`, whose task is to be woken if need be; none if it
    /// does not come.
    pub(super) fn meet_to_recv(
        &self,
        mut tail: Locked<'_, Tail<T>>,
        other: Option<TaskRef>,
        pair: u64,
    ) -> Option<T> {
        if let Some(node) = tail.who_waits_at(pair) {
            // SAFETY: a plain sender's place, with a message of this channel.
            let value = unsafe { node.place().cast::<T>().read() };
            let task = node.grant(Grant::Done);
            drop(tail);
            wake(task);
            return Some(value);
        }
        if tail.was_missed(pair) {
            return None;
        }
        let place = UnsafeCell::new(MaybeUninit::<T>::uninit());
        match self.wait_at_meeting(tail, other, pair, place.get().cast(), WaitReason::Receive) {
            // SAFETY: whoever came has put the message there.
            Grant::Done => Some(unsafe { place.into_inner().assume_init() }),
            _ => None,
        }
    }

    fn wait_at_meeting(
        &self,
        tail: Locked<'_, Tail<T>>,
        other: Option<TaskRef>,
        pair: u64,
        place: *mut (),
        reason: WaitReason,
    ) -> Grant {
        let waiter = Waiter::new(false);
        let node = Node::plain(&waiter, place);
        node.set_pair(pair);
        // SAFETY: `wait_for_peer` returns when it has been granted, and so is out.
        unsafe { tail.lists.push(List::Meetings, &node) };
        drop(tail);
        wake(other);
        Self::wait_for_peer(&node, reason)
    }

    /// The calling one will not come to a meeting after all.
    pub(super) fn miss_meeting(&self, pair: u64) {
        let mut tail = self.tail();
        let Some(node) = tail.who_waits_at(pair) else {
            tail.missed.push(pair);
            return;
        };
        let task = node.grant(Grant::Again);
        drop(tail);
        wake(task);
    }
}

fn wake(task: Option<TaskRef>) {
    if let Some(task) = task {
        task.unpark(Wait::Event);
    }
}
