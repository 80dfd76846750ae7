//! The M:N scheduler: which task runs next, where, and on which stack.
//!
//! ```text
//!  spawn on a worker ──────▶ deque ◀── steals what has not started ── other workers
//!  spawn from outside ─▶ injector ─▶ deque
//!  wake on the worker ─────▶ LIFO slot ─▶ (displaced) queue
//!  wake from elsewhere ────▶ inbox ─▶ queue
//!  yield ──────────────────▶ queue
//!
//!  next task: LIFO slot, queue, deque, inbox; every 61st time a look at what else waits
//! ```
//!
//! A task that has started stays on its worker, so that thread-locals, `Rc`s and lock guards never
//! change threads under a suspended frame; one that has not may be stolen. A task that yields, parks or
//! ends picks the next one itself and switches to it directly. The worker's own stack (its *root*) runs
//! only when there is nothing to run: it searches, steals and sleeps.
//!
//! [`spawn`] makes a task and queues it, [`placement`] says where it starts, [`worker`] is the running
//! side, [`switching`] how one task makes way for the next, [`timed`] how it waits with a deadline,
//! [`search`] the root's side, [`idle`] who searches and who sleeps, [`descriptors`] where, [`shared`] what
//! the workers of a runtime know of each other, [`roster`] who is alive, [`census`] how many, [`stuck`] whether any can go on, [`trimming`]
//! what is given back of their stacks, [`closing`] the runtime's end.
//!
//! Tried elsewhere and not done here: migrating started tasks by default (unsound with thread-locals),
//! a FIFO deque (a tree of a million spawns then holds a level of stacks instead of a path), waking a
//! worker for every spawn (a microsecond and a half each, for work that is gone when it arrives).

mod census;
mod closing;
mod descriptors;
mod idle;
mod placement;
mod roster;
mod search;
mod shared;
mod spawn;
mod stuck;
mod switching;
mod timed;
mod trimming;
mod worker;

pub(crate) use closing::Left;
pub(crate) use descriptors::current_reactor;
pub(crate) use shared::Shared;
pub(crate) use spawn::Options;
pub use stuck::OnDeadlock;
pub(crate) use stuck::{Stuck, circles};
pub(crate) use switching::yield_now;
pub(crate) use worker::Worker;
