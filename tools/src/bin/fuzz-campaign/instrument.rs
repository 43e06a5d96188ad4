//! Which crates a fuzz build instruments: ours alone.
//!
//! cargo-fuzz instruments everything that is linked. libFuzzer looks at every counter after every execution, and the
//! libraries around the relay have five times as many as the relay: without them a target runs several times as often. So
//! this program stands between cargo and the compiler while targets are built, and takes the instrumentation (not a
//! sanitizer) from the command lines of other people's crates.

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Command, ExitCode},
};

/// Set where this program is started as the compiler's stand-in.
const STAND_IN: &str = "SALLYPORT_FUZZ_STAND_IN";

/// What only our own crates are compiled with.
const OURS: &[&str] = &["-Cpasses=sancov", "-Cllvm-args=-sanitizer-coverage", "-Cdebug-assertions"];

/// Lets this program stand in for the compiler of a build that `command` starts.
pub fn only_ours(command: &mut Command) {
    // Without its own path it cannot; then everything is instrumented, which is slower and not wrong.
    if let Ok(program) = env::current_exe() {
        command.env("RUSTC_WRAPPER", program).env(STAND_IN, "1");
    }
}

/// Whether cargo started this program as the compiler; then what the compiler said.
pub fn stand_in() -> Option<ExitCode> {
    env::var_os(STAND_IN)?;
    let mut arguments = env::args_os().skip(1);
    let compiler = arguments.next()?;
    let is_ours = env::var_os("CARGO_MANIFEST_DIR").is_none_or(|folder| !is_from_registry(Path::new(&folder)));
    let mut command = Command::new(&compiler);
    command.args(arguments.filter(|argument| is_ours || !instruments(argument)));
    Some(match command.status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("fuzz-campaign: cannot start the compiler {}: {error}", compiler.display());
            ExitCode::FAILURE
        }
    })
}

/// Where cargo unpacks the crates of registries: `$CARGO_HOME/registry/src/REGISTRY/CRATE`.
fn is_from_registry(folder: &Path) -> bool {
    let names: Vec<_> = folder.iter().rev().take(4).collect();
    matches!(names[..], [_, _, src, registry] if src == "src" && registry == "registry")
}

fn instruments(argument: &OsString) -> bool {
    argument.to_str().is_some_and(|argument| OURS.iter().any(|ours| argument.starts_with(ours)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_peoples_crates_are_told_from_ours() {
        assert!(is_from_registry(Path::new(
            "/home/ana/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/regex-1.13.2"
        )));
        assert!(!is_from_registry(Path::new("/home/ana/sallyport/relay/wire")));
        assert!(!is_from_registry(Path::new("/registry/src/fuzz")));
    }

    #[test]
    fn a_sanitizer_stays_and_instrumentation_goes() {
        let given = [
            "-Cpasses=sancov-module",
            "-Cllvm-args=-sanitizer-coverage-level=4",
            "-Zsanitizer=address",
            "-Copt-level=3",
        ];
        let kept: Vec<&str> = given.into_iter().filter(|argument| !instruments(&OsString::from(argument))).collect();
        assert_eq!(kept, ["-Zsanitizer=address", "-Copt-level=3"]);
    }
}
