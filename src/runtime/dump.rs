//! What a runtime's coroutines wait for, on request.

use super::Handle;
use crate::scheduler::{Stuck, circles};
use crate::task::{TaskRef, Thread};
use core::fmt;
use std::time::Duration;

/// The coroutines of a runtime that wait; made by [`Handle::dump`].
#[derive(Debug)]
pub struct Dump {
    waiting: Vec<Waiting>,
    /// Of each circle the places in `waiting`.
    circles: Vec<Vec<usize>>,
    live: usize,
    stuck: Stuck,
}

/// A coroutine that waits.
#[derive(Debug)]
pub struct Waiting {
    thread: Thread,
    reason: String,
    elapsed: Duration,
}

/// Whether any of a runtime's coroutines can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadlock {
    /// One runs or is about to, or a timer or a descriptor can wake one; or there are none.
    No,
    /// Only another thread could wake one: there is one that does not wait in a primitive of kettle's.
    Possible,
    /// Nobody is left who could wake one.
    Certain,
}

impl Handle {
    /// Lists the runtime's coroutines that wait: for what, and for how long. A snapshot: they go on meanwhile.
    ///
    /// It costs a lock of each worker's list, and a little for each coroutine.
    ///
    /// ```
    /// use kettle::runtime::{Deadlock, Runtime};
    /// use kettle::thread;
    ///
    /// let runtime = Runtime::builder().workers(1).build()?;
    /// let sleeper = runtime.spawn(|| thread::park());
    /// let dump = loop {
    ///     let dump = runtime.handle().dump();
    ///     if !dump.waiting().is_empty() {
    ///         break dump;
    ///     }
    /// };
    /// println!("{dump}");
    /// assert_eq!(dump.waiting()[0].thread().id(), sleeper.thread().id());
    /// assert_ne!(dump.deadlock(), Deadlock::Certain, "this thread might wake it");
    /// sleeper.thread().unpark();
    /// sleeper.join().unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn dump(&self) -> Dump {
        let tasks = self.shared.who_waits();
        let circles = circles(&tasks);
        let describe = |task: TaskRef| Waiting {
            reason: task.reason().to_string(),
            elapsed: task.waited(),
            thread: Thread::new(task),
        };
        let waiting = tasks.into_iter().map(describe).collect();
        Dump { waiting, circles, live: self.shared.live(), stuck: self.shared.stuck() }
    }

    /// Asks the runtime's coroutines that wait, `most` of them at the most, to say on standard error for what
    /// they do, for how long, and where: each is woken for a moment, finds out the functions that it is in, and
    /// waits on. That takes a millisecond or so for each.
    pub fn ask_who_waits(&self, most: usize) {
        self.shared.ask_who_waits(most);
    }
}

impl Dump {
    /// The coroutines that wait and have not been woken. None in a child process that was forked without exec.
    #[must_use]
    pub fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// The circles of coroutines that wait for each other, each for the next one and the last for the first: by
    /// joining it, or for a [`Mutex`](crate::sync::Mutex) that it holds. None of them can go on, unless it is
    /// cancelled. (Who holds other locks is not known; coroutines of other runtimes are not looked at.)
    ///
    /// ```
    /// use kettle::runtime::Runtime;
    /// use kettle::sync::{Barrier, Mutex};
    /// use kettle::thread;
    /// use std::sync::Arc;
    ///
    /// let runtime = Runtime::builder().workers(1).build()?;
    /// let forks = Arc::new(([Mutex::new(()), Mutex::new(())], Barrier::new(2)));
    /// let diners: Vec<_> = (0..2)
    ///     .map(|seat| {
    ///         let forks = Arc::clone(&forks);
    ///         runtime.spawn(move || {
    ///             let _left = forks.0[seat].lock().unwrap();
    ///             forks.1.wait();
    ///             let _right = forks.0[1 - seat].lock().unwrap();
    ///         })
    ///     })
    ///     .collect();
    /// let dump = loop {
    ///     let dump = runtime.handle().dump();
    ///     if dump.circles().next().is_some() {
    ///         break dump;
    ///     }
    /// };
    /// assert_eq!(dump.circles().next().unwrap().len(), 2);
    /// diners[0].cancel()?;
    /// # for diner in diners { drop(diner.join()); }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn circles(&self) -> impl Iterator<Item = Vec<&Waiting>> {
        self.circles.iter().map(|circle| circle.iter().map(|&place| &self.waiting[place]).collect())
    }

    /// How many coroutines there are, those included that run, or have not begun.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live
    }

    /// Whether any of them can go on. [`Builder::on_deadlock`](super::Builder::on_deadlock) says so unasked,
    /// where it is certain.
    ///
    /// A runtime is only said to be deadlocked when its workers have had nothing to do for a while (some tenths
    /// of a second), and never if it is to ignore it.
    #[must_use]
    pub fn deadlock(&self) -> Deadlock {
        match self.stuck {
            Stuck::No => Deadlock::No,
            Stuck::Alone => Deadlock::Possible,
            Stuck::ForEver => Deadlock::Certain,
        }
    }
}

impl fmt::Display for Dump {
    /// A line for each coroutine, and one for each circle of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} coroutines, of which {} wait", self.live, self.waiting.len())?;
        self.waiting.iter().try_for_each(|waiting| writeln!(f, "  {waiting}"))?;
        for circle in self.circles() {
            f.write_str("these wait for each other, in a circle:")?;
            for one in circle {
                write!(f, " {:?}", one.thread.id())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Waiting {
    /// Which it is.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// What it waits for, in words for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// For how long it has waited, roughly: as exact as its worker's last look at the clock before.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.thread.name().unwrap_or("<unnamed>");
        let elapsed = self.elapsed.as_secs_f64();
        write!(f, "'{name}' ({:?}), {}, for some {elapsed:.1} s", self.thread.id(), self.reason)
    }
}
