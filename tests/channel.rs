//! Channels: what crossbeam-channel's own suite asks of each kind, of timers, of select and of ready, in
//! coroutines of one worker and of several, on OS threads, and in both at once; and what it cannot ask: cancelling,
//! and a storm of everything against a model. `ci/crossbeam-channel` runs that suite itself.

#[path = "channel/cancelling.rs"]
mod cancelling;
#[path = "channel/crew.rs"]
mod crew;
#[path = "channel/kinds.rs"]
mod kinds;
#[path = "channel/models.rs"]
mod models;
#[path = "channel/ready.rs"]
mod ready;
#[path = "channel/selecting.rs"]
mod selecting;
#[path = "channel/selecting_by_macro.rs"]
mod selecting_by_macro;
#[path = "channel/storm.rs"]
mod storm;
#[path = "channel/timers.rs"]
mod timers;
