//! Oracles as plain functions of bytes: fuzz targets, tests and replays share them. `fuzz/targets.toml` lists the targets.

use std::process::ExitCode;

use relay_wire::{Platform, Validator, canonical};

/// The first byte chooses the platform, the rest is the body. A refusal is fine; what is accepted must come back the same
/// from its own format and from the canonical encoding (SPEC §5.3).
///
/// # Panics
/// When the property does not hold: that is the finding.
pub fn validator_roundtrip(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let platform = Platform::ALL[usize::from(*first) % Platform::ALL.len()];
    let validator = Validator::default();
    let Ok(checked) = validator.check(platform, body) else { return };
    let again = validator.check(platform, &checked.to_body()).expect("what was accepted is accepted as we emit it");
    assert_eq!(*again, *checked, "the platform's format gives another request back");
    let encoded = canonical::encode(&checked).expect("an accepted request fits its encoding");
    let judged = validator.check_canonical(&encoded).expect("what was accepted is accepted by the master");
    assert_eq!(*judged, *checked, "the canonical encoding gives another request back");
}

/// Runs `oracle` over the files named on the command line: how a finding is replayed without a fuzzer.
pub fn replay(oracle: fn(&[u8])) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in std::env::args_os().skip(1) {
        match std::fs::read(&path) {
            Ok(data) => oracle(&data),
            Err(error) => {
                eprintln!("cannot read {}: {error}; name files that a fuzzer wrote", path.display());
                status = ExitCode::from(2);
            }
        }
    }
    status
}
