//! A doubly linked intrusive list: anything in it can be taken out at once, wherever it stands.
//!
//! # Invariants
//!
//! 1. A node is in one chain at a time, lives while it is there, and does not move.
//! 2. The links of a node in a chain are that chain's, whose owner alone reads and writes them; those of
//!    any other node may hold anything.

#![allow(unsafe_code)]

use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

/// Where a node keeps its neighbours.
#[derive(Debug)]
pub(crate) struct Links<T> {
    previous: Cell<*mut T>,
    next: Cell<*mut T>,
}

impl<T> Links<T> {
    pub(crate) const fn new() -> Self {
        Self { previous: Cell::new(ptr::null_mut()), next: Cell::new(ptr::null_mut()) }
    }
}

/// Something with [`Links`] in it.
///
/// # Safety
///
/// `links` always returns the same ones, and nothing but a [`Chain`] touches them.
pub(crate) unsafe trait Linked: Sized {
    fn links(&self) -> &Links<Self>;
}

/// The list, for one owner: one thread, or whoever holds the lock around it.
#[derive(Debug)]
pub(crate) struct Chain<T> {
    first: Cell<*mut T>,
    last: Cell<*mut T>,
    _nodes: PhantomData<NonNull<T>>,
}

// SAFETY: it owns no node, and by invariant 2 whoever has the chain has the links.
unsafe impl<T> Send for Chain<T> {}

impl<T: Linked> Chain<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: Cell::new(ptr::null_mut()),
            last: Cell::new(ptr::null_mut()),
            _nodes: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// The node that has been here longest.
    #[inline]
    pub(crate) fn first(&self) -> Option<NonNull<T>> {
        NonNull::new(self.first.get())
    }

    /// The links of a node of this chain.
    ///
    /// # Safety
    ///
    /// `node` is in this chain.
    #[inline]
    unsafe fn links<'a>(node: *mut T) -> &'a Links<T>
    where
        T: 'a,
    {
        // SAFETY: invariant 1.
        unsafe { (*node).links() }
    }

    /// # Safety
    ///
    /// `node` is in no chain, and lives and stays where it is until it is taken out.
    #[inline]
    pub(crate) unsafe fn push_back(&self, node: NonNull<T>) {
        let node = node.as_ptr();
        let last = self.last.replace(node);
        // SAFETY: the caller's for `node`; `last` is in the chain, unless that is empty.
        unsafe {
            let links = Self::links(node);
            links.previous.set(last);
            links.next.set(ptr::null_mut());
            if last.is_null() {
                self.first.set(node);
            } else {
                Self::links(last).next.set(node);
            }
        }
    }

    /// The node behind `node`.
    ///
    /// # Safety
    ///
    /// `node` is in this chain.
    #[inline]
    pub(crate) unsafe fn after(&self, node: NonNull<T>) -> Option<NonNull<T>> {
        // SAFETY: the caller's.
        NonNull::new(unsafe { Self::links(node.as_ptr()) }.next.get())
    }

    /// Takes `node` out.
    ///
    /// # Safety
    ///
    /// `node` is in this chain.
    #[inline]
    pub(crate) unsafe fn remove(&self, node: NonNull<T>) {
        // SAFETY: the caller's; the neighbours are in the chain too.
        unsafe {
            let links = Self::links(node.as_ptr());
            let (previous, next) = (links.previous.get(), links.next.get());
            if previous.is_null() {
                self.first.set(next);
            } else {
                Self::links(previous).next.set(next);
            }
            if next.is_null() {
                self.last.set(previous);
            } else {
                Self::links(next).previous.set(previous);
            }
        }
    }

    #[inline]
    pub(crate) fn pop_front(&self) -> Option<NonNull<T>> {
        let first = self.first()?;
        // SAFETY: it is the first of this chain.
        unsafe { self.remove(first) };
        Some(first)
    }

    /// Moves everything out, into a chain of its own.
    #[inline]
    pub(crate) fn take(&self) -> Self {
        let all = Self::new();
        all.first.set(self.first.replace(ptr::null_mut()));
        all.last.set(self.last.replace(ptr::null_mut()));
        all
    }

    /// All nodes, from the one that has been here longest. What is yielded last may be taken out while
    /// this goes on; nothing else may change.
    pub(crate) fn iter(&self) -> impl Iterator<Item = NonNull<T>> {
        let mut next = self.first();
        core::iter::from_fn(move || {
            let node = next?;
            // SAFETY: it was in the chain when it was found, and nobody has touched it since.
            next = NonNull::new(unsafe { Self::links(node.as_ptr()) }.next.get());
            Some(node)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Numbered {
        links: Links<Numbered>,
        number: usize,
    }

    // SAFETY: the links are the chain's alone.
    unsafe impl Linked for Numbered {
        fn links(&self) -> &Links<Self> {
            &self.links
        }
    }

    fn numbers(chain: &Chain<Numbered>) -> Vec<usize> {
        // SAFETY: the nodes are in the chain, and live.
        chain.iter().map(|node| unsafe { node.as_ref() }.number).collect()
    }

    /// Every way to take out three of five nodes, one after the other, against a vector.
    #[test]
    fn what_is_taken_out_anywhere_leaves_the_rest_in_order() {
        let nodes: Vec<Numbered> =
            (0..5).map(|number| Numbered { links: Links::new(), number }).collect();
        for choice in 0..5 * 4 * 3 {
            let chain = Chain::new();
            let mut expected: Vec<usize> = (0..5).collect();
            for node in &nodes {
                // SAFETY: in no chain, and outlives this one.
                unsafe { chain.push_back(NonNull::from(node)) };
            }
            let mut choice = choice;
            for left in (3..=5).rev() {
                let number = expected.remove(choice % left);
                choice /= left;
                // SAFETY: it is in the chain: it was among those expected.
                unsafe { chain.remove(NonNull::from(&nodes[number])) };
                assert_eq!(numbers(&chain), expected);
            }
            let rest = chain.take();
            assert!(chain.is_empty() && chain.pop_front().is_none());
            assert_eq!(numbers(&rest), expected);
            while let Some(first) = rest.pop_front() {
                // SAFETY: it lives.
                assert_eq!(unsafe { first.as_ref() }.number, expected.remove(0));
            }
            assert!(expected.is_empty());
        }
    }
}
