//! Tunnels at a storage node: which are let in, and what happens to their bytes.

use relay_wire::{
    builtin::{Content, SinkReceipt, SourceOrder, Status},
    grant::{Grant, ServiceScope, SignedGrant},
    ids::{BackendName, Role, ServiceName},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::harness::{ControlLink, Device, HandMadeEdge, Running, Tunnel, ask_for, grant_for, now, sign, soon, start};

struct Scene {
    edge: HandMadeEdge,
    _control: ControlLink,
    master: Running,
    node: Running,
    device: Device,
}

impl Scene {
    async fn new(change: impl FnOnce(String) -> String) -> Self {
        let edge = HandMadeEdge::bind().await;
        // The master only lends its key: its own edge is never served.
        let nobody = HandMadeEdge::bind().await;
        let master = start(&nobody, Role::Master, None, |text| text);
        let node = start(&edge, Role::StorageNode, Some(&master), change);
        let control = edge.control().await;
        Self { edge, _control: control, master, node, device: Device::new() }
    }

    async fn with_upstream(proxy_protocol: bool) -> (Self, TcpListener) {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = upstream.local_addr().unwrap();
        let line = format!("[services]\nweb = {{ target = \"tcp://{target}\", proxy_protocol = {proxy_protocol} }}\n");
        (Self::new(|text| text.replace("[services]\n", &line)).await, upstream)
    }

    /// Assigns a data connection under `signed`; `None` if the backend refuses.
    async fn assign(&self, signed: SignedGrant) -> Option<TcpStream> {
        soon("the hand-over", self.edge.data().await.assign(signed)).await.ok()
    }

    async fn tunnel(&self, grant: &Grant) -> Tunnel {
        let tcp = self.assign(sign(grant, &self.master)).await.expect("handed over");
        self.device.open(tcp, &self.node).await.expect("let in")
    }

    /// The backend refuses this grant, as the `count`-th for this reason.
    async fn refused(&self, signed: SignedGrant, reason: &str, count: u64) {
        assert!(self.assign(signed).await.is_none(), "{reason}");
        self.node.reaches(&format!("tunnels_refused_total{{reason=\"{reason}\"}}"), count).await;
    }
}

#[tokio::test]
async fn sink_source_and_echo() {
    let scene = Scene::new(|text| text).await;
    let mut content = vec![0; 300_000];
    Content::new(7).fill(&mut content);

    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 1)).await;
    assert_eq!(ask_for(&mut tunnel, "sink").await.unwrap(), Status::Ready);
    tunnel.write_all(&content).await.unwrap();
    tunnel.shutdown().await.unwrap();
    let mut receipt = [0; SinkReceipt::BYTES];
    soon("the receipt", tunnel.read_exact(&mut receipt)).await.unwrap();
    let expected = SinkReceipt { bytes: 300_000, sha256: relay_trust::sha256(&content) };
    assert_eq!(SinkReceipt::decode(&receipt), expected);
    assert_eq!(tunnel.read(&mut [0]).await.unwrap(), 0, "close_notify, not a torn stream");

    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 2)).await;
    assert_eq!(ask_for(&mut tunnel, "source").await.unwrap(), Status::Ready);
    tunnel.write_all(&SourceOrder { seed: 7, bytes: 300_000 }.encode()).await.unwrap();
    let mut got = Vec::new();
    soon("the content", tunnel.read_to_end(&mut got)).await.unwrap();
    assert!(got == content);
    drop(tunnel);

    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 3)).await;
    assert_eq!(ask_for(&mut tunnel, "echo").await.unwrap(), Status::Ready);
    tunnel.write_all(b"hello").await.unwrap();
    let mut got = [0; 5];
    soon("the echo", tunnel.read_exact(&mut got)).await.unwrap();
    assert_eq!(&got, b"hello");
    tunnel.shutdown().await.unwrap();
    assert_eq!(soon("the end", tunnel.read(&mut got)).await.unwrap(), 0);
    scene.node.reaches("tunnels_closed_total{how=\"finished\"}", 3).await;
    assert_eq!(scene.node.metric("from_devices_bytes_total").await, 300_005);
}

#[tokio::test]
async fn grants_that_are_none_for_this_tunnel_open_nothing() {
    let scene = Scene::new(|text| text).await;
    let good = grant_for(&scene.device, 1);

    let mut forged = sign(&good, &scene.master);
    forged.signature[9] ^= 1;
    scene.refused(forged, "forged-grant", 1).await;
    scene.refused(sign(&good, &scene.node), "forged-grant", 2).await;

    let elsewhere = Grant { node: BackendName::new("node-2").unwrap(), ..grant_for(&scene.device, 2) };
    scene.refused(sign(&elsewhere, &scene.master), "wrong-node", 1).await;
    let late = Grant { expires_at: now(), ..grant_for(&scene.device, 3) };
    scene.refused(sign(&late, &scene.master), "expired", 1).await;

    let mut tunnel = scene.tunnel(&good).await;
    assert_eq!(ask_for(&mut tunnel, "echo").await.unwrap(), Status::Ready);
    scene.refused(sign(&good, &scene.master), "grant-reused", 1).await;
}

#[tokio::test]
async fn only_the_granted_key_gets_in() {
    let scene = Scene::new(|text| text).await;
    let tcp = scene.assign(sign(&grant_for(&scene.device, 1), &scene.master)).await.unwrap();
    let thief = Device::new();
    // Under TLS 1.3 the client hears of it with its first read.
    let heard = match thief.open(tcp, &scene.node).await {
        Ok(mut tunnel) => ask_for(&mut tunnel, "sink").await.is_err(),
        Err(_) => true,
    };
    assert!(heard);
    scene.node.reaches("tunnels_refused_total{reason=\"wrong-key\"}", 1).await;
}

#[tokio::test]
async fn only_granted_services_that_are_offered_answer() {
    let scene = Scene::new(|text| text.replace("[services]\n", "[services]\ndead = \"tcp://127.0.0.1:1\"\n")).await;
    let sink_only = ServiceScope::Only(vec![ServiceName::new("sink").unwrap()]);
    let narrow = Grant { services: sink_only, ..grant_for(&scene.device, 1) };
    let mut tunnel = scene.tunnel(&narrow).await;
    assert_eq!(ask_for(&mut tunnel, "echo").await.unwrap(), Status::NotAllowed);
    drop(tunnel);
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 2)).await;
    assert_eq!(ask_for(&mut tunnel, "nothing").await.unwrap(), Status::NotAllowed);
    drop(tunnel);
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 3)).await;
    assert_eq!(ask_for(&mut tunnel, "enrol").await.unwrap(), Status::NotAllowed);
    drop(tunnel);
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 4)).await;
    assert_eq!(ask_for(&mut tunnel, "dead").await.unwrap(), Status::Unreachable);
    drop(tunnel);
    scene.node.reaches("tunnels_refused_total{reason=\"not-allowed\"}", 3).await;
    scene.node.reaches("tunnels_refused_total{reason=\"unreachable\"}", 1).await;
}

#[tokio::test]
async fn half_close_and_the_proxy_header_reach_the_upstream() {
    let (scene, upstream) = Scene::with_upstream(true).await;
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 1)).await;
    let device = async {
        assert_eq!(ask_for(&mut tunnel, "web").await.unwrap(), Status::Ready);
        tunnel.write_all(b"question").await.unwrap();
        tunnel.shutdown().await.unwrap();
        let mut answer = String::new();
        tunnel.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let server = async {
        let (mut stream, _) = upstream.accept().await.unwrap();
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await.unwrap();
        stream.write_all(b"answer").await.unwrap();
        got
    };
    let (answer, got) = soon("the exchange", async { tokio::join!(device, server) }).await;
    assert_eq!(answer, "answer");
    let id = b"linux:9d1f6e02b7c84a35b2e07d5c41f98a06";
    let length = 12 + 3 + id.len();
    assert_eq!(got[..16], *[b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0", &[u8::try_from(length).unwrap()][..]].concat());
    assert_eq!(got[16..24], [203, 0, 113, 7, 127, 0, 0, 1]);
    assert_eq!(got[24..26], 4_711_u16.to_be_bytes());
    assert_eq!(got[28..31], [0xe0, 0, u8::try_from(id.len()).unwrap()]);
    assert_eq!(got[31..], [&id[..], b"question"].concat());
}

#[tokio::test]
async fn a_torn_tunnel_resets_the_upstream() {
    let (scene, upstream) = Scene::with_upstream(false).await;
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 1)).await;
    let (status, accepted) =
        soon("the upstream", async { tokio::join!(ask_for(&mut tunnel, "web"), upstream.accept()) }).await;
    assert_eq!(status.unwrap(), Status::Ready);
    let (mut stream, _) = accepted.unwrap();
    tunnel.write_all(b"half of it").await.unwrap();
    let mut got = [0; 10];
    soon("the bytes", stream.read_exact(&mut got)).await.unwrap();
    // A FIN without close_notify: somebody cut the tunnel.
    drop(tunnel);
    let error = soon("the reset", stream.read(&mut got)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    scene.node.reaches("tunnels_closed_total{how=\"device-broke\"}", 1).await;
}

#[tokio::test]
async fn an_upstream_that_resets_tears_the_tunnel() {
    let (scene, upstream) = Scene::with_upstream(false).await;
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 1)).await;
    let (status, accepted) =
        soon("the upstream", async { tokio::join!(ask_for(&mut tunnel, "web"), upstream.accept()) }).await;
    assert_eq!(status.unwrap(), Status::Ready);
    let (stream, _) = accepted.unwrap();
    stream.set_zero_linger().unwrap();
    drop(stream);
    // Not Ok(0): that would be a close_notify, and the device would take what it has for the whole.
    assert!(soon("the tear", tunnel.read(&mut [0])).await.is_err());
    scene.node.reaches("tunnels_closed_total{how=\"upstream-broke\"}", 1).await;
}

#[tokio::test]
async fn tunnels_outlive_their_control_connection() {
    let mut scene = Scene::new(|text| text).await;
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 1)).await;
    assert_eq!(ask_for(&mut tunnel, "echo").await.unwrap(), Status::Ready);
    scene._control.commands.try_send(relay_wire::session::control::EdgeCommand::Supersede).unwrap();
    scene._control.ended().await;
    let _again = scene.edge.control().await;
    tunnel.write_all(b"still").await.unwrap();
    let mut got = [0; 5];
    soon("the echo", tunnel.read_exact(&mut got)).await.unwrap();
    assert_eq!(&got, b"still");
}

#[tokio::test]
async fn draining_lets_tunnels_finish() {
    let scene = Scene::new(|text| text).await;
    let mut tunnel = scene.tunnel(&grant_for(&scene.device, 1)).await;
    assert_eq!(ask_for(&mut tunnel, "echo").await.unwrap(), Status::Ready);
    scene.node.drain.drain();
    tunnel.write_all(b"last").await.unwrap();
    let mut got = [0; 4];
    soon("the echo", tunnel.read_exact(&mut got)).await.unwrap();
    tunnel.shutdown().await.unwrap();
    assert_eq!(soon("the end", tunnel.read(&mut got)).await.unwrap(), 0);
    soon("the backend's end", scene.node.tasks.idle()).await;
}
