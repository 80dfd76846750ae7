//! The HTTP server's answers.

use crate::http::conversation;
use crate::serve;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

#[path = "check.rs"]
mod check;

fn connect(server: &crate::Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// All that is answered until the server closes.
fn converse(server: &crate::Server, said: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(said).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The next answer alone.
fn answer(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[test]
fn plain_text_and_json_over_one_connection() {
    let server = serve("http --listen 127.0.0.1:0");
    let mut stream = connect(&server);
    for _ in 0..3 {
        stream.write_all(b"GET /plaintext HTTP/1.1\r\nHost: kettle\r\n\r\n").unwrap();
        let (head, body) = answer(&mut stream);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Type: text/plain") && head.contains("\r\nDate: "));
        assert_eq!(body, "Hello, World!");
        stream.write_all(b"GET /json?x=1 HTTP/1.1\r\nhost: kettle\r\n\r\n").unwrap();
        let (head, body) = answer(&mut stream);
        assert!(head.contains("\r\nContent-Type: application/json\r\n"), "{head}");
        assert_eq!(body, r#"{"message":"Hello, World!"}"#);
    }
    stream.write_all(b"GET /coffee HTTP/1.1\r\nHost: kettle\r\n\r\n").unwrap();
    assert!(answer(&mut stream).0.starts_with("HTTP/1.1 404 "));
    stream.write_all(b"GET http://kettle HTTP/1.1\r\nHost: kettle\r\n\r\n").unwrap();
    assert!(answer(&mut stream).0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn the_connection_lasts_as_the_peer_wishes() {
    let server = serve("http --listen 127.0.0.1:0 --workers 1");
    let close = converse(&server, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n");
    assert!(close.contains("\r\nConnection: close\r\n") && close.ends_with("Hello, World!"));
    let old = converse(&server, b"GET / HTTP/1.0\r\n\r\n");
    assert!(old.contains("\r\nConnection: close\r\n") && old.ends_with("Hello, World!"));
    let mut stream = connect(&server);
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").unwrap();
        assert!(answer(&mut stream).0.contains("\r\nConnection: keep-alive\r\n"));
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn what_comes_in_one_piece_is_answered_in_one_piece_and_in_order() {
    let server = serve("http --listen 127.0.0.1:0");
    let mut stream = connect(&server);
    let (text, json) =
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
    let batch = [text, json, json, text].repeat(4).concat();
    stream.write_all(batch.as_bytes()).unwrap();
    // More than any read below takes in one go, had it been sent in several pieces.
    let mut answers = vec![0; 1 << 16];
    let len = stream.read(&mut answers).unwrap();
    let answers = std::str::from_utf8(&answers[..len]).unwrap();
    let pages: Vec<_> =
        answers.split("HTTP/1.1 200 OK").skip(1).map(|it| it.contains("json")).collect();
    assert_eq!(pages, [false, true, true, false].repeat(4));
    assert!(answers.ends_with("Hello, World!"));
}

#[test]
fn bytes_that_come_one_by_one_make_a_request_too() {
    let server = serve("http --listen 127.0.0.1:0 --workers 1");
    let mut stream = connect(&server);
    stream.set_nodelay(true).unwrap();
    for byte in b"\r\nGET /json HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" {
        stream.write_all(&[*byte]).unwrap();
    }
    // To a GET with a body, which is skipped; then to the next.
    assert!(answer(&mut stream).1.contains("message"));
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).1, "Hello, World!");
}

#[test]
fn bodies_are_skipped_and_who_asks_is_told_to_send_them() {
    let server = serve("http --listen 127.0.0.1:0");
    let mut stream = connect(&server);
    let head =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(answer(&mut stream).0, "HTTP/1.1 100 Continue\r\n\r\n");
    // Among it what looks like a request.
    stream.write_all(&b"GET / HTTP/1.1\r\n\r\n  ".repeat(50_000)).unwrap();
    let (head, _) = answer(&mut stream);
    assert!(
        head.starts_with("HTTP/1.1 405 ") && head.contains("\r\nAllow: GET, HEAD\r\n"),
        "{head}"
    );
    // An answer to HEAD has the length alone.
    stream.write_all(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\r\nContent-Length: 13\r\n") && rest.ends_with("\r\n\r\n"), "{rest}");
}

#[test]
fn nonsense_gets_a_400_and_a_close() {
    let server = serve("http --listen 127.0.0.1:0");
    for nonsense in [
        "what\r\n\r\n",
        "\0\0\0\0",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nx\0y: z\r\n\r\n",
    ] {
        // What comes after it is not answered: nobody can tell where it begins.
        let said = [nonsense, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let answer = converse(&server, said.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400 "), "{nonsense:?}: {answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"));
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{nonsense:?}: {answer}");
    }
    let said = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01";
    let answers = converse(&server, said);
    assert!(answers.starts_with("HTTP/1.1 200 ") && answers.contains("HTTP/1.1 400 "), "{answers}");
}

#[test]
fn too_much_and_the_unknown_are_refused() {
    let server = serve("http --listen 127.0.0.1:0");
    let get = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (said, status) in [
        (format!("{get}x: {}\r\n\r\n", "y".repeat(9000)), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "y".repeat(9000)), "431"),
        // Without an end: refused all the same.
        (format!("{get}x: {}", "y".repeat(1 << 20)), "431"),
        (format!("{get}{}\r\n", "x: y\r\n".repeat(64)), "431"),
        (format!("{get}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "501"),
    ] {
        let answer = converse(&server, said.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let most = format!("{get}{}Connection: close\r\n\r\n", "x: y\r\n".repeat(62));
    assert!(converse(&server, most.as_bytes()).starts_with("HTTP/1.1 200 "));
}

#[test]
fn who_does_not_read_or_does_not_go_on_holds_up_nobody_else() {
    let server = serve("http --listen 127.0.0.1:0 --workers 1");
    // Asks without end, and reads nothing, until the server's answers fit nowhere any more.
    let mut greedy = connect(&server);
    greedy.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let batch = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    let full = loop {
        if let Err(error) = greedy.write_all(batch.as_bytes()) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    let silent: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(b"GET / HT").unwrap();
            stream
        })
        .collect();
    // Told that it is over, and not gone.
    let mut refused = connect(&server);
    refused.write_all(b"nonsense\r\n").unwrap();
    for _ in 0..100 {
        let answer = converse(&server, b"GET / HTTP/1.0\r\n\r\n");
        assert!(answer.ends_with("Hello, World!"));
    }
    drop((silent, greedy, refused));
}

#[test]
fn the_last_answer_arrives_although_more_is_said() {
    let server = serve("http --listen 127.0.0.1:0");
    for _ in 0..20 {
        let mut stream = connect(&server);
        stream.write_all(b"nonsense\r\n").unwrap();
        // Goes on talking: a server that just closed would reset the connection by this.
        for _ in 0..200 {
            stream.write_all(&[b'x'; 100]).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[test]
fn dates_are_those_of_the_calendar() {
    use crate::http::date::format;
    assert_eq!(format(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(format(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(format(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
    assert_eq!(format(1_709_251_199), "Thu, 29 Feb 2024 23:59:59 GMT");
    assert_eq!(format(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
}

#[test]
fn what_the_fuzzer_found_worth_keeping_is_answered_the_same_in_whatever_pieces() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/http");
    let Ok(entries) = std::fs::read_dir(corpus) else {
        println!("skipped: the corpus is not part of the package");
        return;
    };
    let mut files = 0;
    for file in entries {
        check::check(&std::fs::read(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 100, "only {files} files");
}
