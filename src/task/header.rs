//! The block of a task.
//!
//! ```text
//!   | state home references link door vtable runtime id name joiner | context attention ... | closure
//!   |   anybody's, by atomics or by the rules below                 |   its worker's        |  or output
//! ```
//!
//! What wakers write and what the worker reads when it goes on with the task lie in different cache
//! lines, so that a wake from another core costs the worker no more than the news of it.
//!
//! # Invariants
//!
//! 1. The block lives while `references` is not zero: one for the runtime until the task has ended, one
//!    for each [`TaskRef`].
//! 2. `door`, `vtable`, `runtime`, `name` and `class` never change.
//! 3. `link` is the list's that the task is in.
//! 4. `context`, `reason`, `masks` and `limits` belong to whoever has the [`Task`]: the worker that runs
//!    it, or the list that it waits in; while it is parked, to whoever clears `parked`.
//! 5. `links` are the roster's that the task is in.
//! 6. `joiner` is the join handle's until `begin_join` has said `Registered`, then the completing
//!    task's.
//! 7. `locals` is the task's own: touched by itself alone, while it runs.

#![allow(unsafe_code)]

use super::attention::Attention;
use super::limits::Limits;
use super::locals::Locals;
use super::own_stack::OwnStack;
use super::pointer::{Task, TaskRef};
use super::state::{Cancelling, Place, Published, State, Unparked, Wait};
use super::wait_reason::{WaitReason, Waiting};
use super::waits_on::WaitsOn;
use crate::context::Context;
use crate::stack::StackClass;
use crate::sys::clock;
use crate::util::chain::{Linked, Links};
use crate::util::list::{Link, Node};
use core::cell::{Cell, UnsafeCell};
use core::num::NonZeroU64;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What the floors above give a task so that this one needs not know them.
#[derive(Debug)]
pub(crate) struct Door {
    /// Makes the calling task, which is given, wait, at the longest until the deadline. It returns when
    /// the wait is over, and says whether the deadline has ended it.
    pub(crate) park: unsafe fn(NonNull<Header>, Wait, Option<Instant>) -> bool,
    /// Makes a task run whose `parked` the caller has cleared.
    pub(crate) schedule: unsafe fn(Task),
    /// Lets others run before the calling task goes on.
    pub(crate) yield_now: fn(),
}

/// What depends on the types of the closure and its output.
#[derive(Debug)]
pub(super) struct VTable {
    /// Runs the closure and writes the output, or what it panicked with.
    pub(super) run: unsafe fn(NonNull<Header>),
    /// Drops the closure unrun and writes this payload in the place of a panic's.
    pub(super) refuse: unsafe fn(NonNull<Header>, String),
    /// Moves the output to a place for a `Result` of its type.
    pub(super) take_output: unsafe fn(NonNull<Header>, *mut ()),
    pub(super) free: unsafe fn(NonNull<Header>),
}

/// Where a task comes from, and what was asked for it.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) door: &'static Door,
    /// Whatever the door's owner wants to find again.
    pub(crate) runtime: *const (),
    pub(crate) class: StackClass,
    pub(crate) attention: Attention,
    pub(crate) name: Option<Box<str>>,
}

/// The common part of every task.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Header {
    pub(super) state: State,
    home: AtomicU32,
    pub(super) references: AtomicUsize,
    link: Link<Header>,
    pub(super) door: &'static Door,
    pub(super) vtable: &'static VTable,
    runtime: *const (),
    id: AtomicU64,
    name: Option<Box<str>>,
    pub(super) joiner: UnsafeCell<Option<TaskRef>>,
    /// Where the task goes on; none before it has started.
    pub(crate) context: Cell<Context>,
    locals: Locals,
    pub(crate) stack: OwnStack,
    pub(crate) attention: Attention,
    class: StackClass,
    reason: Waiting,
    /// How many masks keep cancellation from it. Written by who has the task, so without a
    /// read-modify-write; read by others for the sake of a report.
    pub(super) masks: AtomicU32,
    /// When it began to wait, by its worker's clock, in milliseconds.
    since: AtomicU32,
    /// How many payloads there are that a cancellation has thrown in it.
    pub(super) thrown: AtomicU32,
    pub(super) limits: Limits,
    pub(super) waits_on: WaitsOn,
    links: Links<Header>,
}

// SAFETY: the link is used by the lists alone.
unsafe impl Node for Header {
    #[inline(always)]
    fn link(&self) -> &Link<Self> {
        &self.link
    }
}

// SAFETY: the links are used by the rosters alone.
unsafe impl Linked for Header {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// The home of a task that no worker has taken yet.
const NO_HOME: u32 = u32::MAX;

impl Header {
    /// A header with `references` pointers to it.
    pub(super) fn new(origin: Origin, vtable: &'static VTable, references: usize) -> Self {
        Self {
            state: State::new(),
            home: AtomicU32::new(NO_HOME),
            references: AtomicUsize::new(references),
            link: Link::new(),
            door: origin.door,
            vtable,
            runtime: origin.runtime,
            id: AtomicU64::new(0),
            name: origin.name,
            joiner: UnsafeCell::new(None),
            context: Cell::new(Context::NONE),
            locals: Locals::new(),
            stack: OwnStack::new(),
            attention: origin.attention,
            class: origin.class,
            reason: Waiting::new(),
            masks: AtomicU32::new(0),
            since: AtomicU32::new(0),
            thrown: AtomicU32::new(0),
            limits: Limits::new(),
            waits_on: WaitsOn::new(),
            links: Links::new(),
        }
    }

    #[inline]
    pub(crate) fn class(&self) -> StackClass {
        self.class
    }

    #[inline]
    pub(crate) fn runtime(&self) -> *const () {
        self.runtime
    }

    #[inline]
    pub(crate) fn door(&self) -> &'static Door {
        self.door
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// For the task itself.
    #[inline(always)]
    pub(super) fn locals(&self) -> &Locals {
        &self.locals
    }

    /// The worker that the task belongs to, if one has taken it.
    #[inline]
    pub(crate) fn home(&self) -> Option<usize> {
        // Relaxed: written once, or before a park that the reader's wake-up is ordered after.
        match self.home.load(Ordering::Relaxed) {
            NO_HOME => None,
            home => Some(home as usize),
        }
    }

    /// Makes `worker` the task's home unless it has one; returns its home.
    #[inline]
    pub(crate) fn claim_home(&self, worker: usize) -> usize {
        // Relaxed: as in `home`.
        let relaxed = Ordering::Relaxed;
        match self.home.compare_exchange(NO_HOME, worker as u32, relaxed, relaxed) {
            Ok(_) => worker,
            Err(home) => home as usize,
        }
    }

    /// Binds the running task, migratable or not, to the worker that it runs on.
    pub(crate) fn bind_to(&self, worker: usize) {
        if self.attention.migratable() {
            // Relaxed: as in `home`; the task publishes its park after this.
            self.home.store(worker as u32, Ordering::Relaxed);
            self.attention.bind(true);
        }
    }

    /// Lets a migratable task go where it likes again.
    pub(crate) fn unbind(&self) {
        if self.attention.migratable() {
            self.attention.bind(false);
        }
    }

    /// Ends the task's `wait` because its time is up; says whether the caller must make it run. For a task
    /// that waits in the scheduler.
    pub(crate) fn expire(&self, wait: Wait) -> bool {
        self.state.expire(wait) == Unparked::Schedule
    }

    /// A number that no other task of the process ever has. Given out when first asked for: most
    /// coroutines never are, and the counter would be a line that all cores fight for.
    pub(crate) fn id(&self) -> NonZeroU64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Relaxed, all three: numbers that nothing else hangs on.
        if let Some(id) = NonZeroU64::new(self.id.load(Ordering::Relaxed)) {
            return id;
        }
        let new = NEXT.fetch_add(1, Ordering::Relaxed);
        let id = match self.id.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => new,
            Err(earlier) => earlier,
        };
        NonZeroU64::new(id).expect("64 bits of ids are not used up")
    }

    /// Notes when the running task began to wait.
    #[inline(always)]
    pub(crate) fn set_since(&self, milliseconds: u32) {
        // Relaxed: for people.
        self.since.store(milliseconds, Ordering::Relaxed);
    }

    /// The name of the task that it waits for, where it waits for one, to be compared with an
    /// [`address`](Self::address).
    pub(crate) fn waits_on(&self) -> Option<usize> {
        self.waits_on.get()
    }

    /// What it is called by those who wait for it.
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// For how long the task has waited, if it does: as exact as its worker's look at the clock before.
    pub(crate) fn waited(&self) -> Duration {
        // Relaxed: as above.
        let waited = clock::milliseconds().wrapping_sub(self.since.load(Ordering::Relaxed));
        Duration::from_millis(waited.into())
    }

    /// What the task waits for, as a snapshot.
    pub(crate) fn reason(&self) -> WaitReason {
        self.reason.get()
    }

    #[inline(always)]
    pub(super) fn set_reason(&self, reason: WaitReason) {
        self.reason.set(reason);
    }

    /// Gives back what memory of its stack a task that waits has used and no longer needs, unless that was
    /// looked after since it began to wait. Says whether there was any.
    ///
    /// # Safety
    ///
    /// For the worker on which the task is and stays. It does not run, and does not go on meanwhile.
    pub(crate) unsafe fn trim_stack(&self) -> bool {
        // SAFETY: the caller's; invariant 4: the context is where the task will go on.
        self.reason.mark() && unsafe { self.stack.trim_below(self.context.get().stack_pointer()) }
    }

    /// Whether something keeps cancellation from the task; of another than the calling one, a glimpse.
    pub(crate) fn is_masked(&self) -> bool {
        // Relaxed: the task's own, or handed over with its stack.
        self.masks.load(Ordering::Relaxed) != 0
    }

    /// The task's closure has ended: nothing that comes after it is cancelled any more.
    pub(super) fn end_cancellation(&self) {
        // Relaxed: the task's own.
        self.masks.store(u32::MAX, Ordering::Relaxed);
    }

    /// Publishes that the task waits, after it has left its stack or is about to sleep on it.
    #[inline]
    pub(crate) fn publish_park(&self, wait: Wait, place: Place) -> Published {
        let cancelling = if self.is_masked() { Cancelling::Masked } else { Cancelling::Allowed };
        self.state.publish_park(wait, place, cancelling)
    }
}
