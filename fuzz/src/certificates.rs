//! Our reader of a certificate and webpki's agree on key and names, or refuse.

/// Our reader of a certificate and webpki's agree on key and names, or refuse.
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
