//! `kettle::sync`: std's behaviour type by type, on coroutines, on OS threads, and on both at once; and what
//! cancellation and time limits do to each wait.

#[path = "sync/condvar.rs"]
mod condvar;
#[path = "sync/helpers.rs"]
mod helpers;
#[path = "sync/mutex.rs"]
mod mutex;
