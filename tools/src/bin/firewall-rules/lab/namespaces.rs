//! The namespaces of one run, and their certain end: when the run is over, when it is interrupted, and, if it was killed, at
//! the next run.
//!
//! A name holds the process and when it started, so that nobody's namespace is ever taken for a left-over of a process whose
//! number was given out again.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tools::stop::Stop;

use super::{
    error::{CAPABILITIES, LabError},
    program, requirements,
    topology::{self, Space},
};

/// What the names of everything the lab makes begin with.
pub const PREFIX: &str = "sallyport-lab-";
/// Removes every rule of a namespace.
pub const FLUSH: &str = "flush ruleset\n";
/// How long a single program may take.
const STEP: Duration = Duration::from_secs(20);
/// How long killed processes may take to vanish.
const VANISH: Duration = Duration::from_secs(5);

/// Who made something: a process and its start, in clock ticks since the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    pid: i32,
    started: u64,
}

impl Maker {
    /// This process.
    ///
    /// # Errors
    /// If `/proc` is not there.
    pub fn this() -> Result<Self, LabError> {
        let pid = std::process::id();
        let alive = i32::try_from(pid).ok().and_then(|pid| started(pid).map(|started| Self { pid, started }));
        alive.ok_or_else(|| LabError::failed("read /proc/self/stat", "no start time in it"))
    }

    /// `PREFIX` and both numbers.
    #[must_use]
    pub fn name(self) -> String {
        format!("{PREFIX}{}-{}", self.pid, self.started)
    }

    /// The maker in a name that the lab gave, and what follows it.
    fn of(name: &str) -> Option<(Self, &str)> {
        let mut parts = name.strip_prefix(PREFIX)?.splitn(3, '-');
        let maker = Self { pid: parts.next()?.parse().ok()?, started: parts.next()?.parse().ok()? };
        Some((maker, parts.next().unwrap_or_default()))
    }

    fn is_alive(self) -> bool {
        started(self.pid) == Some(self.started)
    }
}

/// Field 22 of `/proc/PID/stat`; the second may hold anything, parentheses included.
fn started(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// `ip` with these arguments.
pub fn ip(arguments: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(arguments);
    if let Some(path) = requirements::path_variable() {
        command.env("PATH", path);
    }
    command
}

/// The namespaces of this run. Dropping it ends every process in them and removes them.
pub struct Namespaces {
    maker: Maker,
    made: Vec<Space>,
}

impl Namespaces {
    /// Makes them, empty.
    ///
    /// # Errors
    /// [`LabError::Unsupported`] where the kernel or the container forbids it.
    pub fn create(maker: Maker, stop: &Stop) -> Result<Self, LabError> {
        let mut namespaces = Self { maker, made: Vec::new() };
        for space in Space::ALL {
            let name = namespaces.name(space);
            // Noted first: a half-made one is removed as well.
            namespaces.made.push(space);
            let ended = program::run(ip(&["netns", "add", &name]), "", STEP, stop)?;
            if ended.code != Some(0) {
                let said = ended.stderr.trim();
                return Err(LabError::Unsupported(format!(
                    "this environment cannot make network namespaces (ip netns add: {said}). {CAPABILITIES}"
                )));
            }
        }
        Ok(namespaces)
    }

    /// A namespace's name.
    #[must_use]
    pub fn name(&self, space: Space) -> String {
        format!("{}-{}", self.maker.name(), space.as_str())
    }

    /// Lays the cables, gives addresses and routes.
    ///
    /// # Errors
    /// If `ip` refuses something: [`LabError::Unsupported`] where the kernel has no such device.
    pub fn connect(&self, stop: &Stop) -> Result<(), LabError> {
        let batch = |space, options: &[&str], text: &str| {
            let name = self.name(space);
            let mut arguments = options.to_vec();
            arguments.extend(["-n", &name, "-batch", "-"]);
            if text.is_empty() { Ok(()) } else { program::succeed(ip(&arguments), text, STEP, stop).map(drop) }
        };
        for space in Space::ALL {
            batch(space, &[], &topology::devices(space, |space| self.name(space))).map_err(|error| {
                error.unsupported("this kernel has no veth or bridge devices, or may not make them here")
            })?;
        }
        for space in Space::ALL {
            batch(space, &[], &topology::addresses(space))?;
            batch(space, &["-4"], &topology::rules(space))?;
            batch(space, &["-6"], &topology::rules(space))?;
        }
        Ok(())
    }

    /// Loads something into the packet filter and removes it, to find out whether that can be done here.
    ///
    /// # Errors
    /// [`LabError::Unsupported`] where it cannot.
    pub fn try_filter(&self, rules: &str, stop: &Stop) -> Result<(), LabError> {
        let tried = self.load(Space::Firewall1, rules, stop).and_then(|()| self.load(Space::Firewall1, FLUSH, stop));
        tried.map_err(|error| error.unsupported("this kernel has no nftables, or may not load rules here"))
    }

    /// Forgets which neighbours are where, so that they are asked again.
    ///
    /// # Errors
    /// If `ip` fails.
    pub fn forget_neighbours(&self, stop: &Stop) -> Result<(), LabError> {
        for space in Space::ALL {
            let name = self.name(space);
            program::succeed(ip(&["-n", &name, "-6", "neigh", "flush", "all"]), "", STEP, stop)?;
        }
        Ok(())
    }

    /// A program, to be run inside.
    #[must_use]
    pub fn command(&self, space: Space, program: &str) -> Command {
        let name = self.name(space);
        ip(&["netns", "exec", &name, program])
    }

    /// Loads rules in the place of all that there are.
    ///
    /// # Errors
    /// If `nft` refuses them.
    pub fn load(&self, space: Space, rules: &str, stop: &Stop) -> Result<(), LabError> {
        let mut command = self.command(space, "nft");
        command.args(["-f", "-"]);
        program::succeed(command, rules, STEP, stop).map(drop)
    }

    /// All rules that the kernel has there, as `nft` writes them in JSON.
    ///
    /// # Errors
    /// If `nft` fails.
    pub fn listed(&self, space: Space, stop: &Stop) -> Result<String, LabError> {
        let mut command = self.command(space, "nft");
        command.args(["-j", "list", "ruleset"]);
        program::succeed(command, "", STEP, stop)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for space in self.made.drain(..).rev().collect::<Vec<_>>() {
            let name = format!("{}-{}", self.maker.name(), space.as_str());
            let _ = remove(&name);
        }
    }
}

/// Ends every process in a namespace and removes it. Not to be interrupted: it is what an interruption ends with.
fn remove(name: &str) -> Result<(), LabError> {
    let never = Stop::default();
    let until = Instant::now() + VANISH;
    loop {
        let pids = program::run(ip(&["netns", "pids", name]), "", STEP, &never)?.stdout;
        let pids: Vec<Pid> = pids.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)).collect();
        if pids.is_empty() || Instant::now() >= until {
            break;
        }
        for pid in pids {
            let _ = kill_process(pid, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(10));
    }
    program::succeed(ip(&["netns", "del", name]), "", STEP, &never).map(drop)
}

/// What was found and removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Namespaces.
    pub namespaces: usize,
    /// Folders.
    pub folders: usize,
}

/// Removes what runs that were killed have left: namespaces with the processes in them, and folders.
///
/// # Errors
/// If something cannot be removed.
pub fn clean(stop: &Stop) -> Result<Cleaned, LabError> {
    let mut cleaned = Cleaned::default();
    let listed = program::run(ip(&["netns", "list"]), "", STEP, stop)?.stdout;
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| Maker::of(name).is_some_and(|(maker, _)| !maker.is_alive())) {
        remove(name)?;
        cleaned.namespaces += 1;
    }
    for folder in left_folders(&std::env::temp_dir()).unwrap_or_default() {
        fs::remove_dir_all(&folder).map_err(LabError::io(format!("remove {}", folder.display())))?;
        cleaned.folders += 1;
    }
    Ok(cleaned)
}

/// Folders of root's with names of the lab's whose maker is gone. Others may write here too, so links are left alone.
fn left_folders(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let gone = entry.file_name().to_str().and_then(Maker::of).is_some_and(|(maker, _)| !maker.is_alive());
        if gone && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == 0) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_who_made_it_and_whether_that_is_gone() {
        let this = Maker::this().unwrap();
        let name = format!("{}-internet", this.name());
        assert_eq!(Maker::of(&name), Some((this, "internet")));
        assert!(this.is_alive());
        let earlier = Maker { started: this.started - 1, ..this };
        assert!(!earlier.is_alive(), "the same number, an earlier process");
        for other in ["", "blue", "sallyport-lab-", "sallyport-lab-x-1-dmz", "sallyport-lab-1"] {
            assert_eq!(Maker::of(other), None, "{other}");
        }
    }
}
