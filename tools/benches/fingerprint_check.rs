//! How long `fingerprint-check` needs for 1,000 targets, beside a loop of 20 times `openssl s_client | openssl x509`.
//!
//! `cargo bench -p tools --bench fingerprint_check` prints both, and fails if the 20 were quicker. Needs `openssl` and `sh`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed")]

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, TcpListener},
    process::{Command, ExitCode},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use relay_trust::{Identity, server_config};
use rustls::{ServerConfig, ServerConnection};

/// Targets of ours, each a port of its own.
const OURS: usize = 1000;
/// Of the loop.
const THEIRS: usize = 20;
/// The median of so many counts.
const ROUNDS: usize = 5;
/// Bytes of a server thread's stack.
const STACK: usize = 128 * 1024;

fn main() -> ExitCode {
    let _ = relay_runtime::resources::raise_descriptor_limit();
    let identity = Identity::self_signed(&["localhost".to_owned(), "127.0.0.1".to_owned()], 90).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (pem, list) = (folder.path().join("edge.pem"), folder.path().join("targets.txt"));
    std::fs::write(&pem, identity.chain_pem()).unwrap();
    let config = Arc::new(server_config(&identity, None));
    let ports: Vec<u16> = (0..OURS).map(|_| serve(&config)).collect();
    let mut text = String::new();
    for port in &ports {
        writeln!(text, "127.0.0.1:{port}").unwrap();
    }
    std::fs::write(&list, text).unwrap();

    let ours = median(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fingerprint-check"));
        command.arg("host").arg("-f").arg(&list).arg("--pin").arg(&pem).arg("--roots").arg(&pem);
        let output = command.args(["--format", "csv", "--platform", "linux,macos,ios"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), OURS + 1);
    });
    let places: Vec<String> = ports.iter().take(THEIRS).map(u16::to_string).collect();
    let script = format!(
        "for port in {}; do openssl s_client -connect 127.0.0.1:$port </dev/null 2>/dev/null \
         | openssl x509 -noout -fingerprint -sha256; done",
        places.join(" ")
    );
    let theirs = median(|| {
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), THEIRS, "is openssl installed?");
    });
    println!("| what | median of {ROUNDS} |\n|---|---|");
    println!("| fingerprint-check host, {OURS} targets, every verdict | {:.3} s |", ours.as_secs_f64());
    println!("| openssl s_client and openssl x509 -fingerprint, {THEIRS} targets | {:.3} s |", theirs.as_secs_f64());
    if ours <= theirs { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A TLS server on a port of its own, for as long as the process lives.
fn serve(config: &Arc<ServerConfig>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::clone(config);
    let answer = move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
            // Until the client says goodbye.
            let _ = connection.complete_io(&mut stream);
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(answer).unwrap();
    port
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed()
        })
        .collect();
    took.sort();
    took[ROUNDS / 2]
}
