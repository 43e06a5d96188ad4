//! Control connection and pool: who is believed, how many spares there are, what ends with what.

use relay_wire::{ids::Role, session::control::EdgeCommand};

use crate::harness::{Arrival, HandMadeEdge, soon, start};

const DIALS: &str = "spare_connections{edge=\"";

#[tokio::test]
async fn it_connects_parks_its_spares_and_dials_what_is_asked_for() {
    let edge = HandMadeEdge::bind().await;
    let node = {
        let master = HandMadeEdge::bind().await;
        let master = start(&master, Role::Master, None, |text| text);
        start(&edge, Role::StorageNode, Some(&master), |text| text)
    };
    let control = edge.control().await;
    assert_eq!(control.role, Role::StorageNode);
    soon("connected", node.observer.connected()).await;
    let mut spares = vec![edge.data().await, edge.data().await];
    let gauge = format!("{DIALS}{}\"}}", edge.address());
    node.reaches(&gauge, 2).await;
    // A shortage: the edge asks for two, and the pool grows to its maximum of four.
    control.commands.try_send(EdgeCommand::Dial(2)).unwrap();
    spares.push(edge.data().await);
    spares.push(edge.data().await);
    node.reaches(&gauge, 4).await;
    // A spare that the edge closes is replaced.
    drop(spares.pop());
    spares.push(edge.data().await);
    node.reaches(&gauge, 4).await;
}

#[tokio::test]
async fn with_the_control_connection_its_spares_end_and_it_comes_back() {
    let edge = HandMadeEdge::bind().await;
    let master = start(&edge, Role::Master, None, |text| text);
    let mut control = edge.control().await;
    let spares = [edge.data().await, edge.data().await];
    control.commands.try_send(EdgeCommand::Supersede).unwrap();
    control.ended().await;
    for spare in spares {
        spare.closed_by_backend().await;
    }
    let again = edge.control().await;
    assert_eq!(again.role, Role::Master);
    soon("connected", master.observer.connected()).await;
}

#[tokio::test]
async fn an_edge_without_the_shared_key_gets_nothing() {
    let mut edge = HandMadeEdge::bind().await;
    edge.honest = false;
    let master = start(&edge, Role::Master, None, |text| text);
    let mut control = edge.control().await;
    control.ended().await;
    let line = format!("control_connection_ends_total{{edge=\"{}\",how=\"edge-not-proved\"}}", edge.address());
    master.reaches(&line, 1).await;
    assert!(!master.observer.status().edges[0].connected);
    assert_eq!(master.metric(&format!("{DIALS}{}\"}}", edge.address())).await, 0);
}

#[tokio::test]
async fn an_edge_with_another_certificate_gets_nothing() {
    let edge = HandMadeEdge::bind().await;
    let pin = edge.pin().to_string();
    let master = start(&edge, Role::Master, None, |text| text.replace(&pin, &format!("spki:{}", "11".repeat(32))));
    let line = format!("control_connection_ends_total{{edge=\"{}\",how=\"tls\"}}", edge.address());
    tokio::select! {
        () = master.reaches(&line, 1) => {}
        _ = edge.next() => panic!("it went on after a wrong pin"),
    }
}

#[tokio::test]
async fn a_pool_of_zero_dials_on_demand_only() {
    let edge = HandMadeEdge::bind().await;
    let master = start(&edge, Role::Master, None, |text| text.replace("min = 2\nmax = 4\n", "min = 0\nmax = 0\n"));
    let control = edge.control().await;
    soon("connected", master.observer.connected()).await;
    control.commands.try_send(EdgeCommand::Dial(1)).unwrap();
    let Arrival::Data(_data) = edge.next().await else { panic!("a data connection") };
}

#[tokio::test]
async fn it_takes_leave_when_it_drains() {
    let edge = HandMadeEdge::bind().await;
    let master = start(&edge, Role::Master, None, |text| text);
    let mut control = edge.control().await;
    soon("connected", master.observer.connected()).await;
    master.drain.drain();
    assert_eq!(control.event().await, relay_wire::session::control::EdgeEvent::Leaving);
    control.ended().await;
    soon("the end", master.tasks.idle()).await;
}
