//! Deadlock: whether any of a runtime's coroutines can ever go on.
//!
//! A worker that goes to sleep for good (it has had nothing to do for a while) and has neither a timer nor a
//! descriptor that could wake it is *stuck*: only another thread can end its sleep. Once all workers of a
//! runtime are, and every other thread of the process is stuck too, or waits without a deadline in a primitive
//! of kettle's, nobody is left who could wake anybody: that is a deadlock for certain. A thread that does
//! anything else, and be it that it sleeps, might still wake one, so nothing is said.
//!
//! # Why nothing is said too soon
//!
//! The counts of those who wait are read before the queues. Whoever wakes somebody puts him into a queue first,
//! and begins to wait only after that: if it was counted, what it had put there is seen.

use super::shared::Shared;
use super::worker::Worker;
use crate::sys;
use crate::task::{TaskRef, WaitReason, fork, waiting_threads};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::fs;

/// What a runtime does when none of its coroutines can go on any more, and nobody is left who could wake one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDeadlock {
    /// Says so on standard error, once: who waits for what, for how long, and where.
    #[default]
    Report,
    /// Says so, and aborts the process.
    Abort,
    /// Nothing; it is not even looked for.
    Ignore,
}

/// How many workers of the process are stuck.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// How many coroutines are asked where they are.
const ASKED: usize = 10;

/// Whether anybody could wake one of a runtime's tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// The runtime itself could.
    No,
    /// Only others could, and there is somebody.
    Alone,
    /// Nobody could.
    ForEver,
}

impl Worker {
    /// Sleeps until somebody rings, as nothing of this worker's own is to be done any more. For the root.
    pub(super) fn sleep_for_good(&self) {
        let shared = self.shared();
        let stuck = shared.on_deadlock != OnDeadlock::Ignore
            && self.timers.is_empty()
            && !self.reactor().in_use();
        if !stuck {
            return self.sleep(None);
        }
        // Release, all: pair with the Acquires in `stuck`.
        self.remote().stuck.store(true, Ordering::Release);
        STUCK.fetch_add(1, Ordering::Release);
        let asked = shared.stuck() == Stuck::ForEver && shared.report_deadlock();
        self.sleep(asked.then_some(Duration::ZERO));
        STUCK.fetch_sub(1, Ordering::Release);
        self.remote().stuck.store(false, Ordering::Release);
    }
}

impl Shared {
    /// Whether anybody could wake one of the tasks.
    pub(crate) fn stuck(&self) -> Stuck {
        // Acquire, all: pair with the Releases of those who count themselves; see the top of the file.
        let all_stuck = self.remotes.iter().all(|remote| remote.stuck.load(Ordering::Acquire));
        let waiting = STUCK.load(Ordering::Acquire) + waiting_threads();
        let nobody_else = waiting == threads();
        let at_rest = self.idle.all_sleep()
            && self.injector.is_empty()
            && self.remotes.iter().all(|remote| remote.inbox().is_empty());
        if !(all_stuck && at_rest) || self.closing() || self.live() == 0 {
            Stuck::No
        } else if nobody_else {
            Stuck::ForEver
        } else {
            Stuck::Alone
        }
    }

    /// Says what is known, the first time; says whether somebody has been asked to say more.
    fn report_deadlock(&self) -> bool {
        // Relaxed: only one worker of a runtime is the last to be stuck.
        if self.reported.swap(true, Ordering::Relaxed) {
            if self.on_deadlock == OnDeadlock::Abort {
                sys::write_to_stderr(
                    b"fatal runtime error: all kettle coroutines are deadlocked, aborting\n",
                );
                std::process::abort();
            }
            return false;
        }
        let live = self.live();
        let plural = if live == 1 { "coroutine waits" } else { "coroutines wait" };
        let line = format!(
            "\nkettle: deadlock: {live} {plural}, and nobody is left who could wake one; they wait:\n"
        );
        sys::write_to_stderr(line.as_bytes());
        let waiting = self.who_waits();
        for circle in circles(&waiting) {
            let ids = circle.iter().map(|&place| format!("ThreadId({})", waiting[place].id()));
            let ids = ids.collect::<Vec<_>>().join(", ");
            sys::write_to_stderr(format!("  in a circle, each for the next: {ids}\n").as_bytes());
        }
        self.ask_who_waits(ASKED);
        true
    }

    /// The tasks that wait.
    pub(crate) fn who_waits(&self) -> Vec<TaskRef> {
        let mut waiting = Vec::new();
        // There nobody waits who could be woken, and who held a roster's lock in the parent never frees it.
        if fork::is_forked() {
            return Vec::new();
        }
        self.for_each_listed(|task| {
            if task.reason() != WaitReason::None {
                waiting.push(task.clone());
            }
        });
        waiting
    }

    /// Asks `most` of those who wait for what and where they do.
    pub(crate) fn ask_who_waits(&self, most: usize) {
        self.who_waits().iter().take(most).for_each(TaskRef::ask);
    }
}

/// Those who wait for each other in a circle, each for the next, as places in `waiting`. A circle does not end by
/// itself, so one that is there at a second look was there all the time.
pub(crate) fn circles(waiting: &[TaskRef]) -> Vec<Vec<usize>> {
    let places: HashMap<usize, usize> =
        waiting.iter().enumerate().map(|(place, task)| (task.address(), place)).collect();
    let next: Vec<Option<usize>> = waiting.iter().map(|task| task.waits_on()).collect();
    let mut seen = vec![false; waiting.len()];
    let mut circles = Vec::new();
    for begin in 0..waiting.len() {
        let mut path = Vec::new();
        let mut place = Some(begin);
        while let Some(here) = place.filter(|&here| !seen[here]) {
            seen[here] = true;
            path.push(here);
            place = next[here].and_then(|name| places.get(&name).copied());
        }
        // It has come to somebody that it has passed itself: from there on it is a circle.
        let Some(first) = place.and_then(|place| path.iter().position(|&on| on == place)) else {
            continue;
        };
        let circle = path.split_off(first);
        if circle.iter().all(|&place| waiting[place].waits_on() == next[place]) {
            circles.push(circle);
        }
    }
    circles
}

/// How many threads the process has; none if the kernel does not tell.
fn threads() -> usize {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the name, in parentheses, and may hold anything; the count is the twentieth.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().nth(17).and_then(|field| field.parse().ok()).unwrap_or(0)
}
