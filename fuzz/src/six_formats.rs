//! One abstract request, written in six formats by writers of our own, is accepted six times with one meaning; with one rule broken it is refused by all that carry the rule, with its code.

/// One abstract request, written in six formats by writers of our own, is accepted six times with one meaning; with one rule broken it is refused by all that carry the rule, with its code.
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
