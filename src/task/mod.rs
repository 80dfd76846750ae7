//! A task: what the runtime knows of one coroutine, and what one may do to it from anywhere.
//!
//! [`header`] is the block that a spawn allocates, [`state`] the word in it that several threads
//! change, [`cell`] the typed part around the closure and its output, [`mod@park`] waiting, [`wait_reason`]
//! why, [`waiters`] the lists of those who do, [`cancel`] how it ends early, [`attention`] what a task looks at before it makes way, [`current`]
//! who runs here, [`kernel`] waiting with the OS thread, [`whereabouts`] where a task is when it is asked, [`locals`] and [`local_key`] what it has for itself, [`thread`] and [`join`] what users
//! hold of it.
//!
//! An OS thread that waits for a coroutine is a task too, one without a closure: everything above this
//! floor waits and wakes in one way.

mod attention;
pub(crate) mod cancel;
mod cell;
mod current;
pub(crate) mod fork;
mod header;
mod join;
mod kernel;
mod local_key;
mod locals;
mod own_stack;
mod park;
mod state;
mod thread;
mod wait_reason;
mod waiters;
mod whereabouts;

pub(crate) use attention::Attention;
pub use cancel::{CancellationMask, Cancelled};
pub(crate) use cancel::{limit_of_current, with_limit};
pub(crate) use cell::{Ending, OnEnd, new_task};
pub(crate) use current::{
    BUDGET, Local, current, current_coroutine, describe_current, spend_budget, worker_tag,
};
pub(crate) use header::{Door, Header, Origin, Task, TaskRef};
pub use join::JoinHandle;
pub(crate) use kernel::{park_in_kernel, waiting_threads};
pub use local_key::{AccessError, LocalKey};
pub(crate) use park::{Outcome, park, park_masked, park_until, sleep_until};
pub use thread::{StackUsage, Thread, ThreadId};

pub(crate) use state::{Place, Published, Wait};
pub(crate) use wait_reason::WaitReason;
pub(crate) use waiters::{Told, Waited, Waiter, Waiters};
