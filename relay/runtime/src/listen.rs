//! Listening: sockets with the options that a relay needs, and an accept that never fails and never spins.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

mod hello;
pub use hello::{ClientHello, ClientHelloReader, Hello, HelloError, RECORDED_BYTES_MAX, peek_hello};

/// How long accept rests after an error that would come again at once, such as no descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// At most one log line about such errors in this time.
const ACCEPT_LOG_EVERY: Duration = Duration::from_secs(5);

/// When a silent peer is found to be dead: after `idle + interval * probes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Between two probes.
    pub interval: Duration,
    /// Unanswered probes until the connection is given up.
    pub probes: u32,
}

/// Options of a TCP connection and of the listener that accepts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpOptions {
    /// Connections that the kernel completes ahead of accept; it cuts this at `net.core.somaxconn`.
    pub backlog: i32,
    /// How dead peers are found while nothing is sent.
    pub keep_alive: KeepAlive,
    /// How long sent data may stay unacknowledged before the connection is given up (Linux).
    pub user_timeout: Duration,
}

impl Default for TcpOptions {
    /// A reconnect storm of thousands fits into the backlog; a dead peer is found within two minutes, whether bytes are
    /// under way or not.
    fn default() -> Self {
        let keep_alive = KeepAlive { idle: Duration::from_secs(60), interval: Duration::from_secs(15), probes: 4 };
        Self { backlog: 4096, keep_alive, user_timeout: Duration::from_secs(120) }
    }
}

impl TcpOptions {
    /// Sets the options on a connection, accepted or dialled.
    ///
    /// # Errors
    /// What the operating system says; the connection works without them.
    pub fn apply(&self, stream: &TcpStream) -> io::Result<()> {
        self.apply_to(&SockRef::from(stream))
    }

    fn apply_to(&self, socket: &Socket) -> io::Result<()> {
        // A frame is written whole, so waiting for more to send only costs time.
        socket.set_tcp_nodelay(true)?;
        let keep_alive = TcpKeepalive::new().with_time(self.keep_alive.idle);
        #[cfg(not(any(target_os = "openbsd", target_os = "haiku")))]
        let keep_alive = keep_alive.with_interval(self.keep_alive.interval).with_retries(self.keep_alive.probes);
        socket.set_tcp_keepalive(&keep_alive)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(self.user_timeout))?;
        Ok(())
    }
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{}", remedy(source))]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the operating system says.
    pub source: io::Error,
}

fn remedy(error: &io::Error) -> &'static str {
    let remedies = [
        (io::ErrorKind::AddrInUse, "; another program has this port: stop it or choose another"),
        (io::ErrorKind::AddrNotAvailable, "; this machine does not have this address"),
        (
            io::ErrorKind::PermissionDenied,
            "; ports below 1024 need a privilege: CAP_NET_BIND_SERVICE, or choose a higher port",
        ),
    ];
    remedies.iter().find(|(kind, _)| *kind == error.kind()).map_or("", |(_, remedy)| remedy)
}

/// A socket that listens already and that no runtime serves yet: addresses are bound before a process gives up binding.
#[derive(Debug)]
pub struct BoundSocket {
    socket: std::net::TcpListener,
    options: TcpOptions,
    address: SocketAddr,
}

impl BoundSocket {
    /// Listens on `address`. An address `[::]:PORT` takes IPv4 as well.
    ///
    /// # Errors
    /// [`ListenError`] with what to do about it.
    pub fn bind(address: SocketAddr, options: TcpOptions) -> Result<Self, ListenError> {
        let socket = bind(address, &options).map_err(|source| ListenError { address, source })?;
        Ok(Self { socket, options, address })
    }

    /// Takes a socket that listens already; its backlog is whoever's who made it.
    ///
    /// # Errors
    /// [`ListenError`]: the operating system does not let it be prepared.
    pub fn adopt(socket: std::net::TcpListener, options: TcpOptions) -> Result<Self, ListenError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let address = socket.local_addr().map_err(|source| ListenError { address: unknown, source })?;
        let prepared = options.apply_to(&SockRef::from(&socket)).and_then(|()| socket.set_nonblocking(true));
        prepared.map_err(|source| ListenError { address, source })?;
        Ok(Self { socket, options, address })
    }

    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The address that was asked for or handed over.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
    options: TcpOptions,
    errors: AtomicU64,
    logged: Mutex<Option<Instant>>,
}

impl Listener {
    /// Listens on `address`, inside a tokio runtime. An address `[::]:PORT` takes IPv4 as well.
    ///
    /// # Errors
    /// [`ListenError`] with what to do about it.
    pub fn bind(address: SocketAddr, options: TcpOptions) -> Result<Self, ListenError> {
        Self::serve(BoundSocket::bind(address, options)?)
    }

    /// Serves a socket that is bound, inside a tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`] if the runtime cannot watch it.
    pub fn serve(BoundSocket { socket, options, address }: BoundSocket) -> Result<Self, ListenError> {
        let inner = TcpListener::from_std(socket).map_err(|source| ListenError { address, source })?;
        Ok(Self { inner, options, errors: AtomicU64::new(0), logged: Mutex::new(None) })
    }

    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// The next connection, with its options set.
    ///
    /// An error that concerns one connection is passed over; one that would come again at once (no descriptors, no memory)
    /// is logged, counted, and followed by a short rest. Dropping the future loses no connection.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.inner.accept().await {
                Ok((stream, peer)) => {
                    // On Linux an accepted socket has its listener's options.
                    if cfg!(not(target_os = "linux"))
                        && let Err(error) = self.options.apply(&stream)
                    {
                        tracing::debug!(%peer, %error, "socket options not set");
                    }
                    return (stream, peer);
                }
                Err(error) if concerns_one_connection(&error) => {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                    tracing::trace!(%error, "a connection was gone before it was accepted");
                }
                Err(error) => {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                    self.report(&error);
                    sleep(ACCEPT_REST).await;
                }
            }
        }
    }

    /// How often accepting has failed.
    #[must_use]
    pub fn accept_errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    fn report(&self, error: &io::Error) {
        let now = Instant::now();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|last| now.duration_since(last) >= ACCEPT_LOG_EVERY) {
            *logged = Some(now);
            drop(logged);
            tracing::error!(%error, errors = self.accept_errors(), "cannot accept connections; is the descriptor limit reached?");
        }
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}

fn bind(address: SocketAddr, options: &TcpOptions) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted relay takes its port back while connections of its former life are still in TIME_WAIT. On Windows the
    // same option would let two programs share the port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    options.apply_to(&socket)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(options.backlog)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests;
