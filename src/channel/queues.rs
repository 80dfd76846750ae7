//! A channel between tasks: its queue, its lists of waiting tasks, and what moves through them.
//!
//! ```text
//!             ┌────────────── sending side, one lock ──────────────┐   ┌─ receiving side, one lock ─┐
//!   send ──▶  │ arrived ──────────────── the whole queue at once ──┼──▶│ ready                      │ ──▶ recv
//!             │ lists: who waits, to send and to receive           │   │                            │
//!             └────────────────────────────────────────────────────┘   └────────────────────────────┘
//! ```
//!
//! A receiver that finds its side empty exchanges the two queues: one lock of the sending side for many messages,
//! and nothing is moved. A receiver waits only when both are empty, so a sender that
//! finds one waiting gives it the message, past the queues, and wakes it. The one lock is always taken before the
//! other in the direction receiving, then sending. Nobody is woken under a lock.
//!
//! A channel of capacity zero has no queue; all of it happens under the lock of the sending side.
//!
//! The two queues are Michael and Scott's two-lock queue ("Simple, Fast, and Practical Non-Blocking and Blocking
//! Concurrent Queue Algorithms", 1996) with a batch for a node; giving a message to one that waits is what Go's
//! channels do.
//!
//! # Room
//!
//! `sent` and `received` count messages that have gone through the queues. What a select has been promised but not
//! done yet counts as done: a place that is reserved is sent, a message that is reserved is received. So the
//! channel is full when the difference is its capacity. A sender looks at `received` under its own lock only; that
//! none waits for room that there is, is seen to by both sides:
//!
//! ```text
//!   a sender that finds no room            a receiver
//!   1. goes into the list                  1. counts on `received`
//!   2. sets `senders_wait`                 2. fence
//!   3. fence                               3. `senders_wait`? then lets senders in
//!   4. looks at `received` again
//! ```
//!
//! # Invariants
//!
//! 1. While a node is in `Receivers`, every message in the queues is reserved.
//! 2. `sent` is written under the lock of the sending side, `received` under that of the receiving side.

#![allow(unsafe_code)]

use super::blocks::Blocks;
use super::waiting::{Grant, List, Lists};
use super::{TryRecvError, TrySendError};
use crate::task::{TaskRef, Wait};
use crate::util::lock::{Lock, Locked};
use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crossbeam_utils::CachePadded;

/// The capacity of a channel without one.
pub(super) const UNBOUNDED: usize = usize::MAX;

#[derive(Debug)]
pub(super) struct Channel<T> {
    pub(super) capacity: usize,
    receiving: CachePadded<Receiving<T>>,
    sending: CachePadded<Sending<T>>,
    pub(super) senders: AtomicUsize,
    pub(super) receivers: AtomicUsize,
}

#[derive(Debug)]
struct Receiving<T> {
    lock: Lock<Head<T>>,
    received: AtomicUsize,
    /// Somebody may wait for room.
    senders_wait: AtomicBool,
}

#[derive(Debug)]
struct Sending<T> {
    lock: Lock<Tail<T>>,
    sent: AtomicUsize,
}

/// What the lock of the receiving side protects.
#[derive(Debug)]
pub(super) struct Head<T> {
    pub(super) ready: Blocks<T>,
    /// How many of the messages are promised to selects. Less than none where those that are promised are still
    /// at the other side.
    pub(super) reserved: isize,
}

/// What the lock of the sending side protects.
#[derive(Debug)]
pub(super) struct Tail<T> {
    pub(super) arrived: Blocks<T>,
    /// How many of those are promised to selects.
    promised: isize,
    /// What `received` was when it was last looked at.
    seen: usize,
    pub(super) lists: Lists,
    /// Nobody is left at one of the ends.
    pub(super) disconnected: bool,
    pub(super) meetings: u64,
    /// Meetings to which one of the two will not come. Only ever filled by bugs of users.
    pub(super) missed: Vec<u64>,
}

/// The locks of both sides.
pub(super) type BothLocked<'a, T> = (Locked<'a, Head<T>>, Locked<'a, Tail<T>>);

/// What became of a message that was offered.
pub(super) enum Offer<'a, T> {
    Sent,
    Disconnected(T),
    Full(Locked<'a, Tail<T>>, T),
}

impl<T> Head<T> {
    /// Whether there is a message that is not promised.
    #[inline]
    pub(super) fn has_message(&self) -> bool {
        !self.ready.is_empty() && self.ready.len() as isize > self.reserved
    }

    /// Takes over what has arrived. The other queue is the one to fill then.
    #[inline]
    pub(super) fn take_over(&mut self, tail: &mut Tail<T>) {
        if self.ready.is_empty() {
            core::mem::swap(&mut self.ready, &mut tail.arrived);
        } else {
            self.ready.append(&mut tail.arrived);
        }
        self.reserved += core::mem::take(&mut tail.promised);
    }
}

impl<T> Channel<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let head = Head { ready: Blocks::new(), reserved: 0 };
        let tail = Tail {
            arrived: Blocks::new(),
            promised: 0,
            seen: 0,
            lists: Lists::new(),
            disconnected: false,
            meetings: 0,
            missed: Vec::new(),
        };
        Self {
            capacity,
            receiving: CachePadded::new(Receiving {
                lock: Lock::new(head),
                received: AtomicUsize::new(0),
                senders_wait: AtomicBool::new(false),
            }),
            sending: CachePadded::new(Sending { lock: Lock::new(tail), sent: AtomicUsize::new(0) }),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
        }
    }

    #[inline]
    pub(super) fn head(&self) -> Locked<'_, Head<T>> {
        self.receiving.lock.lock()
    }

    #[inline]
    pub(super) fn tail(&self) -> Locked<'_, Tail<T>> {
        self.sending.lock.lock()
    }

    /// How many messages there are, as of some moment during the call.
    pub(super) fn len(&self) -> usize {
        loop {
            // Acquire, all three: pair with the Releases in `count_sent` and `count_received`, so that what is
            // read is as old as it seems.
            let sent = self.sending.sent.load(Ordering::Acquire);
            let received = self.receiving.received.load(Ordering::Acquire);
            if self.sending.sent.load(Ordering::Acquire) == sent {
                // A place that was given back, or a message, may make it look like less than none for a moment.
                return (sent.wrapping_sub(received) as isize).max(0) as usize;
            }
        }
    }

    /// Counts messages on which have come into the queues, or places in them. Under the lock of the sending side.
    #[inline]
    pub(super) fn count_sent(&self, by: isize) {
        let sent = self.sending.sent.load(Ordering::Relaxed).wrapping_add_signed(by);
        // Release: pairs with the Acquire in `len`.
        self.sending.sent.store(sent, Ordering::Release);
    }

    /// Counts messages on which have left the queues. Under the lock of the receiving side.
    #[inline]
    pub(super) fn count_received(&self, by: isize) {
        let received = self.receiving.received.load(Ordering::Relaxed).wrapping_add_signed(by);
        // Release: pairs with the Acquire in `len`; the lock of the other side orders all else.
        self.receiving.received.store(received, Ordering::Release);
    }

    /// Whether there is no room; with a capacity of zero there never is.
    #[inline]
    pub(super) fn is_full(&self, tail: &mut Tail<T>) -> bool {
        if self.capacity == UNBOUNDED {
            return false;
        }
        let sent = self.sending.sent.load(Ordering::Relaxed);
        let full = |seen: usize| sent.wrapping_sub(seen) as isize >= self.capacity as isize;
        full(tail.seen) && {
            // Relaxed: only the number is of interest.
            tail.seen = self.receiving.received.load(Ordering::Relaxed);
            full(tail.seen)
        }
    }

    /// Gives `value` to a receiver that waits, or into the queue.
    #[inline]
    pub(super) fn offer<'a>(&'a self, mut tail: Locked<'a, Tail<T>>, value: T) -> Offer<'a, T> {
        if tail.disconnected {
            return Offer::Disconnected(value);
        }
        if !tail.lists.is_empty(List::Receivers) {
            if self.capacity == 0 {
                return self.offer_by_hand(tail, value);
            }
            match self.hand_over(&mut tail, value) {
                Ok(task) => {
                    drop(tail);
                    task.unpark(Wait::Event);
                    return Offer::Sent;
                }
                Err(value) if !self.is_full(&mut tail) => self.put(tail, value),
                Err(value) => return Offer::Full(tail, value),
            }
        } else if self.capacity != 0 && !self.is_full(&mut tail) {
            self.put(tail, value);
        } else {
            return Offer::Full(tail, value);
        }
        Offer::Sent
    }

    /// Puts `value` into the queue.
    #[inline]
    fn put(&self, mut tail: Locked<'_, Tail<T>>, value: T) {
        tail.arrived.push_back(value);
        self.count_sent(1);
        if !tail.lists.is_empty(List::ReceiveWatchers) {
            drop(tail);
            self.tell_watchers(List::ReceiveWatchers);
        }
    }

    /// Gives `value` to the receiver that has waited longest, whose task is to be woken; back if there is none.
    pub(super) fn hand_over(&self, tail: &mut Tail<T>, value: T) -> Result<TaskRef, T> {
        while let Some(node) = tail.lists.first(List::Receivers) {
            tail.lists.unlink(node);
            if node.waiter().selects() {
                // It cannot take it yet.
                if let Some(task) = node.grant(Grant::Done) {
                    tail.arrived.push_back(value);
                    tail.promised += 1;
                    return Ok(task);
                }
            } else {
                // SAFETY: a plain receiver's place, for a message of this channel, and it is empty.
                unsafe { node.place().cast::<T>().write(value) };
                return Ok(node.grant(Grant::Done).expect("a plain wait has a task"));
            }
        }
        Err(value)
    }

    /// Sends without waiting.
    #[inline]
    pub(super) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.offer(self.tail(), value) {
            Offer::Sent => Ok(()),
            Offer::Disconnected(value) => Err(TrySendError::Disconnected(value)),
            Offer::Full(_, value) => Err(TrySendError::Full(value)),
        }
    }

    /// The last look at the room, for who is in a list now and waits for it: see the top of the file.
    pub(super) fn has_room_after_all(&self, tail: &mut Tail<T>) -> bool {
        // Relaxed: the fence keeps it in its place.
        self.receiving.senders_wait.store(true, Ordering::Relaxed);
        // SeqCst: pairs with the fence in `let_in_senders`.
        fence(Ordering::SeqCst);
        !self.is_full(tail)
    }

    /// To be called when there may be more room, or one of those who want it has been found to be gone.
    #[inline]
    pub(super) fn let_in_senders(&self) {
        if self.capacity == UNBOUNDED {
            return;
        }
        // SeqCst: pairs with the fence in `has_room_after_all`.
        fence(Ordering::SeqCst);
        // Relaxed: the fence keeps it in its place.
        if self.receiving.senders_wait.load(Ordering::Relaxed) {
            self.let_in_waiting_senders();
        }
    }

    #[cold]
    fn let_in_waiting_senders(&self) {
        loop {
            let mut tail = self.tail();
            let mut woken = None;
            while woken.is_none() && !self.is_full(&mut tail) {
                let Some(node) = tail.lists.first(List::Senders) else { break };
                tail.lists.unlink(node);
                if node.waiter().selects() {
                    woken = node.grant(Grant::Done).inspect(|_| self.count_sent(1));
                    continue;
                }
                // SAFETY: a plain sender's place, with a message of this channel.
                let value = unsafe { node.place().cast::<T>().read() };
                // A receiver may wait in spite of the room's having been all used up: for reserved places.
                let receiver = match self.hand_over(&mut tail, value) {
                    Ok(receiver) => Some(receiver),
                    Err(value) => {
                        tail.arrived.push_back(value);
                        self.count_sent(1);
                        None
                    }
                };
                woken = node.grant(Grant::Done);
                if let Some(receiver) = receiver {
                    drop(tail);
                    receiver.unpark(Wait::Event);
                    tail = self.tail();
                }
            }
            let (nobody_waits, full) =
                (tail.lists.is_empty(List::Senders), self.is_full(&mut tail));
            let watched = !tail.lists.is_empty(List::SendWatchers);
            if nobody_waits && !watched {
                // Relaxed: whoever waits next sets it, under this lock.
                self.receiving.senders_wait.store(false, Ordering::Relaxed);
            }
            let arrived = !tail.arrived.is_empty() && !tail.lists.is_empty(List::ReceiveWatchers);
            drop(tail);
            let done = woken.is_none() || nobody_waits || full;
            if let Some(task) = woken {
                task.unpark(Wait::Event);
            }
            if arrived {
                self.tell_watchers(List::ReceiveWatchers);
            }
            if done {
                if watched && !full {
                    self.tell_watchers(List::SendWatchers);
                }
                return;
            }
        }
    }

    /// Wakes all those who only want to know. Not under a lock.
    #[cold]
    pub(super) fn tell_watchers(&self, list: List) {
        loop {
            let task = self.tail().lists.grant_first(list, Grant::Done);
            match task {
                Some(task) => task.unpark(Wait::Event),
                None => return,
            }
        }
    }

    /// Takes a message that is not promised, or the lock of the sending side if there is none.
    #[inline]
    pub(super) fn take(&self) -> Result<T, BothLocked<'_, T>> {
        let mut head = self.head();
        if !head.has_message() {
            let mut tail = self.tail();
            head.take_over(&mut tail);
            if !head.has_message() {
                return Err((head, tail));
            }
        }
        let value = head.ready.pop_front().expect("there is one");
        self.count_received(1);
        drop(head);
        self.let_in_senders();
        Ok(value)
    }

    /// Receives without waiting.
    #[inline]
    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        let tail = if self.capacity == 0 {
            match self.take_by_hand(self.tail()) {
                Ok(value) => return Ok(value),
                Err(tail) => tail,
            }
        } else {
            match self.take() {
                Ok(value) => return Ok(value),
                Err((_, tail)) => tail,
            }
        };
        Err(if tail.disconnected { TryRecvError::Disconnected } else { TryRecvError::Empty })
    }

    /// Nobody is left at one end: wakes all who wait at the other.
    pub(super) fn disconnect(&self, lists: [List; 2]) {
        {
            let mut tail = self.tail();
            if tail.disconnected {
                return;
            }
            tail.disconnected = true;
        }
        for list in lists {
            loop {
                let task = self.tail().lists.grant_first(list, Grant::Disconnected);
                match task {
                    Some(task) => task.unpark(Wait::Event),
                    None => break,
                }
            }
        }
    }

    /// Drops all messages, which nobody will receive.
    pub(super) fn discard(&self) {
        let (ready, arrived) = {
            let mut head = self.head();
            let mut tail = self.tail();
            head.reserved = 0;
            tail.promised = 0;
            self.count_received(self.len() as isize);
            let take = |queue| core::mem::replace(queue, Blocks::new());
            (take(&mut head.ready), take(&mut tail.arrived))
        };
        // Their destructors may do anything, so not under the locks; in the order in which they were sent.
        let arrived = ManuallyDrop::new(arrived);
        drop(ready);
        // Not if one of those has panicked: one panic is enough.
        drop(ManuallyDrop::into_inner(arrived));
    }
}
