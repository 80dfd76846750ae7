//! Waiting where nothing tells when the wait is over: a little longer each time, and then another try.

use super::waiting::Patience;
use crate::task::sleep_until;
use std::io;
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_micros(500);

/// The pauses of one operation.
#[derive(Debug)]
pub(super) struct Pause {
    next: Duration,
    longest: Duration,
    begin: Instant,
}

impl Pause {
    /// None of them is longer than `longest`.
    pub(super) fn up_to(longest: Duration) -> Self {
        Self { next: FIRST, longest, begin: Instant::now() }
    }

    /// Waits a while, each time twice as long. A cancellation point.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where the patience is at its end.
    pub(super) fn wait(&mut self, patience: Patience) -> io::Result<()> {
        if let Patience::Limited(timeout) = patience {
            if self.begin.elapsed() >= timeout {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        sleep_until(Some(Instant::now() + self.next));
        self.next = (self.next * 2).min(self.longest);
        Ok(())
    }
}
