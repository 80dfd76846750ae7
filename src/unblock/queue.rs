//! Jobs for which there is no thread yet, in the order in which they came.

use std::collections::VecDeque;

/// First in, first out; a job can also be taken back out of the middle, in constant time: it leaves a
/// gap, which the next one to take from the front steps over.
#[derive(Debug)]
pub(super) struct Queue<J> {
    jobs: VecDeque<Option<J>>,
    /// The ticket of the first.
    first: u64,
}

/// Where in the queue a job is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(u64);

impl<J> Queue<J> {
    pub(super) const fn new() -> Self {
        Self { jobs: VecDeque::new(), first: 0 }
    }

    pub(super) fn push(&mut self, job: J) -> Ticket {
        self.jobs.push_back(Some(job));
        Ticket(self.first + self.jobs.len() as u64 - 1)
    }

    pub(super) fn pop(&mut self) -> Option<J> {
        while let Some(job) = self.jobs.pop_front() {
            self.first += 1;
            if job.is_some() {
                return job;
            }
        }
        None
    }

    /// Takes back the job that got this ticket, if it is still here.
    pub(super) fn withdraw(&mut self, ticket: Ticket) -> Option<J> {
        let index = usize::try_from(ticket.0.checked_sub(self.first)?).ok()?;
        self.jobs.get_mut(index)?.take()
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;

    #[test]
    fn what_is_withdrawn_leaves_the_others_in_their_order() {
        let mut queue = Queue::new();
        let tickets: Vec<_> = (0..4).map(|n| queue.push(n)).collect();
        assert_eq!(queue.pop(), Some(0));
        assert_eq!(queue.withdraw(tickets[0]), None, "it has begun");
        assert_eq!(queue.withdraw(tickets[2]), Some(2));
        assert_eq!(queue.withdraw(tickets[2]), None, "it is gone");
        assert_eq!(queue.pop(), Some(1));
        let last = queue.push(4);
        assert_eq!(queue.withdraw(tickets[3]), Some(3));
        assert_eq!(queue.withdraw(last), Some(4));
        assert_eq!(queue.pop(), None);
        let next = queue.push(5);
        assert_eq!(queue.withdraw(last), None);
        assert_eq!(queue.withdraw(next), Some(5));
    }
}
