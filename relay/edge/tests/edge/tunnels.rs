//! Requests that lead to tunnels, and the tunnels.

use relay_runtime::tasks::Tasks;
use relay_trust::Identity;
use relay_wire::{
    frame::{
        control::{ControlFrame, Verdict},
        reply::Reply,
    },
    ids::{DeviceId, Token},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::{Ask, Data, Device, TestEdge, grant, open_tunnel, open_tunnel_to, soon};

fn identity() -> Identity {
    Identity::self_signed(&["node.test".to_owned()], 30).unwrap()
}

/// More than fits into the buffers on the way.
fn content() -> Vec<u8> {
    (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_go_through_a_parked_connection_both_ways_with_half_close() {
    let edge = TestEdge::start();
    let (mut master, _node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut data = edge.park(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 7).await;
    assert!(offer.grant == grant(7));

    let (at_node, token) = (identity(), offer.token);
    let node_tls = async {
        assert!(data.assigned().await == Some(grant(7)));
        data.let_in(&at_node).await
    };
    let (node_end, device_end) = tokio::join!(node_tls, open_tunnel(&edge, token, &at_node));
    let (mut node_end, mut device_end) = (node_end, device_end.unwrap());
    let there = content();
    let back: Vec<u8> = there.iter().rev().copied().collect();
    let tasks = Tasks::new();
    let (node_there, node_back) = (there.clone(), back.clone());
    tasks.spawn("node", async move {
        let mut got = Vec::new();
        node_end.read_to_end(&mut got).await.unwrap();
        assert!(got == node_there, "the node got what the device sent");
        // The device has closed its half; the other still carries all of this.
        node_end.write_all(&node_back).await.unwrap();
        node_end.shutdown().await.unwrap();
    });
    soon(device_end.write_all(&there)).await.unwrap();
    soon(device_end.shutdown()).await.unwrap();
    let mut got = Vec::new();
    soon(device_end.read_to_end(&mut got)).await.unwrap();
    assert!(got == back, "the device got what the node sent");
    drop(device_end);
    soon(tasks.idle()).await;

    edge.metric_becomes("sallyport_edge_tunnels_closed_total{reason=\"finished\"}", 1).await;
    assert_eq!(edge.status().await["tunnels"], 0);
    assert!(edge.metric("sallyport_edge_relayed_bytes_total{direction=\"to-backend\"}").await > 3_000_000);
    // The token is burned.
    assert!(open_tunnel(&edge, token, &at_node).await.is_err());
    assert_eq!(edge.metric("sallyport_edge_tokens_total{outcome=\"unknown\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_spare_the_backend_is_asked_for_one() {
    let edge = TestEdge::start();
    let (mut master, mut node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 1).await;
    let at_node = identity();
    let node_side = async {
        assert_eq!(node.next().await, Some(ControlFrame::Dial { count: 1 }));
        let mut data = edge.park(1).await.unwrap();
        assert!(data.assigned().await.is_some());
        let mut inside = data.let_in(&at_node).await;
        inside.write_all(b"hello").await.unwrap();
        inside.flush().await.unwrap();
        inside
    };
    let (_inside, device_end) = tokio::join!(node_side, open_tunnel(&edge, offer.token, &at_node));
    let mut got = [0; 5];
    soon(device_end.unwrap().read_exact(&mut got)).await.unwrap();
    assert_eq!(&got, b"hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_spare_is_skipped() {
    let edge = TestEdge::start();
    let (mut master, _node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let dead = edge.park(1).await.unwrap();
    let mut alive = edge.park(1).await.unwrap();
    edge.metric_becomes("sallyport_edge_spares{backend=\"vault\"}", 2).await;
    drop(dead);
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 1).await;
    let at_node = identity();
    let node_side = async {
        assert!(alive.assigned().await.is_some());
        alive.let_in(&at_node).await
    };
    let (_inside, device_end) = tokio::join!(node_side, open_tunnel(&edge, offer.token, &at_node));
    device_end.unwrap();
    edge.metric_becomes("sallyport_edge_spares{backend=\"vault\"}", 0).await;
}

/// A backend replaces old spares; one that it ends just when the edge assigns it must not cost the device its tunnel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spare_that_ends_while_it_is_assigned_is_replaced_by_the_next() {
    let edge = TestEdge::start();
    let (mut master, _node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut crossing = edge.park(1).await.unwrap();
    let mut alive = edge.park(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 1).await;
    let at_node = identity();
    let node_side = async {
        assert!(crossing.assigned().await.is_some());
        drop(crossing);
        assert!(alive.assigned().await.is_some());
        alive.let_in(&at_node).await
    };
    let (_inside, device_end) = tokio::join!(node_side, open_tunnel(&edge, offer.token, &at_node));
    device_end.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_comes_back_is_asked_again_for_those_who_wait() {
    let edge = TestEdge::start();
    let (mut master, mut node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 1).await;
    let at_node = identity();
    let node_side = async {
        assert_eq!(node.next().await, Some(ControlFrame::Dial { count: 1 }));
        // It died before it dialled; its next life finds a tunnel that waits.
        let mut node = edge.node(2).await.unwrap();
        assert_eq!(node.next().await, Some(ControlFrame::Dial { count: 1 }));
        let mut data = edge.park(2).await.unwrap();
        assert!(data.assigned().await.is_some());
        data.let_in(&at_node).await
    };
    let (_inside, device_end) = tokio::join!(node_side, open_tunnel(&edge, offer.token, &at_node));
    device_end.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_leads_to_the_master_itself() {
    let edge = TestEdge::start();
    let mut master = edge.master(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.send(Ask::Register).await;
    master.answer(Verdict::Granted(grant(1))).await;
    let Some(Reply::Tunnel(offer)) = device.reply().await else { panic!("no tunnel") };
    let at_master = identity();
    let master_side = async {
        assert_eq!(master.next().await, Some(ControlFrame::Dial { count: 1 }));
        let role = relay_wire::ids::Role::Master;
        let mut data = Data::park(&edge, crate::kit::MASTER, role, &edge.master_key, 1).await.unwrap();
        assert!(data.assigned().await.is_some());
        data.let_in(&at_master).await
    };
    let (_inside, device_end) = tokio::join!(master_side, open_tunnel(&edge, offer.token, &at_master));
    device_end.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_void_when_its_session_ends() {
    let edge = TestEdge::start();
    let (mut master, _node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 1).await;
    drop(device);
    edge.metric_becomes("sallyport_edge_tokens_total{outcome=\"void\"}", 1).await;
    assert!(open_tunnel(&edge, offer.token, &identity()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tokens_are_closed_without_a_word() {
    let edge = TestEdge::start();
    let node = identity();
    assert!(open_tunnel(&edge, Token::new([9; 16]), &node).await.is_err());
    assert!(open_tunnel_to(&edge, "edge.test", &node).await.is_err());
    assert_eq!(edge.metric("sallyport_edge_tunnels_closed_total{reason=\"token\"}").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_ends_session_tunnel_and_tokens() {
    let edge = TestEdge::start();
    let (mut master, _node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut data = edge.park(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.send(Ask::Auth).await;
    let asked = master.answer(Verdict::Accepted).await;
    assert!(matches!(device.reply().await, Some(Reply::Accepted)));
    let used = device.offer(&mut master, 1).await;
    let unused = device.offer(&mut master, 2).await;
    let at_node = identity();
    let node_side = async {
        assert!(data.assigned().await.is_some());
        data.let_in(&at_node).await
    };
    let (mut inside, device_end) = tokio::join!(node_side, open_tunnel(&edge, used.token, &at_node));
    let mut device_end = device_end.unwrap();

    let device_id: DeviceId = asked.content.device_id;
    master.send(&ControlFrame::Revoke { device_id }).await;
    assert!(device.reply().await.is_none(), "the session is over");
    let mut rest = Vec::new();
    assert!(soon(device_end.read_to_end(&mut rest)).await.is_err(), "the device's end is cut");
    assert!(soon(inside.read_to_end(&mut rest)).await.is_err(), "the node's end is cut");
    assert!(open_tunnel(&edge, unused.token, &at_node).await.is_err());
    assert_eq!(edge.status().await["tokens_pending"], 0);
    edge.metric_becomes("sallyport_edge_tunnels_closed_total{reason=\"revoked\"}", 1).await;
}

/// A backend that was stopped takes bytes into its socket and never answers; the device must not wait past the bound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_backend_costs_a_device_no_more_than_the_hand_over() {
    let edge = TestEdge::start();
    let (mut master, _node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let _frozen = edge.park(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    let offer = device.offer(&mut master, 1).await;
    let begun = tokio::time::Instant::now();
    assert!(open_tunnel(&edge, offer.token, &identity()).await.is_err());
    assert!(begun.elapsed() < relay_wire::limits::HAND_OVER * 2);
    edge.metric_becomes("sallyport_edge_tunnels_closed_total{reason=\"hand-over-timeout\"}", 1).await;
    device.send(Ask::Ping).await;
    assert!(matches!(device.reply().await, Some(Reply::Accepted)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_tunnels_of_a_device_are_bounded() {
    let edge = TestEdge::start_with(|config| config.limits.tunnels_per_device = 2);
    let (mut master, _node) = (edge.master(1).await.unwrap(), edge.node(1).await.unwrap());
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    for number in 1..=2 {
        device.offer(&mut master, number).await;
    }
    device.send(Ask::Backup).await;
    master.answer(Verdict::Granted(grant(3))).await;
    assert!(matches!(device.reply().await, Some(Reply::Later(_))));
    assert_eq!(edge.metric("sallyport_edge_asks_total{outcome=\"device-full\"}").await, 1);
}
