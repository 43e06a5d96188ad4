//! One local connection, one tunnel: bytes both ways until both ends have ended, or one has broken.

use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use relay_runtime::buffers::{Broken, Buffers, Direction};
use relay_wire::{ids::ServiceName, limits};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

use super::session::{Requests, Sessions};
use crate::device::{Failure, Step, Tunnel};

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
            let (sent, received, end) = carry(local, tunnel, sessions.device.buffers()).await;
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
async fn carry(mut local: TcpStream, mut tunnel: Tunnel, buffers: &Buffers) -> (u64, u64, &'static str) {
    if let Err(error) = probe(tunnel.get_ref().0.get_ref()) {
        tracing::debug!(%error, "no keep-alive on a tunnel");
    }
    let mut copy = Copy { up: Direction::new(buffers.clone()), down: Direction::new(buffers.clone()) };
    let end = match poll_fn(|cx| copy.poll(&mut local, &mut tunnel, cx)).await {
        Ok(()) => "both sides ended",
        Err(Broken::Reader(error) | Broken::Writer(error)) => {
            let _ = local.set_zero_linger();
            let _ = tunnel.get_ref().0.get_ref().set_zero_linger();
            tracing::debug!(%error, "connection broke");
            "broke"
        }
    };
    (copy.up.moved(), copy.down.moved(), end)
}

/// Both directions of a connection; an idle one holds no buffer.
struct Copy {
    up: Direction,
    down: Direction,
}

impl Copy {
    /// Ready when both have ended or one has broken.
    fn poll(&mut self, local: &mut TcpStream, tunnel: &mut Tunnel, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        // One that is done says so again.
        let up = self.up.poll_copy(local, tunnel, cx)?;
        let down = self.down.poll_copy(tunnel, local, cx)?;
        if up.is_ready() && down.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use relay_lab::{Lab, LabOptions};
    use relay_runtime::clock::Clock;
    use relay_trust::DeviceKey;
    use relay_wire::{Platform, request::TransferKind};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{device::Device, embedded, profiles::Persona};

    const LIMIT: Duration = Duration::from_secs(30);

    async fn local() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (program, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        (program.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn bytes_and_ends_travel_both_ways_and_a_break_is_a_reset() {
        let lab = Lab::start(LabOptions::default()).await.unwrap();
        let target = embedded::target(&lab, 1).await.unwrap();
        let persona = Persona::generate(Platform::Linux, 0, 4);
        let edge = Arc::new(target.edge.clone());
        let mut device = Device::new(persona, edge, DeviceKey::generate(), None, Clock::system()).unwrap();
        let (mut link, _) = device.connect().await.unwrap();
        device.enrol(&mut link, target.mass_secret.as_ref().unwrap(), &target.master_pins).await.unwrap();
        device.authenticate(&mut link).await.unwrap();
        let paths = device.persona().paths();
        let mut tunnels = Vec::new();
        for _ in 0..2 {
            let granted =
                device.request_tunnel(&mut link, TransferKind::Sync, &target.node, paths.clone(), None).await.unwrap();
            tunnels.push(device.open(granted, &"echo".parse().unwrap()).await.unwrap());
        }

        let content: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
        let (program, accepted) = local().await;
        let (mut from, mut to) = program.into_split();
        let mut back = Vec::new();
        let all = async {
            tokio::join!(
                carry(accepted, tunnels.remove(0), device.buffers()),
                async {
                    to.write_all(&content).await.unwrap();
                    to.shutdown().await.unwrap();
                },
                from.read_to_end(&mut back),
            )
        };
        let (carried, (), _) = tokio::time::timeout(LIMIT, all).await.unwrap();
        assert_eq!(carried, (300_000, 300_000, "both sides ended"));
        assert!(back == content);

        let (mut program, accepted) = local().await;
        let program = async {
            program.write_all(b"ping").await.unwrap();
            program.read_exact(&mut [0; 4]).await.unwrap();
            program.set_zero_linger().unwrap();
            drop(program);
        };
        let broken = async { tokio::join!(carry(accepted, tunnels.remove(0), device.buffers()), program) };
        let (carried, ()) = tokio::time::timeout(LIMIT, broken).await.unwrap();
        assert_eq!(carried, (4, 4, "broke"));
        link.close().await;
        lab.stop().await;
    }
}
