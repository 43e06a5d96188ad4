//! Byte streams for measurements: what a device writes and reads, and the services at the far end.
//!
//! | service | does | ends |
//! |---|---|---|
//! | drain | reads | at end of stream answers one byte: all has arrived |
//! | pour | writes | when the other side has ended its stream |

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes that a device hands over at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes that a service reads or writes at a time.
const SERVICE_BYTES: usize = 256 * 1024;
/// No read or write of a service takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes until the time is over, then waits until all has arrived at a drain.
pub async fn up<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, time: Duration) -> io::Result<u64> {
    let sent = write_for(&mut stream, time).await?;
    stream.read_u8().await?;
    Ok(sent)
}

/// Writes until the time is over, then ends the stream.
pub async fn write_for<S: AsyncWrite + Unpin>(stream: &mut S, time: Duration) -> io::Result<u64> {
    let chunk = vec![0x5a; CHUNK_BYTES];
    let (until, mut sent) = (Instant::now() + time, 0);
    while Instant::now() < until {
        stream.write_all(&chunk).await?;
        sent += chunk.len() as u64;
    }
    stream.shutdown().await?;
    Ok(sent)
}

/// Reads what is poured until the time is over, ends the stream, and reads the rest.
pub async fn down<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, time: Duration) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let (until, mut received, mut open) = (Instant::now() + time, 0, true);
    loop {
        if open && Instant::now() >= until {
            stream.shutdown().await?;
            open = false;
        }
        match stream.read(&mut chunk).await? {
            0 => return Ok(received),
            count => received += count as u64,
        }
    }
}

/// Serves every connection of a new port on a thread of its own, for as long as this process runs.
fn serve(each: fn(TcpStream) -> io::Result<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection that breaks is noticed at its other end, which measures.
            std::thread::spawn(move || each(stream));
        }
    });
    address
}

/// Starts a drain.
pub fn drain() -> SocketAddr {
    serve(|mut stream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut buffer = vec![0; SERVICE_BYTES];
        while stream.read(&mut buffer)? > 0 {}
        stream.write_all(&[1])
    })
}

/// Starts a pour.
pub fn pour() -> SocketAddr {
    serve(|mut stream| {
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let ended = Arc::new(AtomicBool::new(false));
        let (mut reading, seen) = (stream.try_clone()?, Arc::clone(&ended));
        let reader = std::thread::spawn(move || {
            let _ = io::copy(&mut reading, &mut io::sink());
            seen.store(true, Ordering::Relaxed);
        });
        let buffer = vec![0x5a; SERVICE_BYTES];
        while !ended.load(Ordering::Relaxed) && stream.write_all(&buffer).is_ok() {}
        let done = stream.shutdown(Shutdown::Write);
        let _ = reader.join();
        done
    })
}
