//! Each task has ten children until there are enough leaves; the sum of the leaves' numbers comes back up.

use peers::Report;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

pub(crate) async fn skynet(leaves: u64) -> Report {
    let begin = Instant::now();
    let sum = node(0, leaves).await;
    Report::new(sum).seconds(begin).peak()
}

fn node(first: u64, leaves: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if leaves == 1 {
            return first;
        }
        let part = leaves / 10;
        let children: [_; 10] =
            std::array::from_fn(|child| tokio::spawn(node(first + child as u64 * part, part)));
        let mut sum = 0;
        for child in children {
            sum += child.await.unwrap();
        }
        sum
    })
}
