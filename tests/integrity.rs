//! Random bytes through the echo server and the proxy, in random pieces, with random delays, small buffers, resets
//! and ends in the middle: nothing is lost, doubled or swapped, and at the end no descriptor, no thread and no
//! coroutine is left over. Each byte is compared with what the sender's seed says must come there, which no checksum
//! of a chunk could do better.
//!
//! `KETTLE_INTEGRITY=long` makes it gigabytes.

#[path = "support/child.rs"]
mod child;
#[path = "../examples/echo.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod echo;
#[path = "../examples/proxy.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod proxy;
#[path = "integrity/random.rs"]
mod random;
#[allow(dead_code, reason = "each program uses a part")]
mod support;
#[path = "hostile/toll.rs"]
mod toll;

use kettle::net::{Shutdown, TcpListener, TcpStream};
use kettle::runtime::Runtime;
use kettle::{group, thread, time};
use random::Random;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So much of `quick`, or of `long` where there is time.
fn size(quick: u64, long: u64) -> u64 {
    let is_long = std::env::var_os("KETTLE_INTEGRITY").is_some_and(|value| value == "long");
    if is_long { long } else { quick }
}

/// How many coroutines serve a connection now.
#[derive(Clone, Debug, Default)]
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn one_more(&self) -> Self {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.clone()
    }
}

/// A server whose connections are served by `serve`, until it is cancelled.
fn server(
    alive: &Alive,
    serve: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static,
) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let alive = alive.clone();
    let acceptor = thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.unwrap(), serve.clone());
            let one = alive.one_more();
            thread::spawn(move || {
                // Resets are part of it.
                let _ = serve(stream);
                one.0.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (address, acceptor)
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All comes back.
    Whole,
    /// The client resets it somewhere.
    Reset,
    /// The client closes it with something unread, somewhere.
    Close,
}

/// One connection: sends `total` bytes of a seed and takes them back. Returns how many came back.
fn talk(address: SocketAddr, seed: u64, total: u64, end: End) -> u64 {
    let mut random = Random::new(seed);
    let stream = TcpStream::connect(address).unwrap();
    // Then both ends often wait for TCP's timers: not for all, nor for much.
    let total = if random.below(4) == 0 { total.min(64 << 10) } else { total };
    if total <= 64 << 10 {
        let bytes = 4096 << random.below(6);
        rustix::net::sockopt::set_socket_recv_buffer_size(&stream, bytes).unwrap();
        rustix::net::sockopt::set_socket_send_buffer_size(&stream, bytes).unwrap();
    }
    if end == End::Reset {
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    }
    let stop_after = if end == End::Whole { u64::MAX } else { random.below(total) };
    let received = AtomicU64::new(0);
    let (reader, writer) = (&stream, &stream);
    // Who has taken enough ends the sending as well.
    let talked: Result<(), Option<io::Error>> = group::run(|group| {
        group.spawn(|| send(writer, seed, total).map_err(Some));
        group.spawn(|| receive(reader, seed, stop_after, &received));
        Ok(())
    });
    let received = received.into_inner();
    match (end, talked) {
        (End::Whole, Ok(())) => {
            assert_eq!(received, total, "seed {seed}");
            assert_eq!((&stream).read(&mut [0; 1]).unwrap(), 0, "more than was sent");
        }
        // The wish to stop.
        (End::Reset | End::Close, Err(None)) => {}
        (_, other) => panic!("seed {seed}, {end:?}, after {received} of {total}: {other:?}"),
    }
    received
}

fn send(mut stream: &TcpStream, seed: u64, total: u64) -> io::Result<()> {
    let mut bytes = Random::new(!seed);
    let mut random = Random::new(seed ^ 0x5E4D);
    let mut piece = vec![0; 1 << 16];
    let mut left = total;
    while left > 0 {
        let len = random.length().min(left) as usize;
        bytes.fill(&mut piece[..len]);
        stream.write_all(&piece[..len])?;
        left -= len as u64;
        random.dawdle();
    }
    stream.shutdown(Shutdown::Write)
}

/// Takes what comes back until the end, or until enough came: then with an error that is none.
fn receive(
    mut stream: &TcpStream,
    seed: u64,
    stop_after: u64,
    received: &AtomicU64,
) -> Result<(), Option<io::Error>> {
    let mut bytes = Random::new(!seed);
    let mut random = Random::new(seed ^ 0x4EAD);
    let (mut piece, mut expected) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut count = 0;
    loop {
        let len = random.length() as usize;
        let len = stream.read(&mut piece[..len]).map_err(Some)?;
        if len == 0 {
            return Ok(());
        }
        bytes.fill(&mut expected[..len]);
        assert!(piece[..len] == expected[..len], "other bytes than were sent, seed {seed}");
        count += len as u64;
        received.store(count, Ordering::Relaxed);
        if count > stop_after {
            return Err(None);
        }
        random.dawdle();
    }
}

/// So many bytes, over connections of all kinds, through an echo server and a proxy before it.
fn push(workers: usize, connections: u64, bytes: u64, seed: u64) {
    let runtime = Runtime::builder().workers(workers).build().unwrap();
    runtime.run(|| {
        let alive = Alive::default();
        let (echo, echo_acceptor) = server(&alive, echo::echo);
        let forward = move |stream| proxy::forward(stream, echo, 3000);
        let (proxy, proxy_acceptor) = server(&alive, forward);
        let each = bytes / connections;
        let lens = group::map(0..connections, 64, |n| {
            let end = match n % 5 {
                0 => End::Reset,
                1 => End::Close,
                _ => End::Whole,
            };
            let address = if n % 2 == 0 { echo } else { proxy };
            talk(address, seed + n, each, end)
        });
        // The last peers of the servers are gone: so are the coroutines that served them.
        let patience = Instant::now() + Duration::from_secs(60);
        while alive.0.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < patience, "{alive:?} are left");
            time::sleep(Duration::from_millis(1));
        }
        for acceptor in [echo_acceptor, proxy_acceptor] {
            acceptor.cancel().unwrap();
            assert!(acceptor.join().unwrap_err().is::<thread::Cancelled>());
        }
        let whole = lens.iter().filter(|&&len| len == each).count();
        println!("{} bytes came back, over {connections} connections, {whole} to the end", {
            lens.iter().sum::<u64>()
        });
    });
}

#[test]
fn every_byte_comes_back_once_and_in_order_and_nothing_is_left_over() {
    const NAME: &str = "every_byte_comes_back_once_and_in_order_and_nothing_is_left_over";
    if child::scenario().is_none() {
        let output = child::child(NAME, "push").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{:?}: {said}\n{told}", output.status);
        print!("{told}");
        return;
    }
    // The long form takes its time.
    // SAFETY: sets the timer of this process.
    unsafe { libc::alarm(size(240, 900) as u32) };
    let quick = |bytes, seed| {
        for workers in [1, 2, 4] {
            push(workers, 60, bytes, seed);
        }
    };
    // What is made once is made now.
    quick(1 << 20, 1);
    let before = toll::Toll::take();
    let begin = Instant::now();
    quick(2 << 20, 2000);
    let long = size(0, 2 << 30);
    if long > 0 {
        push(2, 200, long, 3000);
    }
    println!("in {:.1} s", begin.elapsed().as_secs_f64());
    toll::Toll::take().assert_no_more_than(&before);
}
