//! Which crates a fuzz build instruments: the tested ones alone.
//!
//! cargo-fuzz instruments everything that is linked. libFuzzer looks at every counter after every execution; the oracles,
//! the mutators and the libraries that they use have many times as many as what is tested, and inputs that only they find
//! new crowd the corpus. So this program stands between cargo and the compiler while targets are built, and takes the
//! instrumentation (not a sanitizer) from the command lines of all other crates.

use std::{
    env,
    ffi::OsString,
    process::{Command, ExitCode},
};

use crate::process;

/// Set where this program is started as the compiler's stand-in.
const STAND_IN: &str = "SALLYPORT_FUZZ_STAND_IN";

/// How the names of our own tested crates begin.
const OURS: &str = "relay_";

/// What reads certificates and configurations for them.
const READERS: &[&str] = &["webpki", "x509_parser", "der_parser", "asn1_rs", "toml", "toml_parser"];

/// What only tested crates are compiled with.
const INSTRUMENTATION: &[&str] = &["-Cpasses=sancov", "-Cllvm-args=-sanitizer-coverage", "-Cdebug-assertions"];

/// Lets this program stand in for the compiler of a build that `command` starts.
pub fn tested_only(command: &mut Command) {
    // Without its own path it cannot; then everything is instrumented, which is slower and not wrong.
    if let Ok(program) = process::this_program() {
        command.env("RUSTC_WRAPPER", program).env(STAND_IN, "1");
    }
}

/// Whether cargo started this program as the compiler; then what the compiler said.
pub fn stand_in() -> Option<ExitCode> {
    env::var_os(STAND_IN)?;
    let mut arguments = env::args_os().skip(1);
    let compiler = arguments.next()?;
    let status = Command::new(&compiler).args(arguments_for(arguments.collect())).status();
    Some(match status {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("fuzz-campaign: cannot start the compiler {}: {error}", compiler.display());
            ExitCode::FAILURE
        }
    })
}

/// The compiler's arguments, without instrumentation if the crate is not a tested one.
fn arguments_for(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let named = arguments.iter().skip_while(|argument| *argument != "--crate-name").nth(1);
    let is_tested = |name: &str| name.starts_with(OURS) || READERS.contains(&name);
    if !named.and_then(|name| name.to_str()).is_some_and(is_tested) {
        arguments.retain(|argument| {
            !argument.to_str().is_some_and(|text| INSTRUMENTATION.iter().any(|start| text.starts_with(start)))
        });
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str) -> Vec<OsString> {
        let given = [
            "--crate-name",
            name,
            "-Cpasses=sancov-module",
            "-Cllvm-args=-sanitizer-coverage-level=4",
            "-Zsanitizer=address",
        ];
        arguments_for(given.map(OsString::from).to_vec())
    }

    #[test]
    fn tested_crates_are_instrumented_and_others_keep_a_sanitizer() {
        assert_eq!(kept("relay_wire").len(), 5);
        assert_eq!(kept("webpki").len(), 5);
        for other in ["regex_automata", "fuzz", "windows_specification"] {
            assert_eq!(kept(other), ["--crate-name", other, "-Zsanitizer=address"]);
        }
    }
}
