//! What the protocols of this room (`raw_*.rs`) are made of. The models compile the same files over a base of
//! their own (`model/`), whose atomics are loom's and whose tasks wait without a scheduler.

pub(super) use crate::task::{
    Holder, TaskRef, Told, Wait, WaitReason, Waited, Waiter, Waiters, cancel, worker_tag,
};
pub(super) use crate::util::lock::{Lock, Locked};
pub(super) use core::cell::Cell;
pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How often somebody comes for a mutex in vain before it is handed over.
#[inline(always)]
pub(super) fn patience() -> u32 {
    4
}

/// How often to look whether a mutex is free before waiting for it.
pub(super) const SPINS: u32 = 30;

/// A constructor that can be used in constants, but not in a model.
macro_rules! constant {
    ($vis:vis fn $name:ident($($argument:ident: $type:ty),*) -> Self $body:block) => {
        $vis const fn $name($($argument: $type),*) -> Self $body
    };
}

pub(super) use constant;
