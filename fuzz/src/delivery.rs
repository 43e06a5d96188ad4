//! A stream of frames gives the same events whole, byte by byte and cut anywhere, in every session.

/// A stream of frames gives the same events whole, byte by byte and cut anywhere, in every session.
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
