//! What is said over one HTTP/1.1 connection, without the connection: bytes come in, bytes go out. This is what
//! strangers can reach, so it is what is fuzzed (`fuzz/`).

use httparse::{EMPTY_HEADER, Header};
use std::io::Write;

/// No head of a request may be longer.
pub(crate) const LONGEST_HEAD: usize = 8192;

/// Nor have more fields.
const MOST_FIELDS: usize = 64;

/// How the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// More is to be read.
    ReadOn,
    /// What has been said is sent, and then it is closed.
    Close,
}

/// Where a conversation stands between two reads: perhaps within a body, which is skipped.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    rest_of_body: u64,
    /// The answer to the request whose body that is.
    owed: Option<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Text,
    Json,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    HeadTooLarge,
    NotImplemented,
}

impl Page {
    /// Status, more fields, and body.
    fn parts(self) -> (&'static str, &'static str, &'static str) {
        const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n";
        match self {
            Self::Text => ("200 OK", TEXT, "Hello, World!"),
            Self::Json => {
                ("200 OK", "Content-Type: application/json\r\n", r#"{"message":"Hello, World!"}"#)
            }
            Self::BadRequest => ("400 Bad Request", TEXT, "This is no HTTP request.\n"),
            Self::NotFound => ("404 Not Found", TEXT, "There are /plaintext and /json.\n"),
            Self::MethodNotAllowed => (
                "405 Method Not Allowed",
                "Allow: GET, HEAD\r\nContent-Type: text/plain; charset=utf-8\r\n",
                "There are GET and HEAD.\n",
            ),
            Self::HeadTooLarge => {
                ("431 Request Header Fields Too Large", TEXT, "The head may have 8192 bytes.\n")
            }
            Self::NotImplemented => {
                ("501 Not Implemented", TEXT, "A body must have a Content-Length.\n")
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    page: Page,
    /// To HEAD.
    without_body: bool,
    /// What it says of the connection, where that goes without saying nothing.
    connection: &'static str,
    next: Next,
}

impl Answer {
    /// To what makes no sense, or too much of it: where the next request begins cannot be told.
    fn refusal(page: Page) -> Self {
        Self { page, without_body: false, connection: "Connection: close\r\n", next: Next::Close }
    }

    fn write(self, date: &str, output: &mut Vec<u8>) {
        let (status, fields, body) = self.page.parts();
        let connection = self.connection;
        // Part by part: to format them all at once takes several times as long.
        for part in ["HTTP/1.1 ", status, "\r\nServer: kettle\r\nDate: ", date, "\r\n"] {
            output.extend_from_slice(part.as_bytes());
        }
        for part in [connection, fields, "Content-Length: "] {
            output.extend_from_slice(part.as_bytes());
        }
        write!(output, "{}\r\n\r\n", body.len()).expect("a vector takes everything");
        if !self.without_body {
            output.extend_from_slice(body.as_bytes());
        }
    }
}

/// The head of a request that makes sense.
struct Request {
    /// In bytes.
    head: usize,
    body: u64,
    /// Its sender waits to be told that the body is welcome.
    expects_continue: bool,
    answer: Answer,
}

impl Conversation {
    /// Answers whatever is complete in `input`: what has been read, but for what was taken before. Says how much
    /// of it is taken. What is left is shorter than [`LONGEST_HEAD`], if there is to be more.
    pub(crate) fn go_on(
        &mut self,
        input: &[u8],
        date: &str,
        output: &mut Vec<u8>,
    ) -> (usize, Next) {
        let mut taken = 0;
        loop {
            let left = &input[taken..];
            let skipped = left.len().min(usize::try_from(self.rest_of_body).unwrap_or(usize::MAX));
            taken += skipped;
            self.rest_of_body -= skipped as u64;
            if self.rest_of_body > 0 {
                return (taken, Next::ReadOn);
            }
            if let Some(answer) = self.owed.take() {
                answer.write(date, output);
                if answer.next == Next::Close {
                    return (taken, Next::Close);
                }
            }
            match head(&input[taken..]) {
                Ok(Some(request)) => {
                    taken += request.head;
                    self.rest_of_body = request.body;
                    self.owed = Some(request.answer);
                    if request.expects_continue && request.body > 0 {
                        output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                    }
                }
                Ok(None) => return (taken, Next::ReadOn),
                Err(page) => {
                    Answer::refusal(page).write(date, output);
                    return (taken, Next::Close);
                }
            }
        }
    }
}

/// The request whose head `input` begins with; none if it is not complete. Looks no further than a head may
/// reach, so that it makes no difference in which pieces it comes.
fn head(input: &[u8]) -> Result<Option<Request>, Page> {
    let input = &input[..input.len().min(LONGEST_HEAD)];
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(input) {
        Ok(httparse::Status::Complete(head)) => {
            let (Some(method), Some(target)) = (request.method, request.path) else {
                return Err(Page::BadRequest);
            };
            let is_1_1 = request.version == Some(1);
            understand(method, target, is_1_1, request.headers, head).map(Some)
        }
        Ok(httparse::Status::Partial) if input.len() == LONGEST_HEAD => Err(Page::HeadTooLarge),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(Page::HeadTooLarge),
        Err(_) => Err(Page::BadRequest),
    }
}

fn understand(
    method: &str,
    target: &str,
    is_1_1: bool,
    fields: &[Header<'_>],
    head: usize,
) -> Result<Request, Page> {
    let mut length = None;
    let (mut hosts, mut encoded) = (0, false);
    let (mut close, mut keep_alive, mut expects_continue) = (false, false, false);
    for Header { name, value } in fields {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            hosts += 1;
        } else if is("content-length") {
            let value = number(value).ok_or(Page::BadRequest)?;
            // Two opinions of where the next request begins are how requests are smuggled.
            if length.is_some_and(|length| length != value) {
                return Err(Page::BadRequest);
            }
            length = Some(value);
        } else if is("transfer-encoding") {
            encoded = true;
        } else if is("connection") {
            for word in value.split(|&byte| byte == b',') {
                close |= word.trim_ascii().eq_ignore_ascii_case(b"close");
                keep_alive |= word.trim_ascii().eq_ignore_ascii_case(b"keep-alive");
            }
        } else if is("expect") {
            expects_continue = is_1_1 && value.trim_ascii().eq_ignore_ascii_case(b"100-continue");
        }
    }
    if hosts > 1 || (is_1_1 && hosts == 0) {
        return Err(Page::BadRequest);
    }
    if encoded {
        let page = if is_1_1 && length.is_none() { Page::NotImplemented } else { Page::BadRequest };
        return Err(page);
    }
    let page = match (method, path(target)) {
        ("GET" | "HEAD", "/" | "/plaintext") => Page::Text,
        ("GET" | "HEAD", "/json") => Page::Json,
        ("GET" | "HEAD", _) => Page::NotFound,
        _ => Page::MethodNotAllowed,
    };
    let (connection, next) = match (is_1_1, close, keep_alive) {
        (true, false, _) => ("", Next::ReadOn),
        (false, false, true) => ("Connection: keep-alive\r\n", Next::ReadOn),
        _ => ("Connection: close\r\n", Next::Close),
    };
    let answer = Answer { page, without_body: method == "HEAD", connection, next };
    Ok(Request { head, body: length.unwrap_or(0), expects_continue, answer })
}

/// Digits and nothing else: no sign, no list.
fn number(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Of `/path?query`, or of `http://host/path?query`, which a proxy would send.
fn path(target: &str) -> &str {
    let target = target.split('?').next().unwrap_or("");
    match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    }
}
