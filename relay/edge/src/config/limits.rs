//! `[limits]`: every bound of the edge, with its default and its range; what each costs stands in `example.toml`.

use std::ops::RangeInclusive;

use relay_runtime::config::Problems;
use serde::{Deserialize, Serialize};

use crate::admission::AdmissionLimits;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $default:literal in $range:expr;)+) => {
        /// Every bound of one edge. At a limit the edge refuses early and says so in a metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: usize,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// What the file says.
        #[derive(Clone, Debug, Default, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "the example file documents the keys, once")]
        pub struct RawLimits {
            $(pub $name: Option<i64>,)+
        }

        impl RawLimits {
            /// The limits; what is out of range, or contradicts another, goes on the list.
            #[must_use]
            pub fn resolve(self, problems: &mut Problems) -> Limits {
                let mut limits = Limits::default();
                $(
                    let path = concat!("limits.", stringify!($name));
                    if let Some(value) = in_range(path, self.$name, $range, problems) {
                        limits.$name = value;
                    }
                )+
                limits.check(problems);
                limits
            }
        }

        impl From<&Limits> for RawLimits {
            /// As a file would say them. No bound comes near the largest number of TOML.
            fn from(limits: &Limits) -> Self {
                Self { $($name: i64::try_from(limits.$name).ok(),)+ }
            }
        }

        impl Limits {
            /// Every bound with its name, for `/status`.
            #[must_use]
            pub fn pairs(&self) -> Vec<(&'static str, usize)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }
    };
}

limits! {
    /// Connections in all.
    connections: 100_000 in 16..=1_000_000;
    /// Connections of one address.
    connections_per_address: 20_000 in 1..=1_000_000;
    /// Connections in all that have not proved anything yet.
    handshakes: 4_096 in 1..=100_000;
    /// The same of one address.
    handshakes_per_address: 1_024 in 1..=100_000;
    /// From this many unproved connections on, strangers are refused at random.
    early_refusal_from: 2_048 in 1..=100_000;
    /// Parked data connections of one backend.
    spares_per_backend: 64 in 0..=4_096;
    /// Tunnels of one backend that wait for a data connection.
    tunnels_waiting_per_backend: 1_024 in 1..=65_536;
    /// Tunnels of one device that run or are offered.
    tunnels_per_device: 256 in 1..=65_536;
    /// Authenticated connections of one device.
    sessions_per_device: 4 in 1..=64;
    /// Tunnel tokens that are offered and not used yet.
    pending_tokens: 16_384 in 1..=1_000_000;
    /// Questions at the master without an answer.
    pending_asks: 8_192 in 1..=1_000_000;
}

fn in_range(path: &str, value: Option<i64>, range: RangeInclusive<usize>, problems: &mut Problems) -> Option<usize> {
    let value = value?;
    let found = usize::try_from(value).ok().filter(|value| range.contains(value));
    if found.is_none() {
        let remedy = format!("give a whole number from {} to {}", range.start(), range.end());
        problems.add_value(path, value, "out of range", remedy);
    }
    found
}

impl Limits {
    /// What [`crate::admission`] holds.
    #[must_use]
    pub const fn admission(&self) -> AdmissionLimits {
        AdmissionLimits {
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            handshakes: self.handshakes,
            handshakes_per_address: self.handshakes_per_address,
            early_refusal_from: self.early_refusal_from,
        }
    }

    fn check(&self, problems: &mut Problems) {
        if self.early_refusal_from > self.handshakes {
            problems.add_value(
                "limits.early_refusal_from",
                self.early_refusal_from,
                format!("larger than limits.handshakes ({}), so nothing is ever refused early", self.handshakes),
                "lower it, or raise limits.handshakes",
            );
        }
        if self.handshakes > self.connections {
            problems.add_value(
                "limits.handshakes",
                self.handshakes,
                format!("larger than limits.connections ({})", self.connections),
                "lower it, or raise limits.connections",
            );
        }
    }
}
