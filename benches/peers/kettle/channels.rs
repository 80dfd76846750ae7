//! Messages between two coroutines, and from many to one.

use kettle::channel::{bounded, unbounded};
use kettle::thread;
use peers::Report;
use std::time::Instant;

pub(crate) fn ping_pong(count: u64) -> Report {
    let (ping, pinged) = bounded(1);
    let (pong, ponged) = bounded(1);
    let partner = thread::spawn(move || {
        for number in pinged {
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

pub(crate) fn fan_in(senders: u64, each: u64, capacity: usize) -> Report {
    let begin = Instant::now();
    let (sender, receiver) = if capacity == 0 { unbounded() } else { bounded(capacity) };
    for _ in 0..senders {
        let sender = sender.clone();
        thread::spawn(move || {
            for number in 0..each {
                sender.send(number).unwrap();
            }
        });
    }
    drop(sender);
    let sum = receiver.iter().sum();
    Report::new(sum).ns_each(begin, senders * each)
}
