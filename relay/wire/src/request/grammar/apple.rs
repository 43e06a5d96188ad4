//! What macOS and iOS share: versions, builds and models (FORMATS §2, §4).

use super::{Scan, format, length};
use crate::{
    error::Code,
    validator::{AppleRelease, Train},
};

/// A system's version, whose length has been judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AppleVersion {
    /// The first number.
    pub(crate) major: u8,
    /// The train that a build of this version has.
    pub(crate) train: i16,
}

/// `OSVersion` on macOS and `system.version` on iOS: `major(.(0|[1-9][0-9]?)){0,2}`, a release of the table; where the
/// second number counts the releases (10.x), it is there and a third is `[1-9]`.
pub(crate) fn apple_version(text: &str, releases: &[AppleRelease]) -> Result<AppleVersion, Code> {
    let mut scan = Scan::new(text);
    let mut numbers = [None; 3];
    for (at, number) in numbers.iter_mut().enumerate() {
        if scan.at_end() || (at > 0 && !scan.eat(b'.')) {
            break;
        }
        *number = Some(scan.number(2).and_then(|number| u8::try_from(number).ok()).ok_or(Code::Format)?);
    }
    format(scan.at_end())?;
    let [Some(major), minor, patch] = numbers else { return Err(Code::Format) };
    let release = AppleRelease::find(releases, major, minor.unwrap_or(0)).ok_or(Code::Format)?;
    match release.train {
        Train::MajorPlus(_) => {}
        Train::MinorPlus(_) => format(minor.is_some() && patch.is_none_or(|patch| (1..=9).contains(&patch)))?,
    }
    Ok(AppleVersion { major, train: release.train_of(major, minor.unwrap_or(0)) })
}

/// Apple's build number, `BuildVersion` on macOS and `system.build` on iOS: 4..9,
/// `[12][0-9][A-Z][1-9][0-9]{0,4}[a-z]?`. Answers its train, the two digits.
pub(crate) fn apple_build(text: &str) -> Result<u8, Code> {
    length(text, 4, 9)?;
    let [tens @ (b'1' | b'2'), ones @ b'0'..=b'9', b'A'..=b'Z', b'1'..=b'9', rest @ ..] = text.as_bytes() else {
        return Err(Code::Format);
    };
    let mut scan = Scan(rest);
    scan.run(4, |byte| byte.is_ascii_digit());
    scan.run(1, |byte| byte.is_ascii_lowercase());
    format(scan.at_end())?;
    Ok((tens - b'0') * 10 + (ones - b'0'))
}

/// `AppVersion` on macOS and `app.version` on iOS: 5..14, `[1-9][0-9]{0,3}(.(0|[1-9][0-9]{0,2})){2}`.
pub(crate) fn apple_app_version(text: &str) -> Result<(), Code> {
    length(text, 5, 14)?;
    let mut scan = Scan::new(text);
    let mut matches = scan.number(4).is_some_and(|major| major > 0);
    for _ in 0..2 {
        matches = matches && scan.eat(b'.') && scan.number(3).is_some();
    }
    format(matches && scan.at_end())
}

/// `AppBuild` on macOS and `app.build` on iOS: 1..18, `[1-9][0-9]*(.[0-9]{1,3}){0,2}`, the first number of at most
/// `first_digits`.
pub(crate) fn apple_app_build(text: &str, first_digits: usize) -> Result<(), Code> {
    length(text, 1, 18)?;
    let mut scan = Scan::new(text);
    let mut matches = scan.number(first_digits).is_some_and(|first| first > 0);
    for _ in 0..2 {
        matches =
            matches && (scan.at_end() || (scan.eat(b'.') && !scan.run(3, |byte| byte.is_ascii_digit()).is_empty()));
    }
    format(matches && scan.at_end())
}

/// A model identifier as a pattern: one of `families`, then `N,N`, N `[1-9][0-9]?`. Answers the family.
pub(crate) fn apple_model<'a>(text: &str, families: &[&'a str]) -> Result<&'a str, Code> {
    let mut scan = Scan::new(text);
    let family = scan.run(text.len(), |byte| byte.is_ascii_alphabetic());
    let family = families.iter().copied().find(|known| known.as_bytes() == family).ok_or(Code::Format)?;
    let number = |scan: &mut Scan<'_>| scan.number(2).is_some_and(|number| number > 0);
    format(number(&mut scan) && scan.eat(b',') && number(&mut scan) && scan.at_end())?;
    Ok(family)
}
