//! Models of the [`Inbox`] under loom: what is pushed comes out once, in each thread's order, with all that
//! was written into it before.
//!
//! Shown: with two threads that push while a third takes, every interleaving.
//! Links and values are plain data, so an access that nothing orders after the last one fails. Not shown:
//! more threads; that `is_empty` is right about a push that nothing orders before it (it need not be).

use super::{Fifo, Inbox, Link, Node};
use crate::util::atomic::Cell;
use crate::util::weakened::{Interruptions, check};
use core::ptr::NonNull;
use loom::thread;
use std::sync::Arc;

struct Numbered {
    link: Link<Numbered>,
    thread: usize,
    number: Cell<usize>,
}

// SAFETY: the link is the lists' alone.
unsafe impl Node for Numbered {
    fn link(&self) -> &Link<Self> {
        &self.link
    }
}

struct Shared(Inbox<Numbered>);

// SAFETY: a node is touched by the thread that made it, then by the one that took it; loom watches.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// Pushes numbers `1..=count` as thread `thread`, each written after the node was made.
fn push(inbox: &Inbox<Numbered>, thread: usize, count: usize) {
    for number in 1..=count {
        let node = Box::new(Numbered { link: Link::new(), thread, number: Cell::new(0) });
        node.number.set(number);
        // SAFETY: a new node.
        unsafe { inbox.push(NonNull::from(Box::leak(node))) };
    }
}

/// Takes everything, expects each thread's next numbers, and gives each node to `with`.
fn take(inbox: &Inbox<Numbered>, seen: &mut [usize; 2], mut with: impl FnMut(Box<Numbered>)) {
    let fifo = Fifo::new();
    inbox.take_all(&fifo);
    while let Some(node) = fifo.pop_front() {
        // SAFETY: made by `push`, and out of its list.
        let node = unsafe { Box::from_raw(node.as_ptr()) };
        seen[node.thread] += 1;
        assert_eq!(node.number.get(), seen[node.thread], "out of order, twice, or not at all");
        with(node);
    }
}

#[test]
fn what_is_pushed_comes_out_once_in_each_threads_order() {
    check(Interruptions::Any, || {
        let shared = Arc::new(Shared(Inbox::new()));
        let pushing = [2, 1].into_iter().enumerate().map(|(index, count)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || push(&shared.0, index, count))
        });
        let pushing: Vec<_> = pushing.collect();
        let mut seen = [0; 2];
        take(&shared.0, &mut seen, drop);
        for thread in pushing {
            thread.join().unwrap();
        }
        assert_eq!(shared.0.is_empty(), seen == [2, 1]);
        take(&shared.0, &mut seen, drop);
        assert_eq!(seen, [2, 1]);
        assert!(shared.0.is_empty());
    });
}

/// A node comes back while another push is under way that has seen it as the newest: the ABA problem, to
/// which an inbox that is taken whole leaves no room.
#[test]
fn a_node_that_comes_back_soon_does_no_harm() {
    check(Interruptions::Any, || {
        let shared = Arc::new(Shared(Inbox::new()));
        push(&shared.0, 0, 1);
        let pushing = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || push(&shared.0, 1, 1))
        };
        let mut seen = [0; 2];
        take(&shared.0, &mut seen, |node| {
            if node.thread == 0 {
                // As what it now is: this thread's second.
                node.number.set(2);
                // SAFETY: out of its list.
                unsafe { shared.0.push(NonNull::from(Box::leak(node))) };
            }
        });
        pushing.join().unwrap();
        take(&shared.0, &mut seen, drop);
        assert_eq!(seen, [2, 1]);
    });
}
