//! Windows bodies: the validator and the specification oracle give the same verdict, code and meaning; what is accepted survives its own format and the canonical encoding; memory stays within its bound.

/// Windows bodies: the validator and the specification oracle give the same verdict, code and meaning; what is accepted survives its own format and the canonical encoding; memory stays within its bound.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn windows(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn windows_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// macOS bodies: the same.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn macos(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn macos_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// Linux bodies: the same.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn linux(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn linux_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// iOS bodies: the same.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn ios(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn ios_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// Android bodies: the same.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn android(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn android_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// Windows Phone bodies: the same.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn windows_phone(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn windows_phone_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}
