//! Messages between two coroutines, and from many to one. May's channels are unbounded.

use may::go;
use may::sync::{mpsc, spsc};
use peers::Report;
use std::time::Instant;

pub(crate) fn ping_pong(count: u64) -> Report {
    let (ping, pinged) = spsc::channel();
    let (pong, ponged) = spsc::channel();
    let partner = go!(move || {
        while let Ok(number) = pinged.recv() {
            pong.send(number + 1).unwrap();
        }
    });
    let begin = Instant::now();
    let mut sum = 0;
    for number in 0..count {
        ping.send(number).unwrap();
        sum += ponged.recv().unwrap();
    }
    let report = Report::new(sum).ns_each(begin, count);
    drop(ping);
    partner.join().unwrap();
    report
}

pub(crate) fn fan_in(senders: u64, each: u64) -> Report {
    let begin = Instant::now();
    let (sender, receiver) = mpsc::channel();
    for _ in 0..senders {
        let sender = sender.clone();
        go!(move || {
            for number in 0..each {
                sender.send(number).unwrap();
            }
        });
    }
    drop(sender);
    let sum = receiver.iter().sum();
    Report::new(sum).ns_each(begin, senders * each)
}
