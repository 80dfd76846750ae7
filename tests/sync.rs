//! `kettle::sync`: std's behaviour type by type, on coroutines, on OS threads, and on both at once; and what
//! cancellation and time limits do to each wait.

#[path = "sync/barrier.rs"]
mod barrier;
#[path = "sync/condvar.rs"]
mod condvar;
#[path = "support/coroutines.rs"]
mod coroutines;
#[path = "sync/lazy.rs"]
mod lazy;
#[path = "sync/mpsc.rs"]
mod mpsc;
#[path = "sync/mutex.rs"]
mod mutex;
#[path = "sync/notify.rs"]
mod notify;
#[path = "sync/once.rs"]
mod once;
#[path = "sync/oneshot.rs"]
mod oneshot;
#[path = "sync/rwlock.rs"]
mod rwlock;
#[path = "sync/semaphore.rs"]
mod semaphore;
#[path = "sync/storm.rs"]
mod storm;
#[path = "sync/wait_group.rs"]
mod wait_group;
