//! What the programs share: the command line, the one line of JSON that each prints, and how much memory a process
//! has. Nothing of what is measured is in here.

use std::collections::HashMap;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::time::Instant;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// `workload --name value --name value …`, as `run` calls every program.
#[derive(Debug)]
pub struct Options {
    pub workload: String,
    values: HashMap<String, OsString>,
}

impl Options {
    pub fn from_env() -> Result<Self> {
        use lexopt::prelude::{Long, Value, ValueExt};
        let mut parser = lexopt::Parser::from_env();
        let mut options = Self { workload: String::new(), values: HashMap::new() };
        while let Some(argument) = parser.next()? {
            match argument {
                Value(workload) if options.workload.is_empty() => {
                    options.workload = workload.string()?
                }
                Long(name) => {
                    let name = name.to_string();
                    options.values.insert(name, parser.value()?);
                }
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(options)
    }

    fn text(&self, name: &str) -> Result<&str> {
        let value = self.values.get(name).ok_or_else(|| format!("--{name} is missing"))?;
        value.to_str().ok_or_else(|| format!("--{name} is no text").into())
    }

    pub fn number(&self, name: &str) -> Result<u64> {
        Ok(self.text(name)?.parse().map_err(|error| format!("--{name}: {error}"))?)
    }

    pub fn count(&self, name: &str) -> Result<usize> {
        Ok(usize::try_from(self.number(name)?)?)
    }

    /// As [`count`](Self::count), where it may be missing.
    pub fn given(&self, name: &str) -> Result<Option<usize>> {
        if self.values.contains_key(name) { self.count(name).map(Some) } else { Ok(None) }
    }

    pub fn address(&self, name: &str) -> Result<SocketAddr> {
        Ok(self.text(name)?.parse().map_err(|error| format!("--{name}: {error}"))?)
    }

    /// The error for a workload that the program does not have.
    pub fn unknown<T>(&self) -> Result<T> {
        Err(format!("there is no workload '{}' here", self.workload).into())
    }
}

/// What a run has found: `result` proves that the work was done, and `run` knows what it must be.
#[derive(Debug, Default)]
pub struct Report {
    pub result: u64,
    metrics: Vec<(&'static str, f64)>,
}

impl Report {
    pub fn new(result: u64) -> Self {
        Self { result, metrics: Vec::new() }
    }

    pub fn metric(mut self, name: &'static str, value: f64) -> Self {
        self.metrics.push((name, value));
        self
    }

    /// Nanoseconds for each of `count` operations since `begin`.
    pub fn ns_each(self, begin: Instant, count: u64) -> Self {
        let ns = begin.elapsed().as_nanos() as f64;
        self.metric("ns", ns / count as f64)
    }

    pub fn seconds(self, begin: Instant) -> Self {
        let seconds = begin.elapsed().as_secs_f64();
        self.metric("seconds", seconds)
    }

    /// The most memory that the process has had resident.
    pub fn peak(self) -> Self {
        let bytes = status("VmHWM");
        self.metric("peak_mib", bytes as f64 / (1 << 20) as f64)
    }

    pub fn print(&self) {
        let mut line = format!("{{\"result\": {}", self.result);
        for (name, value) in &self.metrics {
            write!(line, ", \"{name}\": {value}").expect("a String takes everything");
        }
        println!("{line}}}");
    }
}

/// A line of `/proc/self/status`, in bytes.
pub fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("the kernel knows this line") * 1024
}

/// What the process holds: resident pages and page tables, in bytes.
pub fn resident() -> u64 {
    status("VmRSS") + status("VmPTE")
}

/// How long the `number`th sleeper sleeps, in microseconds: up to a second, spread evenly.
pub fn nap(number: u64) -> u64 {
    number * 2_654_435_761 % 1_000_000
}

/// As many open files as the hard limit allows.
pub fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where this is refused, accept says so soon enough.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Computes for about a millisecond: what the mixed workload's slow requests cost.
pub fn burn() {
    let begin = Instant::now();
    while begin.elapsed().as_micros() < 1000 {
        std::hint::spin_loop();
    }
}

/// The first byte of a request that asks for [`burn`].
pub const BURN: u8 = b'!';
