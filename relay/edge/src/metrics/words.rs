//! The words that labels are made of, so that every series is there from the start.

/// Why a TLS connection did not come about.
pub(super) const HANDSHAKE_FAILURES: [&str; 7] =
    ["broken-hello", "ended", "io", "not-tls", "timeout", "tls", "too-large"];
/// Why a request whose format is right is refused.
pub(super) const REFUSALS: [&str; 4] = ["master", "nonce-reused", "other-device", "unauthenticated"];
/// How a device's connection ends.
pub(super) const DEVICE_CLOSES: [&str; 8] =
    ["bad-frame", "draining", "finished", "idle", "lost", "refused", "revoked", "unauthenticated"];
/// How a question to the master ends.
pub(super) const ASKS: [&str; 15] = [
    "abandoned",
    "accepted",
    "device-full",
    "failed",
    "granted",
    "later",
    "master-lost",
    "no-master",
    "node-away",
    "overloaded",
    "refused",
    "timeout",
    "tokens-full",
    "unexpected",
    "unfit",
];
/// What becomes of a token.
pub(super) const TOKENS: [&str; 5] = ["expired", "issued", "unknown", "used", "void"];
/// Why a backend's connection is refused.
pub(super) const BACKEND_REFUSALS: [&str; 5] =
    ["control-not-proved", "control-older-generation", "data-not-proved", "data-without-control", "spares-full"];
/// How a reload ends.
pub(super) const RELOADS: [&str; 2] = ["done", "refused"];
