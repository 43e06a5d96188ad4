//! Drain and reload.

use std::time::Duration;

use relay_trust::{Identity, PinKind, SharedKey};
use relay_wire::{
    frame::{control::ControlFrame, reply::Reply},
    ids::Role,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::kit::{Ask, Control, Data, Device, NODE, TestEdge, name, open_tunnel, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_tells_everyone_and_lets_a_tunnel_finish() {
    let edge = TestEdge::start_with(|config| config.drain.retry_after = Duration::from_secs(3));
    let (mut master, mut node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut data = edge.park(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 1).await;
    let at_node = Identity::self_signed(&["node.test".to_owned()], 30).unwrap();
    let node_side = async {
        data.assigned().await.unwrap();
        data.let_in(&at_node).await
    };
    let (mut inside, device_end) = tokio::join!(node_side, open_tunnel(&edge, offer.token, &at_node));
    let mut device_end = device_end.unwrap();

    edge.drain.drain();
    let Some(Reply::Draining(wait)) = device.reply().await else { panic!("the device is not told") };
    assert!((Duration::from_secs(3)..=Duration::from_secs(6)).contains(&wait));
    assert!(device.reply().await.is_none());
    assert!(matches!(master.next().await, Some(ControlFrame::Leave)));
    assert!(matches!(node.next().await, Some(ControlFrame::Leave)));
    assert!(edge.admin("/readyz").await.1.contains("draining"));
    soon(async { while TcpStream::connect(edge.address).await.is_ok() {} }).await;

    device_end.write_all(b"the rest").await.unwrap();
    device_end.shutdown().await.unwrap();
    let mut got = Vec::new();
    soon(inside.read_to_end(&mut got)).await.unwrap();
    assert_eq!(got, b"the rest");
    inside.shutdown().await.unwrap();
    soon(device_end.read_to_end(&mut got)).await.unwrap();
    drop((inside, device_end));
    edge.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_stops_at_once() {
    let edge = TestEdge::start();
    let mut master = edge.master(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.send(Ask::Auth).await;
    master.asked().await;
    edge.drain.drain();
    edge.drain.stop();
    edge.ended().await;
    assert!(master.next().await.is_none_or(|frame| frame == ControlFrame::Leave));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_takes_what_is_good_and_drops_nothing() {
    let edge = TestEdge::start();
    let (mut master, mut node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;

    // Bad: a certificate without its key. Everything stays.
    let folder = edge.config.parent().unwrap();
    let (chain, key) = (folder.join("edge.crt"), folder.join("edge.key"));
    let next = Identity::self_signed(&["edge.test".to_owned()], 30).unwrap();
    std::fs::write(&chain, next.chain_pem()).unwrap();
    edge.drain.reload();
    edge.metric_becomes("sallyport_edge_reloads_total{outcome=\"refused\"}", 1).await;
    drop(Device::connect(&edge).await);

    // Good: both; and the node's key is gone.
    std::fs::write(&key, next.key_pem().as_bytes()).unwrap();
    let fingerprint = edge.node_key.fingerprint();
    relay_edge::keystore::remove(&edge.keys, &name(NODE), &fingerprint).unwrap();
    edge.drain.reload();
    edge.metric_becomes("sallyport_edge_reloads_total{outcome=\"done\"}", 1).await;
    assert!(node.next().await.is_none(), "a backend without a key is ended");
    assert!(edge.node(2).await.is_none());
    let shown = crate::strangers::certificate(&edge).await;
    let pin = relay_trust::Pin::new(PinKind::Leaf, next.fingerprints().leaf);
    assert!(pin.matches(&shown), "new connections see the new certificate");
    device.send(Ask::Ping).await;
    assert!(matches!(device.reply().await, Some(Reply::Accepted)), "what stood still stands");
}

/// A key that is taken back because somebody else has it: who came with it must go, whatever generation they claimed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_taken_back_ends_what_it_opened() {
    let edge = TestEdge::start();
    let next = SharedKey::generate();
    let same = SharedKey::from_hex(&next.to_hex()).unwrap_or_else(|error| panic!("{error}"));
    relay_edge::keystore::add(&edge.keys, &name(NODE), Role::StorageNode, same).unwrap();
    edge.drain.reload();
    edge.metric_becomes("sallyport_edge_reloads_total{outcome=\"done\"}", 1).await;

    let mut master = edge.master(1).await.unwrap();
    let mut thief = edge.node(u64::MAX).await.unwrap();
    let mut parked = Data::park(&edge, NODE, Role::StorageNode, &edge.node_key, u64::MAX).await.unwrap();
    assert!(Control::login(&edge, NODE, Role::StorageNode, &next, 2).await.is_none(), "an older generation");
    relay_edge::keystore::remove(&edge.keys, &name(NODE), &edge.node_key.fingerprint()).unwrap();
    edge.drain.reload();
    edge.metric_becomes("sallyport_edge_reloads_total{outcome=\"done\"}", 2).await;
    assert!(thief.next().await.is_none());
    assert!(parked.assigned().await.is_none());
    // What stands with a key that stays, stands.
    let _node = Control::login(&edge, NODE, Role::StorageNode, &next, 2).await.unwrap();
    edge.drain.reload();
    edge.metric_becomes("sallyport_edge_reloads_total{outcome=\"done\"}", 3).await;
    assert!(Data::park(&edge, NODE, Role::StorageNode, &next, 2).await.is_some());
    Device::connect(&edge).await.authenticate(&mut master).await;
}

#[test]
fn the_edge_never_opens_a_connection() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["connect(", "TcpSocket", "UdpSocket", "lookup_host", "ToSocketAddrs"] {
                assert!(!text.contains(word), "{word} in {}", path.display());
            }
        }
    }
}
