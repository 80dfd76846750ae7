//! What a task must look at before it makes way for the next one: one byte, so that in most of its waits
//! and yields a task asks one question for all of it.

use crate::util::atomic::{AtomicU8, Ordering};

/// May go on on another worker than it began on.
const MIGRATABLE: u8 = 1 << 0;
/// Somebody has cancelled it.
const CANCEL: u8 = 1 << 1;
/// It has not left its stack yet, so nobody has put it into a roster.
const UNLISTED: u8 = 1 << 2;
/// A time limit around what it does is running.
const LIMITED: u8 = 1 << 3;
/// It waits with a timer of its worker's, so it must go on there, migratable or not.
const BOUND: u8 = 1 << 4;
/// It has forked, and this is the child: it must not make way for anybody.
const FORKED: u8 = 1 << 5;
/// It is to say what it waits for, and where.
const ASKED: u8 = 1 << 6;

/// The byte. Its task alone changes it, but for the cancellation and the question, which may come from anywhere.
///
/// Relaxed everywhere: what goes with a cancellation is ordered by the task's state, the rest is the
/// task's own.
#[derive(Debug)]
pub(crate) struct Attention(AtomicU8);

impl Attention {
    /// For a coroutine that has not begun.
    pub(crate) fn of_coroutine(migratable: bool) -> Self {
        Self(AtomicU8::new(if migratable { UNLISTED | MIGRATABLE } else { UNLISTED }))
    }

    /// For an OS thread, which is in no roster.
    pub(super) fn of_thread() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Whether there is anything to look at.
    #[inline(always)]
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    #[inline(always)]
    fn has(&self, bit: u8) -> bool {
        self.0.load(Ordering::Relaxed) & bit != 0
    }

    fn set(&self, bit: u8, to: bool) {
        if to {
            self.0.fetch_or(bit, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// Whether any worker may go on with it now.
    #[inline(always)]
    pub(crate) fn may_migrate(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (MIGRATABLE | BOUND) == MIGRATABLE
    }

    /// Whether it may change workers, bound for the moment or not.
    pub(crate) fn migratable(&self) -> bool {
        self.has(MIGRATABLE)
    }

    pub(super) fn bind(&self, bound: bool) {
        self.set(BOUND, bound);
    }

    #[inline]
    pub(crate) fn is_listed(&self) -> bool {
        !self.has(UNLISTED)
    }

    pub(crate) fn set_listed(&self) {
        self.set(UNLISTED, false);
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.has(FORKED)
    }

    pub(super) fn set_forked(&self) {
        self.set(FORKED, true);
    }

    #[inline(always)]
    pub(super) fn is_cancelled(&self) -> bool {
        self.has(CANCEL)
    }

    pub(crate) fn set_cancelled(&self) {
        self.set(CANCEL, true);
    }

    #[inline(always)]
    pub(super) fn is_limited(&self) -> bool {
        self.has(LIMITED)
    }

    pub(super) fn set_limited(&self, limited: bool) {
        self.set(LIMITED, limited);
    }

    /// Whether there is something to do when it comes back from a wait: it may have to unwind, being cancelled
    /// or within a time limit, or has been asked something.
    #[inline(always)]
    pub(super) fn after_wait(&self) -> bool {
        self.has(CANCEL | LIMITED | ASKED)
    }

    pub(super) fn set_asked(&self) {
        self.set(ASKED, true);
    }

    /// Whether it has been asked since the last time.
    pub(super) fn take_asked(&self) -> bool {
        self.has(ASKED) && {
            self.set(ASKED, false);
            true
        }
    }
}
