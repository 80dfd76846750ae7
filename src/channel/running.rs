//! How a select runs: it tries all operations, then waits for all of them, then tries again.
//!
//! # Invariants
//!
//! 1. A node is written in `wait` and registered there; it is unregistered before the borrow of the entries ends, so
//!    it does not move and lives until then. Its waiter too.

#![allow(unsafe_code)]

use super::handle::{SelectHandle, Token};
use super::waiting::{Grant, Node, State, Waiter};
use crate::task::{Outcome, Wait, WaitReason, cancel, park_until, sleep_until, spend_budget};
use core::cell::Cell;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;
use std::time::{Duration, Instant};

/// One operation of a select.
pub struct Entry<'a> {
    pub(super) handle: &'a dyn SelectHandle,
    pub(super) index: usize,
    node: MaybeUninit<Node>,
}

impl<'a> Entry<'a> {
    /// The operation number `index`.
    #[inline]
    pub fn new<H: SelectHandle>(handle: &'a H, index: usize) -> Self {
        Self { handle, index, node: MaybeUninit::uninit() }
    }

    /// The same operation, for another select.
    pub(super) fn another(&self) -> Self {
        Self { handle: self.handle, index: self.index, node: MaybeUninit::uninit() }
    }

    /// Exchanges the operations of two entries that do not wait: their nodes stay.
    #[inline]
    fn exchange(entries: &mut [Self], one: usize, other: usize) {
        let operation = |entry: &Self| (entry.handle, entry.index);
        let (of_one, of_other) = (operation(&entries[one]), operation(&entries[other]));
        (entries[one].handle, entries[one].index) = of_other;
        (entries[other].handle, entries[other].index) = of_one;
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("index", &self.index).finish_non_exhaustive()
    }
}

/// How long a select waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl Patience {
    pub(super) fn for_duration(timeout: Duration) -> Self {
        Instant::now().checked_add(timeout).map_or(Self::Endless, Self::Until)
    }

    fn is_over(self) -> bool {
        match self {
            Self::None => true,
            Self::Until(deadline) => deadline <= Instant::now(),
            Self::Endless => false,
        }
    }

    fn deadline(self) -> Option<Instant> {
        match self {
            Self::Until(deadline) => Some(deadline),
            Self::None | Self::Endless => None,
        }
    }
}

/// A number below `limit`, as if at random: an xorshift (George Marsaglia, "Xorshift RNGs", 2003) per OS thread.
#[inline(never)]
fn random_below(limit: usize) -> usize {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }
    STATE.with(|state| {
        let mut x = state.get();
        if x == 0 {
            // Where the thread keeps it differs from thread to thread, and from run to run.
            x = (ptr::from_ref(state).addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        }
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        (((x >> 32) * limit as u64) >> 32) as usize
    })
}

/// Gives each entry in turn to `f`, in an order that is as good as random unless `biased`, until it finds
/// something. Puts them in that order, as far as it has come.
#[inline]
fn find_first<R>(
    entries: &mut [Entry<'_>],
    biased: bool,
    mut f: impl FnMut(&dyn SelectHandle) -> Option<R>,
) -> Option<(R, usize)> {
    for at in 0..entries.len() {
        if !biased && at + 1 < entries.len() {
            // A shuffle (Fisher and Yates), which goes on only as long as it has to.
            Entry::exchange(entries, at, at + random_below(entries.len() - at));
        }
        if let Some(found) = f(entries[at].handle) {
            return Some((found, at));
        }
    }
    None
}

/// What a wait of all entries has come to.
enum Waited {
    /// The operation with this index was granted.
    Granted(usize, Grant),
    /// This one may be ready, or any.
    Look(Option<usize>),
}

/// Waits until one of the entries is granted, or may be. A cancellation point. Without patience it only makes sure
/// that there was a moment when none of them was ready.
fn wait(entries: &mut [Entry<'_>], patience: Patience, watch: bool) -> Waited {
    let waiter = Waiter::new(true);
    let mut registered = 0;
    let mut ready = None;
    let mut deadline = patience.deadline();
    let mut only_wakes = false;
    for entry in &mut *entries {
        registered += 1;
        let node = entry.node.write(Node::selecting(&waiter, entry.index));
        // SAFETY: invariant 1.
        let is_ready =
            unsafe { if watch { entry.handle.watch(node) } else { entry.handle.register(node) } };
        if is_ready {
            ready = Some(entry.index);
            break;
        }
        if waiter.state() != State::Waiting {
            break;
        }
        deadline = match (deadline, entry.handle.deadline()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        only_wakes |= entry.handle.only_wakes();
    }
    let mut outcome = Outcome::Woken;
    while patience != Patience::None && ready.is_none() && waiter.state() == State::Waiting {
        outcome = park_until(Wait::Event, WaitReason::Select, deadline);
        if outcome != Outcome::Woken || only_wakes {
            break;
        }
    }
    let state = waiter.abort();
    for entry in &entries[..registered] {
        // SAFETY: written above.
        entry.handle.unregister(unsafe { entry.node.assume_init_ref() });
    }
    match state {
        // What was granted is not lost: the cancellation comes at the next point.
        State::Granted(index, grant) => Waited::Granted(index, grant),
        State::Waiting | State::Aborted => {
            if outcome == Outcome::Cancelled {
                drop(waiter);
                cancel::unwind();
            }
            Waited::Look(ready)
        }
    }
}

fn sleep_without_entries(patience: Patience) {
    match patience {
        Patience::None => {}
        Patience::Until(deadline) => sleep_until(Some(deadline)),
        Patience::Endless => sleep_until(None),
    }
}

/// Selects one of the entries: the token, and where it is among them.
#[inline]
pub(super) fn run(
    entries: &mut [Entry<'_>],
    patience: Patience,
    biased: bool,
) -> Option<(Token, usize)> {
    spend_budget();
    if let Some(found) = find_first(entries, biased, |handle| handle.try_select()) {
        return Some(found);
    }
    if patience == Patience::None && entries.len() <= 1 {
        return None;
    }
    run_waiting(entries, patience, biased)
}

#[cold]
#[inline(never)]
fn run_waiting(
    entries: &mut [Entry<'_>],
    patience: Patience,
    biased: bool,
) -> Option<(Token, usize)> {
    if entries.is_empty() {
        sleep_without_entries(patience);
        return None;
    }
    let position = |entries: &[Entry<'_>], index| {
        entries.iter().position(|entry| entry.index == index).expect("it is one of them")
    };
    loop {
        let mut none_was_ready = false;
        match wait(entries, patience, false) {
            Waited::Granted(index, grant) => {
                let token = match grant {
                    Grant::Done => Some(Token::Reserved),
                    Grant::Disconnected => Some(Token::Disconnected),
                    Grant::Pair(pair) => Some(Token::Meeting(pair)),
                    Grant::Again => None,
                };
                if let Some(token) = token {
                    return Some((token, position(entries, index)));
                }
            }
            Waited::Look(Some(index)) => {
                let at = position(entries, index);
                if let Some(token) = entries[at].handle.try_select() {
                    return Some((token, at));
                }
            }
            Waited::Look(None) => none_was_ready = true,
        }
        if let Some(found) = find_first(entries, biased, |handle| handle.try_select()) {
            return Some(found);
        }
        // One after the other they may have been not ready, and one of them at any time. So that is not enough.
        if none_was_ready && patience.is_over() {
            return None;
        }
    }
}

/// Waits until one of the entries is ready; its index.
pub(super) fn run_ready(
    entries: &mut [Entry<'_>],
    patience: Patience,
    biased: bool,
) -> Option<usize> {
    spend_budget();
    if entries.is_empty() {
        sleep_without_entries(patience);
        return None;
    }
    loop {
        let found = find_first(entries, biased, |handle| handle.is_ready().then_some(()));
        if let Some(((), at)) = found {
            return Some(entries[at].index);
        }
        if patience.is_over() {
            return None;
        }
        // Whatever has come of it: somebody else may have been quicker since.
        let (Waited::Granted(..) | Waited::Look(_)) = wait(entries, patience, true);
    }
}
