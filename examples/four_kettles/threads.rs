//! He stands and watches it boil: a thread per connection, which blocks. One kettle, one man.

use super::tea::{Guest, LONGEST_LINE};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

pub(crate) fn serve(listener: &TcpListener) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || drop(pour(stream)));
    }
    Ok(())
}

fn pour(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut guest, mut input, mut filled) = (Guest::default(), [0; LONGEST_LINE], 0);
    let mut out = Vec::new();
    loop {
        let len = stream.read(&mut input[filled..])?;
        if len == 0 {
            return Ok(());
        }
        filled += len;
        let taken =
            guest.answer_all(&input[..filled], &mut out).ok_or(io::ErrorKind::InvalidData)?;
        input.copy_within(taken..filled, 0);
        filled -= taken;
        stream.write_all(&out)?;
        out.clear();
    }
}
