//! The sessions of SPEC §9, both sides of each connection, beside reference models.
//!
//! A model is written from the text and takes one byte at a time; what it says is compared with what the session says after
//! every call: every event, every byte sent, the reason of the close, the next deadline. `host` holds the two together, `ops`
//! reads an input as a list of operations.

use fastrand::Rng;

pub(crate) mod control;
pub(crate) mod data;
pub(crate) mod device;
pub(crate) mod host;
mod limits;
mod ops;
mod wire;

/// The device connection, both sides, against a reference model: any sequence of inputs, commands and times.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn device(data: &[u8]) {
    device::run(data);
}

/// Real inputs to begin with.
#[must_use]
pub fn device_seeds() -> Vec<Vec<u8>> {
    device::seeds()
}

/// Changes an input of a session's target: whole operations, or one parameter of one.
#[must_use]
pub fn mutate(data: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    ops::mutate(data, max_len, chance)
}

/// The control connection, both sides, against a reference model.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn control(data: &[u8]) {
    control::run(data);
}

/// Real inputs to begin with.
#[must_use]
pub fn control_seeds() -> Vec<Vec<u8>> {
    control::seeds()
}

/// The data connection, both sides, up to the hand-over, against a reference model.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn data(data: &[u8]) {
    data::run(data);
}

/// Real inputs to begin with.
#[must_use]
pub fn data_seeds() -> Vec<Vec<u8>> {
    data::seeds()
}

#[cfg(test)]
mod tests {
    use crate::{churn::churn, targets};

    #[test]
    fn the_device_connection_is_as_its_model() {
        churn(&targets::DEVICE_SESSION, 3_000, 1_024);
    }

    #[test]
    fn the_control_connection_is_as_its_model() {
        churn(&targets::CONTROL_SESSION, 10_000, 1_024);
    }

    #[test]
    fn the_data_connection_is_as_its_model() {
        churn(&targets::DATA_SESSION, 10_000, 1_024);
    }
}
