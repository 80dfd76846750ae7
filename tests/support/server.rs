//! A server in a child process.

use crate::child::child;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

/// One that says on its standard output that it is `listening on` an address. It is ended with the test.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(test: &str, scenario: &str) -> Self {
        let mut process = child(test, scenario).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .map(Result::unwrap)
            .find_map(|line| {
                let address = line.strip_prefix("listening on ")?.split(',').next()?.to_owned();
                Some(address.parse().unwrap())
            })
            .expect("it says where it listens");
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
