//! The edge's configuration: a TOML file into [`RawConfig`], that into a [`Config`] with nothing left to decide.
//!
//! `relay/edge/example.toml` shows every key; all mistakes of a file are reported at once.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use relay_runtime::{
    config::{HumanDuration, ListenAddr, Problems, beside, load_toml, parse_toml, print_toml},
    sandbox::{self, Mode, Network, Policy, UserName},
    telemetry::{LogFilter, LogFormat},
};
use relay_wire::Releases;
use serde::{Deserialize, Serialize};

mod limits;

pub use limits::Limits;
pub use relay_runtime::config::RawReleases;

/// Every setting with its default, as `init` writes it.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// Addresses to listen on at most; more is a mistake.
const LISTEN_MAX: usize = 16;
/// The longest drain: a supervisor that waits longer is not known.
const DRAIN_MAX: Duration = Duration::from_secs(24 * 3600);
/// The longest time a device is told to stay away.
const RETRY_MAX: Duration = Duration::from_secs(3600);

/// What the file says; unknown keys are refused.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    /// See `example.toml`, as for all others.
    pub listen: Option<Vec<String>>,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    pub admin: Option<String>,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    pub keys: Option<PathBuf>,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    pub sandbox: Option<String>,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    pub user: Option<String>,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    #[serde(default)]
    pub certificate: RawCertificate,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    #[serde(default)]
    pub log: RawLog,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    #[serde(default)]
    pub drain: RawDrain,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    #[serde(default)]
    pub limits: limits::RawLimits,
    #[allow(missing_docs, reason = "the example file documents the keys, once")]
    #[serde(default)]
    pub releases: RawReleases,
}

/// `[certificate]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the example file documents the keys, once")]
pub struct RawCertificate {
    pub chain: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the example file documents the keys, once")]
pub struct RawLog {
    pub format: Option<String>,
    pub level: Option<String>,
}

/// `[drain]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the example file documents the keys, once")]
pub struct RawDrain {
    pub deadline: Option<String>,
    pub retry_after: Option<String>,
}

/// The edge's certificate and key, as files that SIGHUP reads again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM, leaf first.
    pub chain: PathBuf,
    /// PEM, mode 0600.
    pub key: PathBuf,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The form.
    pub format: LogFormat,
    /// Which lines are written.
    pub level: LogFilter,
}

/// How the edge goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How long running tunnels may take to finish.
    pub deadline: Duration,
    /// When a device comes back at the earliest.
    pub retry_after: Duration,
}

/// The edge's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where devices and backends connect: 1 to 16 addresses; port 0 is chosen by the system.
    pub listen: Vec<SocketAddr>,
    /// The admin address, if there is one.
    pub admin: Option<SocketAddr>,
    /// The folder of backend keys.
    pub keys: PathBuf,
    /// What happens where the kernel cannot give the whole sandbox; only the binary enters it.
    pub sandbox: Mode,
    /// Whom the process becomes when started as root.
    pub user: Option<UserName>,
    /// Certificate and key.
    pub certificate: CertificateFiles,
    /// The log; only the binary looks at it.
    pub log: Log,
    /// How the edge goes away.
    pub drain: Drain,
    /// Every bound.
    pub limits: Limits,
    /// The releases that may connect.
    pub releases: Releases,
}

impl Config {
    /// The defaults, for a configuration file in `folder`.
    #[must_use]
    pub fn defaults(folder: &Path) -> Self {
        Self {
            listen: vec![SocketAddr::from(([0, 0, 0, 0], 8443))],
            admin: Some(SocketAddr::from(([127, 0, 0, 1], 9443))),
            keys: folder.join("keys"),
            sandbox: Mode::default(),
            user: None,
            certificate: CertificateFiles { chain: folder.join("edge.crt"), key: folder.join("edge.key") },
            log: Log { format: LogFormat::Text, level: LogFilter::default() },
            drain: Drain { deadline: Duration::from_secs(30), retry_after: Duration::from_secs(5) },
            limits: Limits::default(),
            releases: Releases::default(),
        }
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// Every mistake, with its place, its value and its remedy.
    pub fn load(file: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let config = Self::resolve(load_toml::<RawConfig>(file)?, file, &mut problems);
        problems.into_result(config)
    }

    /// The settings in a text; relative paths start beside `file`, which need not exist. No file is looked at.
    ///
    /// # Errors
    /// Every mistake, with its place, its value and its remedy.
    pub fn from_text(text: &str, file: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let raw = parse_toml::<RawConfig>(&file.display().to_string(), text)?;
        let config = Self::resolve(raw, file, &mut problems);
        problems.into_result(config)
    }

    /// What a process that serves this configuration needs once its addresses are bound: certificate and keys again at SIGHUP,
    /// its own figures for the admin address, and no socket.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let files = [&self.certificate.chain, &self.certificate.key];
        let mut read: Vec<PathBuf> = files.into_iter().flat_map(|file| sandbox::folders_of(file)).collect();
        read.push(self.keys.clone());
        if cfg!(target_os = "linux") {
            read.push(PathBuf::from("/proc/self"));
        }
        Policy { mode: self.sandbox, read, write: Vec::new(), network: Network::Accepts, user: self.user.clone() }
    }

    /// Every setting as TOML, which [`Self::from_text`] reads as the same configuration.
    ///
    /// # Errors
    /// When a path is not Unicode.
    pub fn print(&self) -> Result<String, Problems> {
        print_toml(&RawConfig::from(self))
    }

    /// The settings of what a file said, defaults in the place of mistakes; `file` is where relative paths start.
    #[must_use]
    pub fn resolve(raw: RawConfig, file: &Path, problems: &mut Problems) -> Self {
        let mut config = Self::defaults(file.parent().unwrap_or(Path::new("")));
        if let Some(listen) = raw.listen {
            config.listen = addresses(&listen, problems);
        }
        if let Some(admin) = raw.admin {
            config.admin = match admin.as_str() {
                "off" => None,
                text => problems.parse::<ListenAddr>("admin", text).map(|address| address.0),
            };
        }
        if let Some(admin) = config.admin.filter(|admin| admin.port() != 0 && config.listen.contains(admin)) {
            let remedy = "give the admin address a port of its own";
            problems.add_value("admin", admin, "also in `listen`", remedy);
        }
        for (setting, value) in [
            (&mut config.keys, raw.keys),
            (&mut config.certificate.chain, raw.certificate.chain),
            (&mut config.certificate.key, raw.certificate.key),
        ] {
            if let Some(value) = value {
                *setting = beside(file, &value);
            }
        }
        if let Some(mode) = raw.sandbox.and_then(|text| problems.parse("sandbox", &text)) {
            config.sandbox = mode;
        }
        config.user = raw.user.and_then(|text| problems.parse("user", &text));
        if let Some(format) = raw.log.format.and_then(|text| problems.parse("log.format", &text)) {
            config.log.format = format;
        }
        if let Some(level) = raw.log.level.and_then(|text| problems.parse("log.level", &text)) {
            config.log.level = level;
        }
        let spans = [
            ("drain.deadline", &mut config.drain.deadline, raw.drain.deadline, DRAIN_MAX),
            ("drain.retry_after", &mut config.drain.retry_after, raw.drain.retry_after, RETRY_MAX),
        ];
        for (path, setting, text, max) in spans {
            if let Some(span) = text.and_then(|text| problems.parse::<HumanDuration>(path, &text)) {
                if span.0 > max {
                    let remedy = format!("give at most {}", HumanDuration(max));
                    problems.add_value(path, span, "too long", remedy);
                }
                *setting = span.0;
            }
        }
        config.limits = raw.limits.resolve(problems);
        config.releases = raw.releases.resolve(problems);
        config
    }
}

impl From<&Config> for RawConfig {
    /// What a file would say to give this configuration, every setting spelled out.
    fn from(config: &Config) -> Self {
        let span = |span: Duration| Some(HumanDuration(span).to_string());
        Self {
            listen: Some(config.listen.iter().map(ToString::to_string).collect()),
            admin: Some(config.admin.map_or_else(|| "off".to_owned(), |address| address.to_string())),
            keys: Some(config.keys.clone()),
            sandbox: Some(config.sandbox.to_string()),
            user: config.user.as_ref().map(ToString::to_string),
            certificate: RawCertificate {
                chain: Some(config.certificate.chain.clone()),
                key: Some(config.certificate.key.clone()),
            },
            log: RawLog { format: Some(config.log.format.to_string()), level: Some(config.log.level.to_string()) },
            drain: RawDrain { deadline: span(config.drain.deadline), retry_after: span(config.drain.retry_after) },
            limits: (&config.limits).into(),
            releases: (&config.releases).into(),
        }
    }
}

fn addresses(texts: &[String], problems: &mut Problems) -> Vec<SocketAddr> {
    if texts.is_empty() || texts.len() > LISTEN_MAX {
        let found = format!("{} addresses", texts.len());
        problems.add("listen", found, format!("give 1 to {LISTEN_MAX}, for example [\"0.0.0.0:8443\"]"));
    }
    let mut seen = BTreeSet::new();
    let mut addresses = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        let path = format!("listen[{place}]");
        if let Some(ListenAddr(address)) = problems.parse(path.as_str(), text) {
            if address.port() != 0 && !seen.insert(address) {
                problems.add_value(path, text, "listed twice", "remove one of the two");
            }
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests;
