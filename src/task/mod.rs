//! A task: what the runtime knows of one coroutine, and what one may do to it from anywhere.
//!
//! - [`header`]: the block that a spawn allocates; [`mod@pointer`], the two kinds of pointer to it; [`state`], the
//!   word in it that several threads change; [`attention`], the byte that a task looks at before it makes way;
//!   [`own_stack`], where its stack is.
//! - [`cell`]: the typed part around the closure and its output; [`block`], memory for both.
//! - [`mod@park`]: waiting; [`kernel`], the OS thread with it; [`wait_reason`], why; [`waiters`], the lists of
//!   those who do; [`whereabouts`], where one is that waits, when it is asked; [`waits_on`] and [`holder`], for
//!   whom.
//! - [`cancel`]: how a task, or a part of it, ends early; [`limits`], by when; [`payload`], what unwinds it.
//! - [`current`]: who runs here; [`fork`], in a child process nobody does.
//! - [`locals`] and [`local_key`]: what a task has for itself.
//! - [`thread`] and [`join`]: what users hold of it.
//!
//! An OS thread that waits for a coroutine is a task too, one without a closure: everything above this
//! floor waits and wakes in one way.

mod attention;
mod block;
pub(crate) mod cancel;
mod cell;
mod current;
pub(crate) mod fork;
mod header;
mod holder;
mod join;
mod kernel;
mod limits;
mod local_key;
mod locals;
mod own_stack;
mod park;
mod payload;
mod pointer;
mod state;
mod thread;
mod wait_reason;
mod waiters;
mod waits_on;
mod whereabouts;

pub(crate) use attention::Attention;
pub(crate) use block::Blocks;
pub use cancel::CancellationMask;
pub(crate) use cancel::{limit_of_current, with_limit};
pub(crate) use cell::{Ending, OnEnd, new_task};
pub(crate) use current::{
    BUDGET, Local, current, current_coroutine, describe_current, spend_budget, worker_tag,
};
pub(crate) use header::{Door, Header, Origin};
pub(crate) use holder::Holder;
pub use join::JoinHandle;
pub(crate) use kernel::{park_in_kernel, waiting_threads};
pub use local_key::{AccessError, LocalKey};
pub(crate) use park::{Outcome, park, park_masked, park_until, sleep_until};
pub use payload::Cancelled;
pub(crate) use pointer::{Task, TaskRef};
pub use thread::{StackUsage, Thread, ThreadId};

pub(crate) use state::{Place, Published, Wait};
pub(crate) use wait_reason::WaitReason;
pub(crate) use waiters::{Told, Waited, Waiter, Waiters};
