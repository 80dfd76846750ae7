//! Allocating where an allocation that fails must not end the process.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use std::alloc::{Layout, alloc};

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

#[cfg(test)]
mod tests {
    use super::try_box;

    #[test]
    fn what_is_boxed_is_what_was_given() {
        assert_eq!(*try_box(String::from("kettle")).expect("memory"), "kettle");
        assert_eq!(*try_box(()).expect("memory"), ());
    }
}
