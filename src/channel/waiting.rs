//! Who waits for a channel: nodes that lie on the waiting tasks' stacks, in the channel's lists.
//!
//! ```text
//!   a plain operation:   Waiter ◀── Node in one list
//!   a select:            Waiter ◀── Node in a list of each channel
//! ```
//!
//! Whoever grants a wait says so in the waiter's state. One that waits for a single operation is granted it
//! under the lock of the channel whose list its node is in; several channels may want to grant one that selects,
//! so there the first to change its state does.
//!
//! # Invariants
//!
//! 1. A node is in one list at a time, that of the channel that it was pushed to; its links, `list` and `pair` are
//!    touched under that channel's lock of the sending side.
//! 2. A node in a list stays where it is and lives, and its waiter too. Its owner leaves when its waiter has been
//!    granted the one operation, for which the node was taken out of the list before, or when it has itself made
//!    sure under the lock that the node is in no list.
//! 3. `task` is taken once, by whoever grants, under the lock and, for a plain operation, before it says so.
//! 4. `place` of a plain operation is room for a message, full in a sender's node, empty in a receiver's, and its
//!    owner's again once the wait is granted.

#![allow(unsafe_code)]

use crate::task::{TaskRef, current};
use crate::util::chain::{Chain, Linked, Links};
use core::cell::Cell;
use core::fmt;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU64, Ordering};

/// What came of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// The message has been moved. To a select: it has a place, or a message, reserved.
    Done,
    /// Nobody is left at the other side.
    Disconnected,
    /// The other one is found, and they will meet under this number. Not the end of a plain operation's wait: it
    /// ends with the meeting.
    Pair(u64),
    /// To be done as if nothing had happened: the other one has not come to the meeting.
    Again,
}

/// The state of a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    /// It gave up before anybody had granted anything.
    Aborted,
    /// This one of its operations was granted.
    Granted(usize, Grant),
}

/// ```text
///   | pair: 40 bits | index: 21 bits | kind: 3 bits |
/// ```
const INDEX_SHIFT: u32 = 3;
const PAIR_SHIFT: u32 = 24;

/// More operations than one select may have.
pub(super) const INDEX_LIMIT: usize = 1 << (PAIR_SHIFT - INDEX_SHIFT);

const WAITING: u64 = 0;
const ABORTED: u64 = 1;
const DONE: u64 = 2;
const DISCONNECTED: u64 = 3;
const PAIR: u64 = 4;
const AGAIN: u64 = 5;

fn pack(index: usize, grant: Grant) -> u64 {
    let (kind, pair) = match grant {
        Grant::Done => (DONE, 0),
        Grant::Disconnected => (DISCONNECTED, 0),
        Grant::Pair(pair) => (PAIR, pair),
        Grant::Again => (AGAIN, 0),
    };
    kind | (index as u64) << INDEX_SHIFT | pair << PAIR_SHIFT
}

fn unpack(state: u64) -> State {
    let index = (state >> INDEX_SHIFT) as usize % INDEX_LIMIT;
    match state & ((1 << INDEX_SHIFT) - 1) {
        WAITING => State::Waiting,
        ABORTED => State::Aborted,
        DONE => State::Granted(index, Grant::Done),
        DISCONNECTED => State::Granted(index, Grant::Disconnected),
        PAIR => State::Granted(index, Grant::Pair(state >> PAIR_SHIFT)),
        _ => State::Granted(index, Grant::Again),
    }
}

/// The number of a meeting, which fits into a state.
pub(super) fn pair_number(count: u64) -> u64 {
    count & ((1 << (64 - PAIR_SHIFT)) - 1)
}

/// A task that waits.
pub(super) struct Waiter {
    state: AtomicU64,
    task: Cell<Option<TaskRef>>,
    selects: bool,
}

impl Waiter {
    /// The running task, before it waits: for one operation, or for the first of several.
    #[inline]
    pub(super) fn new(selects: bool) -> Self {
        let state = AtomicU64::new(WAITING);
        Self { state, task: Cell::new(Some(current())), selects }
    }

    /// Whether it waits for several operations.
    #[inline]
    pub(super) fn selects(&self) -> bool {
        self.selects
    }

    #[inline]
    pub(super) fn state(&self) -> State {
        // Acquire: pairs with the Releases in `grant` and `promise`.
        unpack(self.state.load(Ordering::Acquire))
    }

    /// Grants operation `index` and gives the task that is to be woken; none if the waiter waits no more. Under
    /// the lock, and the node is in no list.
    #[inline]
    pub(super) fn grant(&self, index: usize, grant: Grant) -> Option<TaskRef> {
        let state = pack(index, grant);
        if self.selects {
            // Release: pairs with the Acquire in `state`. Relaxed: who has come too late leads nowhere.
            let (new, old) = (Ordering::Release, Ordering::Relaxed);
            self.state.compare_exchange(WAITING, state, new, old).ok()?;
            self.task.take()
        } else {
            let task = self.task.take();
            // Release: pairs with the Acquire in `state`: the message, and invariant 3. From here on the
            // waiter may be gone.
            self.state.store(state, Ordering::Release);
            task
        }
    }

    /// Lets a plain operation know that it will meet another. Under the lock.
    pub(super) fn promise(&self, pair: u64) {
        // Release: pairs with the Acquire in `state`, of who will wait on.
        self.state.store(pack(0, Grant::Pair(pair)), Ordering::Release);
    }

    /// Ends the wait, of its own task that selects: nothing can be granted any more. The last word on it.
    pub(super) fn abort(&self) -> State {
        // Acquire: pairs with the Release in `grant`. Release is not needed: nothing was written.
        let (new, old) = (Ordering::Acquire, Ordering::Acquire);
        match self.state.compare_exchange(WAITING, ABORTED, new, old) {
            Ok(_) => State::Aborted,
            Err(state) => unpack(state),
        }
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// The lists of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Those who wait to send.
    Senders,
    /// Those who wait to receive.
    Receivers,
    /// Those who wait until it is worth a try to send, without sending.
    SendWatchers,
    /// The same of receiving.
    ReceiveWatchers,
    /// Those who wait for the other one of their pair.
    Meetings,
}

/// One operation that waits.
#[derive(Debug)]
pub struct Node {
    links: Links<Node>,
    waiter: *const Waiter,
    /// The number of the operation among those of its waiter.
    index: usize,
    /// Null for a select.
    place: *mut (),
    list: Cell<Option<List>>,
    pair: Cell<u64>,
}

// SAFETY: the links are the lists' alone.
unsafe impl Linked for Node {
    #[inline]
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Node {
    /// A node of the plain operation of `waiter`, whose message is, or comes to, `place`.
    #[inline]
    pub(super) fn plain(waiter: &Waiter, place: *mut ()) -> Self {
        Self::new(waiter, 0, place)
    }

    /// A node of the operation `index` of `waiter`, which selects.
    pub(super) fn selecting(waiter: &Waiter, index: usize) -> Self {
        Self::new(waiter, index, ptr::null_mut())
    }

    #[inline]
    fn new(waiter: &Waiter, index: usize, place: *mut ()) -> Self {
        let (list, pair) = (Cell::new(None), Cell::new(0));
        Self { links: Links::new(), waiter, index, place, list, pair }
    }

    /// Its waiter, while it is in a list or the lock is held under which it was taken out.
    #[inline]
    pub(super) fn waiter(&self) -> &Waiter {
        // SAFETY: invariant 2.
        unsafe { &*self.waiter }
    }

    /// As [`Waiter::grant`], of this operation.
    #[inline]
    pub(super) fn grant(&self, grant: Grant) -> Option<TaskRef> {
        self.waiter().grant(self.index, grant)
    }

    #[inline]
    pub(super) fn place(&self) -> *mut () {
        self.place
    }

    pub(super) fn pair(&self) -> u64 {
        self.pair.get()
    }

    pub(super) fn set_pair(&self, pair: u64) {
        self.pair.set(pair);
    }
}

/// All lists of a channel, the oldest first in each.
#[derive(Debug)]
pub(super) struct Lists([Chain<Node>; 5]);

impl Lists {
    pub(super) const fn new() -> Self {
        Self([const { Chain::new() }; 5])
    }

    #[inline]
    pub(super) fn is_empty(&self, list: List) -> bool {
        self.0[list as usize].is_empty()
    }

    /// The node that has been there longest. The reference is good while the lock is held, and for a plain
    /// operation until its wait is granted.
    #[inline]
    pub(super) fn first<'a>(&self, list: List) -> Option<&'a Node> {
        // SAFETY: invariant 2.
        self.0[list as usize].first().map(|node| unsafe { node.as_ref() })
    }

    /// All nodes of a list, as in [`first`](Self::first).
    pub(super) fn iter<'a>(&self, list: List) -> impl Iterator<Item = &'a Node> {
        // SAFETY: invariant 2.
        self.0[list as usize].iter().map(|node| unsafe { node.as_ref() })
    }

    /// Puts `node` at the end.
    ///
    /// # Safety
    ///
    /// It is in no list, and invariant 2 is kept for it.
    #[inline]
    pub(super) unsafe fn push(&self, list: List, node: &Node) {
        node.list.set(Some(list));
        // SAFETY: the caller's.
        unsafe { self.0[list as usize].push_back(NonNull::from(node)) };
    }

    /// Takes `node` out, if it is in a list of these.
    #[inline]
    pub(super) fn unlink(&self, node: &Node) {
        if let Some(list) = node.list.take() {
            // SAFETY: invariant 1.
            unsafe { self.0[list as usize].remove(NonNull::from(node)) };
        }
    }

    /// Takes out the one that has been there longest of those that `grant` can be granted, and gives its task.
    pub(super) fn grant_first(&self, list: List, grant: Grant) -> Option<TaskRef> {
        while let Some(node) = self.first(list) {
            self.unlink(node);
            if let Some(task) = node.grant(grant) {
                return Some(task);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        for index in [0, 1, INDEX_LIMIT - 1] {
            for grant in [
                Grant::Done,
                Grant::Disconnected,
                Grant::Again,
                Grant::Pair(0),
                Grant::Pair(pair_number(u64::MAX)),
            ] {
                assert_eq!(unpack(pack(index, grant)), State::Granted(index, grant));
            }
        }
        assert_eq!(unpack(WAITING), State::Waiting);
        assert_eq!(unpack(ABORTED), State::Aborted);
    }

    #[test]
    fn of_two_that_grant_a_select_one_is_told_that_it_did() {
        let waiter = Waiter::new(true);
        assert!(waiter.grant(3, Grant::Done).is_some());
        assert!(waiter.grant(4, Grant::Disconnected).is_none());
        assert_eq!(waiter.abort(), State::Granted(3, Grant::Done));
        let waiter = Waiter::new(true);
        assert_eq!(waiter.abort(), State::Aborted);
        assert!(waiter.grant(3, Grant::Done).is_none());
        assert_eq!(waiter.state(), State::Aborted);
    }
}
