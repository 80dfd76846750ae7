//! Waiting where nothing tells when the wait is over: a little longer each time, and then another try.

use super::waiting::Patience;
use crate::scheduler::{current_reactor, yield_now};
use crate::sys::futex;
use core::sync::atomic::AtomicU32;
use std::io;
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_micros(500);
const LONGEST: Duration = Duration::from_millis(20);

/// The pauses of one operation.
#[derive(Debug)]
pub(super) struct Pause {
    next: Duration,
    begin: Instant,
}

impl Pause {
    pub(super) fn new() -> Self {
        Self { next: FIRST, begin: Instant::now() }
    }

    /// Waits a while, each time twice as long, up to 20 ms.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where the patience is at its end.
    pub(super) fn wait(&mut self, patience: Option<Patience>) -> io::Result<()> {
        if let Some(Patience::Limited(timeout)) = patience {
            if self.begin.elapsed() >= timeout {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        sleep(self.next);
        self.next = (self.next * 2).min(LONGEST);
        Ok(())
    }
}

fn sleep(duration: Duration) {
    let end = Instant::now() + duration;
    let in_a_coroutine = current_reactor().is_some();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        if in_a_coroutine {
            // TODO(core): sleep.
            yield_now();
        } else {
            futex::wait(&AtomicU32::new(0), 0, Some(left));
        }
    }
}
