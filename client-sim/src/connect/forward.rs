//! One local connection, one tunnel: bytes both ways until both ends have ended, or one has broken.

use std::{io, sync::Arc, time::Duration};

use relay_wire::{ids::ServiceName, limits};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::copy_bidirectional_with_sizes,
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

use super::session::{Requests, Sessions};
use crate::device::{Failure, Step, Tunnel};

/// Bytes that are held for each direction of a connection: four TLS records.
const BUFFER_BYTES: usize = 64 * 1024;
/// From a local connection to its service: a reconnect of the session and two attempts fit.
pub const OPEN: Duration = Duration::from_secs(30);
/// Attempts to open a tunnel within [`OPEN`]: the second covers an offer that died with its session.
const ATTEMPTS: u32 = 3;
/// Silence after which a connection is probed, so that a peer that is gone without a word is found.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// Between two probes; the operating system's count of them decides (9 on Linux).
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Joins one local connection to `service`.
pub async fn serve(sessions: Arc<Sessions>, requests: Requests, service: ServiceName, local: TcpStream) {
    let started = Instant::now();
    let prepared = prepare(&local);
    let opened = match prepared {
        Ok(()) => open(&sessions, &requests, &service).await,
        Err(source) => Err(Failure::Unreachable { step: Step::Tunnel, peer: "the local program".into(), source }),
    };
    match opened {
        Ok(tunnel) => {
            let opened_in = started.elapsed();
            let (sent, received, end) = carry(local, tunnel).await;
            tracing::debug!(%service, sent, received, ?opened_in, lasted = ?started.elapsed(), end, "connection over");
        }
        Err(failure) => {
            // The local program sees a reset, not an empty answer that it could take for a good one.
            let _ = local.set_zero_linger();
            tracing::warn!(%service, %failure, "no tunnel");
            if failure.halts() {
                sessions.halt(failure);
            }
        }
    }
}

fn prepare(local: &TcpStream) -> io::Result<()> {
    local.set_nodelay(true)?;
    probe(local)
}

fn probe(stream: &TcpStream) -> io::Result<()> {
    let probes = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(stream).set_tcp_keepalive(&probes)
}

/// A tunnel to the service, asked for again while there is time and hope.
async fn open(sessions: &Sessions, requests: &Requests, service: &ServiceName) -> Result<Tunnel, Failure> {
    let deadline = Instant::now() + OPEN;
    let mut attempt = 1;
    loop {
        let opened = timeout_at(deadline, async { sessions.device.open(requests.tunnel().await?, service).await });
        let failure = match opened.await {
            Ok(Ok(tunnel)) => return Ok(tunnel),
            Ok(Err(failure)) => failure,
            Err(_) => return Err(Failure::Timeout { step: Step::Tunnel, after: OPEN }),
        };
        let wait = failure.retry_after().unwrap_or(Duration::ZERO);
        if attempt == ATTEMPTS || !failure.is_passing() || Instant::now() + wait + limits::ANSWER > deadline {
            return Err(failure);
        }
        attempt += 1;
        sleep(wait).await;
    }
}

/// Moves bytes until both directions have ended. An end travels as an end; anything else travels as a reset, so that neither
/// program takes a broken stream for a whole one.
async fn carry(mut local: TcpStream, mut tunnel: Tunnel) -> (u64, u64, &'static str) {
    if let Err(error) = probe(tunnel.get_ref().0) {
        tracing::debug!(%error, "no keep-alive on a tunnel");
    }
    match copy_bidirectional_with_sizes(&mut local, &mut tunnel, BUFFER_BYTES, BUFFER_BYTES).await {
        Ok((sent, received)) => (sent, received, "both sides ended"),
        Err(error) => {
            let _ = local.set_zero_linger();
            let _ = tunnel.get_ref().0.set_zero_linger();
            tracing::debug!(%error, "connection broke");
            (0, 0, "broke")
        }
    }
}
