//! Others that do the edge's work on the same machine in the same run: plain TCP from a device to an upstream.
//!
//! | peer | what it is |
//! |---|---|
//! | copy loop | tokio's `copy_bidirectional` with buffers of 64 KiB, in a process of its own |
//! | our splice | the edge's pump alone, in a process of its own |
//! | HAProxy | `mode tcp` with and without `splice-auto`, if `haproxy` is installed |
//! | HAProxy TLS | the same decrypting and encrypting again: what a relay that is not blind must do |

use std::{
    fmt::Write as _,
    fs, io,
    net::SocketAddr,
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use relay_runtime::splice::{Meter as SpliceMeter, Pipes, relay};
use relay_trust::{Identity, Pin, PinKind, PinSet, TlsProfile, client_config, pinned_verifier, server_config, sha256};
use tests::process::{Process, free_address, wait_until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{Scale, bed::runtime, load, report::Report, say, throughput, usage::Meter};

/// The first argument of a process that is a peer.
pub const PEER: &str = "peer";
const PART: &str = "peers";
const BUFFER_BYTES: usize = 64 * 1024;

/// Runs as a peer: joins every connection to one to `target`. Ends with the process.
pub fn serve(kind: &str, target: &str) -> ExitCode {
    let Ok(target) = target.parse::<SocketAddr>() else { return ExitCode::from(2) };
    let copying = kind == "copy";
    let served: io::Result<()> = runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        say(&format!("listening on {}", listener.local_addr()?));
        let (pipes, mut joined) = (Pipes::new(64), JoinSet::new());
        loop {
            let (mut near, _) = listener.accept().await?;
            let pipes = pipes.clone();
            joined.spawn(async move {
                let mut far = TcpStream::connect(target).await?;
                if copying {
                    let bytes = BUFFER_BYTES;
                    tokio::io::copy_bidirectional_with_sizes(&mut near, &mut far, bytes, bytes).await?;
                } else {
                    relay(near, far, &pipes, &SpliceMeter::new(), None).await.map_err(io::Error::other)?;
                }
                Ok::<_, io::Error>(())
            });
        }
    });
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A running peer.
struct Peer {
    name: &'static str,
    process: Process,
    address: SocketAddr,
    /// What devices trust, if they speak TLS with it.
    tls: Option<TlsConnector>,
}

/// Measures every peer that is there, and says how the edge compares.
pub fn measure(scale: &Scale, report: &mut Report) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let drain = load::drain();
    let mut peers = vec![ours("tokio copy loop, 64 KiB", "copy", drain), ours("our splice alone", "splice", drain)];
    let devices = runtime();
    let mut serving = JoinSet::new();
    if installed("haproxy") {
        peers.push(haproxy("HAProxy", folder.path(), "", drain));
        peers.push(haproxy("HAProxy splice-auto", folder.path(), "    option splice-auto\n", drain));
        let started = devices.block_on(async { haproxy_tls(folder.path(), &mut serving).await });
        match started {
            Ok(peer) => peers.push(peer),
            Err(error) => report.fail(format!("peers: TLS for HAProxy: {error}")),
        }
    } else {
        report.note("HAProxy is not installed: no figures beside it.");
    }
    for peer in &peers {
        for connections in [1, 8] {
            let measured = devices.block_on(row(peer, connections, scale.moving, report));
            if let Err(error) = measured {
                report.fail(format!("peers: {}: {error}", peer.name));
            }
        }
    }
    for peer in &peers {
        ratio(report, peer.name);
    }
}

fn ours(name: &'static str, kind: &str, target: SocketAddr) -> Peer {
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command.args([PEER, kind, &target.to_string()]);
    let process = Process::start(name, command);
    let line = process.wait_for_line("listening on ");
    let address = line.rsplit(' ').next().and_then(|text| text.parse().ok()).expect("an address");
    Peer { name, process, address, tls: None }
}

fn installed(binary: &str) -> bool {
    Command::new(binary)
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn haproxy(name: &'static str, folder: &Path, option: &str, target: SocketAddr) -> Peer {
    let address = free_address();
    start_haproxy(name, folder, address, &format!("{option}    bind {address}\n    server s {target}\n"))
}

fn start_haproxy(name: &'static str, folder: &Path, address: SocketAddr, lines: &str) -> Peer {
    let mut text = String::from(
        "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n",
    );
    let _ = write!(text, "listen relay\n{lines}");
    let config = folder.join(format!("haproxy-{}.cfg", address.port()));
    fs::write(&config, text).expect("a file in a temporary folder");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(config);
    let process = Process::start(name, command);
    wait_until("HAProxy listens", || std::net::TcpStream::connect(address).is_ok());
    Peer { name, process, address, tls: None }
}

/// HAProxy that ends TLS and begins it anew, and a drain that speaks TLS.
async fn haproxy_tls(folder: &Path, serving: &mut JoinSet<()>) -> Result<Peer, Box<dyn std::error::Error>> {
    let identity = Identity::self_signed(&["localhost".to_owned()], 30)?;
    let pem = folder.join("both.pem");
    fs::write(&pem, format!("{}{}", identity.chain_pem(), identity.key_pem().as_str()))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let target = listener.local_addr()?;
    let acceptor = TlsAcceptor::from(Arc::new(server_config(&identity, None)));
    serving.spawn(async move {
        let mut streams = JoinSet::new();
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            streams.spawn(async move {
                let mut stream = acceptor.accept(tcp).await?;
                let mut buffer = vec![0; BUFFER_BYTES];
                while stream.read(&mut buffer).await? > 0 {}
                stream.write_all(&[1]).await?;
                stream.shutdown().await
            });
        }
    });
    let address = free_address();
    let pem = pem.display();
    let lines = format!("    bind {address} ssl crt {pem}\n    server s {target} ssl verify none\n");
    let pins = PinSet::new(vec![Pin::new(PinKind::Leaf, sha256(identity.leaf()))])?;
    let profile = TlsProfile::default_for("linux").ok_or("no TLS profile for Linux")?;
    let config = client_config(profile, pinned_verifier(pins), None, b"x")?;
    let mut peer = start_haproxy("HAProxy TLS", folder, address, &lines);
    peer.tls = Some(TlsConnector::from(Arc::new(config)));
    Ok(peer)
}

#[allow(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
async fn row(peer: &Peer, connections: u32, time: Duration, report: &mut Report) -> io::Result<()> {
    let (mut plain, mut encrypted) = (Vec::new(), Vec::new());
    for _ in 0..connections {
        let tcp = TcpStream::connect(peer.address).await?;
        match &peer.tls {
            Some(connector) => {
                let name = "localhost".try_into().map_err(io::Error::other)?;
                encrypted.push(connector.connect(name, tcp).await?);
            }
            None => plain.push(tcp),
        }
    }
    let meter = Meter::start(&[peer.process.id()]);
    let mut moving = JoinSet::new();
    for stream in plain {
        moving.spawn(load::up(stream, time));
    }
    for stream in encrypted {
        moving.spawn(load::up(stream, time));
    }
    let mut bytes = 0;
    while let Some(done) = moving.join_next().await {
        bytes += done.map_err(io::Error::other)??;
    }
    let used = meter.stop();
    let gigabytes = bytes as f64 / 1e9;
    let what = format!("{} ×{connections}", peer.name);
    report.add(PART, what.clone(), gigabytes / used.wall, "GB/s");
    report.add(PART, what, used.cpu[0] / gigabytes, "CPU-s/GB");
    Ok(())
}

/// The edge's processor time per byte as a share of the peer's, if both were measured in this run.
fn ratio(report: &mut Report, peer: &'static str) {
    for connections in [1, 8] {
        let edge = report.value(throughput::PART, &format!("device to upstream ×{connections}: edge"), "CPU-s/GB");
        let other = report.value(PART, &format!("{peer} ×{connections}"), "CPU-s/GB");
        if let Some((edge, other)) = edge.zip(other) {
            report.add(PART, format!("edge / {peer} ×{connections}"), edge / other, "of its CPU per GB");
        }
    }
}
