//! He watches television and walks over again and again: one thread, sockets that do not block, and a round of
//! questions. What was local to `pour` is now a struct, and what was a loop is now where it was left.

use super::tea::{Guest, LONGEST_LINE};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

struct Table {
    stream: TcpStream,
    guest: Guest,
    input: [u8; LONGEST_LINE],
    filled: usize,
    out: Vec<u8>,
    sent: usize,
}

pub(crate) fn serve(listener: &TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut tables: Vec<Table> = Vec::new();
    loop {
        loop {
            match listener.accept() {
                Ok((stream, _)) => tables.push(Table::new(stream)?),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        // A table that fails is cleared.
        tables.retain_mut(|table| match table.look() {
            Ok(()) => true,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        });
    }
}

impl Table {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let (guest, input) = (Guest::default(), [0; LONGEST_LINE]);
        Ok(Self { stream, guest, input, filled: 0, out: Vec::new(), sent: 0 })
    }

    /// Goes on until it would have to wait, which is an error like the end.
    fn look(&mut self) -> io::Result<()> {
        loop {
            while self.sent < self.out.len() {
                match self.stream.write(&self.out[self.sent..])? {
                    0 => return Err(ErrorKind::WriteZero.into()),
                    len => self.sent += len,
                }
            }
            self.out.clear();
            self.sent = 0;
            let len = self.stream.read(&mut self.input[self.filled..])?;
            if len == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.filled += len;
            let taken = self
                .guest
                .answer_all(&self.input[..self.filled], &mut self.out)
                .ok_or(ErrorKind::InvalidData)?;
            self.input.copy_within(taken..self.filled, 0);
            self.filled -= taken;
        }
    }
}
