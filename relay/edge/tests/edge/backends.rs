//! Who is believed to be which backend, and what devices hear when one is away.

use relay_trust::SharedKey;
use relay_wire::{
    frame::{
        control::{ControlFrame, Verdict},
        reply::Reply,
    },
    ids::Role,
};

use crate::kit::{Ask, Control, Data, Device, MASTER, NODE, TestEdge, grant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_keys_names_and_roles_are_refused_alike() {
    let edge = TestEdge::start();
    let stranger = SharedKey::generate();
    for (name, role, key) in [
        (MASTER, Role::Master, &stranger),
        (MASTER, Role::Master, &edge.node_key),
        (MASTER, Role::StorageNode, &edge.master_key),
        (NODE, Role::Master, &edge.node_key),
        ("nobody", Role::Master, &edge.master_key),
    ] {
        assert!(Control::login(&edge, name, role, key, 1).await.is_none(), "{name} {role}");
        assert!(Data::park(&edge, name, role, key, 1).await.is_none(), "{name} {role}");
    }
    assert_eq!(edge.metric("sallyport_edge_backend_refusals_total{reason=\"control-not-proved\"}").await, 5);
    assert_eq!(edge.metric("sallyport_edge_backend_refusals_total{reason=\"data-not-proved\"}").await, 5);
    assert_eq!(edge.status().await["backends"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_life_takes_over_and_an_older_one_is_refused() {
    let edge = TestEdge::start();
    let mut old = edge.node(5).await.unwrap();
    let mut parked = edge.park(5).await.unwrap();
    assert!(edge.node(4).await.is_none(), "an older life is refused");
    let mut same = edge.node(5).await.unwrap();
    assert!(old.next().await.is_none(), "the half-open connection of the same life is ended");
    edge.metric_becomes("sallyport_edge_spares{backend=\"vault\"}", 1).await;
    let _new = edge.node(6).await.unwrap();
    assert!(same.next().await.is_none());
    assert!(parked.assigned().await.is_none(), "what the older life parked is closed");
    assert_eq!(edge.status().await["backends"][0]["generation"], "6");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_connection_needs_a_control_connection_of_its_life() {
    let edge = TestEdge::start();
    let _node = edge.node(5).await.unwrap();
    let mut other = edge.park(4).await.unwrap();
    assert!(other.assigned().await.is_none());
    assert_eq!(edge.metric("sallyport_edge_backend_refusals_total{reason=\"data-without-control\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spares_are_bounded() {
    let edge = TestEdge::start_with(|config| config.limits.spares_per_backend = 1);
    let _node = edge.node(1).await.unwrap();
    let _first = edge.park(1).await.unwrap();
    let mut second = edge.park(1).await.unwrap();
    assert!(second.assigned().await.is_none());
    assert_eq!(edge.metric("sallyport_edge_backend_refusals_total{reason=\"spares-full\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_are_told_later_while_master_or_node_is_away() {
    let edge = TestEdge::start();
    assert!(edge.admin("/readyz").await.0.contains("503"));
    let mut device = Device::connect(&edge).await;
    device.send(Ask::Auth).await;
    assert!(matches!(device.reply().await, Some(Reply::Later(_))));

    let mut master = edge.master(1).await.unwrap();
    assert!(edge.admin("/readyz").await.0.contains("200"));
    device.authenticate(&mut master).await;
    device.send(Ask::Backup).await;
    master.answer(Verdict::Granted(grant(1))).await;
    assert!(matches!(device.reply().await, Some(Reply::Later(_))), "the node is away");
    assert_eq!(edge.metric("sallyport_edge_asks_total{outcome=\"node-away\"}").await, 1);

    device.send(Ask::Backup).await;
    master.asked().await;
    drop(master);
    assert!(matches!(device.reply().await, Some(Reply::Later(_))), "the master went while it was asked");
    device.send(Ask::Ping).await;
    assert!(matches!(device.reply().await, Some(Reply::Accepted)), "a ping needs no master");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_master_is_asked_alone_and_one_that_leaves_no_more() {
    let edge = TestEdge::start();
    let key = SharedKey::generate();
    let copy = SharedKey::from_hex(&key.to_hex()).unwrap_or_else(|error| panic!("{error}"));
    relay_edge::keystore::add(&edge.keys, &crate::kit::name("spare-hq"), Role::Master, copy).unwrap();
    edge.drain.reload();
    edge.metric_becomes("sallyport_edge_reloads_total{outcome=\"done\"}", 1).await;
    let mut old = edge.master(1).await.unwrap();
    let mut new = Control::login(&edge, "spare-hq", Role::Master, &key, 2).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut new).await;
    new.send(&ControlFrame::Leave).await;
    while edge.status().await["master"] != MASTER {
        tokio::task::yield_now().await;
    }
    device.send(Ask::Auth).await;
    old.answer(Verdict::Accepted).await;
    assert!(matches!(device.reply().await, Some(Reply::Accepted)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_what_was_not_asked_changes_nothing() {
    let edge = TestEdge::start();
    let mut master = edge.master(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.send(Ask::Auth).await;
    let (id, _) = master.asked().await;
    let other = relay_wire::ids::RequestId(id.0 + 1);
    master.send(&ControlFrame::Answer { id: other, verdict: Verdict::Accepted }).await;
    edge.metric_becomes("sallyport_edge_asks_total{outcome=\"unexpected\"}", 1).await;
    // A grant is no answer to `auth`.
    master.send(&ControlFrame::Answer { id, verdict: Verdict::Granted(grant(1)) }).await;
    assert!(matches!(device.reply().await, Some(Reply::Refused)));
    assert!(device.reply().await.is_none(), "a stranger who is refused is gone");
}
