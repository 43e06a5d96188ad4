//! Logs: `tracing` to standard error, as text or as one JSON object per line.

use std::{fmt, io::IsTerminal as _, str::FromStr};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt::time::SystemTime, prelude::*};

use crate::config::Setting;

pub mod throttle;

use throttle::Throttle;

/// Lines that wait for a slow reader of standard error; about 2 MiB.
pub const WAITING_LINES_MAX: usize = 8_192;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object per line, for machines.
    Json,
}

/// Why a text names no log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log format")]
pub struct UnknownLogFormat;

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;
    fn from_str(text: &str) -> Result<Self, UnknownLogFormat> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownLogFormat),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl Setting for LogFormat {
    const REMEDY: &'static str = "write \"text\" or \"json\"";
}

/// Which lines are logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module
/// (`info,relay_edge::route=debug`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log filter ({0})")]
pub struct BadLogFilter(String);

impl FromStr for LogFilter {
    type Err = BadLogFilter;
    fn from_str(text: &str) -> Result<Self, BadLogFilter> {
        if text.trim().is_empty() {
            return Err(BadLogFilter("empty".to_owned()));
        }
        // A lone word that is no level would be taken for the name of a module, and log nothing.
        for part in text.split(',').filter(|part| !part.contains('=')) {
            if part.trim().parse::<tracing::level_filters::LevelFilter>().is_err() {
                return Err(BadLogFilter(format!("{:?} is not a level", part.trim())));
            }
        }
        EnvFilter::try_new(text).map_err(|error| BadLogFilter(error.to_string()))?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Setting for LogFilter {
    const REMEDY: &'static str =
        "write error, warn, info, debug or trace, or levels by module such as \"info,relay_edge=debug\"";
}

/// Logging that runs. Hold it to the end of the process: dropping it writes what still waits.
#[must_use = "dropping it ends logging"]
pub struct Logging {
    /// None if an earlier call in this process did it: its settings stay, and two relays in one process share one log.
    worker: Option<WorkerGuard>,
}

impl Logging {
    /// Whether the settings of this call are the ones that hold.
    #[must_use]
    pub const fn is_installed(&self) -> bool {
        self.worker.is_some()
    }
}

/// Starts logging to standard error, for the whole process.
///
/// Nobody who reads the log slowly, or makes it long, holds up the relay: lines go through a queue of
/// [`WAITING_LINES_MAX`] to a thread of their own and are left out when it is full, and each place in the code writes so
/// many lines a second and no more ([`throttle`]). What was left out is said in a line of its own.
///
/// # Errors
/// If `filter` is none; [`LogFilter`]'s own parsing has excluded that.
pub fn init(format: LogFormat, filter: &LogFilter) -> Result<Logging, BadLogFilter> {
    let filter = EnvFilter::try_new(&filter.0).map_err(|error| BadLogFilter(error.to_string()))?;
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES_MAX)
        .thread_name("log")
        .finish(std::io::stderr());
    let throttle = Throttle::new(format, writer.clone());
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_timer(SystemTime);
    let installed = match format {
        LogFormat::Text => {
            registry.with(layer.with_ansi(std::io::stderr().is_terminal()).with_filter(throttle)).try_init()
        }
        LogFormat::Json => registry.with(layer.json().flatten_event(true).with_filter(throttle)).try_init(),
    };
    Ok(Logging { worker: installed.is_ok().then_some(worker) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_is_harmless() {
        let first = init(LogFormat::Json, &LogFilter::default()).unwrap();
        assert!(first.is_installed());
        assert!(!init(LogFormat::Text, &"debug".parse().unwrap()).unwrap().is_installed());
    }

    #[test]
    fn filters_are_checked() {
        for good in ["info", "WARN", "off", "info,relay_edge=debug", "relay_edge::route=trace,warn"] {
            assert!(good.parse::<LogFilter>().is_ok(), "{good}");
        }
        for bad in ["", "inof", "info,relay_edge=loud", "verbose,info"] {
            assert!(bad.parse::<LogFilter>().is_err(), "{bad}");
        }
        assert!("yaml".parse::<LogFormat>().is_err());
        assert_eq!(LogFormat::Json.to_string().parse(), Ok(LogFormat::Json));
    }
}
