//! What platforms refuse, as data.
//!
//! A rule that every platform has is the relay's own verifier speaking; one that some have is what their makers wrote or
//! what their ClientHello says. The captures are those that `relay_trust::TlsProfile` names.

use std::fmt;

use serde::Serialize;

use super::{PlatformFinding, fits, known::Platform, lacks_extended_master_secret};
use crate::{
    codes::Code,
    evidence::{Certificate, Evidence, Key, date},
    verdict::{Finding, Level},
};

/// How a rule is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Basis {
    /// This project tested it: the verifier of its clients, with the platform's TLS stack as it was captured or documented.
    Tested,
    /// A document or a published capture says so.
    Documented,
}

impl Basis {
    /// As reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tested => "tested",
            Self::Documented => "documented",
        }
    }
}

/// When a rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The server's own certificate says CA:TRUE.
    CaTrue,
    /// It has an extended key usage without serverAuth.
    OtherPurpose,
    /// It has no extended key usage, and its validity began at this time or later.
    NoPurposeSince(i64),
    /// It lives longer than so many days, and its validity began at this time or later.
    LivesLonger(i64, i64),
    /// It has no subjectAltName.
    NoNames,
    /// It is not of version 3.
    OldVersion,
    /// It was signed with MD5 or SHA-1.
    BrokenHash,
    /// Its key is RSA with fewer bits.
    RsaUnder(usize),
    /// Its key is of a kind that no provider here verifies.
    UnknownKey,
    /// Its key is of this kind.
    KeyIs(Curve),
    /// The same, and the platform does not name that curve among those it knows.
    KeyOff(Curve),
    /// The same, and the platform knows signatures with it, but not over the hash that servers usually take.
    HashOf(Curve),
    /// No suite of the platform can be chosen by a server with this key.
    NoSuiteForKey,
    /// TLS 1.2 without the extended master secret.
    NoExtendedMasterSecret,
}

/// A kind of key on an elliptic curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
}

impl Curve {
    const fn name(self) -> &'static str {
        match self {
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Ed25519 => "Ed25519",
        }
    }

    const fn is_of(self, key: &Key) -> bool {
        match self {
            Self::P384 => matches!(key, Key::P384),
            Self::P521 => matches!(key, Key::P521),
            Self::Ed25519 => matches!(key, Key::Ed25519),
        }
    }
}

/// Whom a rule concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every platform.
    All,
    /// These, by name.
    These(&'static [&'static str]),
}

/// One thing that platforms refuse or that somebody should know.
#[derive(Debug)]
pub struct Rule {
    /// The name of its finding.
    pub code: Code,
    /// Whom it concerns.
    pub scope: Scope,
    /// When it speaks.
    pub condition: Condition,
    /// Whether the platform refuses, or may.
    pub level: Level,
    /// What to do.
    pub remedy: &'static str,
    /// How it is known.
    pub basis: Basis,
    /// Where it is known from.
    pub source: &'static str,
}

const VERIFIER: &str =
    "the verifier of every client of the relay (relay/trust), tested with every platform's TLS stack";
const APPLE: &str = "https://support.apple.com/en-us/103769";
const CAPTURES: &str = "https://github.com/testssl/testssl.sh/blob/3.3dev/etc/client-simulation.wiresharked.txt";
/// A server's certificate must be on a curve that the client names, under TLS 1.2 (RFC 8422 section 5.1).
const CURVES: &str = "https://www.rfc-editor.org/rfc/rfc8422#section-5.1 and the captures of testssl.sh";
/// 2019-07-01T00:00:00Z, from which Apple's rules for new certificates count.
const APPLE_SINCE: i64 = 1_561_939_200;
/// Days.
const APPLE_LIFETIME: i64 = 825;
const APPLE_CURRENT: Scope = Scope::These(&["macos", "ios"]);

/// All rules. The first that fits gives the code its text.
pub const ALL: &[Rule] = &[
    tested(
        Code::CHAIN_CA_AS_SERVER,
        Condition::CaTrue,
        "reissue with CA:FALSE (openssl: -addext basicConstraints=critical,CA:FALSE)",
    ),
    tested(Code::CHAIN_PURPOSE, Condition::OtherPurpose, "reissue with the extended key usage serverAuth"),
    tested(Code::CHAIN_MALFORMED, Condition::OldVersion, "reissue it with a current tool"),
    tested(Code::NAME_NONE, Condition::NoNames, "reissue it with the names that clients ask for as subjectAltName"),
    tested(Code::STRENGTH_HASH, Condition::BrokenHash, "reissue it with SHA-256"),
    tested(Code::STRENGTH_RSA, Condition::RsaUnder(2048), "take ECDSA P-256, or RSA of 2,048 bits or more"),
    tested(Code::STRENGTH_UNKNOWN, Condition::UnknownKey, "take ECDSA P-256"),
    tested(
        Code::TLS_NO_EMS,
        Condition::NoExtendedMasterSecret,
        "update the server's TLS library, or switch TLS 1.3 on",
    ),
    Rule {
        code: Code::PLATFORM_RSA,
        scope: Scope::All,
        condition: Condition::NoSuiteForKey,
        level: Level::Fail,
        remedy: "use ECDSA P-256",
        basis: Basis::Tested,
        source: "https://learn.microsoft.com/en-us/windows-server/security/tls/\
                 tls-schannel-ssp-changes-in-windows-10-and-windows-server (added in Windows 10), and handshakes with the \
                 platform's TLS stack",
    },
    Rule {
        code: Code::PLATFORM_NO_PURPOSE,
        scope: APPLE_CURRENT,
        condition: Condition::NoPurposeSince(APPLE_SINCE),
        level: Level::Fail,
        remedy: "reissue with the extended key usage serverAuth",
        basis: Basis::Documented,
        source: APPLE,
    },
    Rule {
        code: Code::PLATFORM_LIFETIME,
        scope: APPLE_CURRENT,
        condition: Condition::LivesLonger(APPLE_LIFETIME, APPLE_SINCE),
        level: Level::Fail,
        remedy: "reissue it for 825 days or fewer",
        basis: Basis::Documented,
        source: APPLE,
    },
    Rule {
        code: Code::PLATFORM_KEY,
        scope: Scope::These(&[
            "windows-11",
            "windows-10",
            "windows-8.1",
            "windows-7",
            "macos",
            "macos-10.13",
            "ios",
            "ios-12.1",
            "android-10",
            "android-5",
            "wp-8.1",
        ]),
        condition: Condition::KeyIs(Curve::Ed25519),
        level: Level::Fail,
        remedy: "use ECDSA P-256",
        basis: Basis::Documented,
        source: CAPTURES,
    },
    Rule {
        code: Code::PLATFORM_KEY,
        scope: Scope::These(&["macos", "macos-10.13", "ios", "ios-12.1", "android-10"]),
        condition: Condition::KeyIs(Curve::P521),
        level: Level::Fail,
        remedy: "use ECDSA P-256",
        basis: Basis::Documented,
        source: CAPTURES,
    },
    Rule {
        code: Code::PLATFORM_CURVE,
        scope: Scope::These(&["windows-11", "windows-10", "windows-8.1", "windows-7", "android-5", "wp-8.1"]),
        condition: Condition::KeyOff(Curve::P521),
        level: Level::Warn,
        remedy: "use ECDSA P-256",
        basis: Basis::Documented,
        source: CURVES,
    },
    Rule {
        code: Code::PLATFORM_CURVE,
        scope: Scope::These(&["wp-8.1"]),
        condition: Condition::KeyOff(Curve::P384),
        level: Level::Warn,
        remedy: "use ECDSA P-256",
        basis: Basis::Documented,
        source: CURVES,
    },
    Rule {
        code: Code::PLATFORM_KEY,
        scope: Scope::These(&["macos-10.13", "ios-12.1"]),
        condition: Condition::HashOf(Curve::P384),
        level: Level::Warn,
        remedy: "use ECDSA P-256",
        basis: Basis::Documented,
        source: CAPTURES,
    },
];

/// What the verifier of every client refuses.
const fn tested(code: Code, condition: Condition, remedy: &'static str) -> Rule {
    Rule { code, scope: Scope::All, condition, level: Level::Fail, remedy, basis: Basis::Tested, source: VERIFIER }
}

/// As a list of rules says it.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CaTrue => f.write_str("a certificate that says CA:TRUE"),
            Self::OtherPurpose => f.write_str("an extended key usage without serverAuth"),
            Self::NoPurposeSince(since) => write!(f, "no extended key usage, if issued since {}", date(*since)),
            Self::LivesLonger(days, since) => write!(f, "more than {days} days, if issued since {}", date(*since)),
            Self::NoNames => f.write_str("no subjectAltName"),
            Self::OldVersion => f.write_str("a certificate that is not of version 3"),
            Self::BrokenHash => f.write_str("a signature with MD5 or SHA-1"),
            Self::RsaUnder(bits) => write!(f, "an RSA key under {bits} bits"),
            Self::UnknownKey => f.write_str("a key other than RSA, P-256, P-384, P-521 and Ed25519"),
            Self::KeyIs(curve) => write!(f, "{} keys", curve.name()),
            Self::KeyOff(curve) => write!(f, "{} keys, a curve that it does not name", curve.name()),
            Self::HashOf(curve) => write!(f, "{} keys with SHA-384 under the handshake", curve.name()),
            Self::NoSuiteForKey => f.write_str("an RSA key, for want of ECDHE-RSA-GCM"),
            Self::NoExtendedMasterSecret => f.write_str("TLS 1.2 without the extended master secret"),
        }
    }
}

impl Rule {
    /// Whether it is one of platforms whose suites an RSA key cannot use.
    pub fn shuts_out_rsa(&self, platform: &Platform) -> bool {
        let rsa = Key::Rsa { bits: 2048 };
        self.condition == Condition::NoSuiteForKey && !platform.profile().suites.iter().any(|suite| fits(*suite, &rsa))
    }

    /// Whether every platform has it, whatever its TLS stack.
    pub fn is_everybodys(&self) -> bool {
        self.scope == Scope::All && self.condition != Condition::NoSuiteForKey
    }

    /// Whether it concerns this platform.
    pub fn concerns(&self, platform: &Platform) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::These(names) => names.contains(&platform.name),
        }
    }

    /// Its finding, if it speaks.
    pub fn judge(&self, evidence: &Evidence, platform: &Platform) -> Option<PlatformFinding> {
        let text = self.condition.seen(evidence, platform)?;
        let finding = Finding { level: self.level, code: self.code, text, remedy: Some(self.remedy.to_owned()) };
        Some(PlatformFinding { finding, basis: self.basis, source: self.source })
    }
}

impl Condition {
    /// What was seen, where the condition holds.
    fn seen(self, evidence: &Evidence, platform: &Platform) -> Option<String> {
        let leaf = &evidence.chain.leaf;
        let title = platform.title;
        let text = |holds: bool, text: &dyn Fn() -> String| holds.then(text);
        match self {
            Self::CaTrue => text(leaf.ca == Some(true), &|| {
                "the server's own certificate says CA:TRUE, so it may not identify a server".to_owned()
            }),
            Self::OtherPurpose => {
                text(leaf.server_auth == Some(false), &|| "its extended key usage does not list serverAuth".to_owned())
            }
            Self::NoPurposeSince(since) => text(leaf.server_auth.is_none() && leaf.not_before >= since, &|| {
                format!("{title} wants an extended key usage with serverAuth, and it has none")
            }),
            Self::LivesLonger(days, since) => {
                let lives = lifetime(leaf);
                text(lives > days && leaf.not_before >= since, &|| {
                    format!("it lives {lives} days, and {title} accepts {days} at most")
                })
            }
            Self::NoNames => text(leaf.names.is_empty(), &|| "it has no name (subjectAltName)".to_owned()),
            Self::OldVersion => text(leaf.version != 3, &|| {
                format!("it is of version {}, and clients read version 3 only", leaf.version)
            }),
            Self::BrokenHash => {
                text(leaf.signature_hash.is_broken(), &|| format!("it is signed with {}", leaf.signature_hash))
            }
            Self::RsaUnder(least) => {
                let Key::Rsa { bits } = leaf.key else { return None };
                text(bits < least, &|| format!("the key is RSA of {bits} bits"))
            }
            Self::UnknownKey => {
                let unknown = matches!(leaf.key, Key::Ed448 | Key::Other(_));
                text(unknown, &|| format!("clients cannot verify signatures of {}", leaf.key))
            }
            Self::KeyIs(curve) => text(curve.is_of(&leaf.key), &|| {
                format!("the key is {}, and {title} does not offer to verify its signatures", leaf.key)
            }),
            Self::KeyOff(curve) => text(curve.is_of(&leaf.key), &|| {
                format!(
                    "the key is {}, and {title} does not name that curve among those it knows; it may refuse",
                    leaf.key
                )
            }),
            Self::HashOf(curve) => text(curve.is_of(&leaf.key), &|| {
                format!("the key is {}, and {title} does not offer ECDSA with SHA-384; it may refuse", leaf.key)
            }),
            Self::NoSuiteForKey => {
                let known = matches!(leaf.key, Key::Rsa { .. } | Key::P256 | Key::P384 | Key::P521 | Key::Ed25519);
                let none = !platform.profile().suites.iter().any(|suite| fits(*suite, &leaf.key));
                text(known && none, &|| {
                    if matches!(leaf.key, Key::Rsa { .. }) {
                        format!("the key is RSA, and {title} has no ECDHE-RSA-GCM")
                    } else {
                        format!("{title} has no suite for {}", leaf.key)
                    }
                })
            }
            Self::NoExtendedMasterSecret => {
                let lacks = evidence.connection.as_ref().is_some_and(|seen| lacks_extended_master_secret(&seen.tls));
                text(lacks, &|| {
                    "TLS 1.2 without the extended master secret, which clients of the relay insist on".to_owned()
                })
            }
        }
    }
}

/// Days, begun ones too: both ends of a validity count as valid.
fn lifetime(leaf: &Certificate) -> i64 {
    const DAY: i64 = 86_400;
    let seconds = leaf.not_after - leaf.not_before + 1;
    seconds.div_euclid(DAY) + i64::from(seconds.rem_euclid(DAY) > 0)
}
