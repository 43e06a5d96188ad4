//! A device against a whole relay on loopback.

use relay_lab::{Lab, LabOptions};
use relay_trust::{Pin, PinKind};
use relay_wire::Platform;

use super::*;
use crate::{embedded, target::Target};

struct World {
    lab: Lab,
    target: Target,
}

impl World {
    async fn start() -> Self {
        let lab = Lab::start(LabOptions::default()).await.unwrap();
        let target = embedded::target(&lab, 8).await.unwrap();
        Self { lab, target }
    }

    fn device(&self, platform: Platform, index: u32) -> Device {
        let edge = Arc::new(self.target.edge.clone());
        Device::new(Persona::generate(platform, index, 4), edge, DeviceKey::generate(), None, Clock::system()).unwrap()
    }

    async fn enrol(&self, device: &mut Device, link: &mut Link, pins: &PinSet) -> Result<(), Failure> {
        device.enrol(link, self.target.mass_secret.as_ref().unwrap(), pins).await
    }
}

fn wrong() -> PinSet {
    PinSet::from(Pin::new(PinKind::Spki, [9; 32]))
}

#[tokio::test]
async fn a_device_lives_its_life_and_its_refusals_have_types() {
    let world = World::start().await;
    let mut device = world.device(Platform::Linux, 0);
    let (mut link, times) = device.connect().await.unwrap();
    assert!(times.tls > Duration::ZERO);
    world.enrol(&mut device, &mut link, &world.target.master_pins).await.unwrap();
    device.authenticate(&mut link).await.unwrap();
    device.ping(&mut link).await.unwrap();
    let node = &world.target.node;
    let paths = device.persona().paths();
    let granted = device.request_tunnel(&mut link, TransferKind::Backup, node, paths.clone(), None).await.unwrap();
    let tunnel = device.open(granted, &"sink".parse().unwrap()).await.unwrap();
    work::backup(tunnel, 11, 300_000).await.unwrap();
    let granted = device.request_tunnel(&mut link, TransferKind::Restore, node, paths.clone(), None).await.unwrap();
    let tunnel = device.open(granted, &"source".parse().unwrap()).await.unwrap();
    work::restore(tunnel, 12, 300_000).await.unwrap();

    let granted = device.request_tunnel(&mut link, TransferKind::Sync, node, paths.clone(), None).await.unwrap();
    let absent = device.open(granted, &"no-such-service".parse().unwrap()).await;
    assert!(matches!(absent, Err(Failure::Service { status: Status::NotAllowed, .. })));

    let nowhere = "no-such-node".parse().unwrap();
    let unknown = device.request_tunnel(&mut link, TransferKind::Sync, &nowhere, paths, None).await;
    assert!(matches!(unknown, Err(Failure::Refused { step: Step::Request })));
    link.close().await;
    world.lab.stop().await;
}

#[tokio::test]
async fn a_device_whose_receipt_was_lost_finds_out_that_it_is_enrolled() {
    let world = World::start().await;
    let (mut device, mut other) = (world.device(Platform::Linux, 0), world.device(Platform::Linux, 0));
    assert!(!device.is_enrolled().await.unwrap());
    for (device, known) in [(&mut device, true), (&mut other, false)] {
        for first in [known, false] {
            let (mut link, _) = device.connect().await.unwrap();
            let enrolled = world.enrol(device, &mut link, &world.target.master_pins).await;
            assert_eq!(enrolled.is_ok(), first);
            assert!(first || matches!(enrolled, Err(Failure::Refused { step: Step::Register })));
            link.close().await;
        }
        assert_eq!(device.is_enrolled().await.unwrap(), known, "the same id with another key is not it");
    }
    world.lab.stop().await;
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_enrolled() {
    let world = World::start().await;
    let mut device = world.device(Platform::Linux, 0);
    let (secret, pins) = (world.target.mass_secret.clone().unwrap(), &world.target.master_pins);
    let mut noted = Vec::new();
    for full in [true, false] {
        let (mut link, _) = device.connect().await.unwrap();
        let enrolled = device.enrol_noting(&mut link, &secret, pins, |master| {
            noted = master.to_vec();
            if full { Err(Failure::Local("disk full".into())) } else { Ok(()) }
        });
        // A second attempt succeeds, so the first did not reach the registry.
        assert_eq!(enrolled.await.is_err(), full);
        link.close().await;
    }
    assert_eq!(device.master_spki(), Some(noted.as_slice()));
    world.lab.stop().await;
}

#[tokio::test]
async fn a_wrong_edge_and_a_wrong_master_halt_the_device() {
    let mut world = World::start().await;
    let mut device = world.device(Platform::Windows, 0);
    let (mut link, _) = device.connect().await.unwrap();
    let failure = world.enrol(&mut device, &mut link, &wrong()).await.unwrap_err();
    assert!(matches!(failure, Failure::Halted { peer: "the master", .. }), "{failure}");
    assert!(device.master_spki().is_none());
    link.close().await;

    world.target.edge.pins = wrong();
    for platform in Platform::ALL {
        let failure = world.device(platform, 1).connect().await.err().unwrap();
        assert!(matches!(failure, Failure::Halted { peer: "the edge", .. }), "{platform}: {failure}");
    }
    world.lab.stop().await;
}

#[tokio::test]
async fn an_edge_that_drains_says_so() {
    let world = World::start().await;
    let mut device = world.device(Platform::MacOs, 0);
    let (mut link, _) = device.connect().await.unwrap();
    world.enrol(&mut device, &mut link, &world.target.master_pins).await.unwrap();
    device.authenticate(&mut link).await.unwrap();
    world.lab.edge_drain().drain();
    assert!(matches!(link.quiet(Duration::from_secs(20)).await, Quiet::Draining(_)));
    assert!(link.draining().is_some());
    link.close().await;
    world.lab.stop().await;
}

#[tokio::test]
async fn an_edge_out_of_reach_is_told_apart_and_passed_over_for_the_next() {
    let world = World::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let mut target = world.target.edge.clone();
    target.edges = vec![address.into()];
    let key = DeviceKey::generate();
    let persona = Persona::generate(Platform::Ios, 0, 4);
    let device = Device::new(persona, Arc::new(target.clone()), key, None, Clock::system()).unwrap();
    let failure = device.connect().await.err().unwrap();
    assert!(matches!(failure, Failure::Unreachable { step: Step::Connect, .. }), "{failure}");

    // The second of two edges takes over.
    target.edges.extend(world.target.edge.edges.clone());
    let device = Device::new(device.persona().clone(), Arc::new(target), DeviceKey::generate(), None, Clock::system());
    let (link, _) = device.unwrap().connect().await.unwrap();
    link.close().await;
    world.lab.stop().await;
}
