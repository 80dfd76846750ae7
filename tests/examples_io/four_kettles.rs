//! One server, written four ways.

use crate::child::child;
use crate::{SERVE, serve};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

const WAYS: [&str; 4] = ["threads", "polling", "callbacks", "coroutines"];

#[test]
fn all_four_say_the_same_in_whatever_pieces_it_is_asked() {
    let said = "Polly\ngreen\n\nblack tea\n";
    let expected =
        "welcome, Polly\ngreen for Polly, cup 1\n for Polly, cup 2\nblack tea for Polly, cup 3\n";
    for way in WAYS {
        let server = serve(&format!("four_kettles --serve {way} --listen 127.0.0.1:0"));
        let connect = || {
            let stream = TcpStream::connect(server.address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream.set_nodelay(true).unwrap();
            stream
        };
        for piece in [1, 7, 100] {
            let mut stream = connect();
            for piece in said.as_bytes().chunks(piece) {
                stream.write_all(piece).unwrap();
            }
            stream.shutdown(Shutdown::Write).unwrap();
            let mut heard = String::new();
            stream.read_to_string(&mut heard).unwrap();
            assert_eq!(heard, expected, "{way}");
        }
        // More than fits into any buffer, while nobody reads.
        let mut stream = connect();
        let mut writer = stream.try_clone().unwrap();
        let lines = std::thread::spawn(move || {
            writer.write_all("x\n".repeat(500_000).as_bytes()).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        // Others are served meanwhile.
        let mut other = connect();
        other.write_all(b"other\n").unwrap();
        other.read_exact(&mut [0; 15]).unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        lines.join().unwrap();
        assert!(heard.ends_with("\nx for x, cup 499999\n"), "{way}: {} bytes", heard.len());
        // A line without an end closes the connection.
        let mut stream = connect();
        // It may be reset for what it has not read.
        let _ = stream.write_all(&[b'x'; 10_000]);
        assert!(matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_)), "{way}");
    }
}

#[test]
fn the_table_has_a_row_for_each() {
    let output = child(SERVE, "four_kettles --connections 20 --requests 5").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for way in WAYS {
        let row: Vec<_> = said
            .lines()
            .find_map(|line| line.strip_prefix(way))
            .unwrap_or_else(|| panic!("no row for {way}: {said}"))
            .split_whitespace()
            .collect();
        let [per_second, _cpu, _idle, resident, "MiB", lines] = *row else {
            panic!("{row:?}");
        };
        assert!(per_second.parse::<u64>().unwrap() > 0 && resident.parse::<f64>().unwrap() > 0.0);
        assert!(lines.parse::<usize>().unwrap() > 10);
    }
    let nobody = child(SERVE, "four_kettles --connections 0").output().unwrap();
    assert!(!nobody.status.success());
}
