//! The switch under AddressSanitizer, which must be told of each change of stacks: where the frames lie
//! whose variables it watches, and where its own copies of them (the "fake stack", by which it notices a
//! use after return) are kept meanwhile.
//!
//! The calls are those of `sanitizer/common_interface_defs.h`, in compiler-rt. `start` is called on the
//! stack that is left, with the bounds of the one to come; `finish` on the one that was come to. The
//! bounds of a coroutine's stack are those of its slot. Those of an OS thread's stack nobody knows but the
//! sanitizer, which hands them out when that stack is left; a context that is not in a slot is the
//! current thread's own stack, for nobody else may go on with it.
//!
//! Leaks are not looked for on coroutines' stacks: run with `ASAN_OPTIONS=detect_leaks=0`.

use super::{Arrival, Context, Entry, Value, arch};
use crate::stack;
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;

unsafe extern "C" {
    fn __sanitizer_start_switch_fiber(save: *mut *mut c_void, bottom: *const c_void, size: usize);
    fn __sanitizer_finish_switch_fiber(
        save: *mut c_void,
        bottom_left: *mut *const c_void,
        size_left: *mut usize,
    );
    fn __asan_handle_no_return();
}

/// The lowest address of a stack, and how many bytes it has.
type Bounds = (*const c_void, usize);

thread_local! {
    /// The bounds of this OS thread's own stack, once it has been left.
    static OWN: Cell<Bounds> = const { Cell::new((ptr::null(), 0)) };
    /// The bounds of the stack that runs, once one has been switched to.
    static RUNNING: Cell<Bounds> = const { Cell::new((ptr::null(), 0)) };
    /// The fake stack of the stack that was left last, if that was for good. What it has handed over may
    /// still lie there, hence it is freed one switch later.
    static ABANDONED: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
    /// The stack that runs is about to be left for good.
    static LAST: Cell<bool> = const { Cell::new(false) };
}

/// Tells that the next switch of this OS thread leaves its stack for good.
#[inline(never)]
pub(crate) fn last_switch() {
    LAST.set(true);
}

/// As the plain [`switch`](arch::switch).
///
/// # Safety
///
/// As there.
#[inline(always)]
pub(crate) unsafe fn switch(to: Context, word: usize, value: Value) -> Arrival {
    let mut fake_stack = ptr::null_mut();
    // SAFETY: the caller's; the place for the fake stack lies on the stack that it belongs to.
    unsafe {
        start(to, &raw mut fake_stack);
        let arrival = arch::switch(to, word, value);
        finish(fake_stack, arrival.from);
        arrival
    }
}

/// Never inlined: the thread may be another one after the switch, and its locals elsewhere.
#[inline(never)]
unsafe fn start(to: Context, fake_stack: *mut *mut c_void) {
    let abandoned = ABANDONED.take();
    if !abandoned.is_null() {
        // SAFETY: its stack was left for good, and what it handed over has been taken since.
        unsafe { destroy(abandoned) };
    }
    let (bottom, size) = bounds(to.stack_pointer);
    let last = LAST.take();
    // SAFETY: `fake_stack` is a place of the caller's.
    unsafe {
        if last {
            // The frames that are never returned from would leave their red zones to whoever begins on
            // this stack next.
            __asan_handle_no_return();
        }
        __sanitizer_start_switch_fiber(fake_stack, bottom, size);
        RUNNING.set((bottom, size));
        if last {
            ABANDONED.set(*fake_stack);
        }
    }
}

/// Frees the fake stack of a stack that was left for good: on the same stack to the sanitizer, leaves for
/// it, and comes back from it without keeping it.
///
/// # Safety
///
/// Nobody refers to what lies on it.
#[inline(never)]
unsafe fn destroy(fake_stack: *mut c_void) {
    let (bottom, size) = RUNNING.get();
    let (mut own, mut left) = (ptr::null_mut(), (ptr::null(), 0));
    // SAFETY: the bounds are the running stack's throughout; the caller's, for the fake stack.
    unsafe {
        __sanitizer_start_switch_fiber(&raw mut own, bottom, size);
        __sanitizer_finish_switch_fiber(fake_stack, &raw mut left.0, &raw mut left.1);
        __sanitizer_start_switch_fiber(ptr::null_mut(), bottom, size);
        __sanitizer_finish_switch_fiber(own, &raw mut left.0, &raw mut left.1);
    }
}

fn bounds(stack_pointer: *mut usize) -> Bounds {
    match stack::bounds(stack_pointer.addr()) {
        Some((limit, base)) => (ptr::without_provenance(limit), base - limit),
        None => OWN.get(),
    }
}

#[inline(never)]
unsafe fn finish(fake_stack: *mut c_void, from: Context) {
    let mut left = (ptr::null(), 0);
    // SAFETY: what `start` has put there when this stack was left, or null on a new one.
    unsafe { __sanitizer_finish_switch_fiber(fake_stack, &raw mut left.0, &raw mut left.1) };
    if stack::bounds(from.stack_pointer.addr()).is_none() {
        OWN.set(left);
    }
}

/// The real first function of a new stack and its argument, below the stack's base.
#[repr(C)]
struct First {
    entry: Entry,
    argument: *mut (),
}

/// Gives a base, an entry and an argument in the place of those given, such that the sanitizer hears of
/// the first arrival.
///
/// # Safety
///
/// The 16 bytes below `base`, a multiple of 16, are writable and used by nothing else.
pub(super) unsafe fn wrap_entry(
    base: *mut u8,
    entry: Entry,
    argument: *mut (),
) -> (*mut u8, Entry, *mut ()) {
    let first = base.cast::<First>().wrapping_sub(1);
    // SAFETY: the caller's.
    unsafe { first.write(First { entry, argument }) };
    (first.cast(), arrive, first.cast())
}

unsafe extern "C" fn arrive(word: usize, value: Value, from: Context, first: *mut ()) -> ! {
    // SAFETY: what `wrap_entry` has written; a new stack has no fake stack yet.
    unsafe {
        finish(ptr::null_mut(), from);
        let First { entry, argument } = first.cast::<First>().read();
        entry(word, value, from, argument)
    }
}
