//! A coroutine that borrows, lent for a while.

use super::control::Owned;
use super::{Iter, State};
use core::fmt;

/// A coroutine whose closure may borrow, lent by [`Coroutine::scoped`](super::Coroutine::scoped).
pub struct ScopedCoroutine<'a, Input, Yield, Return> {
    owned: &'a mut Owned<Input, Yield, Return>,
}

/// Lends `owned` to `body` and drops it afterwards, whatever `body` does.
pub(super) fn lend<Input, Yield, Return, T>(
    owned: Owned<Input, Yield, Return>,
    body: impl FnOnce(ScopedCoroutine<'_, Input, Yield, Return>) -> T,
) -> T {
    /// The borrow must not end before the coroutine has: nothing can unwind it with `panic = "abort"`.
    struct Lent<Input, Yield, Return>(Owned<Input, Yield, Return>);

    impl<Input, Yield, Return> Drop for Lent<Input, Yield, Return> {
        fn drop(&mut self) {
            if cfg!(panic = "abort") && self.0.suspended() {
                crate::sys::write_to_stderr(
                    b"fatal runtime error: a coroutine lent by kettle's Coroutine::scoped is still \
                      suspended, and cannot be unwound in a program built with panic = \"abort\"\n",
                );
                std::process::abort();
            }
        }
    }

    let mut lent = Lent(owned);
    body(ScopedCoroutine { owned: &mut lent.0 })
}

impl<Input, Yield, Return> ScopedCoroutine<'_, Input, Yield, Return> {
    /// As [`Coroutine::resume`](super::Coroutine::resume).
    ///
    /// # Panics
    ///
    /// As there.
    #[inline]
    pub fn resume(&mut self, input: Input) -> State<Yield, Return> {
        self.owned.resume(input)
    }

    /// As [`Coroutine::done`](super::Coroutine::done).
    #[inline]
    pub fn done(&self) -> bool {
        self.owned.done()
    }
}

impl<Yield, Return> ScopedCoroutine<'_, (), Yield, Return> {
    /// As [`Coroutine::iter`](super::Coroutine::iter).
    #[inline]
    pub fn iter(&mut self) -> Iter<'_, Yield, Return> {
        Iter::new(self.owned)
    }
}

impl<Input, Yield, Return> fmt::Debug for ScopedCoroutine<'_, Input, Yield, Return> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedCoroutine").field("done", &self.done()).finish_non_exhaustive()
    }
}
