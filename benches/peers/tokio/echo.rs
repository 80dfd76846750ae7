//! A task for each connection.

use peers::{BURN, Result, burn, raise_file_limit};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) async fn serve(address: SocketAddr) -> Result<()> {
    raise_file_limit();
    let listener = TcpListener::bind(address).await?;
    // Accepts on a worker; what waits here is the main thread.
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(echo(stream));
        }
    })
    .await?
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 1024];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        if buffer[0] == BURN {
            burn();
        }
        stream.write_all(&buffer[..len]).await?;
    }
}
