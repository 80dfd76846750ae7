//! The pool: stacks between two coroutines.
//!
//! Each worker has [`Magazines`] that it alone touches; below them lies one depot per class, shared
//! by the whole process, from which magazines take and to which they give in batches; below that the
//! arena. A stack that ends is handed out again first, while its pages are still in the caches.
//! Magazine and depot are those of Bonwick and Adams, "Magazines and Vmem" (2001).
//!
//! Nothing here allocates when a stack is given back: the depot has room for every stack that was ever
//! made, and a magazine that has none for another passes it on. Where there is no memory for such a list,
//! it is the taking of a stack that fails.
//!
//! A stack that was used deeply comes back with the memory that it used. Whoever has the time looks
//! ([`Magazines::trim_some`]): a worker that goes to rest, and a busy one now and then.

use super::arena::Arena;
use super::{Stack, StackClass, StackError, overflow};
use crate::sys::shadow_stack;
use crate::util::lock::Lock;

/// What the process has of one class beside the stacks that workers have.
#[derive(Debug)]
struct ClassPool {
    depot: Lock<Depot>,
    arena: Arena,
}

/// One for all runtimes and raw coroutines: stacks are never unmapped, so there is no lifetime to tie
/// to a runtime's, and the next runtime finds them warm.
static POOLS: [ClassPool; StackClass::COUNT] =
    [const { ClassPool { depot: Lock::new(Depot::new()), arena: Arena::new() } };
        StackClass::COUNT];

/// How many stacks are looked at in one go.
const LOOKS: usize = 16;

#[derive(Debug)]
struct Depot {
    /// Those below `shallow` are known to be shallow; the others are handed out first.
    stacks: Vec<Stack>,
    shallow: usize,
    /// How many stacks of the class there are anywhere: `stacks` has room for all of them.
    made: usize,
}

impl Depot {
    const fn new() -> Self {
        Self { stacks: Vec::new(), shallow: 0, made: 0 }
    }

    /// Takes `count` more stacks into account, which are about to be made.
    fn announce(&mut self, count: usize) -> Result<(), StackError> {
        let room = self.made + count - self.stacks.len();
        self.stacks.try_reserve(room).map_err(|_| StackError::Memory)?;
        self.made += count;
        Ok(())
    }

    fn put(&mut self, stack: Stack) {
        debug_assert!(self.stacks.len() < self.stacks.capacity());
        let last = self.stacks.len();
        let shallow = stack.shallow;
        self.stacks.push(stack);
        if shallow {
            self.stacks.swap(self.shallow, last);
            self.shallow += 1;
        }
    }

    fn take(&mut self) -> Option<Stack> {
        let stack = self.stacks.pop();
        self.shallow = self.shallow.min(self.stacks.len());
        stack
    }

    /// Takes one that is not known to be shallow.
    fn take_unseen(&mut self) -> Option<Stack> {
        if self.stacks.len() > self.shallow { self.stacks.pop() } else { None }
    }
}

impl ClassPool {
    /// Gives up to `count` new stacks to `take`, at the least one. Whoever gets a stack came by here, so it is
    /// here that the handler for overflows is seen to.
    fn make(
        &self,
        class: StackClass,
        count: usize,
        mut take: impl FnMut(Stack),
    ) -> Result<(), StackError> {
        if shadow_stack::is_on() {
            return Err(StackError::ShadowStack);
        }
        overflow::install();
        self.depot.lock().announce(count)?;
        let mut made = 0;
        let outcome = self.arena.carve(class, count, |stack| {
            made += 1;
            take(stack);
        });
        if made < count {
            self.depot.lock().made -= count - made;
        }
        outcome
    }

    /// Looks at a few stacks that may be deep; says whether there may be more of them.
    fn trim_some(&self, looks: usize) -> bool {
        for _ in 0..looks {
            // Out of the depot while it is looked at: the kernel takes its time.
            let Some(mut stack) = self.depot.lock().take_unseen() else { return false };
            stack.trim();
            self.depot.lock().put(stack);
        }
        true
    }
}

/// Takes one stack, for whoever has no magazines.
///
/// # Errors
///
/// Where no stack is left and none can be made.
pub(crate) fn take(class: StackClass) -> Result<Stack, StackError> {
    let pool = &POOLS[class.index()];
    if let Some(stack) = pool.depot.lock().take() {
        return Ok(stack);
    }
    let mut made = None;
    pool.make(class, 1, |stack| made = Some(stack))?;
    Ok(made.expect("at the least one is made"))
}

/// Gives back a stack that nothing lives on any more.
pub(crate) fn put(stack: Stack) {
    let pool = &POOLS[stack.class().index()];
    let unseen = {
        let mut depot = pool.depot.lock();
        depot.put(stack);
        depot.stacks.len() - depot.shallow
    };
    // No worker may ever come by; seldom, because this may be all that a short coroutine costs.
    if unseen % (4 * LOOKS) == 0 {
        pool.trim_some(LOOKS / 4);
    }
}

/// A worker's own stacks, of all classes.
#[derive(Debug)]
pub(crate) struct Magazines {
    magazines: [Magazine; StackClass::COUNT],
}

#[derive(Debug, Default)]
struct Magazine {
    /// With room for two batches, once one has been taken from it.
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
        let magazine = &mut self.magazines[stack.class().index()];
        if magazine.stacks.len() == magazine.stacks.capacity() {
            return magazine.put_into_full(stack);
        }
        magazine.stacks.push(stack);
    }

    /// Looks at some stacks that may be deep, and gives the memory of deep ones back to the kernel; says
    /// whether there may be more of them. For a worker that has nothing to do.
    pub(crate) fn trim_some(&mut self) -> bool {
        self.trim(LOOKS)
    }

    /// Looks at one stack here and one in each depot. For a worker that is busy.
    pub(crate) fn trim_one(&mut self) {
        self.trim(1);
    }

    fn trim(&mut self, looks: usize) -> bool {
        let own = self.magazines.iter_mut().flat_map(|magazine| &mut magazine.stacks);
        let looked_at = own.filter(|stack| !stack.shallow).take(looks).map(Stack::trim).count();
        // All, and not until one has some: others may be looking too.
        POOLS.iter().fold(looked_at == looks, |more, pool| pool.trim_some(looks) | more)
    }
}

impl Magazine {
    #[cold]
    fn refill(&mut self, class: StackClass) -> Result<Stack, StackError> {
        let pool = &POOLS[class.index()];
        self.reserve(class);
        if self.stacks.capacity() == 0 {
            // Short of memory: one at a time.
            return take(class);
        }
        {
            let mut depot = pool.depot.lock();
            for _ in 0..class.batch().min(self.stacks.capacity()) {
                self.stacks.extend(depot.take());
            }
        }
        if self.stacks.is_empty() {
            let most = class.batch().min(self.stacks.capacity());
            self.next_carve = (self.next_carve * 2).clamp(1, most);
            pool.make(class, self.next_carve, |stack| self.stacks.push(stack))?;
        }
        Ok(self.stacks.pop().expect("refilled with at the least one"))
    }

    /// Makes room for two batches, if there is memory for it.
    fn reserve(&mut self, class: StackClass) {
        let wanted = 2 * class.batch();
        if self.stacks.capacity() < wanted {
            let _ = self.stacks.try_reserve_exact(wanted - self.stacks.len());
        }
    }

    #[cold]
    fn put_into_full(&mut self, stack: Stack) {
        let class = stack.class();
        self.reserve(class);
        if self.stacks.len() >= 2 * class.batch() {
            self.spill(class, class.batch());
        }
        if self.stacks.len() == self.stacks.capacity() {
            return put(stack);
        }
        self.stacks.push(stack);
    }

    /// Moves the `count` that have lain here longest to the depot.
    #[cold]
    fn spill(&mut self, class: StackClass, count: usize) {
        let mut depot = POOLS[class.index()].depot.lock();
        self.stacks.drain(..count).for_each(|stack| depot.put(stack));
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
