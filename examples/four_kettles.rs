//! Why coroutines: one small server, written four ways, and the same guests for each.
//!
//! A man boils water. He stands and watches the kettle (`threads`); he watches television and walks over to look
//! again and again (`polling`); he buys one that whistles, and tells it beforehand what he will do when it does
//! (`callbacks`). Or it whistles, and to him it is as if he had stood there all the time (`coroutines`).
//!
//! ```text
//! cargo run --release --example four_kettles
//! cargo run --release --example four_kettles -- --serve coroutines --listen 127.0.0.1:7000
//! ```
//!
//! The servers are in `four_kettles/`, to be read beside each other; `tea.rs` is what they have in common. This
//! file is the guests, and the table.

#[path = "four_kettles/callbacks.rs"]
mod callbacks;
#[path = "four_kettles/coroutines.rs"]
mod coroutines;
#[path = "four_kettles/guests.rs"]
mod guests;
#[path = "four_kettles/polling.rs"]
mod polling;
#[path = "four_kettles/tea.rs"]
mod tea;
#[path = "four_kettles/threads.rs"]
mod threads;

use std::io;
use std::net::SocketAddr;
use std::process::{Command, ExitCode};

const HELP: &str = "\
Serves tea four ways, to the same guests, and prints what each way costs.

  --connections N  guests at once (1000)
  --requests N     cups for each of them (100)
  --serve WAY      does nothing but serve, until it is stopped: threads, polling, callbacks or coroutines
  --listen ADDR    where to, with --serve; port 0 takes a free one (127.0.0.1:7000)
  --help           this text

With --serve it says on standard output where it listens. Exit code: 1 if something fails, 2 for options that
cannot be.";

/// A way to serve, and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Threads,
    Polling,
    Callbacks,
    Coroutines,
}

impl Way {
    const ALL: [Self; 4] = [Self::Threads, Self::Polling, Self::Callbacks, Self::Coroutines];

    fn name(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::Polling => "polling",
            Self::Callbacks => "callbacks",
            Self::Coroutines => "coroutines",
        }
    }

    /// Lines of its code, without comments.
    fn lines(self) -> usize {
        let text = match self {
            Self::Threads => include_str!("four_kettles/threads.rs"),
            Self::Polling => include_str!("four_kettles/polling.rs"),
            Self::Callbacks => include_str!("four_kettles/callbacks.rs"),
            Self::Coroutines => include_str!("four_kettles/coroutines.rs"),
        };
        text.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with("//")).count()
    }

    fn serve(self, address: SocketAddr) -> io::Result<()> {
        if self == Self::Coroutines {
            let listener = kettle::net::TcpListener::bind(address)?;
            println!("listening on {}, {}", listener.local_addr()?, self.name());
            return kettle::run(move || coroutines::serve(&listener));
        }
        let listener = std::net::TcpListener::bind(address)?;
        println!("listening on {}, {}", listener.local_addr()?, self.name());
        match self {
            Self::Threads => threads::serve(&listener),
            Self::Polling => polling::serve(&listener),
            _ => callbacks::serve(listener),
        }
    }
}

struct Options {
    guests: usize,
    cups: usize,
    serve: Option<Way>,
    listen: SocketAddr,
}

impl Options {
    /// None if only the help is wanted.
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let listen = SocketAddr::from(([127, 0, 0, 1], 7000));
        let mut options = Self { guests: 1000, cups: 100, serve: None, listen };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("connections") => options.guests = parser.value()?.parse()?,
                Long("requests") => options.cups = parser.value()?.parse()?,
                Long("listen") => options.listen = parser.value()?.parse()?,
                Long("serve") => {
                    let name = parser.value()?.string()?;
                    let way = Way::ALL.into_iter().find(|way| way.name() == name);
                    options.serve =
                        Some(way.ok_or_else(|| format!("there is no way {name:?} to serve"))?);
                }
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        if options.guests == 0 || options.cups == 0 {
            return Err("no guests or no cups: nothing to compare".into());
        }
        Ok(Some(options))
    }
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env(), |way| {
        let mut command = Command::new(std::env::current_exe().expect("this program has a file"));
        command.args(["--serve", way, "--listen", "127.0.0.1:0"]);
        command
    })
}

/// The program with these arguments. `server` is how to start it again as a server.
pub(crate) fn run(arguments: lexopt::Parser, server: impl Fn(&str) -> Command) -> ExitCode {
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
    let done = match options.serve {
        Some(way) => way.serve(options.listen),
        None => compare(&options, server),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options, server: impl Fn(&str) -> Command) -> io::Result<()> {
    let (guests, cups) = (options.guests, options.cups);
    println!("{guests} guests at once, {cups} cups each:\n");
    println!(
        "             requests/s   CPU s   CPU s in an idle second   resident   lines of code"
    );
    for way in Way::ALL {
        let bill = guests::visit(&mut server(way.name()), guests, cups)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", way.name())))?;
        println!(
            "{:<10} {:>12.0} {:>7.2} {:>25.2} {:>6.1} MiB {:>15}",
            way.name(),
            (guests * cups) as f64 / bill.time.as_secs_f64(),
            bill.cpu.as_secs_f64(),
            bill.cpu_idle.as_secs_f64(),
            bill.resident as f64 / f64::from(1 << 20),
            way.lines(),
        );
    }
    println!(
        "\nThe kernel's memory is not in it: for each thread it keeps a stack of its own, of 16 KiB."
    );
    Ok(())
}
