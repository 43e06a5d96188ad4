use std::sync::atomic::{AtomicBool, Ordering};

use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::drain::Drain;

#[derive(Default)]
struct Source {
    ready: AtomicBool,
    refreshed: Counter,
}

impl AdminSource for Source {
    fn ready(&self) -> Result<(), String> {
        if self.ready.load(Ordering::SeqCst) { Ok(()) } else { Err("no master".to_owned()) }
    }
    fn status(&self) -> serde_json::Value {
        serde_json::json!({"phase": "running", "devices": 3})
    }
    fn refresh_metrics(&self) {
        self.refreshed.inc();
    }
}

struct Bench {
    address: SocketAddr,
    source: Arc<Source>,
    drain: Drain,
    tasks: Tasks,
}

async fn bench() -> Bench {
    let source = Arc::new(Source::default());
    let mut registry = Registry::default();
    registry.register("refreshed", "How often metrics were read", source.refreshed.clone());
    let loopback = SocketAddr::from((DEFAULT_HOST, 0));
    let admin = Admin::bind(loopback, Arc::new(registry), Arc::clone(&source) as Arc<dyn AdminSource>).unwrap();
    let (drain, tasks) = (Drain::new(), Tasks::new());
    let address = admin.local_addr().unwrap();
    tasks.spawn("admin", admin.run(drain.watch()));
    tokio::task::yield_now().await;
    Bench { address, source, drain, tasks }
}

impl Bench {
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn the_four_pages() {
    let bench = bench().await;
    assert!(bench.ask("GET /healthz").await.starts_with("HTTP/1.1 200"));
    let answer = bench.ask("GET /readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503") && body(&answer).contains("no master"), "{answer}");
    bench.source.ready.store(true, Ordering::SeqCst);
    assert!(bench.ask("GET /readyz?verbose").await.starts_with("HTTP/1.1 200"));
    let answer = bench.ask("GET /status").await;
    let status: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert!(answer.contains("application/json") && status["devices"] == 3, "{answer}");
    let answer = bench.ask("GET /metrics").await;
    assert!(answer.contains("openmetrics-text; version=1.0.0"), "{answer}");
    assert!(body(&answer).contains("refreshed_total 1\n") && body(&answer).ends_with("# EOF\n"), "{answer}");
}

#[tokio::test]
async fn wrong_paths_and_methods() {
    let bench = bench().await;
    let answer = bench.ask("GET /").await;
    assert!(answer.starts_with("HTTP/1.1 404") && body(&answer).contains("/metrics"), "{answer}");
    assert!(bench.ask("GET /metrics/").await.starts_with("HTTP/1.1 404"));
    let answer = bench.ask("POST /status").await;
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET, HEAD"), "{answer}");
    let answer = bench.ask("HEAD /healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200") && body(&answer).is_empty(), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_closed() {
    let bench = bench().await;
    let mut stream = TcpStream::connect(bench.address).await.unwrap();
    stream.write_all(b"GET /healthz HT").await.unwrap();
    let start = tokio::time::Instant::now();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(start.elapsed().as_secs(), HEADER_DEADLINE.as_secs());
}

#[tokio::test]
async fn too_many_connections_are_closed_and_room_comes_back() {
    let bench = bench().await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut stream = TcpStream::connect(bench.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
        held.push(stream);
    }
    let mut refused = TcpStream::connect(bench.address).await.unwrap();
    let mut nothing = Vec::new();
    let _ = refused.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    drop(held);
    // The server sees the ends in its own time.
    loop {
        let mut stream = TcpStream::connect(bench.address).await.unwrap();
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        if answer.starts_with(b"HTTP/1.1 200") {
            return;
        }
    }
}

#[tokio::test]
async fn it_answers_while_draining_and_ends_when_stopped() {
    let bench = bench().await;
    bench.drain.drain();
    assert!(bench.ask("GET /healthz").await.starts_with("HTTP/1.1 200"));
    bench.drain.stop();
    assert_eq!(bench.tasks.shutdown(Duration::from_secs(10)).await, 0);
    assert!(TcpStream::connect(bench.address).await.is_err());
}
