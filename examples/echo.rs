//! An echo server, TCP and UDP, a coroutine per connection, in code that blocks.
//!
//! ```text
//! cargo run --release --example echo -- --listen 127.0.0.1:7777
//! nc 127.0.0.1 7777          nc -u 127.0.0.1 7777
//! ```

use kettle::net::{TcpListener, TcpStream, UdpSocket};
use kettle::runtime::Runtime;
use kettle::thread;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

const HELP: &str = "\
Sends back whatever it gets, over TCP and UDP, until it is stopped.

  --listen ADDR    where to listen; port 0 takes a free one (127.0.0.1:7777)
  --workers N      worker threads (one for each core)
  --stack-size B   bytes of stack for each connection, of which only what it touches is used (65536)
  --accept-in-main the loop that accepts runs in the main thread, not in a coroutine
  --help           this text

It says on standard output where it listens. Exit code: 1 if it cannot listen there, 2 for options that
cannot be.";

struct Options {
    listen: SocketAddr,
    workers: usize,
    stack_size: usize,
    accept_in_main: bool,
}

impl Options {
    /// None if only the help is wanted.
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7777)),
            workers: thread::available_parallelism().map_or(1, usize::from),
            // What a connection needs is known, and page tables are smaller if stacks lie close together.
            stack_size: 64 << 10,
            accept_in_main: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("workers") => options.workers = parser.value()?.parse()?,
                Long("stack-size") => options.stack_size = parser.value()?.parse()?,
                Long("accept-in-main") => options.accept_in_main = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(options))
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
    let runtime = Runtime::builder().workers(options.workers);
    runtime.stack_size(options.stack_size).build_global()?;
    let listener = TcpListener::bind(options.listen)?;
    let address = listener.local_addr()?;
    let socket = UdpSocket::bind(address)?;
    println!("listening on {address}, TCP and UDP");
    thread::spawn(move || echo_datagrams(&socket));
    let accept = move || accept(&listener);
    if options.accept_in_main { accept() } else { kettle::run(accept) }
}

fn accept(listener: &TcpListener) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            // A peer that is gone is no concern of the others'.
            let _ = echo(stream);
        });
    }
    Ok(())
}

pub(crate) fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // On the coroutine's stack, and small, so that an idle connection costs one page of it.
    let mut buffer = [0; 1024];
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..len])?;
    }
}

fn echo_datagrams(socket: &UdpSocket) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        // An error is about one peer that is gone: the next datagram is another's.
        if let Ok((len, peer)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..len], peer);
        }
    }
}
