//! Every metric of the edge, with its unit in its name. Counters only rise; what is open now is a gauge held by a guard.
//!
//! Labels are fixed words, or names from the key store: nothing that a stranger wrote becomes a label.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use relay_runtime::splice::Moved;
use relay_trust::Identity;
use relay_wire::{Code, Platform, ids::BackendName};

use crate::{admission::NotAdmitted, tunnel::Ended};

mod words;
use words::{ASKS, BACKEND_REFUSALS, DEVICE_CLOSES, HANDSHAKE_FAILURES, REFUSALS, RELOADS, TOKENS};

/// What a connection turned out to be; the ClientHello decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A device's persistent connection.
    Device,
    /// A backend's control connection.
    Control,
    /// A backend's data connection.
    Data,
    /// A device's tunnel.
    Tunnel,
    /// Anything else that speaks TLS.
    Other,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Device, Self::Control, Self::Data, Self::Tunnel, Self::Other];

    /// The kind as metrics and logs spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Control => "control",
            Self::Data => "data",
            Self::Tunnel => "tunnel",
            Self::Other => "other",
        }
    }
}

/// One label, `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabel {
    kind: &'static str,
}

/// One label, `reason`: a fixed word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    reason: &'static str,
}

/// One label, `outcome`: a fixed word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    outcome: &'static str,
}

/// A validator code and the platform whose format was claimed (`none` where the opening frame did not name one).
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RejectionLabel {
    code: &'static str,
    platform: &'static str,
}

/// One label, `backend`: a name from the key store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BackendLabel {
    backend: String,
}

/// One label, `direction`: `to-backend` or `to-device`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DirectionLabel {
    direction: &'static str,
}

type Counters<L> = Family<L, Counter>;
type Gauges<L> = Family<L, Gauge>;

/// The metrics of one edge.
pub struct Metrics {
    connections: Counters<KindLabel>,
    open: Gauges<KindLabel>,
    admitted: Counter,
    not_admitted: Counters<ReasonLabel>,
    handshake_failures: Counters<ReasonLabel>,
    rejections: Counters<RejectionLabel>,
    refusals: Counters<ReasonLabel>,
    closes: Counters<ReasonLabel>,
    asks: Counters<OutcomeLabel>,
    tokens: Counters<OutcomeLabel>,
    tunnels_opened: Counter,
    tunnels_closed: Counters<ReasonLabel>,
    bytes: Counters<DirectionLabel>,
    refresh: Mutex<()>,
    /// The backends that have a key; they alone have series.
    known: Mutex<BTreeSet<BackendName>>,
    spares: Gauges<BackendLabel>,
    control_up: Gauges<BackendLabel>,
    backend_logins: Counters<BackendLabel>,
    backend_refusals: Counters<ReasonLabel>,
    devices: Gauge,
    pings: Counter,
    revocations: Counter,
    reloads: Counters<OutcomeLabel>,
    certificate_expiry: Gauge<u64, AtomicU64>,
}

impl Metrics {
    /// The metrics, all registered in a new registry that the admin address serves.
    #[must_use]
    pub fn new() -> (Arc<Self>, Registry) {
        let mut registry = Registry::with_prefix("sallyport_edge");
        let r = &mut registry;
        let bytes = Counters::default();
        let certificate_expiry = Gauge::default();
        r.register_with_unit(
            "certificate_expiry_timestamp",
            "End of the certificate's validity, since 1970",
            Unit::Seconds,
            certificate_expiry.clone(),
        );
        r.register_with_unit("relayed", "Bytes of tunnels moved", Unit::Bytes, bytes.clone());
        let metrics = Self {
            connections: family(r, "connections", "Connections by what their ClientHello asked for"),
            open: gauges(r, "connections_open", "Connections that stand now"),
            admitted: counter(r, "admitted", "Connections admitted before anything was read"),
            not_admitted: family(r, "not_admitted", "Connections closed at once because of a limit"),
            handshake_failures: family(r, "handshake_failures", "Connections that ended before TLS stood"),
            rejections: family(r, "rejections", "Requests refused by the validator"),
            refusals: family(r, "refusals", "Requests refused for another reason than their format"),
            closes: family(r, "device_closes", "Device connections ended, by reason"),
            asks: family(r, "asks", "Questions to the master, by how they ended"),
            tokens: family(r, "tokens", "Tunnel tokens, by what became of them"),
            tunnels_opened: counter(r, "tunnels_opened", "Tunnels handed to a backend"),
            tunnels_closed: family(r, "tunnels_closed", "Tunnel attempts and tunnels that ended, by reason"),
            bytes,
            refresh: Mutex::default(),
            known: Mutex::default(),
            spares: gauges(r, "spares", "Parked data connections"),
            control_up: gauges(r, "control_up", "1 while a backend's control connection stands"),
            backend_logins: family(r, "backend_logins", "Control connections whose proof held"),
            backend_refusals: family(r, "backend_refusals", "Control and data connections refused"),
            devices: gauge(r, "devices", "Authenticated device connections"),
            pings: counter(r, "pings", "Pings answered"),
            revocations: counter(r, "revocations", "Devices revoked by the master"),
            reloads: family(r, "reloads", "Reloads of certificate and keys"),
            certificate_expiry,
        };
        metrics.touch();
        (Arc::new(metrics), registry)
    }

    /// Creates every series whose labels are known beforehand, so that a rate is right from the first event on.
    fn touch(&self) {
        for kind in Kind::ALL {
            drop(self.connections.get_or_create_owned(&KindLabel { kind: kind.as_str() }));
            drop(self.open.get_or_create_owned(&KindLabel { kind: kind.as_str() }));
        }
        for reason in NotAdmitted::ALL {
            drop(self.not_admitted.get_or_create_owned(&ReasonLabel { reason: reason.as_str() }));
        }
        for direction in ["to-backend", "to-device"] {
            drop(self.bytes.get_or_create_owned(&DirectionLabel { direction }));
        }
        let closed = Ended::ALL.map(Ended::as_str);
        let by_reason: [(_, &[_]); 5] = [
            (&self.handshake_failures, &HANDSHAKE_FAILURES),
            (&self.refusals, &REFUSALS),
            (&self.closes, &DEVICE_CLOSES),
            (&self.tunnels_closed, &closed),
            (&self.backend_refusals, &BACKEND_REFUSALS),
        ];
        for (family, words) in by_reason {
            for reason in words {
                drop(family.get_or_create_owned(&ReasonLabel { reason }));
            }
        }
        let by_outcome: [(_, &[_]); 3] = [(&self.asks, &ASKS), (&self.tokens, &TOKENS), (&self.reloads, &RELOADS)];
        for (family, words) in by_outcome {
            for outcome in words {
                drop(family.get_or_create_owned(&OutcomeLabel { outcome }));
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<BackendName>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These backends have keys: each has its series from now on, also one that never connects; those of others are gone.
    pub fn backends(&self, names: BTreeSet<BackendName>) {
        let mut known = self.known();
        for gone in known.difference(&names).map(backend_label) {
            self.spares.remove(&gone);
            self.control_up.remove(&gone);
            self.backend_logins.remove(&gone);
        }
        for label in names.iter().map(backend_label) {
            drop(self.spares.get_or_create_owned(&label));
            drop(self.control_up.get_or_create_owned(&label));
            drop(self.backend_logins.get_or_create_owned(&label));
        }
        *known = names;
    }

    /// A connection is of this kind; counted as open until the guard is dropped.
    #[must_use]
    pub fn connection(self: &Arc<Self>, kind: Kind) -> OpenGuard {
        let label = KindLabel { kind: kind.as_str() };
        self.connections.get_or_create(&label).inc();
        OpenGuard::new(self.open.get_or_create_owned(&label))
    }

    /// A device authenticated; counted until the guard is dropped.
    #[must_use]
    pub fn device(&self) -> OpenGuard {
        OpenGuard::new(self.devices.clone())
    }

    /// A connection was admitted.
    pub fn admitted(&self) {
        self.admitted.inc();
    }

    /// A connection was not admitted.
    pub fn not_admitted(&self, reason: NotAdmitted) {
        self.not_admitted.get_or_create(&ReasonLabel { reason: reason.as_str() }).inc();
    }

    /// A connection ended before TLS stood.
    pub fn handshake_failure(&self, reason: &'static str) {
        debug_assert!(HANDSHAKE_FAILURES.contains(&reason), "{reason}");
        self.handshake_failures.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// The validator refused a request.
    pub fn rejection(&self, code: Code, platform: Option<Platform>) {
        let platform = platform.map_or("none", Platform::as_str);
        self.rejections.get_or_create(&RejectionLabel { code: code.as_str(), platform }).inc();
    }

    /// A request was refused for another reason.
    pub fn refusal(&self, reason: &'static str) {
        debug_assert!(REFUSALS.contains(&reason), "{reason}");
        self.refusals.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A device's connection ended.
    pub fn device_closed(&self, reason: &'static str) {
        debug_assert!(DEVICE_CLOSES.contains(&reason), "{reason}");
        self.closes.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A question to the master ended.
    pub fn ask(&self, outcome: &'static str) {
        debug_assert!(ASKS.contains(&outcome), "{outcome}");
        self.asks.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Something became of tunnel tokens.
    pub fn tokens(&self, outcome: &'static str, count: u64) {
        debug_assert!(TOKENS.contains(&outcome), "{outcome}");
        if count > 0 {
            self.tokens.get_or_create(&OutcomeLabel { outcome }).inc_by(count);
        }
    }

    /// A tunnel was handed to its backend.
    pub fn tunnel_opened(&self) {
        self.tunnels_opened.inc();
    }

    /// A tunnel, or an attempt at one, ended.
    pub fn tunnel_closed(&self, reason: &'static str) {
        self.tunnels_closed.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Brings the byte counters up to what tunnels have moved; the device is the first end of each.
    pub fn moved(&self, moved: Moved) {
        // Two readers at once must not both add the same difference.
        let _one = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        for (direction, bytes) in [("to-backend", moved.a_to_b), ("to-device", moved.b_to_a)] {
            let counter = self.bytes.get_or_create_owned(&DirectionLabel { direction });
            counter.inc_by(bytes.saturating_sub(counter.get()));
        }
    }

    /// How many data connections of this backend are parked.
    pub fn spares(&self, backend: &BackendName, count: usize) {
        let known = self.known();
        if known.contains(backend) {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.spares.get_or_create(&backend_label(backend)).set(count);
        }
    }

    /// A backend's control connection stands.
    pub fn control_up(&self, backend: &BackendName) {
        let known = self.known();
        if known.contains(backend) {
            self.backend_logins.get_or_create(&backend_label(backend)).inc();
            self.control_up.get_or_create(&backend_label(backend)).set(1);
        }
    }

    /// A backend's control connection is gone.
    pub fn control_down(&self, backend: &BackendName) {
        let known = self.known();
        if known.contains(backend) {
            self.control_up.get_or_create(&backend_label(backend)).set(0);
        }
    }

    /// A control or data connection was refused.
    pub fn backend_refused(&self, reason: &'static str) {
        debug_assert!(BACKEND_REFUSALS.contains(&reason), "{reason}");
        self.backend_refusals.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A ping was answered.
    pub fn ping(&self) {
        self.pings.inc();
    }

    /// The master revoked a device.
    pub fn revocation(&self) {
        self.revocations.inc();
    }

    /// This certificate is shown from now on.
    pub fn certificate_expiry(&self, identity: &Identity) {
        self.certificate_expiry.set(identity.expires_at().unwrap_or_default());
    }

    /// Certificate and keys were read again, or were not.
    pub fn reload(&self, outcome: &'static str) {
        debug_assert!(RELOADS.contains(&outcome), "{outcome}");
        self.reloads.get_or_create(&OutcomeLabel { outcome }).inc();
    }
}

fn backend_label(backend: &BackendName) -> BackendLabel {
    BackendLabel { backend: backend.as_str().to_owned() }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let metric = Counter::<u64, AtomicU64>::default();
    registry.register(name, help, metric.clone());
    metric
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let metric: Gauge = Gauge::default();
    registry.register(name, help, metric.clone());
    metric
}

fn family<L>(registry: &mut Registry, name: &str, help: &str) -> Counters<L>
where
    L: EncodeLabelSet + Clone + std::hash::Hash + Eq + std::fmt::Debug + Send + Sync + 'static,
{
    let metric = Counters::<L>::default();
    registry.register(name, help, metric.clone());
    metric
}

fn gauges<L>(registry: &mut Registry, name: &str, help: &str) -> Gauges<L>
where
    L: EncodeLabelSet + Clone + std::hash::Hash + Eq + std::fmt::Debug + Send + Sync + 'static,
{
    let metric = Gauges::<L>::default();
    registry.register(name, help, metric.clone());
    metric
}

/// One of something that is open; dropping it takes it off the gauge.
pub struct OpenGuard {
    gauge: Gauge,
}

impl OpenGuard {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self { gauge }
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

#[cfg(test)]
mod tests;
