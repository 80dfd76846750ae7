//! A coroutine as an iterator.

use super::State;
use super::control::Owned;
use core::fmt;
use core::iter::FusedIterator;

/// The values that a coroutine yields; made by [`Coroutine::iter`](super::Coroutine::iter).
pub struct Iter<'a, Yield, Return> {
    owned: &'a mut Owned<(), Yield, Return>,
}

impl<'a, Yield, Return> Iter<'a, Yield, Return> {
    #[inline]
    pub(super) fn new(owned: &'a mut Owned<(), Yield, Return>) -> Self {
        Self { owned }
    }
}

impl<Yield, Return> Iterator for Iter<'_, Yield, Return> {
    type Item = Yield;

    /// Resumes the coroutine.
    ///
    /// # Panics
    ///
    /// With the coroutine's own panic.
    #[inline]
    fn next(&mut self) -> Option<Yield> {
        if self.owned.done() {
            return None;
        }
        match self.owned.resume(()) {
            State::Yielded(value) => Some(value),
            State::Returned(_) => None,
        }
    }
}

impl<Yield, Return> FusedIterator for Iter<'_, Yield, Return> {}

impl<Yield, Return> fmt::Debug for Iter<'_, Yield, Return> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("done", &self.owned.done()).finish_non_exhaustive()
    }
}
