//! The two programs of LLVM that read what instrumented programs write, in the version that the compiler has.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    build::{answer, on_path},
    error::Error,
};

/// A compiler, and the tools that read its profiles.
#[derive(Clone, Debug)]
pub struct Llvm {
    /// `rustc 1.95.0 (...)`
    pub toolchain: String,
    /// Merges profiles.
    pub profdata: PathBuf,
    /// Counts lines.
    pub cov: PathBuf,
}

impl Llvm {
    /// The tools that go with the compiler that `toolchain` (`+nightly`, or none) means.
    ///
    /// # Errors
    /// If there is no such compiler, or no tool of its version; the text says how to install them.
    pub fn find(toolchain: Option<&str>) -> Result<Self, Error> {
        let rustc = |argument: &[&str]| answer(Command::new("rustc").args(toolchain).args(argument));
        let about = rustc(&["-vV"]).ok_or_else(|| match toolchain {
            Some(_) => Error::Missing(
                "counting branches needs nightly Rust:  rustup toolchain install nightly --component llvm-tools\n\
                 (lines, regions and functions need none: leave --branches out)"
                    .to_owned(),
            ),
            None => Error::Missing("cargo and rustc:  see https://rustup.rs, or apt-get install rustup".to_owned()),
        })?;
        let field = |name: &str| about.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let major = field("LLVM version:").split('.').next().unwrap_or_default().to_owned();
        let component = rustc(&["--print", "sysroot"])
            .map(|sysroot| Path::new(&sysroot).join("lib/rustlib").join(field("host:")).join("bin"));
        let tool = |name: &str| find(name, &major, component.as_deref());
        match (tool("llvm-profdata"), tool("llvm-cov")) {
            (Some(profdata), Some(cov)) => {
                Ok(Self { toolchain: about.lines().next().unwrap_or_default().to_owned(), profdata, cov })
            }
            _ => Err(missing(&major, toolchain)),
        }
    }
}

fn missing(major: &str, toolchain: Option<&str>) -> Error {
    let name =
        toolchain.map_or_else(String::new, |toolchain| format!(" --toolchain {}", toolchain.trim_start_matches('+')));
    Error::Missing(format!(
        "coverage needs llvm-profdata and llvm-cov of LLVM {major}, as this compiler has it; one of:\n  \
         rustup component add llvm-tools{name}\n  apt-get install llvm-{major}"
    ))
}

/// A tool of the compiler's own component, of Debian's package for that version, or of that version by chance.
fn find(name: &str, major: &str, component: Option<&Path>) -> Option<PathBuf> {
    let own = component.map(|folder| folder.join(name)).filter(|path| path.is_file());
    let versioned = format!("{name}-{major}");
    own.or_else(|| on_path(&versioned).then(|| PathBuf::from(&versioned))).or_else(|| {
        let says = answer(Command::new(name).arg("--version"))?;
        is_version(&says, major).then(|| PathBuf::from(name))
    })
}

/// Whether `LLVM version 22.1.8` is of that major version.
fn is_version(says: &str, major: &str) -> bool {
    says.split_once("LLVM version ").is_some_and(|(_, version)| version.split('.').next() == Some(major))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_of_another_version_is_none() {
        assert!(is_version("Debian LLVM version 22.1.8\n  Optimized build.", "22"));
        assert!(!is_version("Debian LLVM version 14.0.6", "22"));
        assert!(!is_version("", "22"));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find("llvm-no-such-tool", "22", Some(folder.path())), None);
        std::fs::write(folder.path().join("llvm-cov"), "").unwrap();
        assert_eq!(find("llvm-cov", "22", Some(folder.path())), Some(folder.path().join("llvm-cov")));
    }

    #[test]
    fn what_is_missing_is_named_with_its_installation() {
        let said = missing("22", None).to_string();
        assert!(
            said.contains("rustup component add llvm-tools\n") && said.contains("apt-get install llvm-22"),
            "{said}"
        );
        let said = missing("23", Some("+nightly")).to_string();
        assert!(said.contains("llvm-tools --toolchain nightly"), "{said}");
    }
}
