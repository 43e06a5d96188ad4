//! The master's judgement of a request that an edge passes on: from a question to a verdict, with one log line and one
//! metric for each refusal.
//!
//! The edge is not believed: the canonical request is checked again, and every proof is verified over the exporter that
//! the edge names. A captured edge can name a wrong exporter, and then no proof holds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use relay_trust::{Pin, PinKind, verify_p256};
use relay_wire::{
    Content, Operation, Proof, Request, Validator, canonical,
    frame::control::Verdict,
    grant::{self, DeviceKey, Grant, NodePin, ServiceScope},
    ids::{BackendName, Exporter, ServiceName},
    limits, proof,
    request::TransferKind,
    time::WallTime,
};

use crate::{
    expiring::{Insertion, NonceCache},
    grants::Signer,
    metrics::Metrics,
    registry::{
        UnixSeconds,
        cache::{KnownDevice, SecretMismatch, Standing},
        thread::RegistryHandle,
    },
};

/// Nonces remembered: 500,000 good requests within twice the clock skew (20 minutes by default), about 35 MB; more are
/// put off, never let through.
const NONCES_MAX: usize = 500_000;
/// What a device is told when the nonce cache is full.
const LATER: Duration = Duration::from_secs(30);

/// Why a request was not granted; each is a fixed word in log and metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Not a request that the validator would let through.
    BadRequest,
    /// No mass secret made the proof.
    UnknownSecret,
    /// One made it whose time is over.
    SecretExpired,
    /// One made it that has no uses left.
    SecretUsedUp,
    /// The device has a key already; an administrator may reset it.
    AlreadyEnrolled,
    /// The registry does not know the device, or it was reset and has not enrolled again.
    UnknownDevice,
    /// The device was revoked.
    Revoked,
    /// The device's key did not make the proof.
    BadProof,
    /// This request was seen before.
    Replay,
    /// The request's time is too far from this master's.
    Clock,
    /// No such storage node.
    UnknownNode,
    /// This operation is not the master's to answer.
    NotForMaster,
    /// The nonce cache is full: later.
    NoncesFull,
    /// The grant could not be signed: a mistake of configuration.
    CannotSign,
}

impl Refusal {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::UnknownSecret,
        Self::SecretExpired,
        Self::SecretUsedUp,
        Self::AlreadyEnrolled,
        Self::UnknownDevice,
        Self::Revoked,
        Self::BadProof,
        Self::Replay,
        Self::Clock,
        Self::UnknownNode,
        Self::NotForMaster,
        Self::NoncesFull,
        Self::CannotSign,
    ];

    /// The fixed word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::UnknownSecret => "unknown-secret",
            Self::SecretExpired => "secret-expired",
            Self::SecretUsedUp => "secret-used-up",
            Self::AlreadyEnrolled => "already-enrolled",
            Self::UnknownDevice => "unknown-device",
            Self::Revoked => "revoked",
            Self::BadProof => "bad-proof",
            Self::Replay => "replay",
            Self::Clock => "clock",
            Self::UnknownNode => "unknown-node",
            Self::NotForMaster => "not-for-master",
            Self::NoncesFull => "nonces-full",
            Self::CannotSign => "cannot-sign",
        }
    }
}

/// Which services a grant names, by the kind of transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// With `backup`.
    pub backup: ServiceScope,
    /// With `restore`.
    pub restore: ServiceScope,
    /// With `sync`.
    pub sync: ServiceScope,
}

impl Policy {
    fn scope(&self, kind: TransferKind) -> &ServiceScope {
        match kind {
            TransferKind::Backup => &self.backup,
            TransferKind::Restore => &self.restore,
            TransferKind::Sync => &self.sync,
        }
    }
}

/// What a judge needs to know beside the registry.
pub struct Rules {
    /// Judges canonical requests, with the same release tables as the edge's (SPEC §5.4).
    pub validator: Validator,
    /// The master's own name, the node of `enrol` tunnels.
    pub master: BackendName,
    /// The storage nodes and their pins.
    pub nodes: BTreeMap<BackendName, Pin>,
    /// Which services a grant names.
    pub policy: Policy,
    /// How far a request's time may be from this clock.
    pub clock_skew: Duration,
    /// How long a grant opens a tunnel.
    pub grant_lifetime: Duration,
}

/// Judges requests. Shared by the control connections of a master; never waits.
pub struct Judge {
    rules: RwLock<Arc<Rules>>,
    registry: RegistryHandle,
    signer: Arc<Signer>,
    nonces: Mutex<NonceCache>,
    metrics: Metrics,
}

/// A request that has passed: what the answer is made from.
struct Accepted {
    device_key: DeviceKey,
    user: String,
    /// Whom the nonce counts against: the device that signed, or the mass secret, whose holder may name as many devices as
    /// it likes.
    nonce_owner: String,
}

impl Judge {
    /// A judge with an empty nonce cache.
    #[must_use]
    pub fn new(rules: Rules, registry: RegistryHandle, signer: Arc<Signer>, metrics: Metrics) -> Self {
        Self {
            rules: RwLock::new(Arc::new(rules)),
            registry,
            signer,
            nonces: Mutex::new(NonceCache::new(NONCES_MAX)),
            metrics,
        }
    }

    /// From the next request on, judges by these.
    pub fn replace_rules(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// The verdict on a canonical request that came over the device-edge connection of `exporter`.
    #[must_use]
    pub fn judge(&self, exporter: &Exporter, encoded: &[u8], now: WallTime) -> Verdict {
        let rules = Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner));
        let request = match rules.validator.check_canonical(encoded) {
            Ok(request) => request.into_inner(),
            Err(rejection) => {
                let reason = Refusal::BadRequest.as_str();
                tracing::warn!(reason, code = %rejection.code, field = rejection.field, "request refused");
                self.metrics.refused(reason);
                self.metrics.judged("unreadable", "refused");
                return Verdict::Refused;
            }
        };
        let operation = request.content.operation.name().as_str();
        let verdict = self.decide(&rules, exporter, &request, now);
        let (word, verdict) = match verdict {
            Ok(verdict @ Verdict::Granted(_)) => ("granted", verdict),
            Ok(verdict) => ("accepted", verdict),
            Err(refusal) => {
                let reason = refusal.as_str();
                tracing::info!(reason, operation, device = %request.content.device_id, "request refused");
                self.metrics.refused(reason);
                match refusal {
                    Refusal::NoncesFull => ("later", Verdict::Later(LATER)),
                    Refusal::BadRequest
                    | Refusal::UnknownSecret
                    | Refusal::SecretExpired
                    | Refusal::SecretUsedUp
                    | Refusal::AlreadyEnrolled
                    | Refusal::UnknownDevice
                    | Refusal::Revoked
                    | Refusal::BadProof
                    | Refusal::Replay
                    | Refusal::Clock
                    | Refusal::UnknownNode
                    | Refusal::NotForMaster
                    | Refusal::CannotSign => ("refused", Verdict::Refused),
                }
            }
        };
        self.metrics.judged(operation, word);
        verdict
    }

    fn decide(&self, rules: &Rules, exporter: &Exporter, request: &Request, now: WallTime) -> Result<Verdict, Refusal> {
        let content = &request.content;
        let key = content.device_id.registry_key();
        let encoded = canonical::encode_content(content).map_err(|_| Refusal::BadRequest)?;
        let known = self.registry.cache().device(&key);
        let accepted = match &request.proof {
            Proof::Mass(mac) => {
                let message = proof::mass_register(exporter, &encoded);
                let unix = UnixSeconds(now.unix_seconds());
                let label = self.registry.cache().matching_secret(unix, |secret| secret.verify(&message, mac))?;
                register(content, known.as_deref(), &label)?
            }
            Proof::Device(signature) => {
                let message = proof::device_request(exporter, &encoded);
                proven_device(known.as_deref(), &key, &message, signature)?
            }
        };
        if content.sent_at.distance(now) > rules.clock_skew {
            return Err(Refusal::Clock);
        }
        // A request's time is accepted until then and no longer.
        let expires_at = content.sent_at.plus(rules.clock_skew);
        let insertion = {
            let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
            nonces.insert(&accepted.nonce_owner, content.nonce, expires_at, now)
        };
        match insertion {
            Insertion::Inserted => {}
            Insertion::Present => return Err(Refusal::Replay),
            Insertion::Full => return Err(Refusal::NoncesFull),
        }
        let verdict = self.answer(rules, content, accepted, now)?;
        if matches!(request.proof, Proof::Device(_)) {
            self.registry.seen(key, UnixSeconds(now.unix_seconds()));
        }
        Ok(verdict)
    }

    fn answer(&self, rules: &Rules, content: &Content, accepted: Accepted, now: WallTime) -> Result<Verdict, Refusal> {
        let (node, pin, services) = match &content.operation {
            Operation::Auth => return Ok(Verdict::Accepted),
            Operation::Ping => return Err(Refusal::NotForMaster),
            Operation::Register { .. } => {
                let identity = self.signer.identity();
                let digest = identity.fingerprints().spki;
                let pin = NodePin { kind: grant::PinKind::Spki, digest };
                let enrol = ServiceName::new(crate::services::ENROL).map_err(|_| Refusal::CannotSign)?;
                (rules.master.clone(), pin, ServiceScope::Only(vec![enrol]))
            }
            Operation::Transfer { kind, node, .. } => {
                let pin = rules.nodes.get(node).ok_or(Refusal::UnknownNode)?;
                (node.clone(), node_pin(pin), rules.policy.scope(*kind).clone())
            }
        };
        let grant = Grant {
            id: relay_trust::random(),
            device_id: content.device_id.clone(),
            device_key: accepted.device_key,
            user: accepted.user,
            operation: content.operation.name(),
            services,
            node,
            node_pin: pin,
            expires_at: now.plus(rules.grant_lifetime),
        };
        match self.signer.sign(&grant) {
            Ok(signed) => Ok(Verdict::Granted(signed)),
            Err(error) => {
                tracing::error!(%error, "a grant cannot be signed");
                Err(Refusal::CannotSign)
            }
        }
    }
}

impl From<SecretMismatch> for Refusal {
    fn from(mismatch: SecretMismatch) -> Self {
        match mismatch {
            SecretMismatch::Unknown => Self::UnknownSecret,
            SecretMismatch::Expired => Self::SecretExpired,
            SecretMismatch::UsedUp => Self::SecretUsedUp,
        }
    }
}

fn register(content: &Content, known: Option<&KnownDevice>, secret_label: &str) -> Result<Accepted, Refusal> {
    // C1 ties MASS to `register`, so the validator has let no other operation come here.
    let Operation::Register { user } = &content.operation else { return Err(Refusal::BadProof) };
    match known.map(|known| &known.standing) {
        Some(Standing::Active { .. }) => Err(Refusal::AlreadyEnrolled),
        Some(Standing::Revoked) => Err(Refusal::Revoked),
        Some(Standing::Reset) | None => Ok(Accepted {
            device_key: DeviceKey::ToBeEnrolled,
            user: user.clone(),
            nonce_owner: format!("mass secret {secret_label}"),
        }),
    }
}

fn proven_device(
    known: Option<&KnownDevice>,
    registry_key: &str,
    message: &[u8],
    signature: &[u8; 64],
) -> Result<Accepted, Refusal> {
    let known = known.ok_or(Refusal::UnknownDevice)?;
    match &known.standing {
        Standing::Active { spki, digest } => {
            if verify_p256(spki, message, signature) {
                Ok(Accepted {
                    device_key: DeviceKey::Spki(*digest),
                    user: known.user.clone(),
                    nonce_owner: registry_key.to_owned(),
                })
            } else {
                Err(Refusal::BadProof)
            }
        }
        Standing::Revoked => Err(Refusal::Revoked),
        Standing::Reset => Err(Refusal::UnknownDevice),
    }
}

/// A configured pin as grants carry it.
fn node_pin(pin: &Pin) -> NodePin {
    let kind = match pin.kind() {
        PinKind::Leaf => grant::PinKind::Leaf,
        PinKind::Spki => grant::PinKind::Spki,
    };
    NodePin { kind, digest: *pin.digest() }
}

/// The clock skew unless configured.
pub const CLOCK_SKEW: Duration = limits::CLOCK_SKEW;

#[cfg(test)]
mod tests;
