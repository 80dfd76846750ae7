//! A chat room over TCP: whatever one says, all others hear.
//!
//! ```text
//! cargo run --release --example chat -- --listen 127.0.0.1:7778
//! nc 127.0.0.1 7778          in as many terminals as you like
//! ```

#[path = "support/options.rs"]
mod options;

use kettle::channel::{Receiver, Sender, bounded, select};
use kettle::net::{TcpListener, TcpStream};
use kettle::{runtime::Runtime, thread};
use options::Value;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::Shutdown;
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = "\
A chat room. A guest's first line is the name; every other one is said to all others.

  --listen ADDR    where to listen; port 0 takes a free one (127.0.0.1:7778)
  --patience N     how many lines a guest may be behind before it is shown out (100)
  --help           this text

It says on standard output where it listens. Exit code: 1 if it cannot listen there.";

/// A line for a guest to hear.
type Line = Arc<str>;

/// What the room is told of its guests.
enum Event {
    Enters { number: u64, name: String, lines: Sender<Line> },
    Says { number: u64, words: String },
    Leaves { number: u64 },
}

/// The room: one coroutine, so there is one order in which everybody hears everything. It waits for nobody: who
/// does not listen is shown out.
fn room(events: &Receiver<Event>) {
    let mut guests: HashMap<u64, (String, Sender<Line>)> = HashMap::new();
    for event in events {
        let (speaker, line) = match event {
            Event::Enters { number, name, lines } => {
                let line = format!("* {name} comes in");
                // The first line always has room, and who has gone already will say so.
                let _ = lines
                    .try_send(Line::from(format!("* in the room before you: {}", guests.len())));
                guests.insert(number, (name, lines));
                (number, line)
            }
            Event::Says { number, words } => match guests.get(&number) {
                Some((name, _)) => (number, format!("{name}: {words}")),
                None => continue,
            },
            Event::Leaves { number } => match guests.remove(&number) {
                Some((name, _)) => (number, format!("* {name} goes")),
                None => continue,
            },
        };
        let line = Line::from(line);
        // To drop the sender ends the guest's connection.
        guests.retain(|&number, (_, lines)| {
            number == speaker || lines.try_send(line.clone()).is_ok()
        });
    }
}

/// A guest: reads here, and writes in a coroutine of its own.
fn guest(
    stream: TcpStream,
    number: u64,
    events: &Sender<Event>,
    patience: usize,
) -> io::Result<()> {
    let mut words = BufReader::new(stream.try_clone()?).lines();
    let Some(name) = words.next().transpose()? else { return Ok(()) };
    let (lines, to_write) = bounded(patience);
    let (gone, has_gone) = bounded::<()>(0);
    let writer = thread::spawn(move || write(&stream, &to_write, &has_gone));
    let tell = |event| events.send(event).map_err(|_| io::ErrorKind::BrokenPipe);
    tell(Event::Enters { number, name, lines })?;
    let read = words.try_for_each(|words| Ok(tell(Event::Says { number, words: words? })?));
    tell(Event::Leaves { number })?;
    drop(gone);
    // It does not panic.
    let _ = writer.join();
    read
}

/// Writes what the guest is to hear, until it has gone, or is shown out.
fn write(mut stream: &TcpStream, lines: &Receiver<Line>, has_gone: &Receiver<()>) {
    loop {
        select! {
            recv(lines) -> line => match line {
                Ok(line) if writeln!(stream, "{line}").is_ok() => {}
                // This ends the reading too.
                _ => return drop(stream.shutdown(Shutdown::Both)),
            },
            recv(has_gone) -> _ => return,
        }
    }
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let (mut listen, mut patience) = ("127.0.0.1:7778".to_owned(), 100);
    let options =
        &mut [("listen", Value::Word(&mut listen)), ("patience", Value::Number(&mut patience))];
    if let Err(code) = options::read(arguments, HELP, options) {
        return code;
    }
    let served = Runtime::new().and_then(|runtime| runtime.run(|| serve(&listen, patience)));
    if let Err(error) = served {
        eprintln!("error: cannot listen at {listen}: {error}");
    }
    ExitCode::FAILURE
}

fn serve(listen: &str, patience: usize) -> io::Result<()> {
    let listener = TcpListener::bind(listen)?;
    println!("listening on {}", listener.local_addr()?);
    let (events, told) = bounded(100);
    thread::spawn(move || room(&told));
    for (number, stream) in (0..).zip(listener.incoming()) {
        let (stream, events) = (stream?, events.clone());
        thread::spawn(move || {
            // What went wrong with one guest is no concern of the others'.
            let _ = guest(stream, number, &events, patience);
        });
    }
    Ok(())
}
