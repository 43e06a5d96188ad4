//! From TLS to raw: whatever the records and however they are cut, not one byte behind the last record is taken.

/// From TLS to raw: whatever the records and however they are cut, not one byte behind the last record is taken.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn oracle(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}
