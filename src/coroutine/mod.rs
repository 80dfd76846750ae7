//! The raw asymmetric coroutine: resume it, and it runs until it suspends itself.
//!
//! There is no scheduler here. A [`Coroutine`] is a computation with a stack of its own that its
//! owner resumes by hand, hands a value to and gets a value from: a generator, a parser that is fed,
//! a simulation's process. To run a million things at once, see [`crate::thread`].
//!
//! ```
//! use kettle::coroutine::{Coroutine, State};
//!
//! // Takes numbers, yields their running sum, and returns it once a zero comes.
//! let mut sums = Coroutine::new(|suspender, first: u64| {
//!     let mut sum = 0;
//!     let mut number = first;
//!     while number != 0 {
//!         sum += number;
//!         number = suspender.suspend(sum);
//!     }
//!     sum
//! });
//! assert_eq!(sums.resume(3), State::Yielded(3));
//! assert_eq!(sums.resume(4), State::Yielded(7));
//! assert_eq!(sums.resume(0), State::Returned(7));
//! assert!(sums.done());
//! ```
//!
//! # What it costs
//!
//! A resume and a suspend are one switch each, of about a nanosecond. A coroutine lives on its stack
//! alone: making one allocates nothing else, and touches one page of it.
//!
//! # What the compiler refuses
//!
//! A coroutine stays on its thread, because what lives on its stack may belong there:
//!
//! ```compile_fail,E0277
//! let coroutine = kettle::coroutine::Coroutine::<(), (), ()>::new(|_, ()| ());
//! std::thread::spawn(move || drop(coroutine));
//! ```
//!
//! A suspender stays in its coroutine: it can neither be kept nor be used from another thread.
//!
//! ```compile_fail,E0521
//! use kettle::coroutine::{Coroutine, Suspender};
//! let mut kept: Option<&Suspender<(), ()>> = None;
//! Coroutine::scoped(|suspender, ()| kept = Some(suspender), |mut coroutine| coroutine.resume(()));
//! ```
//!
//! ```compile_fail,E0277
//! use kettle::coroutine::Coroutine;
//! Coroutine::<(), (), ()>::new(|suspender, ()| {
//!     std::thread::scope(|scope| drop(scope.spawn(|| suspender.suspend(()))));
//! });
//! ```
//!
//! A closure that borrows needs [`Coroutine::scoped`], and what that lends cannot be carried away:
//!
//! ```compile_fail,E0373
//! let word = "kettle".to_string();
//! kettle::coroutine::Coroutine::<(), usize, ()>::new(|suspender, ()| suspender.suspend(word.len()));
//! ```
//!
//! ```compile_fail
//! use kettle::coroutine::Coroutine;
//! let carried_away = Coroutine::<(), (), ()>::scoped(|_, ()| (), |coroutine| coroutine);
//! ```

mod control;
mod iter;
mod scoped;

pub use control::Suspender;
pub use iter::Iter;
pub use scoped::ScopedCoroutine;

use crate::stack::DEFAULT_STACK_SIZE;
use control::Owned;
use core::fmt;
use core::marker::PhantomData;
use std::io;

/// What a coroutine has come to when [`Coroutine::resume`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State<Yield, Return> {
    /// It has suspended itself with this value and can be resumed.
    Yielded(Yield),
    /// Its closure has returned this value.
    Returned(Return),
}

/// A computation with its own stack that is resumed by hand.
///
/// Dropping one that is suspended unwinds its stack, so that destructors run; see
/// [`Suspender::suspend`] for what its closure sees of that. Do not suspend in a destructor that runs
/// because of a panic: std counts panics by OS thread, and would count that one for whoever runs next.
/// In a program built with
/// `panic = "abort"` there is no unwinding: there the stack and what lives on it are leaked.
///
/// It is not `Send`: what lives on its stack may belong to the thread it runs on.
pub struct Coroutine<Input, Yield, Return> {
    owned: Owned<Input, Yield, Return>,
}

impl<Input, Yield, Return> Coroutine<Input, Yield, Return> {
    /// Makes a coroutine that will run `f` when it is first resumed, on a stack of 1 MiB. `f` gets the
    /// suspender and the value of the first [`resume`](Self::resume).
    ///
    /// # Panics
    ///
    /// Where no stack is to be had; [`with_stack_size`](Self::with_stack_size) returns that as an
    /// error.
    pub fn new<F>(f: F) -> Self
    where
        F: FnOnce(&Suspender<Input, Yield>, Input) -> Return + 'static,
        Input: 'static,
        Yield: 'static,
        Return: 'static,
    {
        match Self::with_stack_size(DEFAULT_STACK_SIZE, f) {
            Ok(coroutine) => coroutine,
            Err(error) => panic!("failed to make a coroutine: {error}"),
        }
    }

    /// As [`new`](Self::new), on a stack of at least `stack_size` bytes: rounded up to a power of two
    /// from 64 KiB on, its guard not counted.
    ///
    /// # Errors
    ///
    /// For more than 1 GiB, and where no stack is to be had.
    pub fn with_stack_size<F>(stack_size: usize, f: F) -> io::Result<Self>
    where
        F: FnOnce(&Suspender<Input, Yield>, Input) -> Return + 'static,
        Input: 'static,
        Yield: 'static,
        Return: 'static,
    {
        Ok(Self { owned: Owned::new(stack_size, f)? })
    }

    /// Makes a coroutine whose closure may borrow, and lends it to `body`; at the end of `body` it
    /// is dropped, unwinding what is left of it. Returns what `body` returns.
    ///
    /// It is lent and not given away because a forgotten coroutine never unwinds, and something on its
    /// stack may rely on that before the borrow ends (a `std::thread::scope`, say).
    ///
    /// ```
    /// use kettle::coroutine::Coroutine;
    ///
    /// let words = vec!["whistling".to_string(), "kettle".to_string()];
    /// let letters = Coroutine::scoped(
    ///     |suspender, ()| {
    ///         for word in &words {
    ///             word.chars().for_each(|letter| suspender.suspend(letter));
    ///         }
    ///     },
    ///     |mut coroutine| coroutine.iter().filter(|&letter| letter == 't').count(),
    /// );
    /// assert_eq!(letters, 3);
    /// ```
    ///
    /// # Panics
    ///
    /// Where no stack is to be had. With `panic = "abort"` it aborts if the coroutine is still
    /// suspended at the end of `body`.
    pub fn scoped<F, B, T>(f: F, body: B) -> T
    where
        F: FnOnce(&Suspender<Input, Yield>, Input) -> Return,
        B: FnOnce(ScopedCoroutine<'_, Input, Yield, Return>) -> T,
    {
        match Owned::new(DEFAULT_STACK_SIZE, f) {
            Ok(owned) => scoped::lend(owned, body),
            Err(error) => panic!("failed to make a coroutine: {error}"),
        }
    }

    /// Runs the coroutine until it suspends itself or returns. `input` becomes the closure's argument
    /// the first time, then the value of the [`suspend`](Suspender::suspend) that it waits in.
    ///
    /// # Panics
    ///
    /// With the closure's own panic, handed on to here, after which the coroutine is done. Also if it
    /// is done already.
    #[inline]
    pub fn resume(&mut self, input: Input) -> State<Yield, Return> {
        self.owned.resume(input)
    }

    /// Whether the closure has returned or panicked: there is nothing left to resume.
    #[inline]
    pub fn done(&self) -> bool {
        self.owned.done()
    }
}

impl<Yield, Return> Coroutine<(), Yield, Return> {
    /// The values that the coroutine yields, up to its return; what it returns is dropped.
    ///
    /// ```
    /// use kettle::coroutine::Coroutine;
    ///
    /// let mut squares = Coroutine::new(|suspender, ()| {
    ///     (1..).for_each(|number: u32| suspender.suspend(number * number));
    /// });
    /// let first: Vec<u32> = squares.iter().take(4).collect();
    /// assert_eq!(first, [1, 4, 9, 16]);
    /// ```
    #[inline]
    pub fn iter(&mut self) -> Iter<'_, Yield, Return> {
        Iter::new(&mut self.owned)
    }
}

impl<Input, Yield, Return> fmt::Debug for Coroutine<Input, Yield, Return> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine").field("done", &self.done()).finish_non_exhaustive()
    }
}

/// Makes a type neither `Send` nor `Sync`.
type NotSend = PhantomData<*mut ()>;
