//! The pool: stacks between two coroutines.
//!
//! Each worker has [`Magazines`] that it alone touches; below them lies one depot per class, shared
//! by the whole process, from which magazines take and to which they give in batches; below that the
//! arena. A stack that ends is handed out again first, while its pages are still in the caches.
//! Magazine and depot are those of Bonwick and Adams, "Magazines and Vmem" (2001).

use super::arena::Arena;
use super::{Stack, StackClass, StackError};
use crate::util::lock::Lock;

/// What the process has of one class beside the stacks that workers have.
#[derive(Debug)]
struct ClassPool {
    depot: Lock<Vec<Stack>>,
    arena: Arena,
}

/// One for all runtimes and raw coroutines: stacks are never unmapped, so there is no lifetime to tie
/// to a runtime's, and the next runtime finds them warm.
static POOLS: [ClassPool; StackClass::COUNT] =
    [const { ClassPool { depot: Lock::new(Vec::new()), arena: Arena::new() } }; StackClass::COUNT];

/// Takes one stack, for whoever has no magazines.
///
/// # Errors
///
/// Where no stack is left and none can be made.
pub(crate) fn take(class: StackClass) -> Result<Stack, StackError> {
    let pool = &POOLS[class.index()];
    if let Some(stack) = pool.depot.lock().pop() {
        return Ok(stack);
    }
    let mut carved = Vec::with_capacity(1);
    pool.arena.carve(class, 1, &mut carved)?;
    Ok(carved.pop().expect("carve gives at the least one"))
}

/// Gives back a stack that nothing lives on any more.
pub(crate) fn put(stack: Stack) {
    POOLS[stack.class().index()].depot.lock().push(stack);
}

/// A worker's own stacks, of all classes.
#[derive(Debug)]
pub(crate) struct Magazines {
    magazines: [Magazine; StackClass::COUNT],
}

#[derive(Debug, Default)]
struct Magazine {
    stacks: Vec<Stack>,
    /// How many to carve next time: grows, so that a program of three coroutines has few stacks.
    next_carve: usize,
}

impl Magazines {
    pub(crate) fn new() -> Self {
        Self { magazines: Default::default() }
    }

    /// Takes a stack, the one given back last if there is one.
    ///
    /// # Errors
    ///
    /// Where no stack is left and none can be made.
    #[inline]
    pub(crate) fn take(&mut self, class: StackClass) -> Result<Stack, StackError> {
        let magazine = &mut self.magazines[class.index()];
        match magazine.stacks.pop() {
            Some(stack) => Ok(stack),
            None => magazine.refill(class),
        }
    }

    /// Gives back a stack that nothing lives on any more.
    #[inline]
    pub(crate) fn put(&mut self, stack: Stack) {
        let class = stack.class();
        let magazine = &mut self.magazines[class.index()];
        magazine.stacks.push(stack);
        if magazine.stacks.len() >= 2 * class.batch() {
            magazine.spill(class, class.batch());
        }
    }
}

impl Magazine {
    #[cold]
    fn refill(&mut self, class: StackClass) -> Result<Stack, StackError> {
        let pool = &POOLS[class.index()];
        {
            let mut depot = pool.depot.lock();
            let kept = depot.len().saturating_sub(class.batch());
            self.stacks.extend(depot.drain(kept..));
        }
        if self.stacks.is_empty() {
            self.next_carve = (self.next_carve * 2).clamp(1, class.batch());
            pool.arena.carve(class, self.next_carve, &mut self.stacks)?;
        }
        Ok(self.stacks.pop().expect("refilled with at the least one"))
    }

    /// Moves the `count` that have lain here longest to the depot.
    #[cold]
    fn spill(&mut self, class: StackClass, count: usize) {
        POOLS[class.index()].depot.lock().extend(self.stacks.drain(..count));
    }
}

impl Drop for Magazines {
    fn drop(&mut self) {
        for (magazine, class) in self.magazines.iter_mut().zip(StackClass::all()) {
            if !magazine.stacks.is_empty() {
                magazine.spill(class, magazine.stacks.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_stack_is_handed_out_twice() {
        let class = StackClass::fitting(512 * 1024).expect("allowed");
        let taken: Vec<usize> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut magazines = Magazines::new();
                        let mut held = Vec::new();
                        for round in 0..1_000 {
                            for _ in 0..round % 300 {
                                held.push(magazines.take(class).expect("address space"));
                            }
                            let keep = held.len() / 3;
                            held.drain(keep..).for_each(|stack| magazines.put(stack));
                        }
                        held.push(take(class).expect("address space"));
                        held
                    })
                })
                .collect();
            let held: Vec<Stack> =
                workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect();
            let bases = held.iter().map(|stack| stack.base().addr().get()).collect();
            held.into_iter().for_each(put);
            bases
        });
        let distinct: HashSet<_> = taken.iter().collect();
        assert_eq!(distinct.len(), taken.len());
    }

    #[test]
    fn the_stack_given_back_last_is_taken_first() {
        let class = StackClass::fitting(256 * 1024).expect("allowed");
        let mut magazines = Magazines::new();
        let first = magazines.take(class).expect("address space");
        let second = magazines.take(class).expect("address space");
        let (first_base, second_base) = (first.base(), second.base());
        magazines.put(first);
        magazines.put(second);
        assert_eq!(magazines.take(class).expect("one").base(), second_base);
        assert_eq!(magazines.take(class).expect("another").base(), first_base);
    }
}
