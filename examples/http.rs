//! An HTTP/1.1 server, a coroutine per connection, in code that blocks: keep-alive and pipelining, plain text and
//! JSON, and nothing between it and the socket but a parser.
//!
//! ```text
//! cargo run --release --example http -- --listen 127.0.0.1:8080
//! curl -i http://127.0.0.1:8080/plaintext http://127.0.0.1:8080/json
//! ```
//!
//! [`serve`] is the demo: it reads, lets the [`Conversation`] answer all that is complete, and sends the answers
//! in one go. Whoever reads slowly, or sends one byte a minute, holds a coroutine and nobody else.

#[path = "http/conversation.rs"]
pub(crate) mod conversation;
#[path = "http/date.rs"]
pub(crate) mod date;

use conversation::{Conversation, LONGEST_HEAD, Next};
use kettle::net::{Shutdown, TcpListener, TcpStream};
use kettle::runtime::Runtime;
use kettle::thread;
use kettle::time::{Duration, timeout};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

const HELP: &str = "\
Answers GET /plaintext and GET /json over HTTP/1.1, until it is stopped.

  --listen ADDR    where to listen; port 0 takes a free one (127.0.0.1:8080)
  --workers N      worker threads (one for each core)
  --help           this text

It says on standard output where it listens. Exit code: 1 if it cannot listen there, 2 for options that
cannot be.";

/// So much time, and so many bytes, a peer gets to notice that it has been told the end.
const FAREWELL: (Duration, usize) = (Duration::from_secs(5), 1 << 20);

struct Options {
    listen: SocketAddr,
    workers: usize,
}

impl Options {
    /// None if only the help is wanted.
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: thread::available_parallelism().map_or(1, usize::from),
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("workers") => options.workers = parser.value()?.parse()?,
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
    match listen(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", options.listen);
            ExitCode::FAILURE
        }
    }
}

fn listen(options: &Options) -> io::Result<()> {
    Runtime::builder().workers(options.workers).build_global()?;
    let listener = TcpListener::bind(options.listen)?;
    println!("listening on {}, HTTP", listener.local_addr()?);
    kettle::run(move || {
        for stream in listener.incoming() {
            let stream = stream?;
            // A peer that is gone is no concern of the others'.
            thread::spawn(move || drop(serve(stream)));
        }
        Ok(())
    })
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = vec![0; LONGEST_HEAD];
    let mut filled = 0;
    let mut output = Vec::new();
    let mut conversation = Conversation::default();
    loop {
        let len = stream.read(&mut input[filled..])?;
        if len == 0 {
            return Ok(());
        }
        filled += len;
        let (taken, next) =
            date::with_now(|date| conversation.go_on(&input[..filled], date, &mut output));
        stream.write_all(&output)?;
        output.clear();
        if next == Next::Close {
            return part(stream);
        }
        input.copy_within(taken..filled, 0);
        filled -= taken;
    }
}

/// Closes the connection so that the peer gets the last answer: closed with something unread, it would be reset,
/// and what the peer has not read yet would be lost with it.
fn part(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    let (time, mut room) = FAREWELL;
    timeout(time, || {
        let mut unheard = [0; 1024];
        while room > 0 {
            match stream.read(&mut unheard)? {
                0 => break,
                len => room = room.saturating_sub(len),
            }
        }
        Ok(())
    })
    .unwrap_or(Ok(()))
}
