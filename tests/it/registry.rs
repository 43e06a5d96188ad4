//! What an administrator changes while everything runs, and how soon devices feel it.

use std::time::{Duration, Instant};

use client_sim::{
    Device, Failure,
    device::{Quiet, Step, Tunnel},
};
use relay_backend::registry::{Registry, UnixSeconds};
use relay_trust::MassSecret;
use relay_wire::{Platform, request::TransferKind};
use tests::process;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::{JoinSet, spawn_blocking},
};

use crate::kit::{
    log::Log,
    site::{self, NODE, Options, Site, back_up, metric, metric_becomes, service},
    soon,
};

/// How soon a revoked device is gone everywhere: a second of polling, and room for a busy machine.
const GONE: Duration = Duration::from_secs(3);

/// A tunnel to `echo` that has carried something.
async fn echo(device: &Device, link: &mut client_sim::device::Link) -> Tunnel {
    let granted = site::ask(device, link, TransferKind::Sync, NODE).await.unwrap();
    let mut tunnel = device.open(granted, &service("echo")).await.unwrap();
    assert!(alive(&mut tunnel).await);
    tunnel
}

async fn alive(tunnel: &mut Tunnel) -> bool {
    let mut back = [0; 4];
    tunnel.write_all(b"ping").await.is_ok() && soon(tunnel.read_exact(&mut back)).await.is_ok() && back == *b"ping"
}

/// The registry as another process has it.
fn registry(site: &Site) -> Registry {
    let path = relay_backend::config::registry_path(&site.master().config).unwrap();
    Registry::open(&path).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_device_is_gone_within_three_seconds() {
    let site = Site::start(Options { nodes: vec![NODE, "node-b"], ..Options::default() }).await;
    let (device, mut link) = site.enrolled(Platform::Windows, 0).await;
    let (other, mut other_link) = site.enrolled(Platform::Windows, 1).await;
    let (second, _) = device.connect().await.unwrap();
    let mut second = second;
    device.authenticate(&mut second).await.unwrap();
    let mut tunnels = vec![echo(&device, &mut link).await, echo(&device, &mut second).await];
    let mut others = echo(&other, &mut other_link).await;
    // A token that is offered and not used yet.
    let offered = site::ask(&device, &mut link, TransferKind::Backup, "node-b").await.unwrap();

    let key = device.persona().id.registry_key();
    let config = site.master().config.display().to_string();
    let arguments = ["device".to_owned(), "revoke".to_owned(), "--config".to_owned(), config, key.clone()];
    let _built = spawn_blocking(process::binaries).await.unwrap();
    let said = spawn_blocking(move || process::run_ok("relay-backend", arguments)).await.unwrap();
    let began = Instant::now();
    assert!(said.contains("revoked"), "{said}");

    for tunnel in &mut tunnels {
        let mut rest = Vec::new();
        let _ = soon(tunnel.read_to_end(&mut rest)).await;
        assert!(rest.is_empty());
    }
    for link in [&mut link, &mut second] {
        assert_eq!(link.quiet(GONE).await, Quiet::Ended);
    }
    let took = began.elapsed();
    assert!(took < GONE, "{took:?}");
    assert!(device.open(offered, &service("sink")).await.is_err(), "the token is void");
    assert_eq!(metric(site.edge().admin, "sallyport_edge_revocations_total", &[]).await, 1);
    metric_becomes(site.edge().admin, "sallyport_edge_tunnels_closed_total", &["revoked"], 2).await;

    // Nobody else felt it.
    assert!(alive(&mut others).await);
    other.ping(&mut other_link).await.unwrap();
    // And there is no way back in.
    let (mut again, _) = device.connect().await.unwrap();
    let refused = device.authenticate(&mut again).await;
    assert!(matches!(refused, Err(Failure::Refused { .. })));
    let mut device = device;
    let (mut again, _) = device.connect().await.unwrap();
    let refused = device.enrol(&mut again, &site.secret(1).await, &site.master_pins()).await;
    assert!(matches!(refused, Err(Failure::Refused { step: Step::Register })));
    assert_eq!(metric(site.master().admin, "sallyport_backend_requests_refused_total", &["revoked"]).await, 2);
}

#[tokio::test]
async fn a_reset_device_is_ended_and_enrols_again_with_another_key() {
    let log = Log::capture();
    let site = Site::start(Options::default()).await;
    let (device, mut link) = site.enrolled(Platform::Android, 0).await;
    let key = device.persona().id.registry_key();

    // Enrolled once is enough: the id is taken, whoever asks and with whatever key.
    let mut thief = site.device(Platform::Android, 0);
    let (mut thief_link, _) = thief.connect().await.unwrap();
    let refused = thief.enrol(&mut thief_link, &site.secret(1).await, &site.master_pins()).await;
    assert!(matches!(refused, Err(Failure::Refused { step: Step::Register })));
    let refusals = "sallyport_backend_requests_refused_total";
    assert_eq!(metric(site.master().admin, refusals, &["already-enrolled"]).await, 1);
    log.says(1, &["request refused", "already-enrolled", &key]);
    // Nor with the id alone.
    let (mut thief_link, _) = thief.connect().await.unwrap();
    assert!(matches!(thief.authenticate(&mut thief_link).await, Err(Failure::Refused { .. })));
    assert_eq!(metric(site.master().admin, refusals, &["bad-proof"]).await, 1);
    log.says(1, &["request refused", "bad-proof", &key]);
    back_up(&device, &mut link, NODE, 1, 1_000).await.unwrap();

    registry(&site).reset_device(&key).unwrap();
    assert_eq!(soon(link.quiet(GONE)).await, Quiet::Ended);
    let (mut old, _) = device.connect().await.unwrap();
    assert!(matches!(device.authenticate(&mut old).await, Err(Failure::Refused { .. })), "its key is forgotten");

    // Set up anew: a new key.
    let (renewed, mut link) = site.enrolled(Platform::Android, 0).await;
    assert_ne!(renewed.key().spki(), device.key().spki());
    back_up(&renewed, &mut link, NODE, 2, 1_000).await.unwrap();
}

async fn tries(site: &Site, index: u32, secret: &MassSecret) -> Result<(), Failure> {
    let mut device = site.device(Platform::Linux, index);
    let (mut link, _) = device.connect().await?;
    device.enrol(&mut link, secret, &site.master_pins()).await
}

#[tokio::test]
async fn a_secret_ends_with_its_time_its_uses_and_its_revocation() {
    let site = Site::start(Options::default()).await;
    let used_up = site.secret(2).await;
    for index in 0..2 {
        tries(&site, index, &used_up).await.unwrap();
    }
    let expired = site.secret_for(5, Duration::ZERO).await;
    let revoked = site.secret(5).await;
    let before = site.master().observer.registry().unwrap().cache().secrets_live(UnixSeconds::now());
    registry(&site).revoke_secret(&revoked.fingerprint(), UnixSeconds::now()).unwrap();
    soon(async {
        let cache = site.master().observer.registry().unwrap().cache();
        while cache.secrets_live(UnixSeconds::now()) == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let never = MassSecret::generate();
    for (index, secret, reason) in [
        (10, &used_up, "secret-used-up"),
        (11, &expired, "secret-expired"),
        (12, &revoked, "unknown-secret"),
        (13, &never, "unknown-secret"),
    ] {
        let refusals = "sallyport_backend_requests_refused_total";
        let before = metric(site.master().admin, refusals, &[reason]).await;
        let refused = tries(&site, index, secret).await;
        assert!(matches!(refused, Err(Failure::Refused { step: Step::Register })), "{reason}");
        assert_eq!(metric(site.master().admin, refusals, &[reason]).await, before + 1, "{reason}");
    }
    assert_eq!(site.master().observer.status().registry.unwrap().devices, 2);
}

#[tokio::test]
async fn of_many_that_race_for_the_last_use_exactly_one_wins() {
    const RACERS: u32 = 8;
    let site = std::sync::Arc::new(Site::start(Options::default()).await);
    let hex = site.secret(1).await.to_hex();
    let mut racers = JoinSet::new();
    for index in 0..RACERS {
        let site = std::sync::Arc::clone(&site);
        let secret = MassSecret::from_hex(&hex).unwrap_or_else(|error| panic!("{error}"));
        racers.spawn(async move { tries(&site, index, &secret).await });
    }
    let results = soon(racers.join_all()).await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "{results:?}");
    let lost =
        |result: &Result<(), Failure>| matches!(result, Err(Failure::Refused { step: Step::Register | Step::Enrol }));
    assert_eq!(results.iter().filter(|result| lost(result)).count(), 7, "{results:?}");
    let status = site.master().observer.status().registry.unwrap();
    assert_eq!((status.devices, status.secrets_live), (1, 0));
    // Nothing that was read before it changed: the file says the same.
    let secrets = registry(&site).secrets().unwrap();
    assert_eq!(secrets.iter().map(|secret| secret.uses_left).collect::<Vec<_>>(), [0]);
}
