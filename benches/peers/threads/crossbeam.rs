//! The channels' workloads with crossbeam-channel, on OS threads.

use crossbeam_channel::{bounded, unbounded};
use peers::{Options, Report, Result};
use std::thread;
use std::time::Instant;

fn main() -> Result<()> {
    let options = Options::from_env()?;
    let number = |name| options.number(name);
    let report = match options.workload.as_str() {
        "ping-pong" => ping_pong(number("count")?),
        "fan-in" => fan_in(number("senders")?, number("each")?, options.count("capacity")?),
        _ => return options.unknown(),
    };
    report.print();
    Ok(())
}

fn ping_pong(count: u64) -> Report {
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

fn fan_in(senders: u64, each: u64, capacity: usize) -> Report {
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
