//! A master: from the first request of a new device to the end of a revoked one.

use std::time::Duration;

use relay_backend::registry::{NewDevice, Registry, UnixSeconds};
use relay_trust::MassSecret;
use relay_wire::{
    Operation, Platform, Proof, Request, Validator,
    builtin::{EnrolOrder, EnrolReceipt, Status},
    canonical,
    frame::control::Verdict,
    grant::{DeviceKey, Grant},
    ids::{Exporter, Nonce, Role},
    proof,
    session::control::EdgeEvent,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Device, HandMadeEdge, Running, Tunnel, ask_for, grant_for, now, sign, soon, start};

const EXPORTER: Exporter = Exporter([3; 32]);

/// A request of the device, now, with a nonce of its own.
fn request(device: &Device, operation: Operation, nonce: u8) -> Request {
    // FORMATS §3, V1, whose parts are replaced.
    let body = include_bytes!("../../../wire/vectors/linux/V1.ok");
    let mut request = Validator::default().check(Platform::Linux, body).unwrap().into_inner();
    request.content.device_id = device.id.clone();
    request.content.operation = operation;
    request.content.nonce = Nonce::new([nonce; 16]).unwrap();
    // The format carries whole seconds.
    request.content.sent_at = relay_wire::time::WallTime::from_unix(Duration::from_secs(now().unix_seconds()));
    request
}

fn vouched(mut request: Request, secret: &MassSecret) -> Vec<u8> {
    let content = canonical::encode_content(&request.content).unwrap();
    request.proof = Proof::Mass(secret.mac(&proof::mass_register(&EXPORTER, &content)));
    canonical::encode(&request).unwrap()
}

fn signed(mut request: Request, device: &Device) -> Vec<u8> {
    let content = canonical::encode_content(&request.content).unwrap();
    request.proof = Proof::Device(device.key.sign(&proof::device_request(&EXPORTER, &content)));
    canonical::encode(&request).unwrap()
}

fn register() -> Operation {
    Operation::Register { user: "bo@example.com".to_owned() }
}

async fn enrol(tunnel: &mut Tunnel, device: &Device, secret: &MassSecret) -> Option<EnrolReceipt> {
    let label = proof::exporter_label::TUNNEL;
    let exporter = Exporter(tunnel.get_ref().1.export_keying_material([0; 32], label, None).unwrap());
    let proof = secret.mac(&proof::mass_enrol(&exporter, &device.id, &device.key.spki()));
    tunnel.write_all(&EnrolOrder { device_id: device.id.clone(), proof }.encode()).await.ok()?;
    let receipt = soon("the receipt", tunnel.read_u8()).await.ok()?;
    EnrolReceipt::from_number(receipt)
}

/// A running master whose registry has a secret for `uses` devices.
async fn with_secret(edge: &HandMadeEdge, uses: u64) -> (Running, MassSecret) {
    let master = start(edge, Role::Master, None, |text| text);
    let secret = MassSecret::generate();
    let copy = MassSecret::from_hex(&secret.to_hex()).unwrap();
    let registry = master.observer.registry().unwrap();
    registry.add_secret("fleet".to_owned(), copy, uses, Duration::from_secs(3_600)).await.unwrap();
    (master, secret)
}

#[tokio::test]
async fn a_device_registers_enrols_and_authenticates() {
    let edge = HandMadeEdge::bind().await;
    let (master, secret) = with_secret(&edge, 1).await;
    let mut control = edge.control().await;
    let device = Device::new();

    let asked = vouched(request(&device, register(), 1), &secret);
    let Verdict::Granted(grant) = control.ask(1, EXPORTER, asked).await else { panic!("granted") };
    let offered = Grant::decode(&grant.grant).unwrap();
    assert_eq!(offered.device_key, DeviceKey::ToBeEnrolled);
    assert_eq!(format!("spki:{}", hex(&offered.node_pin.digest)), master.report.pin);

    let tcp = soon("the hand-over", edge.data().await.assign(grant)).await.unwrap();
    let mut tunnel = device.open(tcp, &master).await.unwrap();
    assert_eq!(ask_for(&mut tunnel, "enrol").await.unwrap(), Status::Ready);
    assert_eq!(enrol(&mut tunnel, &device, &secret).await, Some(EnrolReceipt::Enrolled));
    assert_eq!(soon("the end", tunnel.read(&mut [0])).await.unwrap(), 0);

    let asked = signed(request(&device, Operation::Auth, 2), &device);
    assert_eq!(control.ask(2, EXPORTER, asked.clone()).await, Verdict::Accepted);
    assert_eq!(control.ask(3, EXPORTER, asked).await, Verdict::Refused, "a replay");
    assert_eq!(
        control.ask(4, Exporter([4; 32]), signed(request(&device, Operation::Auth, 5), &device)).await,
        Verdict::Refused
    );
    let asked = vouched(request(&device, register(), 3), &secret);
    assert_eq!(control.ask(5, EXPORTER, asked).await, Verdict::Refused, "it is enrolled");
    master.reaches("requests_refused_total{reason=\"replay\"}", 1).await;
    master.reaches("enrolments_total{outcome=\"enrolled\"}", 1).await;
}

/// An edge that takes a token cannot enrol a key of its own: it has no mass secret.
#[tokio::test]
async fn enrolment_without_the_secret_or_for_another_device_is_refused() {
    let edge = HandMadeEdge::bind().await;
    let (master, secret) = with_secret(&edge, 5).await;
    let mut control = edge.control().await;
    let device = Device::new();
    for (number, vouching, as_device, outcome) in [
        (1, MassSecret::generate(), Device::new(), "unknown-secret"),
        (
            2,
            MassSecret::from_hex(&secret.to_hex()).unwrap(),
            Device { id: relay_wire::ids::DeviceId::new(Platform::Linux, "f".repeat(32)), ..Device::new() },
            "other-device",
        ),
    ] {
        let asked = vouched(request(&device, register(), number), &secret);
        let Verdict::Granted(grant) = control.ask(u64::from(number), EXPORTER, asked).await else { panic!("granted") };
        let tcp = soon("the hand-over", edge.data().await.assign(grant)).await.unwrap();
        let mut tunnel = as_device.open(tcp, &master).await.unwrap();
        assert_eq!(ask_for(&mut tunnel, "enrol").await.unwrap(), Status::Ready);
        assert_eq!(enrol(&mut tunnel, &as_device, &vouching).await, Some(EnrolReceipt::Refused));
        master.reaches(&format!("enrolments_total{{outcome=\"{outcome}\"}}"), 1).await;
    }
    // A grant for anything else than `register` does not open `enrol`, whatever its services.
    let other = Grant {
        node: relay_wire::ids::BackendName::new("hq").unwrap(),
        services: relay_wire::grant::ServiceScope::Only(vec![relay_wire::ids::ServiceName::new("enrol").unwrap()]),
        ..grant_for(&device, 9)
    };
    let tcp = soon("the hand-over", edge.data().await.assign(sign(&other, &master))).await.unwrap();
    let mut tunnel = device.open(tcp, &master).await.unwrap();
    assert_eq!(ask_for(&mut tunnel, "enrol").await.unwrap(), Status::Ready);
    assert_eq!(enrol(&mut tunnel, &device, &secret).await, Some(EnrolReceipt::Refused));
    assert_eq!(master.observer.registry().unwrap().cache().devices(), 0);
}

#[tokio::test]
async fn what_the_command_line_revokes_is_told_to_the_edge_also_after_a_break() {
    let edge = HandMadeEdge::bind().await;
    let (master, _) = with_secret(&edge, 1).await;
    let mut control = edge.control().await;
    let device = Device::new();
    let mut registry = Registry::open(&master.registry_path()).unwrap();
    let new = |device: &Device| NewDevice {
        id: device.id.clone(),
        user: "ana@example.com".to_owned(),
        name: String::new(),
        spki: device.key.spki(),
    };
    let key = device.id.registry_key();
    registry.add_device(&new(&device), UnixSeconds::now()).unwrap();
    master.reaches("devices", 1).await;
    assert_eq!(
        control.ask(1, EXPORTER, signed(request(&device, Operation::Auth, 1), &device)).await,
        Verdict::Accepted
    );
    registry.revoke_device(&key, UnixSeconds::now()).unwrap();
    assert_eq!(control.event().await, EdgeEvent::Revoke(device.id.clone()));
    assert_eq!(control.ask(2, EXPORTER, signed(request(&device, Operation::Auth, 2), &device)).await, Verdict::Refused);

    // Revoked while the edge was away: it hears of it when the connection stands again, behind the first, which may have
    // been lost with the old connection.
    control.commands.try_send(relay_wire::session::control::EdgeCommand::Supersede).unwrap();
    control.ended().await;
    let other = Device { id: relay_wire::ids::DeviceId::new(Platform::Android, "3f5a".to_owned()), ..Device::new() };
    registry.add_device(&new(&other), UnixSeconds::now()).unwrap();
    master.reaches("devices", 2).await;
    registry.revoke_device(&other.id.registry_key(), UnixSeconds::now()).unwrap();
    let mut control = edge.control().await;
    assert_eq!(control.event().await, EdgeEvent::Revoke(device.id));
    assert_eq!(control.event().await, EdgeEvent::Revoke(other.id));
}

#[tokio::test]
async fn a_revoked_device_loses_its_tunnels_at_the_master() {
    let edge = HandMadeEdge::bind().await;
    let master = start(&edge, Role::Master, None, |text| text.replace("[services]\n", "[services]\necho = true\n"));
    let _control = edge.control().await;
    let device = Device::new();
    let registry = master.observer.registry().unwrap().clone();
    let user = "ana@example.com".to_owned();
    let new = NewDevice { id: device.id.clone(), user, name: String::new(), spki: device.key.spki() };
    registry.add_device(new).await.unwrap();
    let grant = Grant { node: relay_wire::ids::BackendName::new("hq").unwrap(), ..grant_for(&device, 1) };
    let tcp = soon("the hand-over", edge.data().await.assign(sign(&grant, &master))).await.unwrap();
    let mut tunnel = device.open(tcp, &master).await.unwrap();
    assert_eq!(ask_for(&mut tunnel, "echo").await.unwrap(), Status::Ready);
    registry.revoke_device(device.id.registry_key()).await.unwrap();
    assert!(soon("the end", tunnel.read(&mut [0])).await.is_err());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
