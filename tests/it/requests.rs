//! Devices that are not what they say: wrong parameters, requests out of order, other identities. The device hears one word, the log
//! has the reason.

use client_sim::{
    Failure,
    device::{Answer, Link, Quiet, Step},
};
use relay_wire::{
    Platform, Request,
    ids::Nonce,
    request::{Operation, Proof, TransferKind},
};

use crate::kit::{
    log::Log,
    site::{self, NODE, Options, Site, back_up, metric},
    soon,
};

async fn refused(link: &mut Link, platform: Platform, body: Vec<u8>) {
    let answer = link.request(Step::Request, platform, body).await;
    assert!(matches!(answer, Err(Failure::Refused { .. })), "{platform}: {:?}", answer.err());
}

async fn ended(link: &mut Link) {
    assert_eq!(soon(link.quiet(crate::kit::PATIENCE)).await, Quiet::Ended);
}

const SPOILT: &str = "spoilt-parameter";

/// A good request with one wrong parameter, the user, as the platform would send it: a name where an address belongs.
fn with_wrong_user(device: &client_sim::Device, link: &Link) -> Request {
    let content = device.content(Operation::Register { user: SPOILT.to_owned() }, None);
    let mut request = device.signed(link.exporter(), content).unwrap();
    request.proof = Proof::Mass([7; 32]);
    request
}

#[tokio::test]
async fn a_wrong_parameter_of_any_platform_ends_a_stranger_and_names_code_and_field() {
    let log = Log::capture();
    let site = Site::start(Options::default()).await;
    for platform in Platform::ALL {
        let device = site.device(platform, 0);
        let (mut link, _) = device.connect().await.unwrap();
        let body = with_wrong_user(&device, &link).to_body();
        refused(&mut link, platform, body).await;
        ended(&mut link).await;
        // A body that is no body of this platform at all.
        let (mut link, _) = device.connect().await.unwrap();
        refused(&mut link, platform, vec![0xff; 100]).await;
        ended(&mut link).await;
        let labels = format!("platform=\"{}\"", platform.as_str());
        let rejections = metric(site.edge().admin, "sallyport_edge_rejections_total", &[&labels]).await;
        assert_eq!(rejections, 2, "{platform}");
    }
    log.says(12, &["request refused", "code=\"E_", "field=\""]);
    assert!(!log.text().contains(SPOILT), "the log has no values");
    assert_eq!(
        metric(site.master().admin, "sallyport_backend_requests_judged_total", &[]).await,
        0,
        "none went inside"
    );
}

#[tokio::test]
async fn an_authenticated_device_may_be_wrong_eight_times() {
    let site = Site::start(Options::default()).await;
    let (device, mut link) = site.enrolled(Platform::Windows, 0).await;
    for _ in 0..relay_wire::limits::REFUSALS_MAX {
        let body = with_wrong_user(&device, &link).to_body();
        refused(&mut link, Platform::Windows, body).await;
    }
    ended(&mut link).await;
}

#[tokio::test]
async fn a_stranger_gets_neither_ping_nor_tunnel() {
    let log = Log::capture();
    let site = Site::start(Options::default()).await;
    let (device, _link) = site.enrolled(Platform::Linux, 0).await;
    // It is known and signs well; it has not authenticated on this connection.
    for operation in [
        Operation::Ping,
        Operation::Transfer { kind: TransferKind::Restore, node: site::name(NODE), paths: device.persona().paths() },
    ] {
        let (mut link, _) = device.connect().await.unwrap();
        let request = device.signed(link.exporter(), device.content(operation, None)).unwrap();
        refused(&mut link, Platform::Linux, request.to_body()).await;
        ended(&mut link).await;
    }
    assert_eq!(metric(site.edge().admin, "sallyport_edge_refusals_total", &["unauthenticated"]).await, 2);
    log.says(2, &["request refused", "code=\"unauthenticated\""]);
}

#[tokio::test]
async fn a_session_is_one_devices_alone_and_takes_no_request_twice() {
    let log = Log::capture();
    let site = Site::start(Options::default()).await;
    let (alice, mut link) = site.enrolled(Platform::MacOs, 0).await;
    let (bob, _bob_link) = site.enrolled(Platform::MacOs, 1).await;
    let edge = site.edge().admin;

    // Another enrolled device's request, well signed for this very connection.
    let foreign = bob.signed(link.exporter(), bob.content(Operation::Auth, None)).unwrap();
    refused(&mut link, Platform::MacOs, foreign.to_body()).await;
    assert_eq!(metric(edge, "sallyport_edge_refusals_total", &["other-device"]).await, 1);
    log.says(1, &["request refused", "code=\"other-device\""]);

    // One's own, twice.
    let request = alice.signed(link.exporter(), alice.content(Operation::Auth, None)).unwrap();
    let first = link.request(Step::Authenticate, Platform::MacOs, request.to_body()).await;
    assert!(matches!(first, Ok(Answer::Accepted)));
    refused(&mut link, Platform::MacOs, request.to_body()).await;
    assert_eq!(metric(edge, "sallyport_edge_refusals_total", &["nonce-reused"]).await, 1);
    log.says(1, &["request refused", "code=\"nonce-reused\""]);

    // The edge remembers a few; the master remembers all.
    for _ in 0..relay_wire::limits::NONCES_REMEMBERED {
        alice.authenticate(&mut link).await.unwrap();
    }
    refused(&mut link, Platform::MacOs, request.to_body()).await;
    assert_eq!(metric(site.master().admin, "sallyport_backend_requests_refused_total", &["replay"]).await, 1);
    back_up(&alice, &mut link, NODE, 1, 1_000).await.unwrap();
}

#[tokio::test]
async fn another_time_or_another_key_than_the_devices_is_refused() {
    let site = Site::start(Options::default()).await;
    let (device, _link) = site.enrolled(Platform::Android, 0).await;
    let skewed = |forward: bool| {
        let mut content = device.content(Operation::Auth, None);
        let away = (relay_wire::limits::CLOCK_SKEW + std::time::Duration::from_secs(60)).as_secs();
        let ticks = away * relay_wire::time::WallTime::TICKS_PER_SECOND;
        let now = content.sent_at.ticks();
        content.sent_at = relay_wire::time::WallTime::from_ticks(if forward { now + ticks } else { now - ticks });
        content.nonce = Nonce::new(relay_trust::random()).unwrap();
        content
    };
    for forward in [true, false] {
        let (mut link, _) = device.connect().await.unwrap();
        let request = device.signed(link.exporter(), skewed(forward)).unwrap();
        refused(&mut link, Platform::Android, request.to_body()).await;
    }
    let refusals = "sallyport_backend_requests_refused_total";
    assert_eq!(metric(site.master().admin, refusals, &["clock"]).await, 2);

    // The id of an enrolled device with a key of one's own; and an id that nobody has.
    let thief = site.device(Platform::Android, 0);
    let nobody = site.device(Platform::Android, 99);
    for (device, reason) in [(&thief, "bad-proof"), (&nobody, "unknown-device")] {
        let (mut link, _) = device.connect().await.unwrap();
        let refused = device.authenticate(&mut link).await;
        assert!(matches!(refused, Err(Failure::Refused { .. })));
        ended(&mut link).await;
        assert_eq!(metric(site.master().admin, refusals, &[reason]).await, 1, "{reason}");
    }
}
