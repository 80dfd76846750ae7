//! The examples that show how coroutines work together, each started as a program: this one again, with an example's
//! name and arguments for a scenario.
//!
//! Without libtest, whose main thread waits for the tests: nobody could be sure of a deadlock.

#![allow(clippy::duplicate_mod, reason = "each example has the command line's module for itself")]

#[path = "support/child.rs"]
mod child;
#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/harness.rs"]
mod harness;
mod support;

#[path = "examples/programs.rs"]
mod programs;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, Output, Stdio};
use std::time::Duration;

const NAME: &str = "examples_run";

/// Runs an example with these arguments to its end.
fn run(line: &str) -> Output {
    child::child(NAME, line).output().unwrap()
}

/// What an example says that must succeed.
fn said(line: &str) -> String {
    let output = run(line);
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn expect(line: &str, words: &str) {
    let said = said(line);
    assert!(said.contains(words), "{line} does not say {words:?}:\n{said}");
}

/// The place where the children are.
fn examples_run() {
    if let Some(scenario) = child::scenario() {
        let mut words = scenario.split(' ').map(str::to_owned);
        let name = words.next().unwrap();
        let code = programs::run(&name, lexopt::Parser::from_args(words));
        std::process::exit(code);
    }
    for name in programs::NAMES {
        expect(&format!("{name} --help"), "--help           this text");
        for wrong in ["--no-such-option", "stray"] {
            let output = run(&format!("{name} {wrong}"));
            assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("error: "), "{output:?}");
        }
    }
}

fn the_pipeline_finds_primes_and_bright_pixels() {
    expect("pipeline --primes 100 --frames 20", "prime number 100 is 541\n");
    // However many images may wait, they are the same ones.
    let pixels = |room| said(&format!("pipeline --primes 1 --frames 20 --room {room}"));
    assert_eq!(pixels(1), pixels(7));
}

fn an_actor_that_panics_is_restarted_and_loses_one_message() {
    expect("actors --deposits 100", "100 deposits, 90 on the account, 10 restarts\n");
    let output = run("actors --deposits 100 --restarts 3");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("given up after 3 restarts"),
        "{output:?}"
    );
}

fn skynet_sums_up_its_leaves() {
    expect("skynet --levels 4", "the sum of 10000 leaves is 49995000,");
    expect("skynet --levels 3 --workers 1", "the sum of 1000 leaves is 499500,");
}

fn a_map_in_parallel_gives_what_one_after_the_other_does() {
    expect("parallel_map --items 10000 --piece 7", "6171 takes 261 steps");
}

fn the_philosophers_eat() {
    expect("dining --philosophers 7 --meals 200", "1400 meals\n");
    expect("dining --philosophers 2 --meals 200", "400 meals\n");
}

fn the_philosophers_deadlock_is_reported() {
    if foreign::has_foreign_threads() {
        return;
    }
    let output = run("dining --deadlock");
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    for seat in 0..5 {
        assert!(said.contains(&format!("'philosopher {seat}'")), "{said}");
    }
    assert!(said.contains("waiting for a mutex") && said.contains("starve"), "{said}");
}

fn the_crawler_finds_all_pages_and_keeps_to_its_limit() {
    let said = said("crawl --pages 300 --at-once 20 --latency 1");
    assert!(said.starts_with("300 pages in "), "{said}");
    let most = said.lines().nth(1).unwrap().split(' ').next().unwrap().parse::<usize>().unwrap();
    assert!((2..=20).contains(&most), "{said}");
}

/// A guest of the chat, by std, from outside.
struct Guest(BufReader<TcpStream>);

impl Guest {
    fn enter(address: SocketAddr, name: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut guest = Self(BufReader::new(stream));
        guest.say(name);
        guest
    }

    fn say(&mut self, words: &str) {
        writeln!(self.0.get_mut(), "{words}").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

fn guests_of_the_chat_hear_each_other() {
    let mut server =
        child::child(NAME, "chat --listen 127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let address =
        lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned));
    let address = address.expect("it says where it listens").parse().unwrap();
    let mut first = Guest::enter(address, "polly");
    assert_eq!(first.hear(), "* in the room before you: 0");
    let mut second = Guest::enter(address, "suki");
    assert_eq!(second.hear(), "* in the room before you: 1");
    assert_eq!(first.hear(), "* suki comes in");
    for n in 0..100 {
        first.say(&format!("cup {n}"));
        assert_eq!(second.hear(), format!("polly: cup {n}"));
        second.say("thanks");
        assert_eq!(first.hear(), "suki: thanks");
    }
    second.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(first.hear(), "* suki goes");
    let mut rest = String::new();
    second.0.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    server.kill().unwrap();
    server.wait().unwrap();
}

macro_rules! tests {
    ($($name:ident)*) => {
        vec![$((stringify!($name).to_string(), Box::new($name) as _)),*]
    };
}

fn main() -> ExitCode {
    harness::run(tests! {
        examples_run
        the_pipeline_finds_primes_and_bright_pixels
        an_actor_that_panics_is_restarted_and_loses_one_message
        skynet_sums_up_its_leaves
        a_map_in_parallel_gives_what_one_after_the_other_does
        the_philosophers_eat
        the_philosophers_deadlock_is_reported
        the_crawler_finds_all_pages_and_keeps_to_its_limit
        guests_of_the_chat_hear_each_other
    })
}
