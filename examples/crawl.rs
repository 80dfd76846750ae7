//! A crawler: thousands of pages, a coroutine for each that is known, and so many requests at a time.
//!
//! ```text
//! cargo run --release --example crawl -- --pages 5000 --at-once 200
//! ```
//!
//! The site that it crawls is in the program too: page N has links to pages 2N and 2N + 1, and takes its time.

#[path = "support/options.rs"]
mod options;

use kettle::channel::{Sender, unbounded};
use kettle::net::{TcpListener, TcpStream};
use kettle::sync::Semaphore;
use kettle::time::{self, Duration, Instant};
use kettle::{runtime::Runtime, thread};
use options::Value;
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const HELP: &str = "\
Crawls a site, beginning at its first page, in as many requests at a time as is allowed.

  --pages N        how many pages the site has (2000)
  --at-once N      how many requests there may be at a time (100)
  --latency MS     how long the site takes for a page (2)
  --help           this text

Exit code: 1 if a page was not found.";

/// The site: answers each request with the numbers of the pages that are linked to.
fn serve_page(
    mut stream: TcpStream,
    pages: usize,
    latency: Duration,
    site: &Load,
) -> io::Result<()> {
    let mut request = String::new();
    BufReader::new(&stream).read_line(&mut request)?;
    let page: usize = request.trim().parse().map_err(io::Error::other)?;
    site.enter();
    time::sleep(latency);
    site.leave();
    let links = [2 * page, 2 * page + 1].into_iter().filter(|&link| link <= pages);
    let links: Vec<String> = links.map(|link| link.to_string()).collect();
    stream.write_all(links.join(" ").as_bytes())
}

/// How many requests the site works on, and how many it was at the most.
#[derive(Default)]
struct Load {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Load {
    fn enter(&self) {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }
}

/// The pages that a page links to.
fn fetch(site: SocketAddr, page: usize) -> io::Result<Vec<usize>> {
    let mut stream = TcpStream::connect(site)?;
    writeln!(stream, "{page}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    answer.split_whitespace().map(|link| link.parse().map_err(io::Error::other)).collect()
}

/// A coroutine for a page: waits for its turn, fetches the page and sends what it links to.
fn visit(
    site: SocketAddr,
    page: usize,
    turns: Arc<Semaphore>,
    found: Sender<io::Result<Vec<usize>>>,
) {
    thread::spawn(move || {
        let links = {
            let _turn = turns.acquire();
            fetch(site, page)
        };
        // Nobody listens any more if another page was not found.
        let _ = found.send(links);
    });
}

/// All pages that can be reached.
fn crawl(site: SocketAddr, at_once: usize) -> io::Result<HashSet<usize>> {
    let (found, links) = unbounded();
    let turns = Arc::new(Semaphore::new(at_once));
    let mut seen = HashSet::from([1]);
    visit(site, 1, Arc::clone(&turns), found.clone());
    let mut visits = 1;
    while visits > 0 {
        let links = links.recv().expect("a sender is here")?;
        visits -= 1;
        for page in links {
            if seen.insert(page) {
                visit(site, page, Arc::clone(&turns), found.clone());
                visits += 1;
            }
        }
    }
    Ok(seen)
}

fn main() -> ExitCode {
    run(lexopt::Parser::from_env())
}

/// The program with these arguments.
pub(crate) fn run(arguments: lexopt::Parser) -> ExitCode {
    let (mut pages, mut at_once, mut latency) = (2_000, 100, 2);
    let options = &mut [
        ("pages", Value::Number(&mut pages)),
        ("at-once", Value::Number(&mut at_once)),
        ("latency", Value::Number(&mut latency)),
    ];
    if let Err(code) = options::read(arguments, HELP, options) {
        return code;
    }
    let load = Arc::new(Load::default());
    let latency = Duration::from_millis(latency as u64);
    let start = Instant::now();
    let crawled = Runtime::new().and_then(|runtime| {
        runtime.run(|| {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            let site = listener.local_addr()?;
            let load = Arc::clone(&load);
            thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let load = Arc::clone(&load);
                    thread::spawn(move || serve_page(stream, pages, latency, &load));
                }
            });
            crawl(site, at_once)
        })
    });
    match crawled {
        Ok(seen) => {
            println!("{} pages in {:.0?}", seen.len(), start.elapsed());
            println!("{} requests at a time at the most", load.most.load(SeqCst));
            if seen.len() == pages { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
