//! [`LocalKey`]: a value that each task has for itself.

#![allow(unsafe_code)]

use super::current::current_header;
use super::locals::{InUse, Locals};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

/// A key to a value that each coroutine has for itself, and each OS thread outside of coroutines: the
/// mirror of [`std::thread::LocalKey`]. Made by [`kettle::thread_local!`](crate::thread_local), where
/// everything about such values is written.
pub struct LocalKey<T: 'static> {
    /// Given out at the first use: where the value lies in each task's table.
    number: AtomicU32,
    init: fn() -> T,
}

/// The number of a key that nobody has used. No table is so long that it has a slot for it.
const UNUSED: u32 = u32::MAX;

/// What [`LocalKey::try_with`] returns where the value has been destroyed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError {
    _private: (),
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(init: fn() -> T) -> Self {
        Self { number: AtomicU32::new(UNUSED), init }
    }

    /// Calls `f` with the caller's own value, which is made now if this is its first use.
    ///
    /// # Panics
    ///
    /// If the value has been destroyed or is being destroyed, and with a panic of the expression that
    /// makes it; the value is not there then, and the next use tries again.
    #[inline]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => refuse(error),
        }
    }

    /// As [`with`](Self::with), for code that may run when the value has been destroyed.
    ///
    /// # Errors
    ///
    /// If it has been, or is being; `f` is not called then.
    #[inline]
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        let value = match self.existing() {
            Some(value) => value,
            None => self.begin(self.init)?,
        };
        Ok(f(&value))
    }

    #[inline(always)]
    fn existing(&'static self) -> Option<InUse<T>> {
        // Relaxed: a number that nothing else hangs on.
        let number = self.number.load(Ordering::Relaxed);
        // SAFETY: the running task's, and this key's number.
        unsafe { locals().get(number) }
    }

    /// Makes the value.
    #[cold]
    fn begin(&'static self, make: impl FnOnce() -> T) -> Result<InUse<T>, AccessError> {
        let number = self.number();
        let destroyed = Err(AccessError { _private: () });
        if locals().is_destroyed(number) {
            return destroyed;
        }
        let value = make();
        // Asked again, and of whoever runs now: `make` may have waited, in a raw coroutine even for
        // another task to go on with it.
        if locals().is_destroyed(number) {
            return destroyed;
        }
        // SAFETY: as in `existing`; not destroyed.
        let (value, earlier) = unsafe { locals().insert(number, value) };
        // There was one if `make` has itself used the key.
        drop(earlier);
        Ok(value)
    }

    /// The key's number, given out now if it has none.
    fn number(&self) -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Relaxed, all three: as in `existing`.
        let number = self.number.load(Ordering::Relaxed);
        if number != UNUSED {
            return number;
        }
        let new = NEXT.fetch_add(1, Ordering::Relaxed);
        match self.number.compare_exchange(UNUSED, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => new,
            Err(earlier) => earlier,
        }
    }

    /// Calls `f` with the value, and with `given` unless the value was made of that just now.
    fn with_given<R>(&'static self, given: T, f: impl FnOnce(Option<T>, &T) -> R) -> R {
        if let Some(value) = self.existing() {
            return f(Some(given), &value);
        }
        match self.begin(|| given) {
            Ok(value) => f(None, &value),
            Err(error) => refuse(error),
        }
    }
}

/// The running task's.
#[inline(always)]
fn locals<'a>() -> &'a Locals {
    // SAFETY: the running task is alive, and nobody keeps the reference beyond the next call.
    unsafe { current_header().as_ref() }.locals()
}

#[cold]
fn refuse(error: AccessError) -> ! {
    panic!("cannot access a kettle::thread_local! value during or after its destruction: {error:?}")
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the value. If this is its first use, the value is made of this one, and the key's own
    /// expression is not called.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with), which holds for all the calls below.
    ///
    /// ```
    /// use std::cell::Cell;
    ///
    /// kettle::thread_local! {
    ///     static X: Cell<i32> = panic!("!");
    /// }
    ///
    /// // Calling X.get() here would result in a panic.
    /// X.set(123);
    /// assert_eq!(X.get(), 123);
    /// ```
    pub fn set(&'static self, value: T) {
        self.with_given(Cell::new(value), |value, cell| {
            if let Some(value) = value {
                cell.set(value.into_inner());
            }
        });
    }

    /// Returns a copy of the value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value and leaves the type's default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Takes the value and leaves this one.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with the value borrowed.
    ///
    /// # Panics
    ///
    /// If it is mutably borrowed, and as [`with`](Self::with); the calls below likewise, if it is
    /// borrowed at all.
    ///
    /// ```
    /// use std::cell::RefCell;
    ///
    /// kettle::thread_local! {
    ///     static WORDS: RefCell<Vec<&'static str>> = RefCell::new(Vec::new());
    /// }
    ///
    /// WORDS.with_borrow_mut(|words| words.push("kettle"));
    /// assert_eq!(WORDS.with_borrow(|words| words.len()), 1);
    /// ```
    pub fn with_borrow<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with the value mutably borrowed.
    pub fn with_borrow_mut<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the value. If this is its first use, the value is made of this one, and the key's own
    /// expression is not called.
    pub fn set(&'static self, value: T) {
        self.with_given(RefCell::new(value), |value, cell| {
            if let Some(value) = value {
                *cell.borrow_mut() = value.into_inner();
            }
        });
    }

    /// Takes the value and leaves the type's default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Takes the value and leaves this one.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl core::error::Error for AccessError {}
