//! Messages between two tasks, and from many to one.

use peers::Report;
use std::time::Instant;
use tokio::sync::mpsc;

pub(crate) async fn ping_pong(count: u64) -> Report {
    let (ping, mut pinged) = mpsc::channel(1);
    let (pong, mut ponged) = mpsc::channel(1);
    let partner = tokio::spawn(async move {
        while let Some(number) = pinged.recv().await {
            pong.send(number + 1).await.unwrap();
        }
    });
    let begin = Instant::now();
    let mut sum = 0;
    for number in 0..count {
        ping.send(number).await.unwrap();
        sum += ponged.recv().await.unwrap();
    }
    let report = Report::new(sum).ns_each(begin, count);
    drop(ping);
    partner.await.unwrap();
    report
}

pub(crate) async fn fan_in(senders: u64, each: u64, capacity: usize) -> Report {
    let begin = Instant::now();
    let (sender, mut receiver) = mpsc::channel(capacity);
    for _ in 0..senders {
        let sender = sender.clone();
        tokio::spawn(async move {
            for number in 0..each {
                sender.send(number).await.unwrap();
            }
        });
    }
    drop(sender);
    let mut sum = 0;
    while let Some(number) = receiver.recv().await {
        sum += number;
    }
    Report::new(sum).ns_each(begin, senders * each)
}

pub(crate) async fn fan_in_unbounded(senders: u64, each: u64) -> Report {
    let begin = Instant::now();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for _ in 0..senders {
        let sender = sender.clone();
        tokio::spawn(async move {
            for number in 0..each {
                sender.send(number).unwrap();
            }
        });
    }
    drop(sender);
    let mut sum = 0;
    while let Some(number) = receiver.recv().await {
        sum += number;
    }
    Report::new(sum).ns_each(begin, senders * each)
}
