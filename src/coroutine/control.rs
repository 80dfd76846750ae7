//! The control block on the coroutine's stack, and both sides of the switch.
//!
//! # Invariants
//!
//! 1. `Control` lies on the coroutine's own stack, above every frame, and lives until the
//!    `Coroutine` is dropped.
//! 2. The side that runs knows the side that waits, as the last switch brought it: `Owned::context` is
//!    the coroutine while its owner runs, `Suspender::resumer` the resumer while the coroutine runs.
//!    Each is used up by the switch that goes on with it.
//! 3. The word handed to the coroutine is an `Order`, the word handed back an `Outcome`; each says what
//!    the value beside it is. A value of eight bytes or less travels as it is, a larger one as the
//!    address of a place on the sender's stack, which stays as it is until the receiver has read it:
//!    the first thing that it does.
//! 4. A coroutine and everything on its stack stay on one OS thread: `Coroutine` is not `Send`.

#![allow(unsafe_code)]

use super::{NotSend, State};
use crate::context::{Context, Value, last_switch, switch};
use crate::stack::overflow::AlternateStack;
use crate::stack::{Stack, StackClass, pool};
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, align_of, size_of};
use core::ptr::{self, NonNull};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    /// Coroutines run on any thread; an overflow's handler needs a stack of its own on each.
    static ALTERNATE_STACK: AlternateStack = AlternateStack::ensure();
}

type Payload = Box<dyn Any + Send>;

/// What unwinds a coroutine that is dropped while suspended.
struct Dropped;

/// What the coroutine is to do, as the word handed to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Go on with the input that comes beside it.
    Resume = 0,
    /// Unwind: the coroutine is being dropped.
    Unwind = 1,
}

/// What the coroutine came to, as the word that it hands back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Yielded = 0,
    Returned = 1,
    Panicked = 2,
}

/// Packs `content` for the switch (invariant 3).
#[inline(always)]
fn pack<T>(content: &mut ManuallyDrop<T>) -> Value {
    if size_of::<T>() <= size_of::<Value>() {
        let mut value = Value::uninit();
        // SAFETY: it fits, and both are valid for their sizes.
        unsafe {
            ptr::copy_nonoverlapping(
                (&raw const *content).cast::<u8>(),
                value.as_mut_ptr().cast::<u8>(),
                size_of::<T>(),
            );
        }
        value
    } else {
        Value::new((&raw mut *content).cast())
    }
}

/// Unpacks what the other side has packed.
///
/// # Safety
///
/// `value` came through the last switch, was packed from a `T`, and is unpacked once.
#[inline(always)]
unsafe fn unpack<T>(value: Value) -> T {
    if size_of::<T>() <= size_of::<Value>() {
        // SAFETY: the first bytes of `value` are a `T`; it may be aligned less than one.
        unsafe { value.as_ptr().cast::<T>().read_unaligned() }
    } else {
        // SAFETY: invariant 3: the place holds a `T` and stays until now.
        unsafe { value.assume_init().cast::<T>().read() }
    }
}

/// What only making and dropping need, at the base of the coroutine's stack.
///
/// ```text
///   base                                    (high)
///   | Control | closure | frames ...        (low)
/// ```
struct Control {
    /// Whether the closure is still where it was written.
    fresh: Cell<bool>,
    closure: *mut u8,
    drop_closure: unsafe fn(*mut u8),
    /// `Stack::into_raw` of the stack that this lies on.
    stack: *mut (),
}

/// The coroutine's own end: suspends it. Its closure is handed a reference to one.
#[derive(Debug)]
pub struct Suspender<Input, Yield> {
    /// Whoever resumed the coroutine (invariant 2).
    resumer: Cell<Context>,
    _types: PhantomData<fn(Yield) -> Input>,
    _not_send: NotSend,
}

impl<Input, Yield> Suspender<Input, Yield> {
    /// Suspends the coroutine: `value` goes to whoever resumed it, and the value of the next resume
    /// comes back.
    ///
    /// If the coroutine is dropped instead, this unwinds from here with a payload of its own, without
    /// a message. A closure that catches it and suspends again is unwound again from there.
    ///
    /// # Aborts
    ///
    /// If a destructor that runs because of that suspends: a second unwinding cannot start inside the
    /// first.
    #[inline]
    pub fn suspend(&self, value: Yield) -> Input {
        let mut value = ManuallyDrop::new(value);
        // SAFETY: invariant 2; a suspender cannot leave its coroutine, so this runs on its stack.
        let arrival =
            unsafe { switch(self.resumer.get(), Outcome::Yielded as usize, pack(&mut value)) };
        self.resumer.set(arrival.from);
        if arrival.word != Order::Resume as usize {
            unwind();
        }
        // SAFETY: invariant 3: with this order comes an input.
        unsafe { unpack(arrival.value) }
    }
}

/// Starts unwinding a coroutine that is being dropped.
#[cold]
fn unwind() -> ! {
    resume_unwind(Box::new(Dropped))
}

/// The owner's end of a coroutine whose closure may borrow; the types above see to it that the owner
/// drops it in time.
pub(super) struct Owned<Input, Yield, Return> {
    /// The coroutine, as it stands (invariant 2); none when it is done.
    context: Context,
    control: NonNull<Control>,
    _types: PhantomData<fn(Input) -> State<Yield, Return>>,
    _not_send: NotSend,
}

impl<Input, Yield, Return> Owned<Input, Yield, Return> {
    pub(super) fn new<F>(stack_size: usize, f: F) -> io::Result<Self>
    where
        F: FnOnce(&Suspender<Input, Yield>, Input) -> Return,
    {
        let class = StackClass::fitting(stack_size)?;
        // It is moved into place here, and twice more on its way to being called.
        if size_of::<F>() > class.size() / 8 || align_of::<F>() > 4096 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "a closure of {} bytes with an alignment of {} does not fit a stack of {} bytes \
                     (an eighth of it, aligned to 4096, is the most); box what it captures",
                    size_of::<F>(),
                    align_of::<F>(),
                    class.size()
                ),
            ));
        }
        // While the thread's locals are being destroyed it keeps whatever stack it has.
        let _ = ALTERNATE_STACK.try_with(|_| ());
        let stack = pool::take(class)?;
        let control = stack.first_frame().wrapping_sub(size_of::<Control>()).cast::<Control>();
        let closure = control.cast::<u8>().wrapping_sub(size_of::<F>());
        let closure = closure.wrapping_sub(closure.addr() % align_of::<F>().max(16));
        // SAFETY: both lie on the stack, which is ours alone, and do not overlap; `first_frame` is a
        // multiple of 64 and `Control`'s size of its alignment, so the places are aligned.
        unsafe {
            closure.cast::<F>().write(f);
            let entry = run::<F, Input, Yield, Return>;
            let context = Context::new(closure, entry, control.cast());
            control.write(Control {
                fresh: Cell::new(true),
                closure,
                drop_closure: |closure| closure.cast::<F>().drop_in_place(),
                stack: stack.into_raw(),
            });
            Ok(Self {
                context,
                control: NonNull::new_unchecked(control),
                _types: PhantomData,
                _not_send: PhantomData,
            })
        }
    }

    #[inline]
    pub(super) fn done(&self) -> bool {
        !self.context.is_some()
    }

    fn control(&self) -> &Control {
        // SAFETY: invariant 1. What changes in it changes through a cell.
        unsafe { self.control.as_ref() }
    }

    /// Whether frames of the coroutine are on its stack.
    pub(super) fn suspended(&self) -> bool {
        !self.done() && !self.control().fresh.get()
    }

    #[inline]
    pub(super) fn resume(&mut self, input: Input) -> State<Yield, Return> {
        if self.done() {
            resumed_when_done();
        }
        let mut input = ManuallyDrop::new(input);
        // SAFETY: invariants 2 and 3.
        let arrival = unsafe { switch(self.context, Order::Resume as usize, pack(&mut input)) };
        self.context = arrival.from;
        // SAFETY: invariant 3: the outcome says what the value is.
        unsafe {
            if arrival.word == Outcome::Yielded as usize {
                return State::Yielded(unpack(arrival.value));
            }
            self.context = Context::NONE;
            if arrival.word == Outcome::Returned as usize {
                return State::Returned(unpack(arrival.value));
            }
            resume_unwind(unpack::<Payload>(arrival.value))
        }
    }

    /// Drops what is left on the stack: the closure, or by unwinding the frames.
    fn clear(&mut self) {
        if self.done() {
            return;
        }
        if self.control().fresh.get() {
            self.context = Context::NONE;
            // SAFETY: never started, so the closure is still where `new` wrote it.
            unsafe { (self.control().drop_closure)(self.control().closure) }
        } else if cfg!(panic = "unwind") {
            self.unwind();
        }
    }

    /// Makes the coroutine unwind, again if it stops on the way, until nothing is left of it. Whatever it
    /// came to, nobody waits for it: a panic of its own has been reported by the panic hook. A panic in
    /// the destructor of what it hands out on the way goes on from here, afterwards.
    fn unwind(&mut self) {
        let mut panicked = Ok(());
        while !self.done() {
            // SAFETY: invariant 2. With this order comes no value.
            let arrival = unsafe { switch(self.context, Order::Unwind as usize, Value::uninit()) };
            self.context = if arrival.word == Outcome::Yielded as usize {
                arrival.from
            } else {
                Context::NONE
            };
            // SAFETY: invariant 3.
            let dropped = catch_unwind(AssertUnwindSafe(|| unsafe {
                if arrival.word == Outcome::Yielded as usize {
                    drop(unpack::<Yield>(arrival.value));
                } else if arrival.word == Outcome::Returned as usize {
                    drop(unpack::<Return>(arrival.value));
                } else {
                    drop(unpack::<Payload>(arrival.value));
                }
            }));
            panicked = panicked.and(dropped);
        }
        if let Err(payload) = panicked {
            if !std::thread::panicking() {
                resume_unwind(payload);
            }
        }
    }
}

impl<Input, Yield, Return> Drop for Owned<Input, Yield, Return> {
    fn drop(&mut self) {
        /// Gives the stack back, also when a destructor panics on the way.
        struct Emptied<'a, Input, Yield, Return>(&'a mut Owned<Input, Yield, Return>);

        impl<Input, Yield, Return> Drop for Emptied<'_, Input, Yield, Return> {
            fn drop(&mut self) {
                if self.0.done() {
                    let stack = self.0.control().stack;
                    // SAFETY: nothing lives on the stack any more but `Control`, which needs no
                    // destructor, and whose owner is going away.
                    pool::put(unsafe { Stack::from_raw(stack) });
                }
            }
        }

        Emptied(self).0.clear();
    }
}

/// The coroutine's first function, on its own stack.
unsafe extern "C" fn run<F, Input, Yield, Return>(
    _: usize,
    input: Value,
    resumer: Context,
    control: *mut (),
) -> !
where
    F: FnOnce(&Suspender<Input, Yield>, Input) -> Return,
{
    // SAFETY: `Owned::new` passes its control block (invariant 1). The first order is to resume, with an
    // input (invariant 3).
    let (f, mut input) = unsafe {
        let control = &*control.cast::<Control>();
        control.fresh.set(false);
        (control.closure.cast::<F>(), ManuallyDrop::new(unpack::<Input>(input)))
    };
    let mut resumer = resumer;
    let result = catch_unwind(AssertUnwindSafe(|| {
        // Only here, so that a large closure is not copied on the way.
        // SAFETY: the closure is where `Owned::new` wrote it and, no longer fresh, nobody else's; each
        // of the two is taken once.
        let (f, input) = unsafe { (f.read(), ManuallyDrop::take(&mut input)) };
        let suspender =
            Suspender { resumer: Cell::new(resumer), _types: PhantomData, _not_send: PhantomData };
        let kept = Kept { suspender: &suspender, resumer: &mut resumer };
        f(kept.suspender, input)
    }));
    // SAFETY: invariants 2 and 3. The `Owned` does not resume after these outcomes.
    unsafe {
        let (mut returned, mut panicked);
        let (outcome, value) = match result {
            Ok(value) => {
                returned = ManuallyDrop::new(value);
                (Outcome::Returned, pack(&mut returned))
            }
            Err(payload) => {
                panicked = ManuallyDrop::new(payload);
                (Outcome::Panicked, pack(&mut panicked))
            }
        };
        last_switch();
        switch(resumer, outcome as usize, value);
        core::hint::unreachable_unchecked()
    }
}

/// Keeps the resumer of a suspender that goes, however it goes.
struct Kept<'a, Input, Yield> {
    suspender: &'a Suspender<Input, Yield>,
    resumer: &'a mut Context,
}

impl<Input, Yield> Drop for Kept<'_, Input, Yield> {
    fn drop(&mut self) {
        *self.resumer = self.suspender.resumer.get();
    }
}

#[cold]
fn resumed_when_done() -> ! {
    panic!("resumed a kettle::coroutine::Coroutine that is done; ask `done()` first")
}
