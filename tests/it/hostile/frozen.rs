//! Backends that are stopped with SIGSTOP: their kernel still takes bytes, they answer nothing.

use std::time::Duration;

use client_sim::Failure;
use relay_wire::limits;
use tests::relay::{Options, RECONNECT_MAX, Relay};
use tokio::time::{Instant, sleep};

use super::{SLACK, VISIT, all_is_well, back_up, enrolled};

/// A request to a frozen node ends by then: the edge looks for a data connection, then waits for its hand-over.
const FROZEN: Duration = limits::TUNNEL_MATCH.saturating_add(limits::HAND_OVER).saturating_add(SLACK);
/// By then the edge knows that a node is frozen.
const KNOWN: Duration = limits::HEARTBEAT_SILENCE.saturating_add(SLACK);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_node_holds_nobody_and_another_node_works_on() {
    let relay = Relay::start(&Options { nodes: &["node-a", "node-b"], ..Options::default() });
    let target = relay.target("node-a", &relay.mass_secret("fleet", 1_000));
    let mut devices = Vec::new();
    for _ in 0..12 {
        devices.push(enrolled(&target).await.unwrap());
    }
    for (device, link) in &mut devices {
        back_up(device, link, "node-a").await.unwrap();
    }
    relay.nodes[0].freeze();
    let frozen = Instant::now();
    // More devices than the node has spare connections: some find a dead spare, the others none.
    let asking = tokio::task::JoinSet::from_iter(devices.into_iter().map(|(device, mut link)| async move {
        let mut longest = Duration::ZERO;
        loop {
            let asked = Instant::now();
            let result = back_up(&device, &mut link, "node-a").await;
            longest = longest.max(asked.elapsed());
            match result {
                // The last word: the edge knows now, and says so at once.
                Err(Failure::Later { .. }) if asked > frozen + KNOWN => {
                    assert!(asked.elapsed() < VISIT, "{:?}", asked.elapsed());
                    return (device, link, longest);
                }
                Err(Failure::Later { .. } | Failure::Unreachable { .. } | Failure::Ended { .. }) => {}
                other => panic!("a frozen node led to {other:?}"),
            }
            assert!(asked.elapsed() < FROZEN, "a request to a frozen node took {:?}", asked.elapsed());
            sleep(Duration::from_millis(100)).await;
        }
    }));
    let (mut elsewhere, mut longest_elsewhere) = (0, Duration::ZERO);
    let (device, mut link) = enrolled(&target).await.unwrap();
    while frozen.elapsed() < KNOWN + SLACK / 2 {
        let asked = Instant::now();
        back_up(&device, &mut link, "node-b").await.expect("the other node works");
        (elsewhere, longest_elsewhere) = (elsewhere + 1, longest_elsewhere.max(asked.elapsed()));
    }
    assert!(longest_elsewhere < VISIT, "{longest_elsewhere:?}");
    let asked = asking.join_all().await;
    let longest = asked.iter().map(|(.., longest)| *longest).max().unwrap();
    relay.nodes[0].thaw();
    let thawed = Instant::now();
    for (device, mut link, _) in asked {
        while let Err(failure) = back_up(&device, &mut link, "node-a").await {
            assert!(thawed.elapsed() < RECONNECT_MAX + SLACK, "not recovered: {failure}");
            sleep(Duration::from_millis(50)).await;
        }
    }
    eprintln!(
        "12 devices at a frozen node: no request took more than {longest:?}; {elsewhere} backups to the other node meanwhile, \
         longest {longest_elsewhere:?}; all served {:?} after SIGCONT",
        thawed.elapsed()
    );
    all_is_well(&relay);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_master_delays_only_what_it_must_decide() {
    let relay = Relay::start(&Options::default());
    let target = relay.target("node-a", &relay.mass_secret("fleet", 100));
    let (device, mut link) = enrolled(&target).await.unwrap();
    let (other, mut quiet) = enrolled(&target).await.unwrap();
    relay.master.freeze();
    let asked = Instant::now();
    let pings = async {
        // Pings are the edge's to answer.
        while asked.elapsed() < limits::ANSWER {
            let started = Instant::now();
            other.ping(&mut quiet).await.unwrap();
            assert!(started.elapsed() < VISIT);
            sleep(Duration::from_millis(100)).await;
        }
    };
    let (result, ()) = tokio::join!(back_up(&device, &mut link, "node-a"), pings);
    let waited = asked.elapsed();
    assert!(matches!(result, Err(Failure::Later { .. })), "{result:?}");
    assert!(waited < limits::ANSWER + SLACK, "{waited:?}");
    relay.master.thaw();
    // Its late answer is ignored; the next question is answered on the same connection.
    back_up(&device, &mut link, "node-a").await.unwrap();
    back_up(&other, &mut quiet, "node-a").await.unwrap();
    eprintln!("frozen master: \"later\" after {waited:?}");
    all_is_well(&relay);
}
