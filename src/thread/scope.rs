//! Coroutines that borrow: the mirror of [`std::thread::scope`].
//!
//! # Invariants
//!
//! 1. `ScopeData` lies in the frame of [`scope`], which neither returns nor unwinds before `running` is
//!    zero and `owner` free after that, and `running` counts the children whose `on_end` has not been called.
//! 2. What a child's closure and output borrow is touched by the child before its `on_end`, or through its
//!    join handle, which cannot outlive `'scope`.

#![allow(unsafe_code)]

use super::{Builder, JoinHandle, Result, Thread};
use crate::task::{
    CancellationMask, Cancelled, Ending, OnEnd, Outcome, TaskRef, Wait, WaitReason, cancel,
    current, park,
};
use crate::util::lock::Lock;
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A place to spawn coroutines that borrow from around it; [`scope`] lends one.
pub struct Scope<'scope, 'env: 'scope> {
    data: ScopeData,
    /// Invariant, or the borrowed might be shorter than the coroutines take it for.
    _scope: PhantomData<&'scope mut &'scope ()>,
    _env: PhantomData<&'env mut &'env ()>,
}

#[derive(Debug)]
struct ScopeData {
    /// How many children have not ended.
    running: AtomicUsize,
    /// How many panicked and were not joined. A join may count before the child does.
    panicked: AtomicIsize,
    /// The children are to be cancelled, those to come as well.
    cancelled: AtomicBool,
    children: Lock<Children>,
    /// Who waits for the children: whoever began the scope, until another task goes on with it, in a raw
    /// coroutine. The last child counts itself out under the lock.
    owner: Lock<TaskRef>,
}

#[derive(Debug)]
struct Children {
    tasks: Vec<TaskRef>,
    /// How many there may be before those that have ended are taken out.
    room: usize,
}

/// What tells the scope of a child's end.
struct Ticket(*const ScopeData);

// SAFETY: the data is `Sync`, and there until `ended` has been called (invariant 1).
unsafe impl Send for Ticket {}

impl OnEnd for Ticket {
    fn ended(self, ending: Ending) {
        // SAFETY: invariant 1: this child is still counted.
        let data = unsafe { &*self.0 };
        if ending == Ending::Panicked {
            // Relaxed: the Release below orders it.
            data.panicked.fetch_add(1, Ordering::Relaxed);
        }
        // Relaxed: the exchange decides.
        let mut running = data.running.load(Ordering::Relaxed);
        while running > 1 {
            // Release: pairs with the Acquire in `ScopeData::wait`: what the child did comes before the end of
            // the scope. The others count on from this, which keeps it.
            match data.running.compare_exchange_weak(
                running,
                running - 1,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => running = now,
            }
        }
        let owner = {
            let owner = data.owner.lock();
            // Release: as above. The data may go as soon as the lock is free.
            (data.running.fetch_sub(1, Ordering::Release) == 1).then(|| owner.clone())
        };
        if let Some(owner) = owner {
            owner.unpark(Wait::Event);
        }
    }
}

impl ScopeData {
    fn new() -> Self {
        Self {
            running: AtomicUsize::new(0),
            panicked: AtomicIsize::new(0),
            cancelled: AtomicBool::new(false),
            children: Lock::new(Children { tasks: Vec::new(), room: 32 }),
            owner: Lock::new(current()),
        }
    }

    /// Writes a child down, to be cancelled with the others.
    fn register(&self, child: &TaskRef) {
        {
            let mut children = self.children.lock();
            if children.tasks.len() >= children.room {
                children.tasks.retain(|child| !child.is_complete());
                children.room = 32.max(2 * children.tasks.len());
            }
            children.tasks.push(child.clone());
        }
        // Acquire: pairs with the Release in `cancel`; and the lock orders the two: either that one has
        // found the child, or this one finds the flag.
        if self.cancelled.load(Ordering::Acquire) {
            child.cancel();
        }
    }

    fn cancel(&self) {
        // Release: pairs with the Acquire in `register`.
        self.cancelled.store(true, Ordering::Release);
        let children = core::mem::take(&mut self.children.lock().tasks);
        children.iter().for_each(TaskRef::cancel);
    }

    /// Waits until no child runs any more. Never unwinds: where it is to be cancelled it cancels the children
    /// instead and goes on waiting. Says whether it has.
    fn wait(&self) -> bool {
        let mut mask = None;
        // The last child has asked for the owner before this, and is no longer counted then, or does after it.
        *self.owner.lock() = current();
        // Acquire: pairs with the Release in `Ticket::ended`.
        while self.running.load(Ordering::Acquire) != 0 {
            if park(Wait::Event, WaitReason::Scope) == Outcome::Cancelled {
                mask = Some(CancellationMask::new());
                self.cancel();
            }
        }
        // The last child may have the lock still.
        drop(self.owner.lock());
        mask.is_some()
    }
}

/// Calls `f` with a scope in which it can spawn coroutines that borrow, and returns what it returns, when all
/// of them have ended. The mirror of [`std::thread::scope`].
///
/// ```
/// use kettle::thread;
///
/// let mut numbers = vec![1, 2, 3];
/// let mut sum = 0;
/// thread::scope(|scope| {
///     scope.spawn(|| sum = numbers.iter().sum());
/// });
/// numbers.push(sum);
/// assert_eq!(numbers, [1, 2, 3, 6]);
/// ```
///
/// # Panics
///
/// With `f`'s own panic; otherwise if a coroutine of the scope has panicked that nobody has joined. In both
/// cases when all have ended.
///
/// # Cancellation
///
/// Where `f` is unwound by a cancellation or a time limit, the scope's coroutines are cancelled too. So they
/// are where one comes while the scope waits for them at its end. In any case it waits until they have ended,
/// and unwinds only then.
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let scope = Scope { data: ScopeData::new(), _scope: PhantomData, _env: PhantomData };
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    if result.as_ref().is_err_and(|payload| cancel::is_cancellation(&**payload)) {
        scope.data.cancel();
    }
    let cancelled = scope.data.wait();
    match result {
        Err(payload) => resume_unwind(payload),
        Ok(_) if cancelled => cancel::unwind(),
        // Relaxed: ordered by the Acquire in `wait`.
        Ok(_) if scope.data.panicked.load(Ordering::Relaxed) > 0 => {
            panic!("a scoped coroutine panicked")
        }
        Ok(value) => value,
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Spawns a coroutine that may borrow whatever outlives the scope, as [`std::thread::Scope::spawn`] does.
    ///
    /// # Panics
    ///
    /// As [`spawn`](super::spawn); [`Builder::spawn_scoped`] returns that as an error.
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        match Builder::new().spawn_scoped(self, f) {
            Ok(join) => join,
            Err(error) => panic!("failed to spawn a coroutine: {error}"),
        }
    }
}

impl Scope<'_, '_> {
    /// Cancels all coroutines of the scope, and those that are spawned in it later.
    pub(crate) fn cancel_all(&self) {
        self.data.cancel();
    }
}

impl Builder {
    /// Spawns the coroutine in a [`scope`], so that it may borrow whatever outlives that.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let data = &scope.data;
        // Relaxed: whoever waits for it to be zero is this one, or waits for this one.
        data.running.fetch_add(1, Ordering::Relaxed);
        // SAFETY: invariants 1 and 2: `scope` waits for `on_end`.
        match unsafe { self.spawn_anywhere(None, f, Ticket(data)) } {
            Ok(join) => {
                data.register(join.thread().task());
                Ok(ScopedJoinHandle { join, data })
            }
            Err(error) => {
                // Relaxed: as above; the caller is in the scope, which does not wait yet, or a child of it.
                data.running.fetch_sub(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            // Relaxed: for people.
            .field("running", &self.data.running.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

/// The right to join a coroutine of a [`scope`]: the mirror of [`std::thread::ScopedJoinHandle`].
///
/// Dropping it leaves the coroutine to the scope's end.
pub struct ScopedJoinHandle<'scope, T> {
    join: JoinHandle<T>,
    data: &'scope ScopeData,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// The coroutine.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.join.thread()
    }

    /// As [`JoinHandle::join`]; the scope does not panic any more for a panic that is returned here.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn join(self) -> Result<T> {
        let result = self.join.join();
        if result.as_ref().is_err_and(|payload| !payload.is::<Cancelled>()) {
            // Relaxed: who joins is waited for by the scope.
            self.data.panicked.fetch_sub(1, Ordering::Relaxed);
        }
        result
    }

    /// As [`JoinHandle::is_finished`].
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.join.is_finished()
    }

    /// As [`JoinHandle::cancel`]. The scope does not panic for a coroutine that was cancelled.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn cancel(&self) -> io::Result<()> {
        self.join.cancel()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("thread", self.thread()).finish_non_exhaustive()
    }
}
