//! [`Pool`]: the threads, and who of them does what.
//!
//! A job goes to the thread that became idle last; if none is idle, to a new one; if there are as many as
//! there may be, into the queue. A thread that has done its job takes the next from the queue, or becomes
//! idle, and leaves when it has been idle for the keep-alive. The one that became idle last has the
//! warmest cache, and those below it in the list are the ones that time takes away.
//!
//! Nobody is woken to find nothing: a job is handed to a thread, not put where threads look for it.
//!
//! # Invariants
//!
//! 1. Where jobs are queued no thread is idle, and `threads` is not zero.
//! 2. A thread in `idle` waits on its seat or is about to. Whoever takes the seat out calls it.
//! 3. `threads` counts those that run, and those being started. Whoever fails to start one takes it out
//!    again, and with the last one empties the queue: nobody else would.

use super::Settings;
use super::job::JobRef;
use super::queue::{Queue, Ticket};
use super::seat::{Call, Seat};
use crate::sys;
use crate::task::{TaskRef, Wait};
use crate::util::lock::Lock;
use std::sync::Arc;
use std::thread;

#[derive(Debug)]
pub(super) struct Shared {
    settings: Settings,
    state: Lock<State>,
}

struct State {
    threads: usize,
    idle: Vec<Arc<Seat>>,
    queue: Queue<JobRef>,
    /// Idle threads are to leave; who waits until all have.
    closer: Option<TaskRef>,
}

/// What became of a job that was handed in.
#[derive(Debug)]
#[must_use]
pub(super) enum Submitted {
    /// A thread has it.
    Started,
    /// It waits for a thread.
    Queued(Ticket),
    /// There is no thread and none can be started: the job is its caller's again.
    Refused,
}

/// What a thread does that has done its job.
enum Next {
    Job(JobRef),
    Idle,
    Leave,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        let state = State { threads: 0, idle: Vec::new(), queue: Queue::new(), closer: None };
        Arc::new(Self { settings, state: Lock::new(state) })
    }

    /// Hands a job to a thread, or into the queue.
    pub(super) fn submit(self: &Arc<Self>, job: JobRef) -> Submitted {
        let mut state = self.state.lock();
        if let Some(seat) = state.idle.pop() {
            drop(state);
            seat.call(Call::Job(job));
            return Submitted::Started;
        }
        if state.threads == self.settings.threads {
            return Submitted::Queued(state.queue.push(job));
        }
        state.threads += 1;
        drop(state);
        self.start_thread(job)
    }

    /// Starts a thread that is already counted, for a job.
    #[cold]
    fn start_thread(self: &Arc<Self>, job: JobRef) -> Submitted {
        let mut builder = thread::Builder::new().name(self.settings.name.clone());
        if let Some(size) = self.settings.stack_size {
            builder = builder.stack_size(size);
        }
        // The job is on the seat, not in the closure, which is lost where the thread cannot be started.
        let seat = Arc::new(Seat::new());
        seat.call(Call::Job(job));
        let (own, shared) = (Arc::clone(&seat), Arc::clone(self));
        match builder.spawn(move || shared.serve(&own)) {
            Ok(_) => Submitted::Started,
            Err(_) => match seat.wait(None) {
                Some(Call::Job(job)) => self.do_without(job),
                _ => unreachable!("the thread that would have taken the job was not started"),
            },
        }
    }

    /// The thread that was counted for a job could not be started.
    fn do_without(&self, job: JobRef) -> Submitted {
        let mut state = self.state.lock();
        state.threads -= 1;
        if let Some(seat) = state.idle.pop() {
            drop(state);
            seat.call(Call::Job(job));
            return Submitted::Started;
        }
        if state.threads > 0 {
            return Submitted::Queued(state.queue.push(job));
        }
        // Invariant 3. Those who queued relied on the thread that was not to be.
        while let Some(queued) = state.queue.pop() {
            queued.give_back();
        }
        Submitted::Refused
    }

    /// Takes a job back that has not begun.
    pub(super) fn withdraw(&self, ticket: Ticket) -> Option<JobRef> {
        self.state.lock().queue.withdraw(ticket)
    }

    /// A thread's whole life.
    fn serve(&self, seat: &Arc<Seat>) {
        sys::unpin_thread();
        let mut call = seat.wait(None);
        while let Some(Call::Job(job)) = call {
            let run = job.run();
            // First free again, then the caller is told: what it hands in next finds this thread.
            let next = self.next(seat);
            run.settle();
            call = match next {
                Next::Job(job) => Some(Call::Job(job)),
                Next::Idle => self.wait(seat),
                Next::Leave => None,
            };
        }
    }

    /// What a thread that has done its job does next. If it leaves, it is no longer counted.
    fn next(&self, seat: &Arc<Seat>) -> Next {
        let mut state = self.state.lock();
        if let Some(job) = state.queue.pop() {
            return Next::Job(job);
        }
        if state.closer.is_some() {
            state.leave();
            return Next::Leave;
        }
        state.idle.push(Arc::clone(seat));
        Next::Idle
    }

    /// An idle thread waits to be called, or until its time is over; then it is no longer counted.
    fn wait(&self, seat: &Arc<Seat>) -> Option<Call> {
        if let Some(call) = seat.wait(Some(self.settings.keep_alive)) {
            return Some(call);
        }
        let mut state = self.state.lock();
        match state.idle.iter().position(|other| Arc::ptr_eq(other, seat)) {
            Some(index) => {
                state.idle.remove(index);
                state.leave();
                None
            }
            None => {
                // Invariant 2: somebody has taken the seat out and is about to call.
                drop(state);
                seat.wait(None)
            }
        }
    }

    /// How many threads there are.
    pub(super) fn threads(&self) -> usize {
        self.state.lock().threads
    }

    /// Sends the idle threads away, and each of the others when it has done its job. `closer` is woken
    /// when none is left.
    pub(super) fn close(&self, closer: TaskRef) {
        let mut state = self.state.lock();
        state.closer = Some(closer);
        state.threads -= state.idle.len();
        while let Some(seat) = state.idle.pop() {
            seat.call(Call::Leave);
        }
    }
}

impl State {
    /// Takes the calling thread out of the count.
    fn leave(&mut self) {
        self.threads -= 1;
        if self.threads == 0 {
            if let Some(closer) = &self.closer {
                closer.unpark(Wait::Event);
            }
        }
    }
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("State").field("threads", &self.threads).finish_non_exhaustive()
    }
}
