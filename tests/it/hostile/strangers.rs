//! Peers that say nothing, or say it slowly.

use std::{net::SocketAddr, time::Duration};

use relay_runtime::tasks::Tasks;
use relay_wire::{limits, proof::alpn};
use tests::{
    peer,
    process::wait_until,
    relay::{Options, Relay},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, interval, sleep, timeout},
};

use super::{Legitimate, SLACK, all_is_well, unproved};

/// How many of each kind come at once.
const MANY: usize = 200;
/// How long new silent connections keep coming, one a second.
const TRICKLE: Duration = Duration::from_secs(13);

/// Waits until the edge has closed a connection.
async fn gone(stream: &mut (impl AsyncRead + Unpin)) {
    let mut any = [0; 64];
    while let Ok(1..) = stream.read(&mut any).await {}
}

/// Sends a byte a second of something that would be right if it ever came to its end.
async fn drip(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let send = async {
        let mut ticks = interval(Duration::from_secs(1));
        for byte in bytes {
            ticks.tick().await;
            if writer.write_all(&[*byte]).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        () = gone(&mut reader) => {}
        () = send => {}
    }
}

#[derive(Clone, Copy, Debug)]
enum Stranger {
    /// Nothing but a TCP connection.
    Silent,
    /// A byte of a ClientHello each second.
    SlowHello,
    /// A whole handshake, and then nothing.
    SilentAfterTls,
    /// A whole handshake, and then a byte of an opening frame each second.
    SlowFrame,
}

/// How long this stranger was let be, from its TCP connection on.
async fn suffer(edge: SocketAddr, stranger: Stranger) -> Duration {
    let mut tcp = TcpStream::connect(edge).await.unwrap();
    let connected = Instant::now();
    match stranger {
        Stranger::Silent => gone(&mut tcp).await,
        Stranger::SlowHello => drip(&mut tcp, &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await,
        Stranger::SilentAfterTls => gone(&mut peer::handshake(tcp, alpn::DEVICE, "localhost").await.unwrap()).await,
        Stranger::SlowFrame => {
            let mut tls = peer::handshake(tcp, alpn::DEVICE, "localhost").await.unwrap();
            drip(&mut tls, b"EDG1\x03\x01\x00\x00\x00\x00\x02\x00SALLYPORT").await;
        }
    }
    connected.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_and_slow_strangers_delay_nobody_and_are_gone_after_their_deadline() {
    let relay = Relay::start(&Options::default());
    let target = relay.target("node-a", &relay.mass_secret("fleet", 100_000));
    let legitimate = Legitimate::start(&target, 2);
    let (sender, mut ended) = mpsc::unbounded_channel();
    let (tasks, edge) = (Tasks::new(), relay.address);
    let send = |stranger: Stranger| {
        let sender = sender.clone();
        tasks.spawn("stranger", async move {
            let _ = sender.send((stranger, suffer(edge, stranger).await));
        });
    };
    for _ in 0..MANY {
        send(Stranger::SilentAfterTls);
        send(Stranger::SlowFrame);
        send(Stranger::SlowHello);
    }
    let full = async {
        while unproved(&relay) < 3 * MANY as u64 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(limits::FIRST_FRAME / 2, full).await.expect("all strangers are in before the first has to go");
    let (started, mut trickled) = (Instant::now(), 0);
    let mut ticks = interval(Duration::from_secs(1));
    while started.elapsed() < TRICKLE {
        ticks.tick().await;
        send(Stranger::Silent);
        trickled += 1;
    }
    // The crowd came before the trickle and is gone; of the trickle only what is younger than the deadline is left, and
    // legitimate devices between their connect and their first frame.
    let left = unproved(&relay);
    assert!(left <= limits::FIRST_FRAME.as_secs() + 4, "{left} strangers are left");
    let (visits, longest_visit) = legitimate.finish().await;
    drop(sender);
    let (mut count, mut longest) = (0, Duration::ZERO);
    while let Some((stranger, lasted)) = ended.recv().await {
        let early = limits::FIRST_FRAME - Duration::from_millis(500);
        assert!(lasted >= early && lasted <= limits::FIRST_FRAME + SLACK, "{stranger:?} was let be for {lasted:?}");
        (count, longest) = (count + 1, longest.max(lasted));
    }
    assert_eq!(count, 3 * MANY + trickled);
    wait_until("every stranger is gone from the edge's books", || unproved(&relay) == 0);
    let closes = |reason: &str| relay.edge.metric("sallyport_edge_device_closes_total", &[reason]);
    assert!(closes("bad-frame") >= 2.0 * MANY as f64, "{}", relay.edge.metrics());
    let failures = relay.edge.metric("sallyport_edge_handshake_failures_total", &["timeout"]);
    assert_eq!(failures, (MANY + trickled) as f64);
    assert!(visits > 20, "{visits}");
    eprintln!(
        "{count} strangers, the last gone {longest:?} after its connect; {visits} legitimate visits meanwhile, longest \
         {longest_visit:?}"
    );
    all_is_well(&relay);
}
