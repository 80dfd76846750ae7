//! [`Select`]: waiting for several operations, and doing the one that is ready first.

#![allow(unsafe_code)]

use super::handle::{SelectHandle, Token};
use super::running::{Entry, Patience, run, run_ready};
use super::waiting::INDEX_LIMIT;
use super::{
    ReadyTimeoutError, Receiver, RecvError, SelectTimeoutError, SendError, Sender, TryReadyError,
    TrySelectError,
};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr;
use std::time::{Duration, Instant};

fn selected<'a>(entries: &mut [Entry<'a>], token: Token, at: usize) -> SelectedOperation<'a> {
    let Entry { handle, index, .. } = entries[at];
    SelectedOperation { token, handle, index }
}

/// For `select!`.
#[inline]
pub fn select<'a>(entries: &mut [Entry<'a>], biased: bool) -> SelectedOperation<'a> {
    assert!(!entries.is_empty(), "no operations have been added to `Select`");
    let (token, at) = run(entries, Patience::Endless, biased).expect("it waits for ever");
    selected(entries, token, at)
}

/// For `select!`.
#[inline]
pub fn try_select<'a>(entries: &mut [Entry<'a>], biased: bool) -> Option<SelectedOperation<'a>> {
    let (token, at) = run(entries, Patience::None, biased)?;
    Some(selected(entries, token, at))
}

/// For `select!`.
#[inline]
pub fn select_timeout<'a>(
    entries: &mut [Entry<'a>],
    timeout: Duration,
    biased: bool,
) -> Option<SelectedOperation<'a>> {
    let (token, at) = run(entries, Patience::for_duration(timeout), biased)?;
    Some(selected(entries, token, at))
}

/// Selects from a set of operations that is put together while the program runs: sending to channels and
/// receiving from them, timers ([`after`](super::after), [`tick`](super::tick)) among them.
///
/// Waiting has two kinds. [`select`](Self::select) makes one operation that is ready the caller's, who must do it;
/// [`ready`](Self::ready) says which one is ready and leaves it to the caller, and to everybody else. If several
/// are ready one is chosen at random, unless the `Select` was made by [`new_biased`](Self::new_biased).
///
/// An operation is ready when it would not have to wait, also if it will fail because the channel is
/// disconnected. Where the set is known beforehand, [`select!`](super::select!) is shorter, and allocates nothing.
///
/// ```
/// use kettle::channel::{Select, unbounded};
///
/// let channels: Vec<_> = (0..3).map(|_| unbounded()).collect();
/// channels[1].0.send("whistle").unwrap();
///
/// let mut select = Select::new();
/// for (_, receiver) in &channels {
///     select.recv(receiver);
/// }
/// let operation = select.select();
/// let index = operation.index();
/// assert_eq!((index, operation.recv(&channels[index].1)), (1, Ok("whistle")));
/// ```
pub struct Select<'a> {
    entries: Vec<Entry<'a>>,
    next_index: usize,
    biased: bool,
}

// SAFETY: what it refers to are ends of channels, of which a select moves no message; nodes are used within one
// call that has the `Select` for itself. As crossbeam-channel has it.
unsafe impl Send for Select<'_> {}
// SAFETY: as above; nothing is done through a shared reference.
unsafe impl Sync for Select<'_> {}

impl<'a> Select<'a> {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self { entries: Vec::with_capacity(4), next_index: 0, biased: false }
    }

    /// An empty set, of which the operation that was added first is chosen where several are ready.
    #[must_use]
    pub fn new_biased() -> Self {
        Self { biased: true, ..Self::new() }
    }

    /// Adds sending to `sender`; returns the operation's index, which counts up from zero.
    pub fn send<T>(&mut self, sender: &'a Sender<T>) -> usize {
        self.add(sender)
    }

    /// Adds receiving from `receiver`; returns the operation's index, which counts up from zero.
    pub fn recv<T>(&mut self, receiver: &'a Receiver<T>) -> usize {
        self.add(receiver)
    }

    pub(super) fn add<H: SelectHandle>(&mut self, handle: &'a H) -> usize {
        let index = self.next_index;
        assert!(
            index < INDEX_LIMIT,
            "a select has at most {INDEX_LIMIT} operations, counting those removed"
        );
        self.entries.push(Entry::new(handle, index));
        self.next_index += 1;
        index
    }

    /// Takes the operation with this index out. The others keep theirs.
    ///
    /// # Panics
    ///
    /// If it is not there.
    pub fn remove(&mut self, index: usize) {
        assert!(index < self.next_index, "index out of bounds; {index} >= {}", self.next_index);
        let at = self.entries.iter().position(|entry| entry.index == index);
        // The order is that of a biased select.
        self.entries.remove(at.expect("no operation with this index"));
    }

    /// Makes an operation the caller's that is ready.
    ///
    /// # Errors
    ///
    /// If none is ready, or there is none.
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        try_select(&mut self.entries, self.biased).ok_or(TrySelectError)
    }

    /// Waits until an operation is ready and makes it the caller's, who must do it by
    /// [`SelectedOperation::send`] or [`recv`](SelectedOperation::recv).
    ///
    /// A cancellation point where it waits; nothing is lost by that.
    ///
    /// # Panics
    ///
    /// If the set is empty.
    pub fn select(&mut self) -> SelectedOperation<'a> {
        select(&mut self.entries, self.biased)
    }

    /// As [`select`](Self::select), for `timeout` at the longest.
    ///
    /// # Errors
    ///
    /// If no operation has become ready by then; for an empty set too.
    pub fn select_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        select_timeout(&mut self.entries, timeout, self.biased).ok_or(SelectTimeoutError)
    }

    /// As [`select`](Self::select), until `deadline` at the longest.
    ///
    /// # Errors
    ///
    /// As for [`select_timeout`](Self::select_timeout).
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        let found = run(&mut self.entries, Patience::Until(deadline), self.biased);
        let (token, at) = found.ok_or(SelectTimeoutError)?;
        Ok(selected(&mut self.entries, token, at))
    }

    /// The index of an operation that is ready. By the time that it is tried, somebody else may have been quicker.
    ///
    /// # Errors
    ///
    /// If none is ready, or there is none.
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        run_ready(&mut self.entries, Patience::None, self.biased).ok_or(TryReadyError)
    }

    /// Waits until an operation is ready; returns its index. By the time that it is tried, somebody else may have
    /// been quicker.
    ///
    /// A cancellation point where it waits.
    ///
    /// # Panics
    ///
    /// If the set is empty.
    pub fn ready(&mut self) -> usize {
        assert!(!self.entries.is_empty(), "no operations have been added to `Select`");
        run_ready(&mut self.entries, Patience::Endless, self.biased).expect("it waits for ever")
    }

    /// As [`ready`](Self::ready), for `timeout` at the longest.
    ///
    /// # Errors
    ///
    /// If no operation has become ready by then; for an empty set too.
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        let patience = Patience::for_duration(timeout);
        run_ready(&mut self.entries, patience, self.biased).ok_or(ReadyTimeoutError)
    }

    /// As [`ready`](Self::ready), until `deadline` at the longest.
    ///
    /// # Errors
    ///
    /// As for [`ready_timeout`](Self::ready_timeout).
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        let patience = Patience::Until(deadline);
        run_ready(&mut self.entries, patience, self.biased).ok_or(ReadyTimeoutError)
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Select<'_> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.iter().map(Entry::another).collect(),
            next_index: self.next_index,
            biased: self.biased,
        }
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Select { .. }")
    }
}

/// An operation that a [`Select`] has made the caller's, who must do it.
///
/// # Panics
///
/// When it is dropped and has not been done, unless the thread is panicking already. What it was the right to is
/// given back all the same.
#[must_use]
pub struct SelectedOperation<'a> {
    token: Token,
    handle: &'a dyn SelectHandle,
    index: usize,
}

impl SelectedOperation<'_> {
    /// Whether it is an operation of this end.
    #[inline]
    fn is_of<T>(&self, end: &T) -> bool {
        ptr::eq(ptr::from_ref(self.handle).cast::<T>(), end)
    }

    /// The operation's index.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Sends `message`.
    ///
    /// # Errors
    ///
    /// If there is no receiver any more.
    ///
    /// # Panics
    ///
    /// If `sender` is not the one whose sending was selected.
    pub fn send<T>(self, sender: &Sender<T>, message: T) -> Result<(), SendError<T>> {
        assert!(self.is_of(sender), "passed a sender that wasn't selected");
        let this = ManuallyDrop::new(self);
        sender.channel.complete_send(this.token, message)
    }

    /// Receives the message.
    ///
    /// # Errors
    ///
    /// If the channel is empty and has no sender any more.
    ///
    /// # Panics
    ///
    /// If `receiver` is not the one whose receiving was selected.
    #[inline]
    pub fn recv<T>(self, receiver: &Receiver<T>) -> Result<T, RecvError> {
        assert!(self.is_of(receiver), "passed a receiver that wasn't selected");
        let this = ManuallyDrop::new(self);
        receiver.complete(this.token)
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SelectedOperation { .. }")
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        self.handle.abandon(self.token);
        if !std::thread::panicking() {
            panic!("dropped `SelectedOperation` without completing the operation");
        }
    }
}
