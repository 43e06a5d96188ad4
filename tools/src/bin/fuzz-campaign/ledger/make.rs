//! Builds of a tree: whole groups of targets, quick to link, kept between one planted defect and the next.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use crate::{
    build::Prerequisites,
    error::Error,
    process::{self, End},
    stop::Stop,
    targets::Group,
};

/// A build that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(3600);
/// Lines of cargo's that are kept for an error.
const LINES: usize = 400;

/// Builds all targets up to `group` of the tree at `root` into `folder`. The inner error is what the compiler says of a tree
/// that does not build.
///
/// # Errors
/// If cargo cannot be run, or somebody asks for the end.
pub fn build(
    prerequisites: &Prerequisites,
    root: &Path,
    group: Group,
    folder: &Path,
    stop: &Stop,
) -> Result<Result<(), String>, Error> {
    let mut command = prerequisites.cargo_fuzz(folder);
    match group {
        Group::Wire => command.arg("--no-default-features"),
        Group::Trust => command.args(["--no-default-features", "--features", "trust"]),
        Group::Relay => &mut command,
    };
    command.current_dir(root).stdout(Stdio::null());
    let mut said: Vec<String> = Vec::new();
    let end = process::watch(command, LONGEST, stop, |line| {
        if said.len() < LINES {
            said.push(line.to_owned());
        }
    })?;
    match end {
        End::Exited(status) if status.success() => Ok(Ok(())),
        End::Exited(_) => Ok(Err(format!("does not build:\n{}", said.join("\n")))),
        End::Deadline => Err(Error::Tool(format!("a build took longer than {LONGEST:?}"))),
        End::Stopped => Err(Error::Stopped),
    }
}

/// Where [`build`] has put the binary of a target.
pub fn binary(prerequisites: &Prerequisites, folder: &Path, target: &str) -> PathBuf {
    prerequisites.binaries(folder).join(target)
}

/// What went wrong and the first error in what was said about it, in one line.
pub fn brief(said: &str) -> String {
    let (what, said) = said.split_once('\n').unwrap_or((said, ""));
    let mut lines = said.lines().skip_while(|line| !line.starts_with("error"));
    let error = lines.next().or(said.lines().last()).unwrap_or_default();
    let place = lines.next().map(str::trim).filter(|line| line.starts_with("-->")).unwrap_or_default();
    [what, error, place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_found() {
        let said = "does not build:\n   Compiling x\nwarning: unused\n --> a.rs:1:1\nerror[E0308]: mismatched types\n   --> x.rs:3:7\n |";
        assert_eq!(brief(said), "does not build: error[E0308]: mismatched types --> x.rs:3:7");
        assert_eq!(brief("does not build:\nerror: no space left"), "does not build: error: no space left");
        assert_eq!(brief("x does not run:\none\ntwo"), "x does not run: two");
        assert_eq!(brief("does not build:"), "does not build:");
    }
}
