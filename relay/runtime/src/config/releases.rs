//! `[releases]`: the tables of operating-system releases that age. What is not given is what the validator was built with.
//!
//! Edge and master need the same tables (SPEC §5.4), so both read them with this.

use std::ops::RangeInclusive;

use relay_wire::{
    Releases,
    validator::{AppleRelease, Train, WindowsRelease},
};
use serde::{Deserialize, Serialize};

use super::Problems;

/// Rows of one table at most.
const ROWS_MAX: usize = 1_024;

/// `[releases]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the example file documents the keys, once")]
pub struct RawReleases {
    pub windows: Option<Vec<RawWindows>>,
    pub macos: Option<Vec<RawApple>>,
    pub ios: Option<Vec<RawApple>>,
    pub android: Option<Vec<RawAndroid>>,
    pub android_open_from: Option<u8>,
}

/// A row of `windows`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the example file documents the keys, once")]
pub struct RawWindows {
    pub major: u16,
    pub minor: u16,
    pub builds: [u16; 2],
}

/// A row of `macos` or `ios`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the example file documents the keys, once")]
pub struct RawApple {
    pub majors: [u8; 2],
    pub minors: [u8; 2],
    pub train: String,
}

/// A row of `android`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the example file documents the keys, once")]
pub struct RawAndroid {
    pub sdk: u8,
    pub releases: Vec<String>,
}

impl RawReleases {
    /// The tables; what cannot be goes on the list.
    #[must_use]
    pub fn resolve(self, problems: &mut Problems) -> Releases {
        let mut releases = Releases::default();
        if let Some(rows) = self.windows {
            check_rows("releases.windows", rows.len(), problems);
            releases.windows = rows
                .iter()
                .enumerate()
                .map(|(place, row)| WindowsRelease {
                    major: row.major,
                    minor: row.minor,
                    builds: range(&format!("releases.windows[{place}].builds"), row.builds, problems),
                })
                .collect();
        }
        for (path, rows, table) in
            [("releases.macos", self.macos, &mut releases.macos), ("releases.ios", self.ios, &mut releases.ios)]
        {
            if let Some(rows) = rows {
                check_rows(path, rows.len(), problems);
                *table = rows.iter().enumerate().map(|(place, row)| apple(path, place, row, problems)).collect();
            }
        }
        if let Some(rows) = self.android {
            check_rows("releases.android", rows.len(), problems);
            releases.android.known = rows.into_iter().map(|row| (row.sdk, row.releases)).collect();
        }
        if let Some(open_from) = self.android_open_from {
            releases.android.open_from = open_from;
        }
        releases
    }
}

impl From<&Releases> for RawReleases {
    /// The tables as a file would say them, each in full.
    fn from(releases: &Releases) -> Self {
        let apple = |rows: &[AppleRelease]| rows.iter().map(RawApple::from).collect();
        let windows = |row: &WindowsRelease| RawWindows {
            major: row.major,
            minor: row.minor,
            builds: [*row.builds.start(), *row.builds.end()],
        };
        let android = |(sdk, releases): &(u8, Vec<String>)| RawAndroid { sdk: *sdk, releases: releases.clone() };
        Self {
            windows: Some(releases.windows.iter().map(windows).collect()),
            macos: Some(apple(&releases.macos)),
            ios: Some(apple(&releases.ios)),
            android: Some(releases.android.known.iter().map(android).collect()),
            android_open_from: Some(releases.android.open_from),
        }
    }
}

impl From<&AppleRelease> for RawApple {
    fn from(release: &AppleRelease) -> Self {
        Self {
            majors: [*release.majors.start(), *release.majors.end()],
            minors: [*release.minors.start(), *release.minors.end()],
            train: match release.train {
                Train::MajorPlus(offset) => format!("major{offset:+}"),
                Train::MinorPlus(offset) => format!("minor{offset:+}"),
            },
        }
    }
}

fn check_rows(path: &str, rows: usize, problems: &mut Problems) {
    if rows == 0 || rows > ROWS_MAX {
        let remedy = format!("give 1 to {ROWS_MAX} rows, or leave the table out to keep the built-in one");
        problems.add(path, format!("{rows} rows"), remedy);
    }
}

fn range<T: Copy + PartialOrd + std::fmt::Display>(
    path: &str,
    [first, last]: [T; 2],
    problems: &mut Problems,
) -> RangeInclusive<T> {
    if first > last {
        problems.add_value(path, format!("[{first}, {last}]"), "ends before it begins", "write [first, last]");
    }
    first..=last
}

fn apple(path: &str, place: usize, row: &RawApple, problems: &mut Problems) -> AppleRelease {
    let row_path = format!("{path}[{place}]");
    AppleRelease {
        majors: range(&format!("{row_path}.majors"), row.majors, problems),
        minors: range(&format!("{row_path}.minors"), row.minors, problems),
        train: train(&row.train).unwrap_or_else(|| {
            let remedy = "write \"major+9\" or \"minor+4\": from which number of the version, and how far from it";
            problems.add_value(format!("{row_path}.train"), &row.train, "not a rule for build numbers", remedy);
            Train::MajorPlus(0)
        }),
    }
}

/// `major+9`, `major-1`, `minor+4`.
fn train(text: &str) -> Option<Train> {
    let rule = match text.get(..5)? {
        "major" => Train::MajorPlus,
        "minor" => Train::MinorPlus,
        _ => return None,
    };
    let offset = text.get(5..).filter(|offset| offset.starts_with(['+', '-']))?;
    offset.parse().ok().map(rule)
}
