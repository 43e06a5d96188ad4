//! Every target: its name, its oracle, its mutator and its seeds. `targets.toml` says what each is for.

use crate::Target;

/// `windows_specification`
pub const WINDOWS_SPECIFICATION: Target = Target {
    name: "windows_specification",
    oracle: crate::validator::windows,
    mutate: Some(crate::mutate::windows),
    seeds: crate::validator::windows_seeds,
};
/// `macos_specification`
pub const MACOS_SPECIFICATION: Target = Target {
    name: "macos_specification",
    oracle: crate::validator::macos,
    mutate: Some(crate::mutate::macos),
    seeds: crate::validator::macos_seeds,
};
/// `linux_specification`
pub const LINUX_SPECIFICATION: Target = Target {
    name: "linux_specification",
    oracle: crate::validator::linux,
    mutate: Some(crate::mutate::linux),
    seeds: crate::validator::linux_seeds,
};
/// `ios_specification`
pub const IOS_SPECIFICATION: Target = Target {
    name: "ios_specification",
    oracle: crate::validator::ios,
    mutate: Some(crate::mutate::ios),
    seeds: crate::validator::ios_seeds,
};
/// `android_specification`
pub const ANDROID_SPECIFICATION: Target = Target {
    name: "android_specification",
    oracle: crate::validator::android,
    mutate: Some(crate::mutate::android),
    seeds: crate::validator::android_seeds,
};
/// `wp_specification`
pub const WP_SPECIFICATION: Target = Target {
    name: "wp_specification",
    oracle: crate::validator::windows_phone,
    mutate: Some(crate::mutate::windows_phone),
    seeds: crate::validator::windows_phone_seeds,
};
/// `six_formats_meaning`
pub const SIX_FORMATS_MEANING: Target = Target {
    name: "six_formats_meaning",
    oracle: crate::six_formats::oracle,
    mutate: Some(crate::six_formats::mutate),
    seeds: crate::six_formats::seeds,
};
/// `canonical_agreement`
pub const CANONICAL_AGREEMENT: Target = Target {
    name: "canonical_agreement",
    oracle: crate::canonical::oracle,
    mutate: Some(crate::canonical::mutate),
    seeds: crate::canonical::seeds,
};
/// `frames_canonical`
pub const FRAMES_CANONICAL: Target = Target {
    name: "frames_canonical",
    oracle: crate::frames::oracle,
    mutate: Some(crate::frames::mutate),
    seeds: crate::frames::seeds,
};
/// `stream_delivery`
pub const STREAM_DELIVERY: Target = Target {
    name: "stream_delivery",
    oracle: crate::delivery::oracle,
    mutate: Some(crate::delivery::mutate),
    seeds: crate::delivery::seeds,
};
/// `device_session`
pub const DEVICE_SESSION: Target = Target {
    name: "device_session",
    oracle: crate::sessions::device,
    mutate: Some(crate::sessions::mutate),
    seeds: crate::sessions::device_seeds,
};
/// `control_session`
pub const CONTROL_SESSION: Target = Target {
    name: "control_session",
    oracle: crate::sessions::control,
    mutate: Some(crate::sessions::mutate),
    seeds: crate::sessions::control_seeds,
};
/// `data_session`
pub const DATA_SESSION: Target = Target {
    name: "data_session",
    oracle: crate::sessions::data,
    mutate: Some(crate::sessions::mutate),
    seeds: crate::sessions::data_seeds,
};
#[cfg(feature = "relay")]
/// `handover_records`
pub const HANDOVER_RECORDS: Target = Target {
    name: "handover_records",
    oracle: crate::handover::oracle,
    mutate: Some(crate::handover::mutate),
    seeds: crate::handover::seeds,
};
#[cfg(feature = "relay")]
/// `hello_route`
pub const HELLO_ROUTE: Target = Target {
    name: "hello_route",
    oracle: crate::hello::oracle,
    mutate: Some(crate::hello::mutate),
    seeds: crate::hello::seeds,
};
#[cfg(feature = "relay")]
/// `edge_config`
pub const EDGE_CONFIG: Target = Target {
    name: "edge_config",
    oracle: crate::config::edge,
    mutate: Some(crate::config::mutate),
    seeds: crate::config::edge_seeds,
};
#[cfg(feature = "relay")]
/// `backend_config`
pub const BACKEND_CONFIG: Target = Target {
    name: "backend_config",
    oracle: crate::config::backend,
    mutate: Some(crate::config::mutate),
    seeds: crate::config::backend_seeds,
};
#[cfg(feature = "trust")]
/// `pin_spellings`
pub const PIN_SPELLINGS: Target = Target {
    name: "pin_spellings",
    oracle: crate::pins::oracle,
    mutate: Some(crate::pins::mutate),
    seeds: crate::pins::seeds,
};
#[cfg(feature = "trust")]
/// `certificate_views`
pub const CERTIFICATE_VIEWS: Target = Target {
    name: "certificate_views",
    oracle: crate::certificates::oracle,
    mutate: Some(crate::certificates::mutate),
    seeds: crate::certificates::seeds,
};
#[cfg(feature = "trust")]
/// `certificate_files`
pub const CERTIFICATE_FILES: Target = Target {
    name: "certificate_files",
    oracle: crate::certificates::files::oracle,
    mutate: Some(crate::certificates::files::mutate),
    seeds: crate::certificates::files::seeds,
};
#[cfg(feature = "trust")]
/// `trust_store_lines`
pub const TRUST_STORE_LINES: Target = Target {
    name: "trust_store_lines",
    oracle: crate::store::oracle,
    mutate: Some(crate::store::mutate),
    seeds: crate::store::seeds,
};

/// All that this build links.
pub const ALL: &[&Target] = &[
    &WINDOWS_SPECIFICATION,
    &MACOS_SPECIFICATION,
    &LINUX_SPECIFICATION,
    &IOS_SPECIFICATION,
    &ANDROID_SPECIFICATION,
    &WP_SPECIFICATION,
    &SIX_FORMATS_MEANING,
    &CANONICAL_AGREEMENT,
    &FRAMES_CANONICAL,
    &STREAM_DELIVERY,
    &DEVICE_SESSION,
    &CONTROL_SESSION,
    &DATA_SESSION,
    #[cfg(feature = "relay")]
    &HANDOVER_RECORDS,
    #[cfg(feature = "relay")]
    &HELLO_ROUTE,
    #[cfg(feature = "relay")]
    &EDGE_CONFIG,
    #[cfg(feature = "relay")]
    &BACKEND_CONFIG,
    #[cfg(feature = "trust")]
    &PIN_SPELLINGS,
    #[cfg(feature = "trust")]
    &CERTIFICATE_VIEWS,
    #[cfg(feature = "trust")]
    &CERTIFICATE_FILES,
    #[cfg(feature = "trust")]
    &TRUST_STORE_LINES,
];
