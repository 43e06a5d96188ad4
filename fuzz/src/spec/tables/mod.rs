//! The tables of FORMATS §1 to §6, and the shared grammars of §0 that their rows use.

use super::row::{Kind, Role, Row, Rule, When};

pub(super) mod android;
pub(super) mod ios;
pub(super) mod linux;
pub(super) mod macos;
pub(super) mod windows;
pub(super) mod windows_phone;

/// LABEL, for patterns that are put together.
macro_rules! label {
    () => {
        "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    };
}
/// BCP with another sign before the region.
macro_rules! bcp {
    ($sign:literal) => {
        concat!("[a-z]{2,3}(-[A-Z][a-z]{3})?", $sign, "([A-Z]{2}|[0-9]{3})")
    };
}
use label;

pub(super) const LABEL: &[&str] = &[label!()];
pub(super) const NODE: &[&str] = &["[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"];
pub(super) const BCP: &[&str] = &[bcp!("-")];

/// op, as four of the formats spell it.
pub(super) const OPS: &[&str] = &["register", "auth", "backup", "restore", "ping", "sync"];
/// 2^50
pub(super) const ESTIMATE_MAX: u64 = 1 << 50;
/// TIME in seconds since 1970: the first, and the last.
pub(super) const TIME: (u64, u64) = (1_325_376_000, 4_102_444_799);
/// TIME as the dates of its first day and of the day after its last.
pub(super) const TIME_DAYS: Rule = Rule::Days("2012-01-01", "2100-01-01");

pub(super) const fn mass(name: &'static str) -> Row {
    Row::text(name)
        .role(Role::Proof)
        .when(When::C1)
        .length(46, 46)
        .patterns(&["M1\\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"])
}

pub(super) const fn device(name: &'static str) -> Row {
    Row::text(name).role(Role::Proof).when(When::C1).length(89, 89).patterns(&["D1\\.[A-Za-z0-9_-]{85}[AQgw]"])
}

pub(super) const fn user(name: &'static str) -> Row {
    Row::text(name).role(Role::User).when(When::C1).length(6, 254).patterns(&[concat!(
        "[A-Za-z0-9._%+'-]{1,64}@",
        label!(),
        "(\\.",
        label!(),
        ")*\\.[A-Za-z]{2,63}"
    )])
}

pub(super) const fn node(name: &'static str) -> Row {
    Row::text(name).role(Role::Node).when(When::C2).length(1, 63).patterns(NODE)
}

/// NONCE in base64: 16 bytes are 21 characters, one of which two bits count, and the padding.
pub(super) const fn nonce_base64(name: &'static str) -> Row {
    Row::text(name)
        .role(Role::Nonce)
        .length(24, 24)
        .patterns(&["[A-Za-z0-9+/]{21}[AQgw]=="])
        .rules(&[Rule::Except(&["AAAAAAAAAAAAAAAAAAAAAA=="])])
}

pub(super) const fn nonce_hex(name: &'static str) -> Row {
    Row::text(name)
        .role(Role::Nonce)
        .length(32, 32)
        .patterns(&["[0-9a-f]{32}"])
        .rules(&[Rule::Except(&["00000000000000000000000000000000"])])
}

pub(super) const fn estimate(name: &'static str) -> Row {
    Row::text(name)
        .role(Role::Estimate)
        .when(When::Optional)
        .length(1, 16)
        .patterns(&["0|[1-9][0-9]*"])
        .rules(&[Rule::Range(0, ESTIMATE_MAX)])
}

pub(super) const fn iana(name: &'static str) -> Row {
    Row::text(name).length(3, 64).patterns(&["[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}"])
}

pub(super) const fn wzone(name: &'static str) -> Row {
    Row::text(name).length(3, 64).patterns(&["[A-Z][A-Za-z0-9.()+-]*( [A-Za-z0-9.()+-]+)*"])
}

pub(super) const fn apple_locale(name: &'static str) -> Row {
    Row::text(name).length(5, 64).patterns(&[concat!(bcp!("_"), "(@[a-z]+=[A-Za-z0-9]+(;[a-z]+=[A-Za-z0-9]+)*)?")])
}

/// A date and time of `length` characters, whose pattern goes on behind the seconds.
pub(super) const fn date_time(name: &'static str, length: usize, patterns: &'static [&'static str]) -> Row {
    Row::text(name).role(Role::SentAt).length(length, length).patterns(patterns).rules(&[Rule::Calendar, TIME_DAYS])
}

pub(super) const fn boolean(name: &'static str) -> Row {
    Row::new(name, Kind::Boolean, When::Required)
}
