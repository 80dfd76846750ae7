//! A TCP forwarder, two coroutines per connection, in code that blocks.
//!
//! ```text
//! cargo run --release --example proxy -- --listen 127.0.0.1:7000 --to 127.0.0.1:7777
//! ```
//!
//! [`forward`] is the demo. The two directions end independently: what one side has ended is ended towards the
//! other, and the rest still flows the other way. An error is not an end: whoever is left gets a reset, so that
//! half a file is never taken for a whole one.

use kettle::net::{Shutdown, TcpListener, TcpStream};
use kettle::runtime::Runtime;
use kettle::{group, thread};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
Forwards each TCP connection to another address, until it is stopped.

  --to ADDR        where to; needed
  --listen ADDR    where to listen; port 0 takes a free one (127.0.0.1:7000)
  --workers N      worker threads (one for each core)
  --buffer BYTES   of each direction of each connection (16384)
  --help           this text

It says on standard output where it listens. Exit code: 1 if it cannot listen there, 2 for options that
cannot be.";

struct Options {
    listen: SocketAddr,
    to: SocketAddr,
    workers: usize,
    buffer: usize,
}

impl Options {
    /// None if only the help is wanted.
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let mut listen = SocketAddr::from(([127, 0, 0, 1], 7000));
        let mut to = None;
        let mut workers = thread::available_parallelism().map_or(1, usize::from);
        let mut buffer = 16 << 10;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => listen = parser.value()?.parse()?,
                Long("to") => to = Some(parser.value()?.parse()?),
                Long("workers") => workers = parser.value()?.parse()?,
                Long("buffer") => buffer = parser.value()?.parse()?,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        let Some(to) = to else { return Err("--to ADDR is needed: where to?".into()) };
        if buffer == 0 {
            return Err("--buffer 0 has no room for a byte".into());
        }
        Ok(Some(Self { listen, to, workers, buffer }))
    }
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", options.listen);
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> io::Result<()> {
    Runtime::builder().workers(options.workers).build_global()?;
    let listener = TcpListener::bind(options.listen)?;
    let (to, buffer) = (options.to, options.buffer);
    println!("listening on {}, to {to}", listener.local_addr()?);
    kettle::run(move || {
        for stream in listener.incoming() {
            let stream = stream?;
            // A connection that breaks has told both its ends; it is no concern of the others'.
            thread::spawn(move || drop(forward(stream, to, buffer)));
        }
        Ok(())
    })
}

/// Forwards between `client` and a new connection to `to` until both directions have ended.
///
/// # Errors
///
/// The first of either direction; both connections are reset then.
pub(crate) fn forward(client: TcpStream, to: SocketAddr, buffer: usize) -> io::Result<()> {
    let server = match TcpStream::connect(to) {
        Ok(server) => server,
        Err(error) => {
            reset_on_close(&client)?;
            return Err(error);
        }
    };
    let forwarded = client.set_nodelay(true).and(server.set_nodelay(true)).and_then(|()| {
        // The first error cancels the other direction, wherever it waits.
        group::run(|group| {
            group.spawn(|| pump(&client, &server, buffer));
            group.spawn(|| pump(&server, &client, buffer));
            Ok(())
        })
    });
    if forwarded.is_err() {
        reset_on_close(&client)?;
        reset_on_close(&server)?;
    }
    forwarded
}

/// Hands on whatever comes, and in the end that it has ended.
fn pump(mut from: &TcpStream, mut to: &TcpStream, buffer: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer];
    loop {
        let len = from.read(&mut buffer)?;
        if len == 0 {
            return match to.shutdown(Shutdown::Write) {
                // It is gone, after all was said: not an error of this direction's.
                Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
                done => done,
            };
        }
        to.write_all(&buffer[..len])?;
    }
}

/// What std's `TcpStream::set_linger` will do.
fn reset_on_close(stream: &TcpStream) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?)
}
