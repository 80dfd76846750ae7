//! A coroutine for each connection.

use kettle::net::{TcpListener, TcpStream};
use kettle::thread;
use peers::{BURN, burn, raise_file_limit};
use std::io::{self, Read, Write};
use std::net::SocketAddr;

pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    raise_file_limit();
    let listener = TcpListener::bind(address)?;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || echo(stream));
    }
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
