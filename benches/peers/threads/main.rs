//! The workloads with an OS thread for each task, and std's own channels and locks.

use peers::{BURN, Options, Report, Result, burn, raise_file_limit};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

fn main() -> Result<()> {
    let options = Options::from_env()?;
    let number = |name| options.number(name);
    let report = match options.workload.as_str() {
        "echo" => return serve(options.address("listen")?),
        "ping-pong" => ping_pong(number("count")?),
        "fan-in" => match options.count("capacity")? {
            0 => {
                let (sender, receiver) = mpsc::channel();
                let send = move |number| sender.send(number).unwrap();
                fan_in(number("senders")?, number("each")?, send, &receiver)
            }
            capacity => {
                let (sender, receiver) = mpsc::sync_channel(capacity);
                let send = move |number| sender.send(number).unwrap();
                fan_in(number("senders")?, number("each")?, send, &receiver)
            }
        },
        "mutex" => mutex(number("tasks")?, number("each")?),
        "spawn-join" => spawn_join(number("count")?, options.count("outstanding")?),
        _ => return options.unknown(),
    };
    report.print();
    Ok(())
}

fn serve(address: SocketAddr) -> Result<()> {
    raise_file_limit();
    let listener = TcpListener::bind(address)?;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || echo(stream));
    }
    Ok(())
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 1024];
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        if buffer[0] == BURN {
            burn();
        }
        stream.write_all(&buffer[..len])?;
    }
}

fn ping_pong(count: u64) -> Report {
    let (ping, pinged) = mpsc::sync_channel(1);
    let (pong, ponged) = mpsc::sync_channel(1);
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

fn fan_in<S>(senders: u64, each: u64, send: S, receiver: &mpsc::Receiver<u64>) -> Report
where
    S: Fn(u64) + Clone + Send + 'static,
{
    let begin = Instant::now();
    for _ in 0..senders {
        let send = send.clone();
        thread::spawn(move || (0..each).for_each(send));
    }
    drop(send);
    let sum = receiver.iter().sum();
    Report::new(sum).ns_each(begin, senders * each)
}

fn mutex(tasks: u64, each: u64) -> Report {
    let begin = Instant::now();
    let counter = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..tasks)
        .map(|_| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || {
                for _ in 0..each {
                    *counter.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let total = *counter.lock().unwrap();
    Report::new(total).ns_each(begin, tasks * each)
}

fn spawn_join(count: u64, outstanding: usize) -> Report {
    let begin = Instant::now();
    let mut sum = 0;
    let mut handles = Vec::with_capacity(outstanding);
    for first in (0..count).step_by(outstanding) {
        handles.extend(
            (first..count.min(first + outstanding as u64))
                .map(|number| thread::spawn(move || number)),
        );
        for handle in handles.drain(..) {
            sum += handle.join().unwrap();
        }
    }
    Report::new(sum).ns_each(begin, count)
}
