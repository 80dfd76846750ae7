//! HTTP plaintext with may_minihttp.

use may_minihttp::{HttpServer, HttpService, Request, Response};
use peers::{Options, Result, raise_file_limit};
use std::io;

#[derive(Clone)]
struct Plaintext;

impl HttpService for Plaintext {
    fn call(&mut self, _: Request<'_, '_, '_>, response: &mut Response<'_>) -> io::Result<()> {
        response.header("Content-Type: text/plain").body("Hello, World!");
        Ok(())
    }
}

fn main() -> Result<()> {
    let options = Options::from_env()?;
    if options.workload != "http" {
        return options.unknown();
    }
    raise_file_limit();
    may::config().set_workers(options.count("workers")?);
    let server = HttpServer(Plaintext).start(options.address("listen")?)?;
    server.join().map_err(|_| "the server has panicked".into())
}
