//! Results in the forms that people and machines read. All are made of the same [`Record`].

mod csv;
mod json;
mod junit;
mod nagios;
mod prometheus;
mod sarif;
mod text;

use clap::ValueEnum;

use crate::record::{Record, Summary};

/// The form of a result on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object; `--print-schema` prints its schema.
    Json,
    /// One JSON record per line, as targets are done.
    Jsonl,
    /// A table with a heading.
    Csv,
    /// A test suite per target, for CI systems.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// A plugin's output and exit codes.
    Nagios,
    /// For the textfile collector.
    Prometheus,
}

/// What the output depends on besides the records.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The form.
    pub format: Format,
    /// Whether text may be coloured.
    pub colour: bool,
    /// Warnings count.
    pub strict: bool,
    /// For the thresholds that Nagios is told.
    pub warn_days: u32,
    /// The same.
    pub crit_days: u32,
}

/// Turns records into text, in the order in which they come.
#[derive(Debug)]
pub struct Writer {
    style: Style,
    summary: Summary,
    /// Kept by the formats that are one whole.
    kept: Vec<Record>,
}

impl Writer {
    /// One for this style.
    pub fn new(style: Style) -> Self {
        Self { style, summary: Summary::default(), kept: Vec::new() }
    }

    /// What stands before the first record.
    pub fn begin(&self) -> String {
        match self.style.format {
            Format::Csv => csv::heading(),
            Format::Text
            | Format::Json
            | Format::Jsonl
            | Format::Junit
            | Format::Sarif
            | Format::Nagios
            | Format::Prometheus => String::new(),
        }
    }

    /// What one more record adds.
    pub fn record(&mut self, record: Record) -> String {
        self.summary.add(record.outcome, self.style.strict);
        match self.style.format {
            Format::Text => {
                let gap = if self.summary.targets > 1 { "\n" } else { "" };
                gap.to_owned() + &text::record(&record, self.style.colour)
            }
            Format::Jsonl => json::line(&record),
            Format::Csv => csv::row(&record, self.style.strict),
            Format::Json | Format::Junit | Format::Sarif | Format::Nagios | Format::Prometheus => {
                self.kept.push(record);
                String::new()
            }
        }
    }

    /// What stands behind the last record.
    pub fn end(&self) -> String {
        match self.style.format {
            Format::Text if self.summary.targets > 1 => text::summary(&self.summary),
            Format::Text | Format::Jsonl | Format::Csv => String::new(),
            Format::Json => json::document(&self.kept, self.summary),
            Format::Junit => junit::document(&self.kept),
            Format::Sarif => sarif::document(&self.kept),
            Format::Nagios => nagios::status(&self.kept, &self.summary, &self.style),
            Format::Prometheus => prometheus::metrics(&self.kept, self.style.strict),
        }
    }

    /// The exit code where not all targets were looked at: that of the records, and never one that says all is well.
    pub fn interrupted(&self) -> u8 {
        /// Not reached; for Nagios, unknown.
        const NOT_REACHED: u8 = 3;
        match self.exit_code() {
            code @ (1 | 2) => code,
            _ => NOT_REACHED,
        }
    }

    /// The exit code of all records so far.
    pub fn exit_code(&self) -> u8 {
        match self.style.format {
            Format::Nagios => nagios::exit_code(&self.kept),
            Format::Text
            | Format::Json
            | Format::Jsonl
            | Format::Csv
            | Format::Junit
            | Format::Sarif
            | Format::Prometheus => self.summary.exit_code,
        }
    }
}
