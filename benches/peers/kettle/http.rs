//! HTTP plaintext: a coroutine for each connection, httparse for the requests, and one write for all that have come
//! together.

use kettle::net::{TcpListener, TcpStream};
use kettle::thread;
use peers::raise_file_limit;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    raise_file_limit();
    let listener = TcpListener::bind(address)?;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || answer(stream));
    }
    Ok(())
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = vec![0; 8 << 10];
    let mut responses = Vec::with_capacity(4 << 10);
    let mut date = Date::default();
    let mut held = 0;
    loop {
        let len = stream.read(&mut requests[held..])?;
        if len == 0 {
            return Ok(());
        }
        held += len;
        let mut parsed = 0;
        responses.clear();
        while parsed < held {
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut request = httparse::Request::new(&mut headers);
            match request.parse(&requests[parsed..held]).map_err(io::Error::other)? {
                httparse::Status::Complete(len) => parsed += len,
                httparse::Status::Partial => break,
            }
            write!(
                responses,
                "HTTP/1.1 200 OK\r\nServer: kettle\r\nDate: {}\r\nContent-Type: text/plain\r\n\
                 Content-Length: 13\r\n\r\nHello, World!",
                date.now()
            )?;
        }
        stream.write_all(&responses)?;
        if parsed == 0 && held == requests.len() {
            return Err(io::Error::other("a request longer than the buffer"));
        }
        requests.copy_within(parsed..held, 0);
        held -= parsed;
    }
}

/// The header's text, made once a second.
#[derive(Default)]
struct Date {
    second: u64,
    text: String,
}

impl Date {
    fn now(&mut self) -> &str {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if self.second != second || self.text.is_empty() {
            self.second = second;
            self.text = httpdate::fmt_http_date(now);
        }
        &self.text
    }
}
