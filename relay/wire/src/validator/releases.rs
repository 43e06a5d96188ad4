//! The release tables of FORMATS §1, §2, §4 and §5 as data.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};
use core::ops::RangeInclusive;

/// The tables of releases that will age: configuration with a default, not code. Each table may be replaced whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Releases {
    /// Windows versions that may connect (FORMATS §1, `osVersion`); another is `E_RANGE`.
    pub windows: Vec<WindowsRelease>,
    /// macOS versions and the trains of their builds (FORMATS §2, `OSVersion` and `BuildVersion`).
    pub macos: Vec<AppleRelease>,
    /// iOS and iPadOS versions and the trains of their builds (FORMATS §4, `system`).
    pub ios: Vec<AppleRelease>,
    /// Android releases by API level (FORMATS §5, `release` and `sdk`); another pair is `E_CONFLICT`.
    pub android: AndroidReleases,
}

impl Releases {
    /// Whether Windows `major.minor.build` may connect.
    #[must_use]
    pub fn has_windows(&self, major: u16, minor: u16, build: u16) -> bool {
        self.windows
            .iter()
            .any(|release| (release.major, release.minor) == (major, minor) && release.builds.contains(&build))
    }
}

impl Default for Releases {
    fn default() -> Self {
        let windows = [(6, 1, 7601..=7601), (6, 2, 9200..=9200), (6, 3, 9600..=9600), (10, 0, 10240..=65535)];
        Self {
            windows: windows
                .into_iter()
                .map(|(major, minor, builds)| WindowsRelease { major, minor, builds })
                .collect(),
            macos: vec![
                AppleRelease { majors: 10..=10, minors: 13..=15, train: Train::MinorPlus(4) },
                AppleRelease { majors: 11..=15, minors: 0..=99, train: Train::MajorPlus(9) },
                AppleRelease { majors: 26..=29, minors: 0..=99, train: Train::MajorPlus(-1) },
            ],
            ios: vec![
                AppleRelease { majors: 9..=18, minors: 0..=99, train: Train::MajorPlus(4) },
                AppleRelease { majors: 26..=29, minors: 0..=99, train: Train::MajorPlus(-3) },
            ],
            android: AndroidReleases::default(),
        }
    }
}

/// Windows versions `major.minor.build` that may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowsRelease {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
    /// The third number, first and last.
    pub builds: RangeInclusive<u16>,
}

/// A range of Apple releases whose builds are numbered by one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppleRelease {
    /// The first number of the version.
    pub majors: RangeInclusive<u8>,
    /// The second; 0 where the version has none.
    pub minors: RangeInclusive<u8>,
    /// The rule.
    pub train: Train,
}

impl AppleRelease {
    /// The release of `releases` that covers `major.minor`.
    #[must_use]
    pub fn find(releases: &[Self], major: u8, minor: u8) -> Option<&Self> {
        releases.iter().find(|release| release.majors.contains(&major) && release.minors.contains(&minor))
    }

    /// The train, the first two digits of a build, of `major.minor`.
    #[must_use]
    pub fn train_of(&self, major: u8, minor: u8) -> i16 {
        match self.train {
            Train::MajorPlus(offset) => i16::from(major) + i16::from(offset),
            Train::MinorPlus(offset) => i16::from(minor) + i16::from(offset),
        }
    }
}

/// How Apple numbers the builds of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Train {
    /// The version's first number and this.
    MajorPlus(i8),
    /// The version's second number and this.
    MinorPlus(i8),
}

/// Which `release` goes with which `sdk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndroidReleases {
    /// API levels and the releases that have them.
    pub known: Vec<(u8, Vec<String>)>,
    /// The API level from which on any release is let through.
    pub open_from: u8,
}

impl AndroidReleases {
    /// Whether a device may state this pair.
    #[must_use]
    pub fn has(&self, sdk: u8, release: &str) -> bool {
        sdk >= self.open_from
            || self.known.iter().any(|(known, releases)| *known == sdk && releases.iter().any(|known| known == release))
    }
}

impl Default for AndroidReleases {
    fn default() -> Self {
        let known: &[(u8, &[&str])] = &[
            (21, &["5.0", "5.0.1", "5.0.2"]),
            (22, &["5.1", "5.1.1"]),
            (23, &["6.0", "6.0.1"]),
            (24, &["7.0"]),
            (25, &["7.1", "7.1.1", "7.1.2"]),
            (26, &["8.0.0"]),
            (27, &["8.1.0"]),
            (28, &["9"]),
            (29, &["10"]),
            (30, &["11"]),
            (31, &["12"]),
            (32, &["12"]),
            (33, &["13"]),
            (34, &["14"]),
            (35, &["15"]),
            (36, &["16"]),
        ];
        let owned = |(sdk, releases): &(u8, &[&str])| (*sdk, releases.iter().map(|text| (*text).to_owned()).collect());
        Self { known: known.iter().map(owned).collect(), open_from: 37 }
    }
}
