//! What this backend counts, for `/metrics` (Prometheus). Names carry their unit; what is active is opened minus closed.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::judge::Refusal;

/// Why a tunnel is refused.
const TUNNEL_REFUSALS: [&str; 15] = [
    "bad-preface",
    "expired",
    "forged-grant",
    "gone",
    "grant-reused",
    "grants-full",
    "hand-over",
    "handshake",
    "not-allowed",
    "revoked",
    "timeout",
    "tunnel-limit",
    "unreachable",
    "wrong-key",
    "wrong-node",
];
/// How an enrolment ends.
const ENROLMENTS: [&str; 11] = [
    "already-enrolled",
    "enrolled",
    "other-device",
    "registry-busy",
    "registry-closed",
    "registry-failed",
    "revoked",
    "secret-expired",
    "secret-used-up",
    "unknown-secret",
    "wrong-key",
];
/// How a control connection ends.
const CONTROL_ENDS: [&str; 12] = [
    "broken",
    "closed-by-edge",
    "edge-not-proved",
    "exporter",
    "left",
    "no-answer",
    "silent",
    "superseded",
    "tcp",
    "timeout",
    "tls",
    "violation",
];

type Words<const N: usize> = [(&'static str, &'static str); N];
type PerEdge = [(&'static str, String); 1];
type PerEdgeOutcome = ([(&'static str, String); 1], [(&'static str, &'static str); 1]);

/// All metrics of one backend. Cloning it shares them.
#[derive(Clone, Default)]
pub struct Metrics {
    judged: Family<Words<2>, Counter>,
    refused: Family<Words<1>, Counter>,
    enrolments: Family<Words<1>, Counter>,
    tunnels_opened: Family<[(&'static str, String); 1], Counter>,
    tunnels_closed: Family<Words<1>, Counter>,
    tunnels_refused: Family<Words<1>, Counter>,
    /// Bytes that devices sent to services.
    pub bytes_from_devices: Counter,
    /// Bytes that services sent to devices.
    pub bytes_to_devices: Counter,
    connected: Family<PerEdge, Gauge>,
    control_ends: Family<PerEdgeOutcome, Counter>,
    spares: Family<PerEdge, Gauge>,
    dials: Family<PerEdgeOutcome, Counter>,
    devices: Gauge,
    secrets_live: Gauge,
    certificate_expiry: Gauge<u64, AtomicU64>,
}

impl Metrics {
    /// Puts all of them into `registry`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("sallyport_backend");
        registry.register("requests_judged", "Requests judged, by operation and verdict", self.judged.clone());
        registry.register("requests_refused", "Requests refused, by reason", self.refused.clone());
        registry.register("enrolments", "Enrolments tried, by outcome", self.enrolments.clone());
        registry.register("tunnels_opened", "Tunnels that reached a service", self.tunnels_opened.clone());
        registry.register("tunnels_closed", "Of those, tunnels that ended, by how", self.tunnels_closed.clone());
        registry.register("tunnels_refused", "Tunnels refused, by reason", self.tunnels_refused.clone());
        registry.register_with_unit(
            "from_devices",
            "Content that devices sent to services",
            Unit::Bytes,
            self.bytes_from_devices.clone(),
        );
        registry.register_with_unit(
            "to_devices",
            "Content that services sent to devices",
            Unit::Bytes,
            self.bytes_to_devices.clone(),
        );
        registry.register("edge_connected", "1 while the control connection stands", self.connected.clone());
        registry.register("control_connection_ends", "Ends of control connections, by how", self.control_ends.clone());
        registry.register("spare_connections", "Parked data connections", self.spares.clone());
        registry.register("data_connection_dials", "Data connections dialled, by outcome", self.dials.clone());
        registry.register("devices", "Devices in the registry, whatever their state", self.devices.clone());
        registry.register("mass_secrets_live", "Mass secrets that still enrol", self.secrets_live.clone());
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "End of the tunnel certificate's validity, since 1970",
            Unit::Seconds,
            self.certificate_expiry.clone(),
        );
        self.touch();
    }

    /// Creates the series whose labels are known beforehand, so that a rate is right from the first event on.
    fn touch(&self) {
        let refused = Refusal::ALL.map(Refusal::as_str);
        let families: [(_, _, &[_]); 3] = [
            (&self.refused, "reason", &refused),
            (&self.tunnels_refused, "reason", &TUNNEL_REFUSALS),
            (&self.enrolments, "outcome", &ENROLMENTS),
        ];
        for (family, label, words) in families {
            for word in words {
                drop(family.get_or_create_owned(&[(label, word)]));
            }
        }
    }

    /// This edge is one of those that control connections are kept to.
    pub fn edge(&self, edge: &str) {
        let label = || ("edge", edge.to_owned());
        drop(self.connected.get_or_create_owned(&[label()]));
        drop(self.spares.get_or_create_owned(&[label()]));
        for how in CONTROL_ENDS {
            drop(self.control_ends.get_or_create_owned(&([label()], [("how", how)])));
        }
    }

    /// A request was judged.
    pub fn judged(&self, operation: &'static str, verdict: &'static str) {
        self.judged.get_or_create(&[("operation", operation), ("verdict", verdict)]).inc();
    }

    /// A request was refused, or put off, for `reason`.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// An enrolment ended as `outcome`.
    pub fn enrolment(&self, outcome: &'static str) {
        debug_assert!(ENROLMENTS.contains(&outcome), "{outcome}");
        self.enrolments.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// A tunnel was refused for `reason`.
    pub fn tunnel_refused(&self, reason: &'static str) {
        debug_assert!(TUNNEL_REFUSALS.contains(&reason), "{reason}");
        self.tunnels_refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// A tunnel reached `service`; the guard counts its end.
    #[must_use]
    pub fn tunnel_opened(&self, service: &str) -> TunnelGuard {
        self.tunnels_opened.get_or_create(&[("service", service.to_owned())]).inc();
        TunnelGuard { metrics: self.clone(), how: "aborted" }
    }

    /// The control connection to `edge` stands; it is down when the guard goes.
    #[must_use]
    pub fn connected(&self, edge: &str) -> GaugeGuard {
        GaugeGuard::new(self.connected.get_or_create_owned(&[("edge", edge.to_owned())]))
    }

    /// A control connection to `edge` ended.
    pub fn control_ended(&self, edge: &str, how: &'static str) {
        debug_assert!(CONTROL_ENDS.contains(&how), "{how}");
        self.control_ends.get_or_create(&([("edge", edge.to_owned())], [("how", how)])).inc();
    }

    /// A data connection to `edge` is parked until the guard goes.
    #[must_use]
    pub fn parked(&self, edge: &str) -> GaugeGuard {
        GaugeGuard::new(self.spares.get_or_create_owned(&[("edge", edge.to_owned())]))
    }

    /// A data connection to `edge` was dialled.
    pub fn dialled(&self, edge: &str, outcome: &'static str) {
        self.dials.get_or_create(&([("edge", edge.to_owned())], [("outcome", outcome)])).inc();
    }

    /// Sizes of the registry, read at the time of a scrape.
    pub fn set_registry(&self, devices: usize, secrets_live: usize) {
        self.devices.set(i64::try_from(devices).unwrap_or(i64::MAX));
        self.secrets_live.set(i64::try_from(secrets_live).unwrap_or(i64::MAX));
    }

    /// The end of the tunnel certificate's validity.
    pub fn set_certificate_expiry(&self, unix_seconds: u64) {
        self.certificate_expiry.set(unix_seconds);
    }
}

/// One tunnel, counted as closed when this goes.
pub struct TunnelGuard {
    metrics: Metrics,
    how: &'static str,
}

impl TunnelGuard {
    /// The tunnel ends, and this is how.
    pub fn ended(mut self, how: &'static str) {
        self.how = how;
    }
}

impl Drop for TunnelGuard {
    fn drop(&mut self) {
        self.metrics.tunnels_closed.get_or_create(&[("how", self.how)]).inc();
    }
}

/// One of what a gauge counts, for as long as this lives.
pub struct GaugeGuard(Gauge);

impl GaugeGuard {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
