use relay_trust::{DeviceKey as KeyPair, Identity, MassSecret};
use relay_wire::{
    Platform,
    ids::{DeviceId, Nonce},
    request::OperationName,
};

use super::*;
use crate::{
    grants::Verifier,
    registry::{NewDevice, Registry, thread::RegistryThread},
    revocations::Revocations,
};

const EXPORTER: Exporter = Exporter([7; 32]);
const LATER_EXPORTER: Exporter = Exporter([8; 32]);

/// A master with one enrolled device and one live secret.
struct Bench {
    judge: Judge,
    verifier: Verifier,
    registry: RegistryHandle,
    device: KeyPair,
    secret: MassSecret,
    metrics: Metrics,
    nonce: u32,
    _thread: RegistryThread,
    _folder: tempfile::TempDir,
}

/// FORMATS §3, V1: a good request of a Linux device, whose parts the tests replace.
fn template() -> Request {
    let body = include_bytes!("../../../wire/vectors/linux/V1.ok");
    Validator::default().check(Platform::Linux, body).unwrap().into_inner()
}

fn now() -> WallTime {
    template().content.sent_at
}

fn name(text: &str) -> BackendName {
    BackendName::new(text).unwrap()
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.db");
        drop(Registry::create(&path).unwrap());
        let (thread, registry) = RegistryThread::start(&path, Arc::new(Revocations::default())).unwrap();
        let device = KeyPair::generate();
        let id = template().content.device_id;
        let new = NewDevice { id, user: "ana@example.com".to_owned(), name: String::new(), spki: device.spki() };
        registry.add_device(new).await.unwrap();
        let secret = MassSecret::generate();
        let copy = MassSecret::from_hex(&secret.to_hex()).unwrap();
        registry.add_secret("fleet".to_owned(), copy, 1, Duration::from_secs(1 << 32)).await.unwrap();
        let identity = Arc::new(Identity::self_signed(&["hq".to_owned()], 30).unwrap());
        let verifier = Verifier::new(identity.spki(), name("node-1"));
        let services = ServiceScope::Only(vec![ServiceName::new("rsync").unwrap()]);
        let rules = Rules {
            validator: Validator::default(),
            master: name("hq"),
            nodes: BTreeMap::from([(name("node-1"), Pin::new(PinKind::Leaf, [5; 32]))]),
            policy: Policy { backup: services, restore: ServiceScope::Any, sync: ServiceScope::Any },
            clock_skew: Duration::from_secs(600),
            grant_lifetime: Duration::from_secs(60),
        };
        let metrics = Metrics::default();
        let signer = Arc::new(Signer::new(identity));
        let judge = Judge::new(rules, registry.clone(), signer, metrics.clone());
        Self { judge, verifier, registry, device, secret, metrics, nonce: 0, _thread: thread, _folder: folder }
    }

    /// A request with a nonce of its own.
    fn request(&mut self, operation: Operation) -> Request {
        let mut request = template();
        self.nonce += 1;
        let mut nonce = [9; 16];
        nonce[..4].copy_from_slice(&self.nonce.to_be_bytes());
        request.content.nonce = Nonce::new(nonce).unwrap();
        request.content.operation = operation;
        request.content.estimate = None;
        request
    }

    fn sign(&self, mut request: Request) -> Vec<u8> {
        let content = canonical::encode_content(&request.content).unwrap();
        request.proof = Proof::Device(self.device.sign(&proof::device_request(&EXPORTER, &content)));
        canonical::encode(&request).unwrap()
    }

    fn vouch(&self, mut request: Request, secret: &MassSecret) -> Vec<u8> {
        let content = canonical::encode_content(&request.content).unwrap();
        request.proof = Proof::Mass(secret.mac(&proof::mass_register(&EXPORTER, &content)));
        canonical::encode(&request).unwrap()
    }

    fn judge(&self, encoded: &[u8]) -> Verdict {
        self.judge.judge(&EXPORTER, encoded, now())
    }

    /// The request is refused, for this reason.
    fn refuses(&self, encoded: &[u8], reason: &str) {
        let counted = |metrics: &Metrics| {
            let mut registry = prometheus_client::registry::Registry::default();
            metrics.register(&mut registry);
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            let line = format!("sallyport_backend_requests_refused_total{{reason=\"{reason}\"}} ");
            text.lines().find_map(|found| found.strip_prefix(&line)?.parse::<u64>().ok()).unwrap_or(0)
        };
        let before = counted(&self.metrics);
        assert_eq!(self.judge(encoded), Verdict::Refused, "{reason}");
        assert_eq!(counted(&self.metrics), before + 1, "{reason}");
    }
}

fn other_id(digit: &str) -> DeviceId {
    DeviceId::new(Platform::Linux, format!("{}4{}8{}", digit.repeat(12), digit.repeat(3), digit.repeat(15)))
}

fn register() -> Operation {
    Operation::Register { user: "bo@example.com".to_owned() }
}

fn transfer(kind: TransferKind, node: &str) -> Operation {
    Operation::Transfer { kind, node: name(node), paths: vec![b"/home/ana".to_vec()] }
}

#[tokio::test]
async fn auth_is_accepted_once_and_only_on_its_own_connection() {
    let mut bench = Bench::new().await;
    let request = bench.request(Operation::Auth);
    let encoded = bench.sign(request);
    assert_eq!(bench.judge.judge(&LATER_EXPORTER, &encoded, now()), Verdict::Refused);
    assert_eq!(bench.judge(&encoded), Verdict::Accepted);
    bench.refuses(&encoded, "replay");
}

#[tokio::test]
async fn a_transfer_is_granted_as_the_policy_says() {
    let mut bench = Bench::new().await;
    let request = bench.request(transfer(TransferKind::Backup, "node-1"));
    let encoded = bench.sign(request);
    let Verdict::Granted(signed) = bench.judge(&encoded) else { panic!("granted") };
    let grant = bench.verifier.verify(&signed, now()).unwrap();
    assert_eq!(grant.operation, OperationName::Backup);
    assert_eq!(grant.device_key, DeviceKey::Spki(relay_trust::sha256(&bench.device.spki())));
    assert_eq!(grant.user, "ana@example.com");
    assert_eq!(grant.node_pin, NodePin { kind: grant::PinKind::Leaf, digest: [5; 32] });
    assert!(grant.services.allows(&ServiceName::new("rsync").unwrap()));
    assert!(!grant.services.allows(&ServiceName::new("sink").unwrap()));

    let request = bench.request(transfer(TransferKind::Restore, "node-1"));
    let Verdict::Granted(signed) = bench.judge(&bench.sign(request)) else { panic!("granted") };
    assert_eq!(bench.verifier.verify(&signed, now()).unwrap().services, ServiceScope::Any);

    let request = bench.request(transfer(TransferKind::Sync, "node-9"));
    bench.refuses(&bench.sign(request), "unknown-node");
}

#[tokio::test]
async fn register_needs_a_live_secret_and_a_free_id() {
    let mut bench = Bench::new().await;
    let request = bench.request(register());
    bench.refuses(&bench.vouch(request, &MassSecret::generate()), "unknown-secret");
    let request = bench.request(register());
    bench.refuses(&bench.vouch(request, &bench.secret), "already-enrolled");

    let mut request = bench.request(register());
    request.content.device_id = other_id("1");
    let encoded = bench.vouch(request.clone(), &bench.secret);
    let Verdict::Granted(signed) = bench.judge(&encoded) else { panic!("granted") };
    let grant = Grant::decode(&signed.grant).unwrap();
    assert_eq!((grant.operation, grant.device_key), (OperationName::Register, DeviceKey::ToBeEnrolled));
    assert_eq!((grant.node.as_str(), grant.user.as_str()), ("hq", "bo@example.com"));
    assert_eq!(grant.services, ServiceScope::Only(vec![ServiceName::new("enrol").unwrap()]));
    bench.refuses(&encoded, "replay");

    // The one use is taken by another device.
    let other = NewDevice {
        id: other_id("2"),
        user: "bo@example.com".to_owned(),
        name: String::new(),
        spki: KeyPair::generate().spki(),
    };
    bench.registry.enrol("fleet".to_owned(), other).await.unwrap().unwrap();
    let mut request = bench.request(register());
    request.content.device_id = other_id("3");
    bench.refuses(&bench.vouch(request, &bench.secret), "secret-used-up");
}

#[tokio::test]
async fn who_is_not_known_or_not_wanted_is_refused() {
    let mut bench = Bench::new().await;
    let mut request = bench.request(Operation::Auth);
    request.content.device_id = other_id("1");
    bench.refuses(&bench.sign(request), "unknown-device");

    let request = bench.request(Operation::Auth);
    let stolen = std::mem::replace(&mut bench.device, KeyPair::generate());
    bench.refuses(&bench.sign(request), "bad-proof");
    bench.device = stolen;

    let request = bench.request(Operation::Auth);
    bench.registry.revoke_device(request.content.device_id.registry_key()).await.unwrap();
    bench.refuses(&bench.sign(request), "revoked");
    let request = bench.request(register());
    bench.refuses(&bench.vouch(request, &bench.secret), "revoked");
}

#[tokio::test]
async fn a_request_has_its_time() {
    let mut bench = Bench::new().await;
    for seconds in [601, 10_000] {
        let mut request = bench.request(Operation::Auth);
        request.content.sent_at = now().plus(Duration::from_secs(seconds));
        bench.refuses(&bench.sign(request), "clock");
    }
    let mut request = bench.request(Operation::Auth);
    request.content.sent_at = now().plus(Duration::from_secs(600));
    assert_eq!(bench.judge(&bench.sign(request)), Verdict::Accepted);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let mut bench = Bench::new().await;
    bench.refuses(b"", "bad-request");
    bench.refuses(&[0; 1_000], "bad-request");
    let request = bench.request(Operation::Auth);
    let mut encoded = bench.sign(request);
    encoded.push(0);
    bench.refuses(&encoded, "bad-request");
    // A mass secret proves nothing but `register` (C1): the validator sees to that.
    let request = bench.request(Operation::Auth);
    bench.refuses(&bench.vouch(request, &bench.secret), "bad-request");
    let request = bench.request(Operation::Ping);
    bench.refuses(&bench.sign(request), "not-for-master");
}
