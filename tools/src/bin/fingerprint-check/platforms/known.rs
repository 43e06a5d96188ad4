//! The platforms, and the TLS stack that each has.

use relay_trust::TlsProfile;

/// A kind of client.
#[derive(Debug)]
pub struct Platform {
    /// As options and reports name it.
    pub name: &'static str,
    /// As people name it.
    pub title: &'static str,
    /// Which of the six it belongs to.
    pub family: &'static str,
    /// What an administrator should know about it that no server can change; empty: nothing.
    pub note: &'static str,
    profile: fn() -> Option<&'static TlsProfile>,
}

impl Platform {
    /// What its TLS stack offers.
    pub fn profile(&self) -> &'static TlsProfile {
        // Every platform names a profile that exists; a test holds it.
        (self.profile)().unwrap_or(TlsProfile::BACKHAUL)
    }
}

/// The six families, in the order of the relay's documents.
pub const FAMILIES: [&str; 6] = ["windows", "macos", "linux", "ios", "android", "wp"];

macro_rules! platforms {
    ($($name:literal, $family:literal, $title:literal, $note:literal;)*) => {
        /// All of them; the first of a family is its current release.
        pub const ALL: &[Platform] = &[
            $(Platform {
                name: $name,
                title: $title,
                family: $family,
                note: $note,
                profile: || TlsProfile::by_name($name),
            },)*
        ];
    };
}

platforms! {
    "windows-11", "windows", "Windows 11", "";
    "windows-10", "windows", "Windows 10", "";
    "windows-8.1", "windows", "Windows 8.1", "";
    "windows-7", "windows", "Windows 7",
        "it offers TLS 1.2 only after that was switched on (Microsoft KB3140245); until then it connects nowhere";
    "macos", "macos", "macOS 10.15 and later", "";
    "macos-10.13", "macos", "macOS 10.13 and 10.14", "";
    "linux", "linux", "Linux with OpenSSL 3", "";
    "ios", "ios", "iOS and iPadOS 13 and later", "";
    "ios-12.1", "ios", "iOS 12.1 and earlier", "";
    "android-10", "android", "Android 10 and later",
        "apps trust roots that the user added only if their network security configuration says so";
    "android-5", "android", "Android 5 to 9", "";
    "wp-8.1", "wp", "Windows Phone 8.1", "";
}

/// The platforms that are asked when nobody chooses: the current release of each family, under the family's name.
pub fn names() -> Vec<&'static str> {
    FAMILIES.to_vec()
}

/// The platform of that name: a family, for its current release, or a release.
pub fn find(name: &str) -> Option<&'static str> {
    let family = FAMILIES.into_iter().find(|family| *family == name);
    family.or_else(|| ALL.iter().find(|platform| platform.name == name).map(|platform| platform.name))
}

/// The same as a platform.
pub fn by_name(name: &str) -> Option<&'static Platform> {
    let exact = ALL.iter().find(|platform| platform.name == name);
    exact.or_else(|| ALL.iter().find(|platform| platform.family == name))
}
