//! What the lab needs, looked for before anything is made: all that is missing is said at once.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{error::LabError, processes::BINARIES};

/// Programs, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 3] = [("ip", "iproute2"), ("nft", "nftables"), ("ss", "iproute2")];
const STRACE: (&str, &str) = ("strace", "strace");
/// Where administrators' programs lie, which is not in everybody's search path.
const SBIN: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The folders that programs are looked for in.
fn search_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(SBIN.map(PathBuf::from)).collect()
}

/// The search path for the programs that the lab runs.
#[must_use]
pub fn path_variable() -> Option<std::ffi::OsString> {
    env::join_paths(search_path()).ok()
}

/// Root, and the programs; with `strace`, that too.
///
/// # Errors
/// [`LabError::Missing`] with all that is missing and how to get it.
pub fn root_and_programs(strace: bool) -> Result<(), LabError> {
    let folders = search_path();
    let there = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
    missing(cfg!(target_os = "linux"), rustix::process::geteuid().is_root(), strace, there)
}

fn missing(linux: bool, root: bool, strace: bool, there: impl Fn(&str) -> bool) -> Result<(), LabError> {
    if !linux {
        return Err(LabError::Unsupported("the lab needs Linux: network namespaces and nftables".to_owned()));
    }
    let programs = PROGRAMS.into_iter().chain(strace.then_some(STRACE));
    let absent: Vec<(&str, &str)> = programs.filter(|(program, _)| !there(program)).collect();
    let mut needs = Vec::new();
    if !root {
        needs.push("root, to make network namespaces: run it with sudo".to_owned());
    }
    if !absent.is_empty() {
        let programs: Vec<&str> = absent.iter().map(|(program, _)| *program).collect();
        let mut packages: Vec<&str> = absent.iter().map(|(_, package)| *package).collect();
        packages.dedup();
        packages.sort_unstable();
        packages.dedup();
        needs.push(format!("the programs {}: apt-get install {}", programs.join(", "), packages.join(" ")));
    }
    if needs.is_empty() { Ok(()) } else { Err(LabError::Missing(format!("it needs {}", needs.join("; and ")))) }
}

/// The folder of the relay's binaries: the one that was named, or this program's own.
///
/// # Errors
/// [`LabError::Missing`] with the command that builds those that are not there.
pub fn binaries(named: Option<&Path>) -> Result<PathBuf, LabError> {
    let own = || {
        let this = env::current_exe().map_err(LabError::io("find this program's own file"))?;
        Ok::<_, LabError>(this.parent().unwrap_or(Path::new("/")).to_owned())
    };
    let folder = named.map_or_else(own, |folder| Ok(folder.to_owned()))?;
    let absent: Vec<&str> = BINARIES.into_iter().filter(|name| !folder.join(name).is_file()).collect();
    if absent.is_empty() {
        return Ok(folder);
    }
    let profile = if cfg!(debug_assertions) { "" } else { " --release" };
    Err(LabError::Missing(format!(
        "{} not in {}; build them: cargo build{profile} -p relay-edge -p relay-backend -p client-sim -p tools \
         (--binaries DIR takes them from elsewhere)",
        if absent.len() == 1 { format!("{} is", absent[0]) } else { format!("{} are", absent.join(", ")) },
        folder.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_said_at_once() {
        let said = |root, strace, there: &[&str]| {
            missing(true, root, strace, |program| there.contains(&program)).map_err(|error| error.to_string())
        };
        assert_eq!(said(true, false, &["ip", "nft", "ss"]), Ok(()));
        assert_eq!(
            said(false, true, &[]).unwrap_err(),
            "it needs root, to make network namespaces: run it with sudo; and the programs ip, nft, ss, strace: apt-get \
             install iproute2 nftables strace"
        );
        assert_eq!(
            said(true, false, &["ip", "ss"]).unwrap_err(),
            "it needs the programs nft: apt-get install nftables"
        );
        assert!(matches!(missing(false, true, false, |_| true), Err(LabError::Unsupported(_))));
    }

    #[test]
    fn binaries_that_are_missing_are_named_with_the_command_that_builds_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("relay-edge"), "").unwrap();
        let said = binaries(Some(folder.path())).unwrap_err().to_string();
        assert!(said.starts_with("relay-backend, client-sim are not in /"), "{said}");
        assert!(said.contains("cargo build"), "{said}");
        for name in BINARIES {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(binaries(Some(folder.path())).unwrap(), folder.path());
    }
}
