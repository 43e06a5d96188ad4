//! What the TLS stacks of real devices offer, as data.
//!
//! Each list is what that stack offers by default, in its order of preference, less what no server of this project could
//! choose: rustls has ECDHE with AES-GCM or ChaCha20-Poly1305 only, on X25519, P-256 and P-384.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::CipherSuite as S;
use rustls::NamedGroup as G;
use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, ALL_KX_GROUPS};
use rustls::version::{TLS12, TLS13};

use crate::tls;

use Evidence::{Documented, Tested};

/// A TLS version that a stack offers. Nothing older is ever offered or accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// How a profile is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The stack's own ClientHello was seen, by this project or in a published capture.
    Tested,
    /// Its maker documents it so.
    Documented,
}

/// What one TLS stack offers.
pub struct TlsProfile {
    /// Its name in configurations and reports.
    pub name: &'static str,
    /// The versions it offers.
    pub versions: &'static [TlsVersion],
    /// The suites it offers, most preferred first.
    pub suites: &'static [S],
    /// The key exchange groups it offers, most preferred first.
    pub groups: &'static [G],
    /// How this is known.
    pub evidence: Evidence,
    /// Where it is known from.
    pub source: &'static str,
    provider: OnceLock<Arc<CryptoProvider>>,
}

const BOTH: &[TlsVersion] = &[TlsVersion::Tls13, TlsVersion::Tls12];
const ONLY_12: &[TlsVersion] = &[TlsVersion::Tls12];
const ONLY_13: &[TlsVersion] = &[TlsVersion::Tls13];

/// P-521 stands behind these in Apple's lists and X448 and P-521 in OpenSSL's; no server here has them.
const MODERN_GROUPS: &[G] = &[G::X25519, G::secp256r1, G::secp384r1];
const NIST_GROUPS: &[G] = &[G::secp256r1, G::secp384r1];

const SCHANNEL_13: &[S] = &[
    S::TLS13_AES_256_GCM_SHA384,
    S::TLS13_AES_128_GCM_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];
const SCHANNEL_12: &[S] = &[
    S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];
/// Before Windows 10 there is no ECDHE with RSA and GCM: a server with an RSA certificate gets no connection.
const SCHANNEL_OLD: &[S] = &[S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
const APPLE_13: &[S] = &[
    S::TLS13_AES_128_GCM_SHA256,
    S::TLS13_AES_256_GCM_SHA384,
    S::TLS13_CHACHA20_POLY1305_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    S::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];
const APPLE_12: &[S] = &[
    S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    S::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];
const OPENSSL: &[S] = &[
    S::TLS13_AES_256_GCM_SHA384,
    S::TLS13_CHACHA20_POLY1305_SHA256,
    S::TLS13_AES_128_GCM_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    S::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];
const CONSCRYPT: &[S] = &[
    S::TLS13_AES_128_GCM_SHA256,
    S::TLS13_AES_256_GCM_SHA384,
    S::TLS13_CHACHA20_POLY1305_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    S::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];
const ANDROID_5: &[S] = &[S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
const WINDOWS_PHONE: &[S] = &[S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
/// The same set in the same order.
const RUSTLS_12: &[S] = APPLE_12;
const RUSTLS_13: &[S] = &[S::TLS13_AES_256_GCM_SHA384, S::TLS13_AES_128_GCM_SHA256, S::TLS13_CHACHA20_POLY1305_SHA256];

const fn profile(
    name: &'static str,
    versions: &'static [TlsVersion],
    suites: &'static [S],
    groups: &'static [G],
    (evidence, source): (Evidence, &'static str),
) -> TlsProfile {
    TlsProfile { name, versions, suites, groups, evidence, source, provider: OnceLock::new() }
}

static PROFILES: [TlsProfile; 14] = [
    profile("windows-11", BOTH, SCHANNEL_13, MODERN_GROUPS, (Documented, "Microsoft, TLS Cipher Suites in Windows 11")),
    profile(
        "windows-10",
        ONLY_12,
        SCHANNEL_12,
        MODERN_GROUPS,
        (Documented, "Microsoft, TLS Cipher Suites in Windows 10"),
    ),
    profile(
        "windows-8.1",
        ONLY_12,
        SCHANNEL_OLD,
        NIST_GROUPS,
        (Documented, "Microsoft, TLS Cipher Suites in Windows 8.1"),
    ),
    // TLS 1.2 is there but off by default (Schannel offers TLS 1.0): this is a Windows 7 on which it was switched on.
    profile("windows-7", ONLY_12, SCHANNEL_OLD, NIST_GROUPS, (Documented, "Microsoft, TLS Cipher Suites in Windows 7")),
    profile("macos", BOTH, APPLE_13, MODERN_GROUPS, (Tested, "testssl.sh capture of Safari 18.4 on macOS 15.4")),
    profile(
        "macos-10.13",
        ONLY_12,
        APPLE_12,
        MODERN_GROUPS,
        (Tested, "testssl.sh capture of Safari 12.1 on macOS 10.13.6"),
    ),
    profile("linux", BOTH, OPENSSL, MODERN_GROUPS, (Tested, "own capture of openssl s_client 3.0.19")),
    profile("ios", BOTH, APPLE_13, MODERN_GROUPS, (Tested, "testssl.sh capture of Safari 18.4 on iOS 18.4")),
    profile(
        "ios-12.1",
        ONLY_12,
        APPLE_12,
        MODERN_GROUPS,
        (
            Documented,
            "Apple Platform Security: TLS 1.3 from iOS 12.2; suites as in the capture of iOS 12.2 by testssl.sh",
        ),
    ),
    profile("android-10", BOTH, CONSCRYPT, MODERN_GROUPS, (Tested, "testssl.sh capture of Android 10.0 (native)")),
    // It prefers P-521, then P-384.
    profile(
        "android-5",
        ONLY_12,
        ANDROID_5,
        &[G::secp384r1, G::secp256r1],
        (Tested, "testssl.sh capture of Android 5.0.0"),
    ),
    profile(
        "wp-8.1",
        ONLY_12,
        WINDOWS_PHONE,
        &[G::secp256r1],
        (Tested, "testssl.sh baselines, IE 11 on Windows Phone 8.1 against ECDSA and RSA certificates"),
    ),
    profile("tls12-only", ONLY_12, RUSTLS_12, MODERN_GROUPS, (Tested, "rustls' own defaults without TLS 1.3")),
    profile("tls13-only", ONLY_13, RUSTLS_13, MODERN_GROUPS, (Tested, "rustls' own defaults without TLS 1.2")),
];

/// AES-128 with SHA-256 first: processors compute SHA-256 but not SHA-384 in hardware, and every tunnel takes a handshake
/// between edge and backend, whose key schedule would spend a twentieth of what the tunnel costs there.
static BACKHAUL: TlsProfile = profile("backhaul", BOTH, CONSCRYPT, MODERN_GROUPS, (Tested, "this project's backends"));

impl TlsProfile {
    /// What a backend offers to its edge. No device has it, so it is not among [`Self::ALL`].
    pub const BACKHAUL: &'static Self = &BACKHAUL;

    /// Every profile of a device.
    pub const ALL: &'static [Self] = &PROFILES;

    /// The profile of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|profile| profile.name == name)
    }

    /// The profile that a platform's current release has; the platforms are `windows`, `macos`, `linux`, `ios`,
    /// `android` and `wp`.
    #[must_use]
    pub fn default_for(platform: &str) -> Option<&'static Self> {
        let name = match platform {
            "windows" => "windows-11",
            "android" => "android-10",
            "wp" | "windows-phone" => "wp-8.1",
            "macos" | "linux" | "ios" => platform,
            _ => return None,
        };
        Self::by_name(name)
    }

    /// The provider of [`tls::provider`] with this profile's suites and groups only; made once, then shared.
    #[must_use]
    pub fn provider(&self) -> Arc<CryptoProvider> {
        let made = self.provider.get_or_init(|| {
            let mut provider = CryptoProvider::clone(tls::shared_provider());
            provider.cipher_suites = (self.suites.iter())
                .filter_map(|wanted| ALL_CIPHER_SUITES.iter().find(|suite| suite.suite() == *wanted).copied())
                .collect();
            provider.kx_groups = (self.groups.iter())
                .filter_map(|wanted| ALL_KX_GROUPS.iter().find(|group| group.name() == *wanted).copied())
                .collect();
            Arc::new(provider)
        });
        Arc::clone(made)
    }

    /// The versions as rustls names them.
    #[must_use]
    pub fn versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        self.versions
            .iter()
            .map(|version| match version {
                TlsVersion::Tls12 => &TLS12,
                TlsVersion::Tls13 => &TLS13,
            })
            .collect()
    }
}

impl fmt::Debug for TlsProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsProfile").field(&self.name).finish()
    }
}
