//! Small servers to stand behind a storage node, and contents to send through.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use relay_wire::builtin::Content;

use crate::process::PATIENCE;

/// Bytes that are moved at a time.
const PIECE: usize = 64 * 1024;

/// A TCP server that gives each connection a thread of its own, until it is dropped.
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    served: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Upstream {
    /// A server that does `serve` with every connection.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn start(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (served, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stopped, serve) = (Arc::clone(&served), Arc::clone(&stop), Arc::new(serve));
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                count.fetch_add(1, Ordering::Relaxed);
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    let _ = patient(&stream).and_then(|()| serve(stream));
                });
            }
        });
        Self { address, served, stop, acceptor: Some(acceptor) }
    }

    /// A server that writes what it reads, to the end.
    #[must_use]
    pub fn echo() -> Self {
        Self::start(|mut stream| {
            let mut piece = vec![0; PIECE];
            loop {
                let read = stream.read(&mut piece)?;
                if read == 0 {
                    return stream.shutdown(Shutdown::Write);
                }
                stream.write_all(&piece[..read])?;
            }
        })
    }

    /// A server that reads to the end and only then answers: the number of bytes and their SHA-256.
    #[must_use]
    pub fn digest() -> Self {
        Self::start(|mut stream| {
            let mut all = Vec::new();
            stream.read_to_end(&mut all)?;
            stream.write_all(&(all.len() as u64).to_be_bytes())?;
            stream.write_all(&relay_trust::sha256(&all))
        })
    }

    /// A server that sends a greeting and the end of its direction at once, and then reads to the end; `heard` has the bytes that
    /// came after.
    #[must_use]
    pub fn farewell(heard: Arc<AtomicU64>) -> Self {
        Self::start(move |mut stream| {
            stream.write_all(b"greeting")?;
            stream.shutdown(Shutdown::Write)?;
            let mut all = Vec::new();
            stream.read_to_end(&mut all)?;
            heard.store(all.len() as u64, Ordering::Release);
            Ok(())
        })
    }

    /// A server that resets each connection after its first byte.
    #[must_use]
    pub fn resetting() -> Self {
        Self::start(|mut stream| {
            let mut first = [0];
            stream.read_exact(&mut first)?;
            reset(stream)
        })
    }

    /// An HTTP/1.1 server with keep-alive: `GET /SEED/LENGTH` answers with that content.
    #[must_use]
    pub fn http() -> Self {
        Self::start(|stream| {
            let mut reader = BufReader::new(stream.try_clone()?);
            let mut stream = stream;
            while let Some((seed, length)) = read_request(&mut reader)? {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes())?;
                let mut generator = Content::new(seed);
                let mut piece = vec![0; PIECE];
                let mut left = length;
                while left > 0 {
                    let now = left.min(PIECE);
                    generator.fill(&mut piece[..now]);
                    stream.write_all(&piece[..now])?;
                    left -= now;
                }
            }
            Ok(())
        })
    }

    /// How many connections came.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<(u64, usize)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let wanted = line.split(' ').nth(1).and_then(|path| {
        let (seed, length) = path.strip_prefix('/')?.split_once('/')?;
        Some((seed.parse().ok()?, length.parse().ok()?))
    });
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if header == "\r\n" {
            return wanted.map(Some).ok_or_else(|| io::ErrorKind::InvalidInput.into());
        }
    }
}

/// One connection of an HTTP client that keeps it.
pub struct HttpClient {
    stream: BufReader<TcpStream>,
}

impl HttpClient {
    /// Connects.
    ///
    /// # Errors
    /// What the system says.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(connect(address)?) })
    }

    /// The body that [`Upstream::http`] has for this seed and length.
    ///
    /// # Errors
    /// What the system says, or an answer that is not HTTP.
    pub fn get(&mut self, seed: u64, length: usize) -> io::Result<Vec<u8>> {
        write!(self.stream.get_mut(), "GET /{seed}/{length} HTTP/1.1\r\nHost: test\r\n\r\n")?;
        let mut announced = None;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                announced = value.trim().parse::<usize>().ok();
            }
        }
        let mut body = vec![0; announced.ok_or(io::ErrorKind::InvalidData)?];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }
}

/// The content that a seed stands for.
#[must_use]
pub fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Content::new(seed).fill(&mut bytes);
    bytes
}

/// A connection that does not wait for ever.
///
/// # Errors
/// What the system says.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    patient(&stream)?;
    Ok(stream)
}

/// Ends a connection with a reset instead of an end.
///
/// # Errors
/// What the system says.
pub fn reset(stream: TcpStream) -> io::Result<()> {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    drop(stream);
    Ok(())
}

fn patient(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}
