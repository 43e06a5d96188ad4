//! Bounds, pools, several nodes and several edges.

use std::time::Duration;

use client_sim::{
    Device, Failure,
    device::{Link, Quiet, Tunnel},
};
use relay_backend::config::PoolConfig;
use relay_edge::config::Limits;
use relay_wire::{Platform, limits, request::TransferKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::{
    log::Log,
    site::{self, NODE, Options, Site, back_up, metric, metric_becomes, metric_reaches, restore, service},
    soon,
};

async fn echo(device: &Device, link: &mut Link) -> Result<Tunnel, Failure> {
    let granted = site::ask(device, link, TransferKind::Sync, NODE).await?;
    device.open(granted, &service("echo")).await
}

async fn alive(tunnel: &mut Tunnel) -> bool {
    let mut back = [0; 4];
    tunnel.write_all(b"ping").await.is_ok() && soon(tunnel.read_exact(&mut back)).await.is_ok() && back == *b"ping"
}

/// Ends a tunnel and waits until the other end has ended too.
async fn end(mut tunnel: Tunnel) {
    tunnel.shutdown().await.unwrap();
    let _ = soon(tunnel.read_to_end(&mut Vec::new())).await;
}

#[tokio::test]
async fn a_device_has_so_many_tunnels_and_no_more() {
    let limits = Limits { tunnels_per_device: 2, ..Limits::default() };
    let site = Site::start(Options { limits, ..Options::default() }).await;
    let (device, mut link) = site.enrolled(Platform::Linux, 0).await;
    let mut first = echo(&device, &mut link).await.unwrap();
    let second = echo(&device, &mut link).await.unwrap();
    let third = echo(&device, &mut link).await.err().unwrap();
    assert!(third.retry_after().is_some(), "{third}");
    // The bound is this device's alone.
    let (other, mut other_link) = site.enrolled(Platform::Linux, 1).await;
    back_up(&other, &mut other_link, NODE, 1, 1_000).await.unwrap();
    assert!(alive(&mut first).await);
    // A place that is given back can be had again.
    end(second).await;
    metric_reaches(site.edge().admin, "sallyport_edge_tunnels_closed_total", &["finished"], 2).await;
    let mut fourth = echo(&device, &mut link).await.unwrap();
    assert!(alive(&mut fourth).await && alive(&mut first).await);
}

#[tokio::test]
async fn a_device_that_connects_once_too_often_loses_its_oldest_session() {
    let limits = Limits { sessions_per_device: 2, ..Limits::default() };
    let site = Site::start(Options { limits, ..Options::default() }).await;
    let (device, mut oldest) = site.enrolled(Platform::Ios, 0).await;
    let mut later = Vec::new();
    for _ in 0..2 {
        let (mut link, _) = device.connect().await.unwrap();
        device.authenticate(&mut link).await.unwrap();
        later.push(link);
    }
    // It is told to come back later, which a device that still lives then does.
    assert!(matches!(oldest.quiet(Duration::from_secs(20)).await, Quiet::Draining(_)));
    for link in &mut later {
        device.ping(link).await.unwrap();
    }
}

#[tokio::test]
async fn a_backend_has_so_many_tunnels_and_no_more() {
    let log = Log::capture();
    let change = |config: &mut relay_backend::Config| config.tunnels_max = 1;
    let site = Site::start(Options { change, ..Options::default() }).await;
    let (device, mut link) = site.enrolled(Platform::Linux, 0).await;
    let mut first = echo(&device, &mut link).await.unwrap();
    assert!(echo(&device, &mut link).await.is_err());
    assert_eq!(metric(site.node().admin, "sallyport_backend_tunnels_refused_total", &["tunnel-limit"]).await, 1);
    log.says(1, &["tunnel refused", "tunnel-limit"]);
    assert!(alive(&mut first).await);
    end(first).await;
    soon(async {
        while site.node().observer.status().tunnels > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    back_up(&device, &mut link, NODE, 1, 1_000).await.unwrap();
}

#[tokio::test]
async fn a_token_expires() {
    let site = Site::start(Options::default()).await;
    let (device, mut link) = site.enrolled(Platform::Windows, 0).await;
    let granted = site::ask(&device, &mut link, TransferKind::Backup, NODE).await.unwrap();
    // One second is the edge's grace for the way of the offer.
    tokio::time::pause();
    tokio::time::advance(limits::TOKEN + Duration::from_secs(1)).await;
    tokio::time::resume();
    assert!(device.open(granted, &service("sink")).await.is_err());
    let edge = site.edge().admin;
    metric_becomes(edge, "sallyport_edge_tokens_total", &["expired"], 1).await;
    metric_becomes(edge, "sallyport_edge_tunnels_closed_total", &["reason=\"token\""], 1).await;
}

#[tokio::test]
async fn a_token_is_void_when_its_session_ends() {
    let site = Site::start(Options::default()).await;
    let (device, mut link) = site.enrolled(Platform::Windows, 0).await;
    let granted = site::ask(&device, &mut link, TransferKind::Backup, NODE).await.unwrap();
    link.close().await;
    metric_becomes(site.edge().admin, "sallyport_edge_tokens_total", &["void"], 1).await;
    assert!(device.open(granted, &service("sink")).await.is_err());
}

#[tokio::test]
async fn tokens_that_nobody_uses_are_bounded() {
    let limits = Limits { pending_tokens: 2, ..Limits::default() };
    let site = Site::start(Options { limits, ..Options::default() }).await;
    let (device, mut link) = site.enrolled(Platform::MacOs, 0).await;
    let held = site::ask(&device, &mut link, TransferKind::Backup, NODE).await.unwrap();
    let _other = site::ask(&device, &mut link, TransferKind::Backup, NODE).await.unwrap();
    let third = site::ask(&device, &mut link, TransferKind::Backup, NODE).await.err().unwrap();
    assert!(third.retry_after().is_some(), "{third}");
    let tunnel = device.open(held, &service("echo")).await.unwrap();
    site::ask(&device, &mut link, TransferKind::Backup, NODE).await.unwrap();
    end(tunnel).await;
}

#[tokio::test]
async fn without_spares_a_backend_dials_when_it_is_asked() {
    let change = |config: &mut relay_backend::Config| config.pool = PoolConfig { min: 0, max: 0, ..config.pool };
    let site = Site::start(Options { change, ..Options::default() }).await;
    let dials = "sallyport_backend_data_connection_dials_total";
    for backend in site.backends.values() {
        assert_eq!(metric(backend.admin, dials, &[]).await, 0);
    }
    let (device, mut link) = site.enrolled(Platform::Android, 0).await;
    assert_eq!(metric(site.master().admin, dials, &[]).await, 1);
    for round in 0..3 {
        back_up(&device, &mut link, NODE, round, 20_000).await.unwrap();
        restore(&device, &mut link, NODE, round, 20_000).await.unwrap();
    }
    assert_eq!(metric(site.node().admin, dials, &[]).await, 6);
    assert_eq!(metric(site.edge().admin, "sallyport_edge_spares", &[]).await, 0);
}

#[tokio::test]
async fn each_node_gets_what_is_for_it() {
    let nodes = vec![NODE, "node-b", "node-c"];
    let site = Site::start(Options { nodes, ..Options::default() }).await;
    let (device, mut link) = site.enrolled(Platform::WindowsPhone, 0).await;
    for (node, bytes) in [(NODE, 1_000), ("node-b", 20_000), ("node-c", 300_000)] {
        back_up(&device, &mut link, node, bytes, bytes).await.unwrap();
        let received = metric(site.backends[node].admin, "sallyport_backend_from_devices_bytes_total", &[]).await;
        assert_eq!(received, bytes, "{node}");
    }
    let nowhere = site::ask(&device, &mut link, TransferKind::Backup, "node-d").await;
    assert!(matches!(nowhere, Err(Failure::Refused { .. })));
    // The master is no storage node.
    let master = site::ask(&device, &mut link, TransferKind::Backup, site::MASTER).await;
    assert!(matches!(master, Err(Failure::Refused { .. })));
    let refusals = "sallyport_backend_requests_refused_total";
    assert_eq!(metric(site.master().admin, refusals, &["unknown-node"]).await, 2);
}

#[tokio::test]
async fn a_backend_serves_through_several_edges_and_devices_fall_over() {
    let site = Site::start(Options { edges: 2, ..Options::default() }).await;
    let secret = site.secret(10).await;
    // One device through each edge, and one that knows both.
    for (index, edge) in (0..).zip(&site.edges) {
        let target = site::target(&[edge.address], std::slice::from_ref(&edge.certificate));
        let device = site::device(Platform::Windows, index, target);
        let (device, mut link) = site::enrolled(device, &secret, &site.master_pins()).await;
        back_up(&device, &mut link, NODE, 1, 20_000).await.unwrap();
        assert_eq!(metric(edge.admin, "sallyport_edge_tunnels_opened_total", &[]).await, 2);
    }
    let (device, mut link) = site.enrolled(Platform::Windows, 7).await;
    assert_eq!(link.address(), site.edges[0].address);

    // A revocation reaches every edge.
    let (at_first, mut first) = site.enrolled(Platform::Linux, 8).await;
    let second = &site.edges[1];
    let target = site::target(&[second.address], std::slice::from_ref(&second.certificate));
    let twin = Device::new(
        at_first.persona().clone(),
        std::sync::Arc::new(target),
        relay_trust::DeviceKey::from_pkcs8_pem(&at_first.key().to_pkcs8_pem()).unwrap(),
        at_first.master_spki().map(<[u8]>::to_vec),
        relay_runtime::clock::Clock::system(),
    )
    .unwrap();
    let (mut other, _) = twin.connect().await.unwrap();
    twin.authenticate(&mut other).await.unwrap();
    let registry = site.master().observer.registry().unwrap();
    registry.revoke_device(at_first.persona().id.registry_key()).await.unwrap();
    assert_eq!(soon(first.quiet(Duration::from_secs(20))).await, Quiet::Ended);
    assert_eq!(soon(other.quiet(Duration::from_secs(20))).await, Quiet::Ended);

    // The first edge goes; its devices go to the second, which the same backends serve.
    site.edges[0].drain.drain();
    assert!(matches!(link.quiet(Duration::from_secs(20)).await, Quiet::Draining(_)));
    let (mut link, _) = device.connect().await.unwrap();
    assert_eq!(link.address(), second.address);
    device.authenticate(&mut link).await.unwrap();
    back_up(&device, &mut link, NODE, 2, 20_000).await.unwrap();
    restore(&device, &mut link, NODE, 3, 20_000).await.unwrap();
}
