//! The echo server, started as a program and talked to from outside, and what only a whole process shows of
//! sockets. Each scenario is a child: this program again.

#[allow(dead_code, reason = "each program uses a part")]
mod support;

#[path = "support/child.rs"]
#[allow(dead_code, reason = "each program uses a part")]
mod child;

#[path = "../examples/echo.rs"]
#[allow(dead_code, reason = "a program has a main")]
mod echo;

use child::{child, scenario};
use kettle::net::{TcpListener, TcpStream};
use kettle::runtime::Runtime;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ExitCode, Output, Stdio};
use std::time::Duration;

/// A server that is ended with the test.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(test: &str, arguments: &str) -> Self {
        let mut process = child(test, arguments).stdout(Stdio::piped()).spawn().unwrap();
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

/// In a child: the example, with the scenario's words for arguments.
fn play(scenario: &str) -> ! {
    let code = echo::run(lexopt::Parser::from_args(scenario.split(' ')));
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

#[test]
fn it_sends_back_what_it_gets_over_tcp_and_udp() {
    const NAME: &str = "it_sends_back_what_it_gets_over_tcp_and_udp";
    if let Some(scenario) = scenario() {
        play(&scenario);
    }
    for arguments in [
        "--listen 127.0.0.1:0",
        "--listen 127.0.0.1:0 --accept-in-main --workers 1",
        "--listen [::1]:0",
    ] {
        let server = Server::start(NAME, arguments);
        // By std, from outside.
        let mut streams: Vec<_> =
            (0..100).map(|_| std::net::TcpStream::connect(server.address).unwrap()).collect();
        for (n, stream) in streams.iter_mut().enumerate() {
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream.write_all(format!("kettle {n}").as_bytes()).unwrap();
        }
        for (n, stream) in streams.iter_mut().enumerate() {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, format!("kettle {n}"));
        }
        let any: SocketAddr = (server.address.ip(), 0).into();
        let socket = UdpSocket::bind(any).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        for len in [0, 1, 1400, 9000] {
            socket.send_to(&vec![7; len], server.address).unwrap();
            let mut buffer = vec![0; 1 << 16];
            let (received, from) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!((received, from), (len, server.address));
        }
    }
}

#[test]
fn it_says_what_it_can_and_refuses_what_it_cannot() {
    const NAME: &str = "it_says_what_it_can_and_refuses_what_it_cannot";
    if let Some(scenario) = scenario() {
        play(&scenario);
    }
    let output = |arguments| child(NAME, arguments).output().unwrap();
    let help: Output = output("--help");
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--listen ADDR"));
    let nonsense = output("--nonsense");
    assert!(!nonsense.status.success());
    assert!(String::from_utf8_lossy(&nonsense.stderr).contains("--nonsense"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = output(&format!("--listen {}", taken.local_addr().unwrap()));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("in use"), "{refused:?}");
}

#[test]
fn without_descriptors_accept_waits_says_so_once_and_goes_on() {
    const NAME: &str = "without_descriptors_accept_waits_says_so_once_and_goes_on";
    if scenario().is_none() {
        let output = child(NAME, "run out").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.matches("new connections wait until descriptors are free").count(), 1);
        return;
    }
    for workers in [1, 2] {
        Runtime::builder().workers(workers).build().unwrap().run(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = kettle::thread::spawn(move || {
                let mut served = 0;
                while served < 8 {
                    let (mut stream, _) = listener.accept().unwrap();
                    stream.write_all(b"x").unwrap();
                    served += 1;
                }
            });
            // Connected while there are descriptors; then all that are left are used up.
            let mut clients: Vec<_> =
                (0..4).map(|_| TcpStream::connect(address).unwrap()).collect();
            for client in &mut clients {
                client.read_exact(&mut [0; 1]).unwrap();
            }
            let sockets: Vec<_> = (0..4)
                .map(|_| {
                    let socket = rustix_socket();
                    std::net::TcpStream::from(socket)
                })
                .collect();
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: asks for and sets a limit of this process.
            unsafe {
                libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
                let before = limit.rlim_cur;
                limit.rlim_cur = 0;
                assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
                limit.rlim_cur = before;
            }
            let refused = TcpStream::connect(address).unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(libc::EMFILE));
            sockets.iter().for_each(|socket| connect(socket, address));
            // The server has a few tries meanwhile.
            kettle::thread::sleep(Duration::from_millis(30));
            sockets.iter().for_each(|socket| {
                socket.set_nonblocking(true).unwrap();
                let error = (&*socket).read(&mut [0; 1]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "accepted without a descriptor");
                socket.set_nonblocking(false).unwrap();
            });
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
            for socket in sockets {
                TcpStream::from(socket).read_exact(&mut [0; 1]).unwrap();
            }
            server.join().unwrap();
        });
    }
    std::process::exit(0);
}

/// A TCP socket that is not connected yet.
fn rustix_socket() -> std::os::fd::OwnedFd {
    use std::os::fd::FromRawFd;
    // SAFETY: makes a socket, which is ours.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert!(fd >= 0);
        std::os::fd::OwnedFd::from_raw_fd(fd)
    }
}

fn connect(socket: &std::net::TcpStream, to: SocketAddr) {
    use std::os::fd::AsRawFd;
    let SocketAddr::V4(to) = to else { unreachable!("the listener is at 127.0.0.1") };
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    };
    // SAFETY: connect(2) reads the address. The kernel answers for the listener: it does not wait.
    let connected = unsafe {
        let len = size_of_val(&address) as libc::socklen_t;
        libc::connect(socket.as_raw_fd(), (&raw const address).cast(), len)
    };
    assert_eq!(connected, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn a_write_to_who_is_gone_raises_no_sigpipe() {
    const NAME: &str = "a_write_to_who_is_gone_raises_no_sigpipe";
    if scenario().is_none() {
        let output = child(NAME, "write").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    // As a program in C would have it; Rust's start-up ignores it.
    // SAFETY: sets a signal's action to the default.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    kettle::run(|| {
        use kettle::os::unix::net::{UnixDatagram, UnixStream};
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(ours.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        let parts = [std::io::IoSlice::new(b"x")];
        assert_eq!(ours.write_vectored(&parts).unwrap_err().kind(), ErrorKind::BrokenPipe);
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(ours.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        drop(theirs);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(ours.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
    std::process::exit(0);
}

/// How many descriptors the process has open.
fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Clients that talk, stop in the middle, reset, stall, are cancelled or run out of time, against a server
/// that is none the wiser.
fn storm(round: u64) {
    use kettle::thread;
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut buffer = [0; 300];
                    while let Ok(len @ 1..) = stream.read(&mut buffer) {
                        if stream.write_all(&buffer[..len]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        let clients: Vec<_> = (0..200_u64)
            .map(|n| {
                let client = thread::spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    let sent = vec![n as u8; 50 + (n * 37 + round) as usize % 5000];
                    let mut received = vec![0; sent.len()];
                    match n % 5 {
                        // Talks to the end.
                        0 | 1 => {
                            for (sent, received) in sent.chunks(700).zip(received.chunks_mut(700)) {
                                stream.write_all(sent).unwrap();
                                kettle::time::sleep(Duration::from_micros(n * 13 % 500));
                                stream.read_exact(received).unwrap();
                            }
                            assert!(sent == received);
                        }
                        // Leaves with something unread: a reset.
                        2 => {
                            stream.write_all(&sent).unwrap();
                            stream.read_exact(&mut received[..1]).unwrap();
                        }
                        // Waits for what does not come, and has had enough.
                        3 => {
                            stream
                                .set_read_timeout(Some(Duration::from_millis(n % 7 + 1)))
                                .unwrap();
                            let error = stream.read(&mut received).unwrap_err();
                            assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        }
                        // Waits until it is cancelled.
                        _ => drop(stream.read(&mut received)),
                    }
                });
                (n, client)
            })
            .collect();
        for (n, client) in clients {
            if n % 5 == 4 {
                client.cancel().unwrap();
            }
            assert_eq!(client.join().is_ok(), n % 5 != 4, "client {n}");
        }
        server.cancel().unwrap();
        assert!(server.join().is_err());
    });
    // Waits until every coroutine has ended.
    drop(runtime);
}

#[test]
fn after_a_storm_no_descriptor_is_left() {
    const NAME: &str = "after_a_storm_no_descriptor_is_left";
    if scenario().is_none() {
        let output = child(NAME, "storm").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    // The places to sleep of a runtime's workers are kept for the next one's.
    storm(0);
    let before = open_descriptors();
    for round in 1..6 {
        storm(round);
        assert_eq!(open_descriptors(), before, "after round {round}");
    }
    std::process::exit(0);
}
