//! Every frame, grant and preface is refused, or means what the second decoder says and encodes to the same bytes.

/// Every frame, grant and preface is refused, or means what the second decoder says and encodes to the same bytes.
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
