//! A table with a heading, for spreadsheets.

use crate::{
    platforms::PlatformVerdict,
    record::{Record, Shown},
    verdict::{Level, Verdicts},
};

const COLUMNS: &[&str] = &[
    "target",
    "outcome",
    "exit_code",
    "address",
    "tls",
    "leaf",
    "spki",
    "subject",
    "issuer",
    "not_before",
    "not_after",
    "days_left",
    "key",
    "pin",
    "possession",
    "chain",
    "name",
    "time",
    "strength",
    "tls_verdict",
    "platforms_refusing",
    "codes",
    "texts",
];

pub fn heading() -> String {
    line(COLUMNS.iter().map(|column| (*column).to_owned()))
}

pub fn row(record: &Record, strict: bool) -> String {
    let mut cells =
        vec![record.target.clone(), record.outcome.as_str().to_owned(), record.outcome.exit_code(strict).to_string()];
    match &record.shown {
        Shown::Seen(seen) => {
            let connection = seen.connection.as_ref();
            let certificate = &seen.certificate;
            cells.extend([
                connection.and_then(|connection| connection.address.clone()).unwrap_or_default(),
                connection.map(|connection| connection.version.clone()).unwrap_or_default(),
                certificate.pins.leaf.clone(),
                certificate.pins.spki.clone(),
                certificate.subject.clone(),
                certificate.issuer.clone(),
                certificate.not_before.clone(),
                certificate.not_after.clone(),
                certificate.days_left.to_string(),
                certificate.key.clone(),
            ]);
            cells.extend(levels(&seen.verdicts));
            let refusing =
                seen.platforms.iter().filter(|platform| !platform.connects).map(|platform| platform.platform);
            cells.push(refusing.collect::<Vec<_>>().join(" "));
            let findings = seen.verdicts.all().into_iter().flat_map(|question| &question.answer.findings);
            let said: Vec<_> = findings
                .chain(seen.platforms.iter().flat_map(PlatformVerdict::plain))
                .filter(|finding| finding.level >= Level::Warn)
                .collect();
            let codes = unique(said.iter().map(|finding| finding.code.as_str()));
            let texts = unique(said.iter().map(|finding| finding.text.as_str()));
            cells.extend([codes.join(" "), texts.join("; ")]);
        }
        Shown::Failed { failure } => {
            cells.resize(COLUMNS.len() - 2, String::new());
            cells.extend([failure.code.as_str().to_owned(), failure.text.clone()]);
        }
    }
    line(cells)
}

/// Each once, in the order in which they come.
fn unique<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut unique = Vec::new();
    for one in all {
        if !unique.contains(&one) {
            unique.push(one);
        }
    }
    unique
}

/// The answers in the order of the columns; of the chain's the lightest.
fn levels(verdicts: &Verdicts) -> [String; 7] {
    let Verdicts { pin, possession, chain, name, time, strength, tls } = verdicts;
    let chain = chain.iter().map(|one| one.answer.level).min().unwrap_or(Level::NotAsked);
    [pin.level, possession.level, chain, name.level, time.level, strength.level, tls.level]
        .map(|level| level.as_str().to_owned())
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Into memory, a row of text: neither fails.
    let written = writer.write_record(cells.into_iter().map(harmless)).ok().and_then(|()| writer.into_inner().ok());
    String::from_utf8(written.unwrap_or_default()).unwrap_or_default()
}

/// A cell that a spreadsheet does not take for a formula: a stranger chose the names in a certificate.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '@', '\t', '\r']) || (cell.starts_with('-') && cell.parse::<i64>().is_err()) {
        format!("'{cell}")
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed() {
        assert_eq!(line(["=cmd()".to_owned(), "-3".to_owned(), "-x".to_owned()]), "'=cmd(),-3,'-x\n");
    }
}
