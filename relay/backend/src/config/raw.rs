//! What the configuration file says, before it means anything. Unknown keys are refused everywhere.

use std::{collections::BTreeMap, fmt};

use relay_runtime::config::RawReleases;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) role: String,
    pub(super) name: String,
    pub(super) admin: Option<String>,
    pub(super) sandbox: Option<String>,
    pub(super) user: Option<String>,
    pub(super) master_certificate: Option<String>,
    pub(super) registry: Option<String>,
    pub(super) clock_skew: Option<String>,
    pub(super) grant_lifetime: Option<String>,
    #[serde(default)]
    pub(super) edge: Vec<RawEdge>,
    pub(super) certificate: Option<RawCertificate>,
    #[serde(default)]
    pub(super) log: RawLog,
    #[serde(default)]
    pub(super) pool: RawPool,
    #[serde(default)]
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) services: BTreeMap<String, RawService>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) node: Vec<RawNode>,
    pub(super) policy: Option<RawPolicy>,
    pub(super) releases: Option<RawReleases>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEdge {
    pub(super) address: String,
    pub(super) key_file: String,
    pub(super) pin: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCertificate {
    pub(super) chain: String,
    pub(super) key: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) format: Option<String>,
    pub(super) filter: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPool {
    pub(super) min: Option<u16>,
    pub(super) max: Option<u16>,
    pub(super) rotate: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) tunnels: Option<u32>,
    pub(super) tunnel_idle: Option<String>,
    pub(super) reconnect_max: Option<String>,
    pub(super) drain: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNode {
    pub(super) name: String,
    pub(super) pin: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub(super) backup: Option<RawScope>,
    pub(super) restore: Option<RawScope>,
    pub(super) sync: Option<RawScope>,
}

/// `"any"`, or a list of services.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum RawScope {
    Word(String),
    List(Vec<String>),
}

/// A target, a table, or `true`/`false` for a built-in service.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum RawService {
    Switch(bool),
    Target(String),
    Upstream(RawUpstream),
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUpstream {
    pub(super) target: String,
    #[serde(default)]
    pub(super) proxy_protocol: bool,
    pub(super) connect_timeout: Option<String>,
}

// Written by hand, because serde's untagged enums forget which key was wrong.
impl<'de> Deserialize<'de> for RawService {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = RawService;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"tcp://HOST:PORT\", { target = \"tcp://HOST:PORT\", ... }, or true/false for a built-in")
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<RawService, E> {
                Ok(RawService::Switch(on))
            }

            fn visit_str<E: de::Error>(self, target: &str) -> Result<RawService, E> {
                Ok(RawService::Target(target.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawService, A::Error> {
                RawUpstream::deserialize(MapAccessDeserializer::new(map)).map(RawService::Upstream)
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

impl<'de> Deserialize<'de> for RawScope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = RawScope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"any\" or a list of services such as [\"sink\", \"rsync\"]")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<RawScope, E> {
                Ok(RawScope::Word(word.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<RawScope, A::Error> {
                let mut services = Vec::new();
                while let Some(service) = list.next_element()? {
                    services.push(service);
                }
                Ok(RawScope::List(services))
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}
