//! Allocating where an allocation that fails must not end the process.

#![allow(unsafe_code)]

use core::fmt::Display;
use core::ptr::NonNull;
use std::alloc::{Layout, alloc};
use std::io;

/// A box for `value`, or the value back where there is no memory for one.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>, T> {
    let layout = Layout::new::<T>();
    let place = match layout.size() {
        0 => NonNull::dangling(),
        // SAFETY: the size is not zero.
        _ => match NonNull::new(unsafe { alloc(layout) }.cast::<T>()) {
            Some(place) => place,
            None => return Err(value),
        },
    };
    // SAFETY: allocated with the layout of a `T`, or no place is needed: what a box is made of.
    unsafe {
        place.write(value);
        Ok(Box::from_raw(place.as_ptr()))
    }
}

/// More than any of our messages takes, with the allocations around it.
const MESSAGE: usize = 4096;

/// What `error` says, if there is memory for it. (Another thread may take it in between; that is as unlikely
/// as it is small.)
pub(crate) fn message(error: &impl Display) -> Option<String> {
    let mut room = Vec::<u8>::new();
    room.try_reserve_exact(MESSAGE).ok()?;
    drop(room);
    Some(error.to_string())
}

/// An error that says what `error` says, or where there is no memory for that, no more than its kind.
pub(crate) fn io_error(kind: io::ErrorKind, error: &impl Display) -> io::Error {
    match message(error) {
        Some(message) => io::Error::new(kind, message),
        None => kind.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::try_box;

    #[test]
    fn what_is_boxed_is_what_was_given() {
        assert_eq!(*try_box(String::from("kettle")).expect("memory"), "kettle");
        assert_eq!(*try_box(()).expect("memory"), ());
    }
}
