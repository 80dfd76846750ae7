//! Channels that the clock sends to: one message at a time, or one again and again. Nothing runs for them:
//! whoever receives looks at the clock.

use crate::util::lock::Lock;
use core::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// One message, at its time.
#[derive(Debug)]
pub(super) struct At {
    when: Instant,
    received: AtomicBool,
}

impl At {
    pub(super) fn new(when: Instant) -> Self {
        Self { when, received: AtomicBool::new(false) }
    }

    /// When there will be something to receive; none if that is over.
    pub(super) fn due(&self) -> Option<Instant> {
        // Relaxed: the message is the same for whoever is the first to ask for it.
        (!self.received.load(Ordering::Relaxed)).then_some(self.when)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.due().is_some_and(|due| due <= Instant::now())
    }

    /// The message, for one of those who ask for it.
    pub(super) fn take(&self) -> Option<Instant> {
        // Relaxed: as in `due`.
        (self.is_ready() && !self.received.swap(true, Ordering::Relaxed)).then_some(self.when)
    }

    /// Gives the message back, untaken.
    pub(super) fn put_back(&self) {
        // Relaxed: as in `due`.
        self.received.store(false, Ordering::Relaxed);
    }
}

/// A message in each period, as long as the last one was received.
#[derive(Debug)]
pub(super) struct Tick {
    next: Lock<Instant>,
    period: Duration,
}

impl Tick {
    pub(super) fn new(first: Instant, period: Duration) -> Self {
        Self { next: Lock::new(first), period }
    }

    /// When there will be something to receive.
    pub(super) fn due(&self) -> Instant {
        *self.next.lock()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.due() <= Instant::now()
    }

    /// The message, which says for when it was due. The next one is due a period after it, or after `since` if
    /// that is later: from when on the caller has been there to take it.
    pub(super) fn take(&self, since: Instant) -> Option<Instant> {
        let mut next = self.next.lock();
        let due = *next;
        if due > Instant::now() {
            return None;
        }
        let from = due.max(since);
        // A time that the clock does not reach is as good as never.
        *next = from.checked_add(self.period).unwrap_or(from + Duration::from_secs(1 << 40));
        Some(due)
    }
}
