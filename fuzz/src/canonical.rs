//! A canonical encoding is refused, or decodes to a request that its platform's format accepts with the same meaning, and encodes to the same bytes.

/// A canonical encoding is refused, or decodes to a request that its platform's format accepts with the same meaning, and encodes to the same bytes.
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
