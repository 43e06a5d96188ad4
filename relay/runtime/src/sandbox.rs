//! What a process gives up once it has bound its addresses: files that are not its own, new sockets or dialling, other programs,
//! privileges. From then on the kernel refuses them, whatever runs in the process.
//!
//! Landlock and the change of user hold for the calling thread and those that it starts, so [`Policy::enter`] belongs before
//! the runtime and the log's writer. There is no way back.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "linux")]
mod landlock;
mod settings;
mod trial;

pub use settings::{Mode, UnknownMode, UserName, UserNameError};
pub use trial::{Attempt, Outcome, Trial, attempts};

/// What the process may still do with the network; what is open stays open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// No new socket of any kind: it can only accept.
    Accepts,
    /// It dials, and listens nowhere new.
    Dials {
        /// These TCP ports and no other.
        ports: BTreeSet<u16>,
        /// It looks names up, which takes UDP and local sockets too.
        names: bool,
    },
}

impl Network {
    /// Whether all that `asked` may do is in this too: what is read again after the sandbox was entered may ask no more.
    #[must_use]
    pub fn covers(&self, asked: &Self) -> bool {
        match (self, asked) {
            (_, Self::Accepts) => true,
            (Self::Accepts, Self::Dials { .. }) => false,
            (Self::Dials { ports, names }, Self::Dials { ports: asked, names: look_up }) => {
                ports.is_superset(asked) && (*names || !look_up)
            }
        }
    }
}

/// The folders in which a file must be readable, now and when it was replaced: its own, and where links on the way to it lead,
/// so that a link which is pointed at its sibling can be followed too. A rule on the file itself would not hold for its
/// successor under the same name. Folders at the root (`/usr`) are not taken for the sake of a link in or to them.
#[must_use]
pub fn folders_of(file: &Path) -> Vec<PathBuf> {
    let mut folders = vec![parent(file)];
    let Ok(absolute) = std::path::absolute(file) else { return folders };
    let mut own = folders[0].canonicalize().into_iter().collect::<Vec<_>>();
    let mut add = |folder: &Path| {
        let is_deep = |folder: &PathBuf| folder.components().count() > 2;
        if let Some(folder) = folder.canonicalize().ok().filter(is_deep)
            && !own.iter().any(|known| folder.starts_with(known))
        {
            own.push(folder.clone());
            folders.push(folder);
        }
    };
    let mut links = Vec::new();
    for step in absolute.ancestors().collect::<Vec<_>>().into_iter().rev() {
        if let Ok(target) = std::fs::read_link(step) {
            links.push(parent(step).join(target));
            add(&parent(step));
        }
    }
    links.iter().for_each(|target| add(&parent(target)));
    if let Ok(file) = file.canonicalize() {
        add(&parent(&file));
    }
    folders
}

fn parent(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

/// What a process keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What happens where the kernel cannot give everything.
    pub mode: Mode,
    /// Folders (or files) that may be read, with all below them. A folder is named where a file in it may be replaced by
    /// another: a rule on a file holds for that file alone, not for its successor.
    pub read: Vec<PathBuf>,
    /// Folders in which files may be written, made and removed too.
    pub write: Vec<PathBuf>,
    /// What of the network.
    pub network: Network,
    /// Whom to become when started as root; it is in force whatever the mode.
    pub user: Option<UserName>,
}

/// One thing that is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Another user than root.
    User,
    /// Every capability, for good.
    Capabilities,
    /// No program that is started can have more rights (`no_new_privs`).
    NoNewPrivileges,
    /// All files but its own (Landlock, Linux 5.13).
    Files,
    /// TCP connect but to the ports it needs, and TCP bind (Landlock, Linux 6.7).
    Tcp,
    /// Signals to other processes and their abstract sockets (Landlock, Linux 6.12).
    Scope,
    /// System calls that it does not need (seccomp).
    Syscalls,
}

impl Layer {
    /// All, in the order in which they are given up.
    pub const ALL: [Self; 7] =
        [Self::User, Self::Capabilities, Self::NoNewPrivileges, Self::Files, Self::Tcp, Self::Scope, Self::Syscalls];

    /// Its name in the log and in `/status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Capabilities => "capabilities",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::Files => "files",
            Self::Tcp => "tcp",
            Self::Scope => "scope",
            Self::Syscalls => "syscalls",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The layer.
    pub layer: Layer,
    /// Whether it holds.
    pub holds: bool,
    /// What exactly holds, or why it does not.
    pub detail: String,
}

/// What holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was asked for.
    pub mode: Mode,
    /// One entry for each layer, in order; none if nothing was asked for.
    pub layers: Vec<Held>,
}

impl Report {
    /// The layers that do not hold.
    pub fn missing(&self) -> impl Iterator<Item = &Held> {
        self.layers.iter().filter(|held| !held.holds)
    }

    /// One line for each layer into the log.
    pub fn log(&self) {
        if self.mode == Mode::Off {
            tracing::warn!("the sandbox is off: `sandbox = \"prefer\"` takes what this kernel offers");
        }
        for Held { layer, holds, detail } in &self.layers {
            if *holds {
                tracing::info!(%layer, "sandbox: {detail}");
            } else {
                tracing::warn!(%layer, "sandbox: MISSING: {detail}");
            }
        }
    }
}

/// Why the process cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// `require`, and something is missing.
    #[error(
        "sandbox = \"require\", and this system cannot: {}; use a newer kernel, or sandbox = \"prefer\" to go on without",
        .0.iter().map(|held| format!("{} ({})", held.layer, held.detail)).collect::<Vec<_>>().join(", ")
    )]
    Missing(Vec<Held>),
    /// The user cannot be taken.
    #[error("cannot become the user {user}: {reason}")]
    User {
        /// As configured.
        user: UserName,
        /// Why, and what to do.
        reason: String,
    },
    /// A folder of the policy cannot be opened.
    #[error("sandbox: cannot open {}: {reason}; make it, let this user read it, or correct its path", path.display())]
    Path {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// What the sandbox is tried with cannot be made.
    #[error("cannot make what the sandbox is tried with: {0}; this needs a loopback address and /proc")]
    Prepare(#[source] std::io::Error),
    /// Something that the sandbox forbids went through.
    #[error("the sandbox does not hold: {0} of what it forbids went through; the list above says what")]
    Leaks(usize),
    /// What begun cannot be finished: half a sandbox is not gone on with.
    #[error("sandbox: {layer} cannot be given up: {reason}")]
    Failed {
        /// Which layer.
        layer: Layer,
        /// What the operating system said.
        reason: String,
    },
}

impl Policy {
    /// Gives up everything that the policy does not keep, for this thread and all that it starts from now on.
    ///
    /// # Errors
    /// [`SandboxError`]; the process is to end then, since a part may be given up already.
    #[cfg(target_os = "linux")]
    pub fn enter(&self) -> Result<Report, SandboxError> {
        self.enter_with(landlock::Offered::by_the_kernel())
    }

    /// Enters the sandbox and tries what it forbids: `check --sandbox`.
    ///
    /// # Errors
    /// [`SandboxError`] if it cannot be entered or tried.
    pub fn try_out(&self) -> Result<Trial, SandboxError> {
        let attempts = attempts(&self.network).map_err(SandboxError::Prepare)?;
        Ok(Trial { sandbox: self.enter()?, attempts: attempts() })
    }

    /// As [`Self::enter`], as if the kernel offered no more of Landlock than that.
    #[cfg(target_os = "linux")]
    fn enter_with(&self, offered: landlock::Offered) -> Result<Report, SandboxError> {
        let mut layers = Vec::new();
        if self.mode == Mode::Off {
            layers.extend(self.user.as_ref().map(|user| identity::become_user(Some(user))).transpose()?);
            return Ok(Report { mode: self.mode, layers });
        }
        if self.mode == Mode::Require {
            let missing = landlock::missing(offered);
            if !missing.is_empty() {
                return Err(SandboxError::Missing(missing));
            }
        }
        layers.push(identity::become_user(self.user.as_ref())?);
        layers.push(identity::drop_capabilities()?);
        layers.push(identity::no_new_privileges()?);
        layers.extend(landlock::restrict(self, offered)?);
        layers.push(filter::install(&self.network)?);
        let report = Report { mode: self.mode, layers };
        if self.mode == Mode::Require && report.missing().any(|held| held.layer != Layer::User) {
            return Err(SandboxError::Missing(report.missing().cloned().collect()));
        }
        Ok(report)
    }

    /// There is no sandbox here.
    ///
    /// # Errors
    /// [`SandboxError::Missing`] if it is required, [`SandboxError::User`] if a user is named.
    #[cfg(not(target_os = "linux"))]
    pub fn enter(&self) -> Result<Report, SandboxError> {
        if let Some(user) = &self.user {
            let reason = "only Linux can; start the program as that user".to_owned();
            return Err(SandboxError::User { user: user.clone(), reason });
        }
        if self.mode == Mode::Off {
            return Ok(Report { mode: self.mode, layers: Vec::new() });
        }
        let missing = |layer| Held { layer, holds: false, detail: "only Linux has it".to_owned() };
        let layers: Vec<Held> = Layer::ALL.into_iter().map(missing).collect();
        if self.mode == Mode::Require {
            Err(SandboxError::Missing(layers))
        } else {
            Ok(Report { mode: self.mode, layers })
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        net::{TcpListener, TcpStream},
        thread,
    };

    use super::{landlock::Offered, *};

    const NONE: Offered = Offered { files: false, tcp: false, scope: false };
    const BEFORE_TCP: Offered = Offered { files: true, tcp: false, scope: false };

    fn policy(mode: Mode) -> Policy {
        Policy {
            mode,
            read: vec![PathBuf::from("/proc/self")],
            write: Vec::new(),
            network: Network::Accepts,
            user: None,
        }
    }

    #[test]
    fn require_starts_nowhere_without_what_is_missing_and_names_it() {
        for (offered, missing) in [(NONE, vec!["files", "tcp", "scope"]), (BEFORE_TCP, vec!["tcp", "scope"])] {
            // In a thread of its own, since nothing takes a sandbox off.
            let refused = thread::spawn(move || policy(Mode::Require).enter_with(offered)).join().unwrap().unwrap_err();
            let SandboxError::Missing(layers) = &refused else { panic!("{refused}") };
            assert_eq!(layers.iter().map(|held| held.layer.as_str()).collect::<Vec<_>>(), missing);
            assert!(refused.to_string().contains("Linux 6.7"), "{refused}");
        }
    }

    #[test]
    fn prefer_takes_what_there_is_and_names_what_is_missing() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        // Only Landlock: the filter for system calls holds for every thread of this process.
        let (layers, file, connected) = thread::spawn(move || {
            let layers = landlock::restrict(&policy(Mode::Prefer), BEFORE_TCP).unwrap();
            (layers, std::fs::read("/etc/passwd").map(drop), TcpStream::connect(address).map(drop))
        })
        .join()
        .unwrap();
        let holds: Vec<_> = layers.iter().map(|held| (held.layer, held.holds)).collect();
        assert_eq!(holds, [(Layer::Files, true), (Layer::Tcp, false), (Layer::Scope, false)]);
        assert!(layers[1].detail.contains("no rules for TCP"), "{}", layers[1].detail);
        assert_eq!(file.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
        connected.unwrap();
    }

    #[test]
    fn rules_on_the_root_folder_hold_nothing_back() {
        let reads = |path: &str| Policy { read: vec![PathBuf::from(path)], ..policy(Mode::Prefer) };
        for (path, holds) in [("/", false), ("/proc/..", false), ("/proc", true)] {
            let layers = thread::spawn(move || landlock::restrict(&reads(path), BEFORE_TCP).unwrap()).join().unwrap();
            assert_eq!((layers[0].layer, layers[0].holds), (Layer::Files, holds), "{path}: {}", layers[0].detail);
        }
    }

    #[test]
    fn a_reload_may_ask_for_no_more() {
        let dials = |ports: &[u16], names| Network::Dials { ports: ports.iter().copied().collect(), names };
        let entered = dials(&[443, 873], false);
        assert!(entered.covers(&entered) && entered.covers(&dials(&[443], false)) && entered.covers(&Network::Accepts));
        assert!(!entered.covers(&dials(&[80], false)) && !entered.covers(&dials(&[443], true)));
        assert!(!Network::Accepts.covers(&dials(&[], false)));
    }

    #[test]
    fn a_link_is_followed_to_where_the_file_is() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        // As ACME clients lay certificates out, and as Kubernetes mounts secrets.
        for folder in ["live", "archive", "mount/..data"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("archive/cert1.pem"), "").unwrap();
        std::os::unix::fs::symlink("../archive/cert1.pem", root.join("live/cert.pem")).unwrap();
        std::fs::write(root.join("mount/..data/cert.pem"), "").unwrap();
        std::os::unix::fs::symlink("..data/cert.pem", root.join("mount/cert.pem")).unwrap();
        assert_eq!(folders_of(&root.join("live/cert.pem")), [root.join("live"), root.join("archive")]);
        assert_eq!(folders_of(&root.join("mount/cert.pem")), [root.join("mount")]);
        assert_eq!(folders_of(&root.join("archive/none.pem")), [root.join("archive")]);
        assert_eq!(folders_of(Path::new("edge.crt")), [Path::new(".")]);
        // A release that is switched by one link.
        std::fs::create_dir_all(root.join("releases/1")).unwrap();
        std::fs::write(root.join("releases/1/cert.pem"), "").unwrap();
        std::os::unix::fs::symlink("1", root.join("releases/current")).unwrap();
        let file = root.join("releases/current/cert.pem");
        assert_eq!(folders_of(&file), [root.join("releases/current"), root.join("releases")]);
    }
}
