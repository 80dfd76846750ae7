//! A coroutine for each connection.

use may::go;
use may::net::{TcpListener, TcpStream};
use peers::{BURN, Result, burn, raise_file_limit};
use std::io::{self, Read, Write};
use std::net::SocketAddr;

pub(crate) fn serve(address: SocketAddr) -> Result<()> {
    raise_file_limit();
    let listener = TcpListener::bind(address)?;
    let accepting = go!(move || -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept()?;
            go!(move || echo(stream));
        }
    });
    accepting.join().map_err(|_| "the coroutine has panicked")??;
    Ok(())
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 1024];
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        if buffer[0] == BURN {
            burn();
        }
        stream.write_all(&buffer[..len])?;
    }
}
