//! The device connection, both sides, against a reference model: any sequence of inputs, commands and times.

/// The device connection, both sides, against a reference model: any sequence of inputs, commands and times.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn device(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn device_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// The control connection, both sides, against a reference model.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn control(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn control_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}

/// The data connection, both sides, up to the hand-over, against a reference model.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn data(data: &[u8]) {
    let _ = data;
}

/// Real inputs to begin with.
#[must_use]
pub fn data_seeds() -> Vec<Vec<u8>> {
    vec![vec![0]]
}
