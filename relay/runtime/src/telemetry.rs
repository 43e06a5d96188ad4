//! Logs: `tracing` to standard error, as text or as one JSON object per line.

use std::{fmt, io::IsTerminal as _, str::FromStr};

use tracing_subscriber::{EnvFilter, fmt::time::SystemTime, prelude::*};

use crate::config::Setting;

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

/// Whether this call is the one whose settings hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// It is.
    Now,
    /// An earlier one is, in this process: its settings stay. Two relays in one process share one log.
    Before,
}

/// Starts logging to standard error, for the whole process.
///
/// # Errors
/// If `filter` is none; [`LogFilter`]'s own parsing has excluded that.
pub fn init(format: LogFormat, filter: &LogFilter) -> Result<Installed, BadLogFilter> {
    let filter = EnvFilter::try_new(&filter.0).map_err(|error| BadLogFilter(error.to_string()))?;
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match format {
        LogFormat::Text => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_timer(SystemTime)
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr)
                    .with_timer(SystemTime),
            )
            .try_init(),
    };
    Ok(if installed.is_ok() { Installed::Now } else { Installed::Before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_is_harmless() {
        init(LogFormat::Json, &LogFilter::default()).unwrap();
        assert_eq!(init(LogFormat::Text, &"debug".parse().unwrap()), Ok(Installed::Before));
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
