//! A captured edge: its captor has the certificate, its key and the backends' shared keys, and owns every socket. What that is worth.

use std::{collections::HashSet, io};

use client_sim::{
    Device, Failure,
    device::{Answer, Link, Step, dial},
};
use relay_runtime::tasks::Tasks;
use relay_trust::{Identity, MassSecret, Pin, PinKind, PinSet, TlsProfile, client_config, pinned_verifier};
use relay_wire::{
    Platform, Proof,
    builtin::{self, Content, EnrolOrder, EnrolReceipt},
    frame::{control::Verdict, reply::Offer},
    grant::{Grant, ServiceScope, SignedGrant},
    proof::alpn,
    request::{Operation, TransferKind},
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::kit::{
    captured::{CapturedEdge, ControlEnd, DeviceEnd, Passed, forge},
    log::Log,
    site::{self, MASTER, NODE, Options, Site, back_up, metric, metric_becomes, restore, service},
    soon,
};

/// Content of a backup: many records, not a whole number of them.
const BYTES: u64 = 300_001;

/// A relay whose edge is the captor's.
struct Captured {
    edge: CapturedEdge,
    site: Site,
    master: ControlEnd,
    secret: MassSecret,
    log: Log,
    _tasks: Tasks,
}

impl Captured {
    async fn start() -> Self {
        let log = Log::capture();
        let tasks = Tasks::new();
        let edge = CapturedEdge::start(&tasks).await;
        let site = Site::start(Options { edges: 0, others: vec![edge.as_other()], ..Options::default() }).await;
        let secret = site.secret(100).await;
        let master = edge.master().await;
        Self { edge, site, master, secret, log, _tasks: tasks }
    }

    fn device(&self, platform: Platform, index: u32) -> Device {
        let certificates = [self.edge.identity.leaf().clone()];
        site::device(platform, index, site::target(&[self.edge.address], &certificates))
    }

    /// A device that enrols through the captor, who lets it; its end of the connection and the captor's.
    async fn enrolled(&mut self, platform: Platform, index: u32) -> (Device, Link, DeviceEnd) {
        let device = self.device(platform, index);
        let pins = self.site.master_pins();
        let captor = async {
            let mut end = self.edge.device().await;
            let registered = self.edge.pass(&mut end, &mut self.master).await.unwrap();
            let tunnel = self.edge.tunnel().await;
            self.edge.join(tunnel, &registered.grant()).await;
            self.edge.pass(&mut end, &mut self.master).await.unwrap();
            end
        };
        let ((device, link), end) = tokio::join!(site::enrolled(device, &self.secret, &pins), captor);
        (device, link, end)
    }

    /// The device asks for a tunnel; what passed the captor.
    async fn asked(&mut self, device: &Device, link: &mut Link, end: &mut DeviceEnd, kind: TransferKind) -> Passed {
        let (granted, passed) =
            tokio::join!(site::ask(device, link, kind, NODE), self.edge.pass(end, &mut self.master));
        granted.unwrap();
        passed.unwrap()
    }

    /// The node refuses a tunnel under this grant, for this reason.
    async fn node_refuses(&self, grant: &SignedGrant, reason: &str) {
        let refusals = ("sallyport_backend_tunnels_refused_total", [reason]);
        let before = metric(self.site.node().admin, refusals.0, &refusals.1).await;
        let lines = self.log.count(&["tunnel refused", reason]);
        match self.edge.assign(NODE, grant, 1_000, &[]).await {
            Err(_) => {}
            Ok(mut raw) => assert_eq!(soon(raw.read_to_end(&mut Vec::new())).await.unwrap_or(0), 0),
        }
        metric_becomes(self.site.node().admin, refusals.0, &refusals.1, before + 1).await;
        self.log.says(lines + 1, &["WARN", "tunnel refused", reason, "192.0.2.7:1000"]);
    }
}

/// Whether any 31 bytes in a row of a seed's content stand somewhere in `held`.
fn content_in(held: &[u8], seed: u64, bytes: u64) -> bool {
    let mut content = vec![0; usize::try_from(bytes).unwrap()];
    Content::new(seed).fill(&mut content);
    // In 31 bytes in a row there is a whole piece of 16.
    let pieces: HashSet<&[u8]> = content.chunks_exact(16).collect();
    held.windows(16).any(|window| pieces.contains(window))
}

#[test]
fn the_search_finds_content_wherever_it_stands() {
    let mut held = vec![7; 1_000];
    let mut content = vec![0; 5_000];
    Content::new(3).fill(&mut content);
    assert!(!content_in(&held, 3, 5_000));
    held[13..13 + 31].copy_from_slice(&content[4_001..4_001 + 31]);
    assert!(content_in(&held, 3, 5_000));
    assert!(!content_in(&held, 4, 5_000));
}

#[tokio::test]
async fn content_never_appears_in_what_the_edge_holds() {
    let mut captured = Captured::start().await;
    let pins = captured.site.master_pins();
    // Both versions of TLS; Windows Phone has 1.2 only.
    for (index, platform) in (0..).zip([Platform::Windows, Platform::WindowsPhone]) {
        let device = captured.device(platform, index);
        let before = captured.edge.held().len();
        let (up, down) = (u64::from(index) * 2, u64::from(index) * 2 + 1);
        let run = async {
            let (device, mut link) = site::enrolled(device, &captured.secret, &pins).await;
            back_up(&device, &mut link, NODE, up, BYTES).await.unwrap();
            restore(&device, &mut link, NODE, down, BYTES).await.unwrap();
            link.close().await;
        };
        tokio::join!(run, captured.edge.serve(&mut captured.master));
        let held = &captured.edge.held()[before..];
        assert!(held.len() as u64 > 2 * BYTES, "all of it went through the edge: {}", held.len());
        assert!(!content_in(held, up, BYTES), "{platform}: the backup");
        assert!(!content_in(held, down, BYTES), "{platform}: the restore");
        let hex = captured.secret.to_hex();
        let secret: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
        assert!(!held.windows(32).any(|window| window == secret), "the mass-deployment secret");
    }
}

#[tokio::test]
async fn a_forged_altered_misdirected_or_used_grant_opens_nothing() {
    let mut captured = Captured::start().await;
    let (device, mut link, mut end) = captured.enrolled(Platform::Linux, 0).await;
    let good = captured.asked(&device, &mut link, &mut end, TransferKind::Backup).await.grant();
    let grant = Grant::decode(&good.grant).unwrap();

    // By the edge's own key, which is the best that a captor has.
    captured.node_refuses(&forge(&captured.edge.identity, &grant), "forged-grant").await;
    // The master's signature over other bytes: each byte counts.
    let mut longer = grant.clone();
    longer.expires_at = longer.expires_at.plus(std::time::Duration::from_secs(3_600));
    let mut wider = grant.clone();
    wider.services = ServiceScope::Only(vec![service("echo")]);
    for altered in [longer, wider] {
        let altered = SignedGrant { grant: altered.encode().unwrap(), signature: good.signature };
        captured.node_refuses(&altered, "forged-grant").await;
    }
    let mut no_grant = good.clone();
    no_grant.grant.truncate(1);
    captured.node_refuses(&no_grant, "forged-grant").await;
    // A good one, taken to another backend than it names.
    let other = captured.device(Platform::Linux, 1);
    let (mut stranger, _) = other.connect().await.unwrap();
    let content = other.content(Operation::Register { user: other.persona().user.clone() }, None);
    let request = Device::introduced(stranger.exporter(), content, &captured.secret).unwrap();
    let mut stranger_end = captured.edge.device().await;
    let (answer, passed) = tokio::join!(
        stranger.request(Step::Register, Platform::Linux, request.to_body()),
        captured.edge.pass(&mut stranger_end, &mut captured.master),
    );
    assert!(matches!(answer, Ok(Answer::Tunnel(_))));
    captured.node_refuses(&passed.unwrap().grant(), "wrong-node").await;

    // A good one, used once by its device, then by the captor.
    let (backup, used) = tokio::join!(back_up(&device, &mut link, NODE, 1, 1_000), async {
        let passed = captured.edge.pass(&mut end, &mut captured.master).await.unwrap();
        let tunnel = captured.edge.tunnel().await;
        captured.edge.join(tunnel, &passed.grant()).await;
        passed.grant()
    });
    backup.unwrap();
    captured.node_refuses(&used, "grant-reused").await;
    assert_eq!(captured.site.node().observer.status().tunnels, 0);
}

#[tokio::test]
async fn a_request_passed_on_twice_or_changed_is_refused() {
    let mut captured = Captured::start().await;
    let (device, mut link, mut end) = captured.enrolled(Platform::MacOs, 0).await;
    let (answer, passed) = tokio::join!(device.authenticate(&mut link), async {
        captured.edge.pass(&mut end, &mut captured.master).await.unwrap()
    });
    answer.unwrap();
    assert!(matches!(passed.verdict, Verdict::Accepted));
    let refusals = "sallyport_backend_requests_refused_total";
    let master = captured.site.master().admin;
    let key = device.persona().id.registry_key();

    // The same question again.
    let again = captured.edge.ask(&mut captured.master, end.exporter, passed.encoded.clone()).await;
    assert!(matches!(again, Verdict::Refused));
    assert_eq!(metric(master, refusals, &["replay"]).await, 1);
    captured.log.says(1, &["request refused", "replay", &key]);

    // As if it had come over another connection of the device.
    let fresh = device.signed(link.exporter(), device.content(Operation::Auth, None)).unwrap();
    let encoded = relay_wire::canonical::encode(&fresh).unwrap();
    let mut elsewhere = end.exporter;
    elsewhere.0[0] ^= 1;
    let moved = captured.edge.ask(&mut captured.master, elsewhere, encoded.clone()).await;
    assert!(matches!(moved, Verdict::Refused));
    // Changed into another operation: the device signed what it asked for.
    let mut changed = fresh.clone();
    changed.content.operation =
        Operation::Transfer { kind: TransferKind::Restore, node: site::name(NODE), paths: device.persona().paths() };
    let changed = relay_wire::canonical::encode(&changed).unwrap();
    let changed = captured.edge.ask(&mut captured.master, end.exporter, changed).await;
    assert!(matches!(changed, Verdict::Refused));
    assert_eq!(metric(master, refusals, &["bad-proof"]).await, 2);
    captured.log.says(2, &["request refused", "bad-proof", &key]);
    // Untouched it is good: nothing of the above used it up.
    assert!(matches!(captured.edge.ask(&mut captured.master, end.exporter, encoded).await, Verdict::Accepted));
    // And what is no request at all.
    let garbage = captured.edge.ask(&mut captured.master, end.exporter, vec![1; 300]).await;
    assert!(matches!(garbage, Verdict::Refused));
    assert_eq!(metric(master, refusals, &["bad-request"]).await, 1);
}

/// The captor's own TLS to a backend on a raw connection, with a key of its own.
async fn tls_with_own_key(raw: TcpStream, backend: &Identity) -> io::Result<TlsStream<TcpStream>> {
    let pins = PinSet::from(Pin::new(PinKind::Spki, backend.fingerprints().spki));
    let own = Identity::device("captor").unwrap();
    let config = client_config(&TlsProfile::ALL[0], pinned_verifier(pins), Some(&own), alpn::TUNNEL).unwrap();
    let name = ServerName::try_from("backend.sallyport").unwrap();
    soon(TlsConnector::from(std::sync::Arc::new(config)).connect(name, raw)).await
}

/// Bytes that a service says in a tunnel; 0 if it does not come to that.
async fn said(stream: io::Result<TlsStream<TcpStream>>, first: &[u8]) -> usize {
    let Ok(mut stream) = stream else { return 0 };
    let _ = stream.write_all(first).await;
    let mut said = Vec::new();
    let _ = soon(stream.read_to_end(&mut said)).await;
    said.len()
}

#[tokio::test]
async fn another_key_than_the_grants_reaches_no_service() {
    let mut captured = Captured::start().await;
    let (alice, mut alice_link, mut alice_end) = captured.enrolled(Platform::Ios, 0).await;
    let (bob, mut bob_link, mut bob_end) = captured.enrolled(Platform::Android, 0).await;
    let alices = captured.asked(&alice, &mut alice_link, &mut alice_end, TransferKind::Restore).await.grant();
    let refusals = "sallyport_backend_tunnels_refused_total";
    let node = captured.site.node().admin;
    let key = alice.persona().id.registry_key();

    // The captor itself, under the grant of a device.
    let raw = captured.edge.assign(NODE, &alices, 1, &[]).await.unwrap();
    let tunnel = tls_with_own_key(raw, captured.site.node().observer.identity()).await;
    assert_eq!(said(tunnel, &builtin::preface(&service("source"))).await, 0);
    metric_becomes(node, refusals, &["wrong-key"], 1).await;
    captured.log.says(1, &["tunnel refused", "wrong-key", &key]);

    // Another enrolled device's tunnel, joined to that grant.
    let alices = captured.asked(&alice, &mut alice_link, &mut alice_end, TransferKind::Restore).await.grant();
    let (bobs, ()) = tokio::join!(restore(&bob, &mut bob_link, NODE, 1, 1_000), async {
        captured.edge.pass(&mut bob_end, &mut captured.master).await.unwrap();
        let tunnel = captured.edge.tunnel().await;
        captured.edge.join(tunnel, &alices).await;
    });
    assert!(bobs.is_err());
    metric_becomes(node, refusals, &["wrong-key"], 2).await;
    captured.log.says(2, &["tunnel refused", "wrong-key", &key]);
    assert_eq!(metric(node, "sallyport_backend_tunnels_opened_total", &[]).await, 0);
}

#[tokio::test]
async fn a_captor_enrols_no_key_of_its_own() {
    let mut captured = Captured::start().await;
    let mut device = captured.device(Platform::Windows, 0);
    let pins = captured.site.master_pins();
    let (mut link, _) = device.connect().await.unwrap();
    let mut end = captured.edge.device().await;
    // The device's tunnel waits while the captor runs ahead with its grant.
    let captor = async {
        let passed = captured.edge.pass(&mut end, &mut captured.master).await.unwrap();
        let waiting = captured.edge.tunnel().await;
        let raw = captured.edge.assign(MASTER, &passed.grant(), 1, &[]).await.unwrap();
        let mut tunnel = tls_with_own_key(raw, captured.site.master().observer.identity()).await.unwrap();
        let Proof::Mass(mac) = passed.request.proof else { panic!("a register carries a MASS proof") };
        // The proof of the first contact is all that the captor has seen of the secret.
        let order = EnrolOrder { device_id: passed.request.content.device_id.clone(), proof: mac };
        tunnel.write_all(&builtin::preface(&service("enrol"))).await.unwrap();
        assert_eq!(soon(tunnel.read_u8()).await.unwrap(), 0);
        tunnel.write_all(&order.encode()).await.unwrap();
        assert_eq!(soon(tunnel.read_u8()).await.unwrap(), EnrolReceipt::Refused.number());
        // Now the device, with the grant that is used up.
        let late = captured.edge.assign(MASTER, &passed.grant(), 2, &waiting.recorded).await;
        assert!(late.is_err());
    };
    let (enrolled, ()) = tokio::join!(device.enrol(&mut link, &captured.secret, &pins), captor);
    assert!(enrolled.is_err_and(|failure| failure.is_passing()), "the device may come again");
    let master = captured.site.master();
    assert_eq!(metric(master.admin, "sallyport_backend_enrolments_total", &["unknown-secret"]).await, 1);
    captured.log.says(1, &["WARN", "enrolment refused", "unknown-secret"]);
    assert_eq!(master.observer.status().registry.unwrap().devices, 0);

    // Nothing was lost: the same device enrols with the same secret.
    let (_, _, _) = captured.enrolled(Platform::Windows, 0).await;
    assert_eq!(captured.site.master().observer.status().registry.unwrap().devices, 1);
}

#[tokio::test]
async fn a_device_takes_no_grant_but_the_one_it_asked_for() {
    let mut captured = Captured::start().await;
    let (device, mut link, mut end) = captured.enrolled(Platform::Linux, 0).await;
    let (other, mut other_link, mut other_end) = captured.enrolled(Platform::Linux, 1).await;
    let restores = captured.asked(&device, &mut link, &mut end, TransferKind::Restore).await.grant();
    let others = captured.asked(&other, &mut other_link, &mut other_end, TransferKind::Backup).await.grant();
    let mut own =
        Grant::decode(&captured.asked(&device, &mut link, &mut end, TransferKind::Backup).await.grant().grant).unwrap();
    own.node_pin.digest = captured.edge.identity.fingerprints().spki;
    for (swapped, why) in [
        (forge(&captured.edge.identity, &own), "the master did not sign it"),
        (SignedGrant { grant: own.encode().unwrap(), ..restores.clone() }, "the master did not sign it"),
        (restores, "it is for another operation"),
        (others, "it is for another device"),
    ] {
        let (asked, ()) = tokio::join!(site::ask(&device, &mut link, TransferKind::Backup, NODE), async {
            end.request().await.unwrap();
            end.offer(captured.edge.token(), swapped).await;
        });
        assert!(matches!(asked, Err(Failure::Grant(reason)) if reason == why), "{why}");
    }
}

/// Asks a real edge for a tunnel and gives the bare offer.
async fn offer(device: &Device, link: &mut Link) -> Offer {
    let operation =
        Operation::Transfer { kind: TransferKind::Backup, node: site::name(NODE), paths: device.persona().paths() };
    let request = device.signed(link.exporter(), device.content(operation, None)).unwrap();
    match link.request(Step::Request, device.persona().platform(), request.to_body()).await {
        Ok(Answer::Tunnel(offer)) => offer,
        _ => panic!("no tunnel was offered"),
    }
}

/// Claims a tunnel with this token and the device's key, and asks for `echo`: what comes back for four bytes.
async fn echoed(site: &Site, device: &Device, offer: &Offer) -> io::Result<Vec<u8>> {
    let pins = PinSet::from(Pin::new(PinKind::Spki, site.node().observer.identity().fingerprints().spki));
    let identity = Identity::from_device_key(device.key()).unwrap();
    let profile = device.persona().tls;
    let tunnel =
        dial::tunnel(site.edge().address, device.buffers(), &offer.token, pins, &identity, profile, Step::Tunnel).await;
    let mut stream = tunnel.map_err(io::Error::other)?.stream;
    stream.write_all(&builtin::preface(&service("echo"))).await?;
    stream.write_all(b"ping").await?;
    stream.shutdown().await?;
    let mut back = Vec::new();
    soon(stream.read_to_end(&mut back)).await?;
    Ok(back)
}

#[tokio::test]
async fn a_token_is_good_once() {
    let log = Log::capture();
    let site = Site::start(Options::default()).await;
    let (device, mut link) = site.enrolled(Platform::Windows, 0).await;
    let offer = offer(&device, &mut link).await;
    assert_eq!(echoed(&site, &device, &offer).await.unwrap(), b"\0ping");
    let used = metric(site.edge().admin, "sallyport_edge_tokens_total", &["unknown"]).await;
    assert!(echoed(&site, &device, &offer).await.is_err());
    let edge = site.edge().admin;
    metric_becomes(edge, "sallyport_edge_tokens_total", &["unknown"], used + 1).await;
    metric_becomes(edge, "sallyport_edge_tunnels_closed_total", &["reason=\"token\""], 1).await;
    log.says(1, &["tunnel refused", "code=\"token\""]);
    assert!(!log.text().contains(&offer.token.server_name()[..32]), "no token in the log");
}

#[tokio::test]
async fn a_token_of_another_devices_session_opens_nothing() {
    let log = Log::capture();
    let site = Site::start(Options::default()).await;
    let (alice, mut alice_link) = site.enrolled(Platform::Windows, 0).await;
    let (bob, _bob_link) = site.enrolled(Platform::Windows, 1).await;
    let offer = offer(&alice, &mut alice_link).await;
    let stolen = echoed(&site, &bob, &offer).await;
    assert!(stolen.is_err(), "{stolen:?}");
    metric_becomes(site.node().admin, "sallyport_backend_tunnels_refused_total", &["wrong-key"], 1).await;
    log.says(1, &["tunnel refused", "wrong-key", &alice.persona().id.registry_key()]);
    // It cost its owner that token and nothing else.
    assert!(echoed(&site, &alice, &offer).await.is_err());
    back_up(&alice, &mut alice_link, NODE, 1, 1_000).await.unwrap();
}
