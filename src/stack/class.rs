//! The sizes that stacks come in: powers of two, so that any stack of a class serves any coroutine
//! of that class.

use crate::sys::memory::page_size;
use std::io;

/// The smallest stack: a panic with a backtrace alone needs 23 KiB.
const SMALLEST: usize = 64 * 1024;
/// The largest stack: 1 GiB.
const LARGEST: usize = SMALLEST << (StackClass::COUNT - 1);

/// What a coroutine gets that does not ask: real code does TLS handshakes and regular expressions
/// on it, and what is not touched costs page tables only.
pub(crate) const DEFAULT_STACK_SIZE: usize = 1024 * 1024;

/// One size of stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StackClass(u8);

impl StackClass {
    /// How many classes there are: 64 KiB, 128 KiB, ... 1 GiB.
    pub(super) const COUNT: usize = 15;

    /// The class of 64 KiB.
    pub(crate) const SMALLEST: Self = Self(0);

    /// The class of [`DEFAULT_STACK_SIZE`].
    pub(crate) const DEFAULT: Self = Self(4);

    /// All classes, the smallest first.
    pub(crate) fn all() -> [Self; Self::COUNT] {
        core::array::from_fn(|index| Self(index as u8))
    }

    /// The smallest class with at least `size` bytes.
    ///
    /// # Errors
    ///
    /// Says what is allowed, for more than 1 GiB.
    pub(crate) fn fitting(size: usize) -> io::Result<Self> {
        if size > LARGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "a stack size of {size} bytes is more than a coroutine may have; \
                     choose at most {LARGEST} (1 GiB)"
                ),
            ));
        }
        let size = size.max(SMALLEST).next_power_of_two();
        Ok(Self((size / SMALLEST).trailing_zeros() as u8))
    }

    /// The stack's size in bytes, its guard not counted.
    #[inline]
    pub(crate) fn size(self) -> usize {
        SMALLEST << self.0
    }

    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0.into()
    }

    /// The class whose [`index`](Self::index) is in the lowest bits of `bits`.
    #[inline]
    pub(super) fn from_low_bits(bits: usize) -> Self {
        const MASK: usize = StackClass::COUNT.next_power_of_two() - 1;
        Self((bits & MASK) as u8)
    }

    /// The guard's size in bytes: more than a page, because C code has frames that are not probed
    /// page by page; less below small stacks, where it costs page tables.
    pub(super) fn guard_len(self) -> usize {
        let wanted = if self.size() >= 256 * 1024 { 64 * 1024 } else { 16 * 1024 };
        wanted.max(page_size())
    }

    /// From one slot to the next: the guard and the stack.
    pub(crate) fn stride(self) -> usize {
        self.guard_len() + self.size()
    }

    /// How many stacks are moved at a time between the pool's levels: 64, or 64 MiB's worth of large ones.
    pub(super) fn batch(self) -> usize {
        (64 * 1024 * 1024 / self.size()).clamp(1, 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_up_to_a_class() {
        for (asked, got) in [
            (0, SMALLEST),
            (1, SMALLEST),
            (SMALLEST, SMALLEST),
            (SMALLEST + 1, 2 * SMALLEST),
            (DEFAULT_STACK_SIZE, DEFAULT_STACK_SIZE),
            (LARGEST - 1, LARGEST),
            (LARGEST, LARGEST),
        ] {
            assert_eq!(StackClass::fitting(asked).expect("allowed").size(), got, "{asked}");
        }
        assert_eq!(StackClass::DEFAULT.size(), DEFAULT_STACK_SIZE);
    }

    #[test]
    fn a_slot_and_its_guard_are_whole_pages() {
        for class in StackClass::all() {
            assert_eq!(class.guard_len() % page_size(), 0, "{class:?}");
            assert_eq!(class.stride() % page_size(), 0, "{class:?}");
            assert!(class.guard_len() >= page_size() && class.size() >= page_size(), "{class:?}");
        }
    }

    #[test]
    fn more_than_a_gibibyte_is_refused_with_the_reason() {
        for asked in [LARGEST + 1, usize::MAX] {
            let error = StackClass::fitting(asked).expect_err("too large");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains("at most 1073741824"), "{error}");
        }
    }
}
