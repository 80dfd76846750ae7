//! Intrusive lists: the link lies in the node, so that queueing never allocates and cannot fail.
//!
//! [`Fifo`] belongs to one thread; [`Inbox`] takes nodes from any thread and gives them to one.
//!
//! # Invariants
//!
//! 1. A node is in one list at a time, and whoever puts it there gives it up until it comes out.
//! 2. The link of a node that is in no list may hold anything.

#![allow(unsafe_code)]

use super::atomic::{self, AtomicPtr, Ordering};
use core::cell::Cell;
use core::ptr::{self, NonNull};

/// Where a node keeps the next one.
#[derive(Debug)]
pub(crate) struct Link<T>(atomic::Cell<*mut T>);

impl<T> Link<T> {
    pub(crate) fn new() -> Self {
        Self(atomic::Cell::new(ptr::null_mut()))
    }
}

/// Something with a [`Link`] in it.
///
/// # Safety
///
/// `link` always returns the same link, and nothing but the lists of this module touches it.
pub(crate) unsafe trait Node: Sized {
    fn link(&self) -> &Link<Self>;
}

/// The link of `node`.
///
/// # Safety
///
/// `node` is live, and by invariant 1 the caller's list's or the caller's own.
#[inline(always)]
unsafe fn link<'a, T: Node + 'a>(node: NonNull<T>) -> &'a atomic::Cell<*mut T> {
    // SAFETY: the caller's.
    unsafe { &node.as_ref().link().0 }
}

/// First in, first out, for one thread.
#[derive(Debug)]
pub(crate) struct Fifo<T> {
    /// Null when empty.
    first: Cell<*mut T>,
    /// Meaningless when empty.
    last: Cell<*mut T>,
}

impl<T: Node> Fifo<T> {
    pub(crate) const fn new() -> Self {
        Self { first: Cell::new(ptr::null_mut()), last: Cell::new(ptr::null_mut()) }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// # Safety
    ///
    /// `node` is live until it comes out, and by invariant 1 the caller's to give.
    #[inline(always)]
    pub(crate) unsafe fn push_back(&self, node: NonNull<T>) {
        // SAFETY: the caller's.
        unsafe { link(node) }.set(ptr::null_mut());
        match NonNull::new(self.first.get()) {
            None => self.first.set(node.as_ptr()),
            // SAFETY: not empty, so `last` is a node of this list.
            Some(_) => unsafe { link(NonNull::new_unchecked(self.last.get())) }.set(node.as_ptr()),
        }
        self.last.set(node.as_ptr());
    }

    #[inline(always)]
    pub(crate) fn pop_front(&self) -> Option<NonNull<T>> {
        let first = NonNull::new(self.first.get())?;
        // SAFETY: a node of this list.
        self.first.set(unsafe { link(first) }.get());
        Some(first)
    }
}

/// Many threads put in, one takes everything out at once, in the order in which they came.
///
/// A stack of nodes that the owner takes whole and turns round (R. K. Treiber, "Systems Programming:
/// Coping with Parallelism", 1986): taking all at once leaves no room for the ABA problem.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    newest: AtomicPtr<T>,
}

impl<T: Node> Inbox<T> {
    pub(crate) fn new() -> Self {
        Self { newest: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Whether there is nothing to take; a hint unless the caller has ordered it with the pushes.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: `take_all` does the acquiring.
        self.newest.load(Ordering::Relaxed).is_null()
    }

    /// # Safety
    ///
    /// `node` is live until it comes out, and by invariant 1 the caller's to give.
    pub(crate) unsafe fn push(&self, node: NonNull<T>) {
        let mut newest = self.newest.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's.
            unsafe { link(node) }.set(newest);
            // Release: pairs with the Acquire in `take_all`.
            match self.newest.compare_exchange_weak(
                newest,
                node.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => newest = now,
            }
        }
    }

    /// Moves everything to the end of `to`. For one thread at a time.
    pub(crate) fn take_all(&self, to: &Fifo<T>) {
        // Acquire: pairs with the Release in `push`.
        let mut newest = self.newest.swap(ptr::null_mut(), Ordering::Acquire);
        let mut oldest: *mut T = ptr::null_mut();
        while let Some(node) = NonNull::new(newest) {
            // SAFETY: taken out of the inbox, so ours.
            let link = unsafe { link(node) };
            newest = link.replace(oldest);
            oldest = node.as_ptr();
        }
        while let Some(node) = NonNull::new(oldest) {
            // SAFETY: as above; `push_back` writes the link only after it was read here.
            unsafe {
                oldest = link(node).get();
                to.push_back(node);
            }
        }
    }
}

#[cfg(all(test, kettle_loom))]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbered {
        link: Link<Numbered>,
        thread: usize,
        number: usize,
    }

    // SAFETY: the link is the lists' alone.
    unsafe impl Node for Numbered {
        fn link(&self) -> &Link<Self> {
            &self.link
        }
    }

    fn node(thread: usize, number: usize) -> NonNull<Numbered> {
        NonNull::from(Box::leak(Box::new(Numbered { link: Link::new(), thread, number })))
    }

    /// Takes a node that came out of a list.
    fn open(node: NonNull<Numbered>) -> (usize, usize) {
        // SAFETY: made by `node`, and out of its list.
        let node = unsafe { Box::from_raw(node.as_ptr()) };
        (node.thread, node.number)
    }

    #[test]
    fn a_fifo_keeps_the_order_through_emptiness() {
        let fifo = Fifo::new();
        let mut next = 0;
        let mut expected = 0;
        for round in 0..10 {
            for _ in 0..round {
                // SAFETY: a new node.
                unsafe { fifo.push_back(node(0, next)) };
                next += 1;
            }
            for _ in 0..round {
                assert_eq!(fifo.pop_front().map(open), Some((0, expected)));
                expected += 1;
            }
            assert!(fifo.is_empty());
            assert!(fifo.pop_front().is_none());
        }
    }

    #[test]
    fn an_inbox_loses_nothing_and_keeps_each_threads_order() {
        const THREADS: usize = 4;
        const EACH: usize = 50_000;
        // Nodes are handed over by address: the test's own promise that they may be.
        struct Shared(Inbox<Numbered>);
        // SAFETY: a node is touched by the thread that made it, then by the one that took it.
        unsafe impl Sync for Shared {}

        let inbox = Shared(Inbox::new());
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let inbox = &inbox;
                scope.spawn(move || {
                    for number in 0..EACH {
                        // SAFETY: a new node.
                        unsafe { inbox.0.push(node(thread, number)) };
                    }
                });
            }
            let fifo = Fifo::new();
            let mut expected = [0; THREADS];
            let mut taken = 0;
            while taken < THREADS * EACH {
                inbox.0.take_all(&fifo);
                while let Some(node) = fifo.pop_front() {
                    let (thread, number) = open(node);
                    assert_eq!(number, expected[thread]);
                    expected[thread] += 1;
                    taken += 1;
                }
            }
            assert!(inbox.0.is_empty());
        });
    }
}
