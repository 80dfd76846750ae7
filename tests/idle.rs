//! As many connections as the design promises, none of which says anything for a while: what they cost, and that
//! none of them is lost. The server is one process, the clients are another: a process may have 20,000 descriptors
//! here.

#[path = "support/child.rs"]
mod child;
#[path = "../examples/echo.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod echo;
#[path = "support/server.rs"]
mod server;
#[allow(dead_code, reason = "each program uses a part")]
mod support;

use server::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const CONNECTIONS: u64 = 15_000;

/// Of user memory, for an idle connection and its coroutine. Where nothing is optimised the frames take two pages
/// and more: how many depends on what a worker did on the stack of a coroutine while that waited.
const MOST: u64 = if cfg!(debug_assertions) { 16 << 10 } else { 5 << 10 };

/// Before the first figure is taken: what is made once is made by then.
const FIRST: usize = 500;

/// Bytes of the process's own: neither the program's file, nor the kernel's for its sockets.
fn user_memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// Says something to each of them, and then hears it from each of them.
fn speak(streams: &mut [TcpStream], round: usize) {
    for (n, stream) in streams.iter_mut().enumerate() {
        stream.write_all(&(n * 7 + round).to_le_bytes()).unwrap();
    }
    for (n, stream) in streams.iter_mut().enumerate() {
        let mut word = [0; 8];
        stream.read_exact(&mut word).unwrap_or_else(|error| panic!("connection {n}: {error}"));
        assert_eq!(usize::from_le_bytes(word), n * 7 + round);
    }
}

#[test]
fn fifteen_thousand_idle_connections_are_cheap_and_none_is_lost() {
    const NAME: &str = "fifteen_thousand_idle_connections_are_cheap_and_none_is_lost";
    if let Some(scenario) = child::scenario() {
        // SAFETY: sets the timer of this process.
        unsafe { libc::alarm(300) };
        echo::run(lexopt::Parser::from_args(scenario.split(' ')));
        unreachable!("the server is ended from outside");
    }
    let emulated = std::env::var_os("KETTLE_TEST_RUNNER").is_some();
    let wanted = if emulated { 1000 } else { CONNECTIONS };
    // The server inherits the limit.
    let count = limit_descriptors(wanted + 500) - 500;
    if count < wanted {
        println!("the limit of open files (`ulimit -Hn`) leaves room for {count} connections");
    }
    for workers in [1, 2] {
        let server = Server::start(NAME, &format!("--listen 127.0.0.1:0 --workers {workers}"));
        let mut streams = Vec::new();
        let mut connect = |count: usize| {
            while streams.len() < count {
                let stream = TcpStream::connect(server.address).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
                streams.push(stream);
            }
            speak(&mut streams, 0);
            user_memory(&server)
        };
        let first = connect(FIRST);
        let all = connect(count as usize);
        let each = all.saturating_sub(first) / (count - FIRST as u64);
        println!("{count} idle connections, {workers} workers: {each} bytes of user memory each");
        if !emulated {
            assert!(each <= MOST, "{each} bytes for an idle connection");
        }
        for round in 1..=2 {
            speak(&mut streams, round);
        }
        for mut stream in streams {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        }
    }
}

/// Raises the limit of open files to `wanted`, or as far as the system lets us. Returns it, or `wanted`.
fn limit_descriptors(wanted: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: asks for and sets a limit of this process.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max.min(wanted.max(limit.rlim_cur));
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
    limit.rlim_cur.min(wanted)
}
