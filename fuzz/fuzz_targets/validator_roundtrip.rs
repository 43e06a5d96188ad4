//! A body is refused with a code, or survives its own format and the canonical encoding (`fuzz::validator_roundtrip`).
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::validator_roundtrip(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    fuzz::replay(fuzz::validator_roundtrip)
}
