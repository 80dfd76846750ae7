//! Spawn and join: with one outstanding, or a batch of them; from a task, or from a thread outside the runtime.

use peers::{Report, Result};
use std::time::Instant;
use tokio::runtime::Runtime;

pub(crate) async fn inside(count: u64, outstanding: usize) -> Report {
    let begin = Instant::now();
    let mut sum = 0;
    let mut handles = Vec::with_capacity(outstanding);
    for first in (0..count).step_by(outstanding) {
        handles.extend(
            (first..count.min(first + outstanding as u64))
                .map(|number| tokio::spawn(async move { number })),
        );
        for handle in handles.drain(..) {
            sum += handle.await.unwrap();
        }
    }
    Report::new(sum).ns_each(begin, count)
}

pub(crate) fn outside(runtime: &Runtime, count: u64, outstanding: usize) -> Result<Report> {
    let begin = Instant::now();
    let mut sum = 0;
    let mut handles = Vec::with_capacity(outstanding);
    for first in (0..count).step_by(outstanding) {
        handles.extend(
            (first..count.min(first + outstanding as u64))
                .map(|number| runtime.spawn(async move { number })),
        );
        for handle in handles.drain(..) {
            sum += runtime.block_on(handle)?;
        }
    }
    Ok(Report::new(sum).ns_each(begin, count))
}
