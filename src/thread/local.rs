//! The macro that makes a [`LocalKey`](super::LocalKey).

/// Declares values that each coroutine has for itself: the mirror of [`std::thread_local!`], with its
/// syntax and its meaning, a coroutine in the place of a thread.
///
/// ```
/// use kettle::thread;
/// use std::cell::{Cell, RefCell};
///
/// kettle::thread_local! {
///     pub static CUPS: Cell<u32> = const { Cell::new(1) };
///
///     static TEAS: RefCell<Vec<String>> = RefCell::new(vec!["Assam".to_string()]);
/// }
///
/// CUPS.set(2);
/// let another = thread::spawn(|| {
///     assert_eq!(CUPS.get(), 1); // its own
///     TEAS.with_borrow_mut(|teas| teas.push("Darjeeling".to_string()));
///     TEAS.with_borrow(Vec::len)
/// });
/// assert_eq!(another.join().unwrap(), 2);
/// assert_eq!(CUPS.get(), 2);
/// assert_eq!(TEAS.with_borrow(Vec::len), 1);
/// ```
///
/// # The life of a value
///
/// - It is made when its coroutine first uses it, by the expression, which may wait. If the expression
///   itself uses the key, a value is made there too; the outer one takes its place.
/// - It is destroyed when its coroutine ends: after the closure has returned, panicked or been cancelled,
///   on the coroutine's own stack, before anybody who joins it learns of the end. So a destructor may
///   wait, spawn and join. The value that was made last is destroyed first.
/// - A destructor may use other locals, and begin new ones, which are destroyed after it. One that has
///   been destroyed, or is being, does not come back: [`LocalKey::try_with`] says so, and
///   [`LocalKey::with`] panics.
/// - A panic in a destructor is reported by the panic hook and goes no further: the other locals are
///   destroyed, and the joiner gets the closure's own outcome. (With std it aborts the process.)
/// - On an OS thread, outside of coroutines, the value is the thread's, and is destroyed at its end, among
///   std's own; that of the main thread perhaps never, as with std. A raw coroutine
///   ([`crate::coroutine`]) uses the values of whoever resumes it. If it waits inside of
///   [`LocalKey::with`] while these end, the value is never destroyed.
/// - What a coroutine leaves behind is dropped by whoever has it: its output is dropped with the joiner's
///   locals. Where nobody joins, it is dropped after the coroutine's own locals are gone.
///
/// # std's `thread_local!` in a coroutine
///
/// Such a value belongs to the OS thread, and all coroutines of that worker share it: what one leaves in
/// it, the next one finds. It is sound, because a coroutine that has started stays on its thread and is
/// not interrupted: between two waits it has the value for itself. But a `RefCell` that is borrowed across
/// a wait may be found borrowed by another coroutine, and two workers have two values.
///
/// # What it costs
///
/// One pointer for each coroutine; for one that uses locals a table, as long as the number of the last key
/// that it uses (keys are numbered by their first use in the process), and a small block for each value.
/// There is no hashing.
///
/// [`LocalKey::try_with`]: crate::thread::LocalKey::try_with
/// [`LocalKey::with`]: crate::thread::LocalKey::with
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = const $init:block $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $vis static $name: $crate::thread::LocalKey<$type> =
            $crate::thread::LocalKey::new(|| const $init);
        $($crate::thread_local! { $($rest)* })?
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $vis static $name: $crate::thread::LocalKey<$type> =
            $crate::thread::LocalKey::new(|| $init);
        $($crate::thread_local! { $($rest)* })?
    };
}
