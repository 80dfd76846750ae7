//! The time limits that a task is within, one in the other.
//!
//! Whose the list is, says invariant 4 of the header: it is changed without any lock.

use core::cell::Cell;
use core::fmt;
use std::time::Instant;

/// One time limit of a task.
#[derive(Debug)]
struct Limit {
    number: u64,
    deadline: Instant,
    /// The one around it.
    outer: Option<Box<Limit>>,
}

/// The time limits that a task is within.
pub(super) struct Limits {
    innermost: Cell<Option<Box<Limit>>>,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

impl Limits {
    pub(super) const fn new() -> Self {
        Self { innermost: Cell::new(None) }
    }

    /// Calls `f` with each limit, the innermost first.
    fn for_each(&self, mut f: impl FnMut(&Limit)) {
        let innermost = self.innermost.take();
        let mut next = &innermost;
        while let Some(limit) = next {
            f(limit);
            next = &limit.outer;
        }
        self.innermost.set(innermost);
    }

    /// The deadline that comes first.
    pub(super) fn earliest(&self) -> Option<Instant> {
        let mut earliest: Option<Instant> = None;
        self.for_each(|limit| {
            let deadline = limit.deadline;
            earliest = Some(earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        });
        earliest
    }

    /// The outermost limit whose time is up.
    pub(super) fn expired(&self) -> Option<u64> {
        let now = Instant::now();
        let mut outermost = None;
        self.for_each(|limit| {
            if limit.deadline <= now {
                outermost = Some(limit.number);
            }
        });
        outermost
    }

    /// Puts a limit inside those that there are.
    pub(super) fn push(&self, number: u64, deadline: Instant) {
        let outer = self.innermost.take();
        self.innermost.set(Some(Box::new(Limit { number, deadline, outer })));
    }

    /// Takes limit `number` out; says whether any is left.
    pub(super) fn remove(&self, number: u64) -> bool {
        let mut innermost = self.innermost.take();
        let mut next = &mut innermost;
        while next.as_ref().is_some_and(|limit| limit.number != number) {
            next = &mut next.as_mut().expect("looked at just now").outer;
        }
        if let Some(limit) = next.take() {
            *next = limit.outer;
        }
        let left = innermost.is_some();
        self.innermost.set(innermost);
        left
    }
}
