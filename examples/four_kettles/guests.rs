//! The guests, who are the same for all: each a coroutine that says its name, and asks for a cup when it has the
//! last one. The server is a process of its own, whose bill can be told apart.

use kettle::group;
use kettle::net::TcpStream;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a server has cost.
#[derive(Debug)]
pub(crate) struct Bill {
    /// From the first cup to the last.
    pub(crate) time: Duration,
    /// Of the server's, meanwhile.
    pub(crate) cpu: Duration,
    /// And in a second in which nobody says anything.
    pub(crate) cpu_idle: Duration,
    /// Bytes, when all guests are there.
    pub(crate) resident: u64,
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Fails where it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(command: &mut Command) -> io::Result<(Self, SocketAddr)> {
        let mut server = Self(command.stdout(Stdio::piped()).spawn()?);
        for line in BufReader::new(server.0.stdout.take().expect("a pipe")).lines() {
            let line = line?;
            let address =
                line.strip_prefix("listening on ").and_then(|rest| rest.split(',').next());
            if let Some(address) = address {
                let address = address.parse().map_err(io::Error::other)?;
                return Ok((server, address));
            }
        }
        Err(io::Error::other("the server has ended"))
    }

    fn file(&self, name: &str) -> io::Result<String> {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.0.id()))
    }

    fn cpu(&self) -> io::Result<Duration> {
        let stat = self.file("stat")?;
        // After the name, which may hold anything: the 12th and 13th field, in hundredths of a second.
        let ticks = stat.rsplit(')').next().into_iter().flat_map(str::split_whitespace).skip(11);
        let ticks = ticks.take(2).filter_map(|it| it.parse::<u64>().ok()).sum::<u64>();
        Ok(Duration::from_millis(ticks * 10))
    }

    fn resident(&self) -> io::Result<u64> {
        let status = self.file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kib.ok_or_else(|| io::Error::other("/proc does not tell the memory"))? << 10)
    }
}

/// All guests come, and each has its cups.
pub(crate) fn visit(server: &mut Command, guests: usize, cups: usize) -> io::Result<Bill> {
    let (server, address) = Server::start(server)?;
    kettle::run(move || {
        let mut visitors: Vec<_> = group::try_map(0..guests, 64, |n| Visitor::come(n, address))?;
        let resident = server.resident()?;
        let before = server.cpu()?;
        kettle::time::sleep(Duration::from_secs(1));
        let cpu_idle = server.cpu()? - before;
        let (begin, before) = (Instant::now(), server.cpu()?);
        group::run(|group| {
            for visitor in &mut visitors {
                group.spawn(move || (1..=cups).try_for_each(|cup| visitor.drink(cup)));
            }
            Ok::<(), io::Error>(())
        })?;
        let (time, cpu) = (begin.elapsed(), server.cpu()? - before);
        Ok(Bill { time, cpu, cpu_idle, resident })
    })
}

struct Visitor {
    number: usize,
    stream: BufReader<TcpStream>,
}

impl Visitor {
    fn come(number: usize, address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut visitor = Self { number, stream: BufReader::with_capacity(256, stream) };
        visitor.say(&format!("guest {number}\n"), &format!("welcome, guest {number}\n"))?;
        Ok(visitor)
    }

    fn drink(&mut self, cup: usize) -> io::Result<()> {
        let number = self.number;
        self.say("green tea\n", &format!("green tea for guest {number}, cup {cup}\n"))
    }

    fn say(&mut self, line: &str, expected: &str) -> io::Result<()> {
        self.stream.get_ref().write_all(line.as_bytes())?;
        let mut answer = String::new();
        self.stream.read_line(&mut answer)?;
        if answer != expected {
            return Err(io::Error::other(format!("{answer:?} instead of {expected:?}")));
        }
        Ok(())
    }
}
