//! Coroutines that belong together: what they return, or the first of them that fails, is one result.
//!
//! [`run`] is [`thread::scope`] for coroutines that can fail: the first error ends them
//! all. [`map`] and [`try_map`] do the same thing to many items, so many at a time. [`race`] is for the one that
//! is first.
//!
//! ```
//! use kettle::group;
//!
//! let words = ["polly", "put", "the", "kettle", "on"];
//! let lengths = group::map(words, 2, |word| word.len());
//! assert_eq!(lengths, [5, 3, 3, 6, 2]);
//! ```
//!
//! None of them returns, or unwinds, before all its coroutines have ended: they may borrow, and nothing goes on
//! behind one's back.
//!
//! # Cancellation and time limits
//!
//! Who is cancelled, or has no more time, while it waits here cancels the coroutines first. They also inherit
//! the time limits ([`time::timeout`](crate::time::timeout)) around the call: each unwinds when the time is up,
//! wherever it and its caller are, as if it had been cancelled.
//!
//! In a program built with `panic = "abort"` nothing can be cancelled: there the others go on to their ends
//! where one has failed.

use crate::sync::{Arc, Mutex, Semaphore};
use crate::task::{cancel, limit_of_current, with_limit};
use crate::thread::{self, Scope};
use core::convert::Infallible;
use core::fmt;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;
use std::time::Instant;

/// The place to spawn the coroutines of a [`run`]. A clone is the same group.
pub struct Group<'scope, 'env, E> {
    scope: &'scope Scope<'scope, 'env>,
    /// When the time limits end that the whole group is within.
    limit: Option<Instant>,
    failure: Arc<Mutex<Option<Failure<E>>>>,
}

/// What has ended a group before its time.
enum Failure<E> {
    Error(E),
    Panic(Box<dyn Any + Send>),
    /// One has been cut short: by the time limit of the whole group, or because its runtime is dropped. Who
    /// waits for it is as well, mostly.
    CutShort,
}

/// The duty to tell that a coroutine of a group has been cut short, also where it never began.
struct Member<'scope, 'env, E: Send + 'scope> {
    group: Group<'scope, 'env, E>,
    returned: bool,
}

impl<'scope, E: Send + 'scope> Member<'scope, '_, E> {
    /// It has come to its own end, perhaps with a failure.
    fn end(mut self, failure: Option<Failure<E>>) {
        self.returned = true;
        if let Some(failure) = failure {
            self.group.fail(failure);
        }
    }
}

impl<'scope, E: Send + 'scope> Drop for Member<'scope, '_, E> {
    fn drop(&mut self) {
        if !self.returned {
            self.group.fail(Failure::CutShort);
        }
    }
}

/// Calls `f` with a group in which it can spawn coroutines that borrow, and waits until all of them have ended.
/// Returns what `f` returns, unless one of them has failed.
///
/// ```
/// use kettle::{group, thread};
///
/// let result = group::run(|group| {
///     group.spawn(|| Err("it boils over"));
///     group.spawn(|| {
///         thread::park(); // for ever, but for the cancellation
///         Ok(())
///     });
///     Ok("tea")
/// });
/// assert_eq!(result, Err("it boils over"));
/// ```
///
/// `f` itself is not interrupted when one fails: what takes long belongs into the coroutines.
///
/// # Errors
///
/// The first error, of a coroutine or of `f`. It cancels the other coroutines, and those that are spawned later.
///
/// # Panics
///
/// With the first panic, of a coroutine or of `f`, if no error came before. It cancels the others as well.
///
/// # Cancellation
///
/// A cancellation point while it waits for the coroutines; see the top of this module.
pub fn run<'env, F, T, E>(f: F) -> Result<T, E>
where
    F: for<'scope> FnOnce(&Group<'scope, 'env, E>) -> Result<T, E>,
    E: Send + 'env,
{
    let failure = Arc::new(Mutex::new(None));
    let result = thread::scope(|scope| {
        let group = Group { scope, limit: limit_of_current(), failure: Arc::clone(&failure) };
        match catch_unwind(AssertUnwindSafe(|| f(&group))) {
            Ok(Ok(value)) => Some(value),
            Ok(Err(error)) => {
                group.fail(Failure::Error(error));
                None
            }
            Err(payload) if cancel::is_cancellation(&*payload) => resume_unwind(payload),
            Err(payload) => {
                group.fail(Failure::Panic(payload));
                None
            }
        }
    });
    let failure = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (failure, result) {
        (Some(Failure::Error(error)), _) => Err(error),
        (Some(Failure::Panic(payload)), _) => resume_unwind(payload),
        (Some(Failure::CutShort), _) => {
            cancel::point();
            panic!("coroutines of a group were cancelled, and who waits for them has masked that")
        }
        (None, Some(value)) => Ok(value),
        (None, None) => unreachable!("what has no value has failed"),
    }
}

impl<'scope, 'env, E: Send + 'scope> Group<'scope, 'env, E> {
    /// Spawns a coroutine of the group, which may borrow whatever outlives it.
    ///
    /// # Panics
    ///
    /// As [`thread::spawn`].
    pub fn spawn<F>(&self, f: F)
    where
        F: FnOnce() -> Result<(), E> + Send + 'scope,
    {
        let member = Member { group: self.clone(), returned: false };
        self.scope.spawn(move || {
            let limited = || match member.group.limit {
                Some(limit) => with_limit(limit, f),
                None => Some(f()),
            };
            match catch_unwind(AssertUnwindSafe(limited)) {
                Ok(None) => {}
                Err(payload) if cancel::is_cancellation(&*payload) => resume_unwind(payload),
                Ok(Some(Ok(()))) => member.end(None),
                Ok(Some(Err(error))) => member.end(Some(Failure::Error(error))),
                Err(payload) => member.end(Some(Failure::Panic(payload))),
            }
        });
    }

    /// Whether a coroutine of the group has failed, so that all are cancelled.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let _mask = thread::mask_cancellation();
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Keeps the first failure, and cancels all.
    fn fail(&self, failure: Failure<E>) {
        {
            // It has ended already, for better or worse.
            let _mask = thread::mask_cancellation();
            let mut first = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_some() {
                drop(first);
                return drop(failure);
            }
            *first = Some(failure);
        }
        self.scope.cancel_all();
    }
}

impl<E> Clone for Group<'_, '_, E> {
    fn clone(&self) -> Self {
        Self { scope: self.scope, limit: self.limit, failure: Arc::clone(&self.failure) }
    }
}

impl<E> fmt::Debug for Group<'_, '_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("scope", self.scope).finish_non_exhaustive()
    }
}

/// Calls `f` with each of `items`, each in a coroutine, `limit` at a time at the most, and returns the results
/// in the order of the items. The next item is asked for when there is room for it.
///
/// ```
/// use kettle::{group, thread, time::Duration};
///
/// let squares = group::map(1..=5, 3, |n| {
///     thread::sleep(Duration::from_micros(10 - n));
///     n * n
/// });
/// assert_eq!(squares, [1, 4, 9, 16, 25]);
/// ```
///
/// # Panics
///
/// With the first panic of `f`, which cancels the others. If `limit` is zero.
///
/// # Cancellation
///
/// A cancellation point while it waits; see the top of this module.
pub fn map<I, F, R>(items: I, limit: usize, f: F) -> Vec<R>
where
    I: IntoIterator,
    I::Item: Send,
    F: Fn(I::Item) -> R + Sync,
    R: Send,
{
    let mapped: Result<_, Infallible> = try_map(items, limit, |item| Ok(f(item)));
    match mapped {
        Ok(results) => results,
        Err(never) => match never {},
    }
}

/// As [`map`], for what can fail.
///
/// ```
/// use kettle::group;
///
/// let numbers = group::try_map(["1", "2", "three"], 2, |text| text.parse::<u32>());
/// assert!(numbers.is_err());
/// ```
///
/// # Errors
///
/// The first error, which cancels the others. No more items are asked for.
///
/// # Panics
///
/// As [`map`].
pub fn try_map<I, F, R, E>(items: I, limit: usize, f: F) -> Result<Vec<R>, E>
where
    I: IntoIterator,
    I::Item: Send,
    F: Fn(I::Item) -> Result<R, E> + Sync,
    R: Send,
    E: Send,
{
    assert!(limit > 0, "a map with room for no coroutine would wait for ever");
    let room = Semaphore::new(limit.min(Semaphore::MAX_PERMITS));
    let results = Mutex::new(Vec::new());
    let results_of = |index: usize, result: R| {
        let _mask = thread::mask_cancellation();
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        if results.len() <= index {
            results.resize_with(index + 1, || None);
        }
        results[index] = Some(result);
    };
    run(|group| {
        for (index, item) in items.into_iter().enumerate() {
            let permit = room.acquire();
            if group.has_failed() {
                break;
            }
            let (f, results_of) = (&f, &results_of);
            group.spawn(move || {
                let result = f(item);
                drop(permit);
                results_of(index, result?);
                Ok(())
            });
        }
        Ok(())
    })?;
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(results.into_iter().map(|result| result.expect("nobody has failed")).collect())
}

/// Runs all `contenders` at once, each in a coroutine, and returns what the first one to return has returned;
/// the others are cancelled. None if there were none.
///
/// ```
/// use kettle::{group, thread, time::Duration};
///
/// let winner = group::race([1_000_000, 1].map(|ms| {
///     move || {
///         thread::sleep(Duration::from_millis(ms));
///         ms
///     }
/// }));
/// assert_eq!(winner, Some(1));
/// ```
///
/// # Panics
///
/// With a contender's panic, if no other has returned before.
///
/// # Cancellation
///
/// A cancellation point while it waits; see the top of this module.
pub fn race<I, F, T>(contenders: I) -> Option<T>
where
    I: IntoIterator<Item = F>,
    F: FnOnce() -> T + Send,
    T: Send,
{
    // The group ends with the first error, which is just what is wanted here of a success.
    let all_lost = run(|group| {
        contenders.into_iter().for_each(|contender| group.spawn(|| Err(contender())));
        Ok(())
    });
    all_lost.err()
}
