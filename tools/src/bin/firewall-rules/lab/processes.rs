//! The relay's real processes: made with the commands that an operator uses, each started in its namespace as a user of its
//! own.

use std::{
    fs::{self, File, Permissions},
    io,
    net::SocketAddr,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tools::stop::Stop;

use super::{
    error::LabError,
    namespaces::{Maker, Namespaces},
    program,
    rows::{ADMIN_PORT, EDGE},
    topology::{Host, Space},
};
use crate::network::Family;

/// The binaries that the lab runs.
pub const BINARIES: [&str; 3] = ["relay-edge", "relay-backend", "client-sim"];
/// How long a command that makes files may take.
const MAKING: Duration = Duration::from_secs(30);
/// How long a process may take to end after SIGTERM.
const END: Duration = Duration::from_secs(10);
/// Devices that the secret enrols: more than the lab has.
const USES: &str = "100000";
/// The end of a log that is shown when something went wrong.
const LOG_LINES: usize = 6;

/// The files of a run. Dropping it removes them.
pub struct Files {
    folder: TempDir,
    /// The edge's port.
    port: u16,
}

/// The spare data connections of each backend, a fixed number, so that a tunnel is one connection more: node-a keeps two, which
/// it replaces when they are taken, and node-b dials for each tunnel.
const POOLS: [(Host, u16); 3] = [(Host::Master, 1), (Host::NodeA, 2), (Host::NodeB, 0)];

impl Files {
    /// Makes the folder and puts the programs into it: their own folder may be one that the users of the lab cannot enter.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn create(maker: Maker, binaries: &Path, port: u16) -> Result<Self, LabError> {
        let prefix = maker.name() + "-";
        let made = tempfile::Builder::new().prefix(&prefix).permissions(Permissions::from_mode(0o711)).tempdir();
        let folder = made.map_err(LabError::io("make a temporary folder"))?;
        let files = Self { folder, port };
        files.folder("bin", None)?;
        files.folder("logs", None)?;
        let this = std::env::current_exe().map_err(LabError::io("find this program's own file"))?;
        let others = BINARIES.iter().map(|name| (*name, binaries.join(name)));
        for (name, from) in others.chain([("firewall-rules", this)]) {
            let to = files.binary(name);
            fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)).map_err(LabError::io(format!(
                "copy {} to {}",
                from.display(),
                to.display()
            )))?;
        }
        Ok(files)
    }

    fn folder(&self, name: &str, owner: Option<u32>) -> Result<PathBuf, LabError> {
        let path = self.path(name);
        let made = fs::create_dir_all(&path)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)))
            .and_then(|()| owner.map_or(Ok(()), |owner| chown(&path, Some(owner), Some(owner))));
        made.map_err(LabError::io(format!("make {}", path.display())))?;
        Ok(path)
    }

    /// A file or folder of the run.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of the programs.
    #[must_use]
    pub fn binary(&self, name: &str) -> PathBuf {
        self.path("bin").join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Configurations, keys and certificates of the edge, the master and the nodes, and what devices are handed.
    ///
    /// # Errors
    /// If one of the programs refuses.
    pub fn prepare(&self, stop: &Stop) -> Result<(), LabError> {
        let run = |binary: &str, arguments: &[&str]| {
            let mut command = Command::new(self.binary(binary));
            command.args(arguments);
            program::succeed(command, "", MAKING, stop).map(drop)
        };
        let listen = self.edge_socket(Family::Ipv4).to_string();
        let (v4, v6) = (Host::Edge.address(Family::Ipv4).to_string(), Host::Edge.address(Family::Ipv6).to_string());
        let edge = self.text("edge");
        run("relay-edge", &["init", "--dir", &edge, "--listen", &listen, "--name", &v4, "--name", &v6])?;
        let both = format!("listen = [\"{listen}\", \"{}\"]", self.edge_socket(Family::Ipv6));
        self.edit("edge/edge.toml", "listen = ", &both)?;
        self.edit("edge/edge.toml", "admin = ", &format!("admin = \"{}\"", Self::edge_admin()))?;
        let (edge_certificate, master_certificate) = (self.text("edge/edge.crt"), self.text("hq/backend.crt"));
        let edge_config = self.text("edge/edge.toml");
        for host in Host::BACKENDS {
            let (name, dir) = (host.name(), self.text(host.name()));
            let role = if host == Host::Master { "master" } else { "storage-node" };
            let mut arguments = vec!["init", "--role", role, "--name", name, "--dir", &dir, "--edge", &listen];
            arguments.extend(["--edge-pin", edge_certificate.as_str()]);
            if host != Host::Master {
                arguments.extend(["--master-cert", master_certificate.as_str()]);
            }
            run("relay-backend", &arguments)?;
            let admin = Self::backend_admin(host);
            self.edit(&format!("{name}/backend.toml"), "# admin = ", &format!("admin = \"{admin}\""))?;
            let key = self.text(&format!("{name}/shared.key"));
            let add = ["key", "add", "--config", &edge_config, "--name", name, "--role", role, "--key-file", &key];
            run("relay-edge", &add)?;
        }
        let master_config = self.text("hq/backend.toml");
        for (host, spares) in POOLS {
            let config = format!("{}/backend.toml", host.name());
            self.edit(&config, "# min = ", &format!("min = {spares}"))?;
            self.edit(&config, "# max = ", &format!("max = {spares}"))?;
            if host == Host::Master {
                continue;
            }
            let pin = self.text(&format!("{}/backend.crt", host.name()));
            run("relay-backend", &["node", "add", "--config", &master_config, "--name", host.name(), "--pin", &pin])?;
        }
        self.folder("handout", None)?;
        let secret = self.text("handout/mass.secret");
        run(
            "relay-backend",
            &["secret", "add", "--config", &master_config, "--uses", USES, "--expires", "1h", "--out", &secret],
        )?;
        for (from, to) in [(edge_certificate, "handout/edge.crt"), (master_certificate, "handout/hq.crt")] {
            fs::copy(&from, self.path(to)).map_err(LabError::io(format!("copy {from}")))?;
        }
        for (folder, host) in [
            ("edge", Host::Edge),
            ("hq", Host::Master),
            ("node-a", Host::NodeA),
            ("node-b", Host::NodeB),
            ("handout", Host::Devices),
        ] {
            give(&self.path(folder), host.user()).map_err(LabError::io(format!("hand over {folder}")))?;
        }
        self.folder("devices", Host::Devices.user())?;
        Ok(())
    }

    /// Replaces the line of a file that begins with `begin`.
    fn edit(&self, file: &str, begin: &str, line: &str) -> Result<(), LabError> {
        let path = self.path(file);
        let action = format!("edit {}", path.display());
        let text = fs::read_to_string(&path).map_err(LabError::io(action.as_str()))?;
        let Some(old) = text.lines().find(|line| line.starts_with(begin)) else {
            return Err(LabError::failed(action, format!("no line begins with {begin:?}")));
        };
        fs::write(&path, text.replacen(old, line, 1)).map_err(LabError::io(action.as_str()))
    }

    /// Lets every backend dial the edge over one protocol.
    ///
    /// # Errors
    /// If a configuration cannot be written.
    pub fn dial_over(&self, family: Family) -> Result<(), LabError> {
        let line = format!("address = \"{}\"", self.edge_socket(family));
        for host in Host::BACKENDS {
            self.edit(&format!("{}/backend.toml", host.name()), "address = ", &line)?;
        }
        Ok(())
    }

    /// Where the edge listens.
    #[must_use]
    pub const fn edge_socket(&self, family: Family) -> SocketAddr {
        Host::Edge.socket(family, self.port)
    }

    /// The edge's admin address.
    #[must_use]
    pub const fn edge_admin() -> SocketAddr {
        Host::Edge.socket(Family::Ipv4, ADMIN_PORT)
    }

    /// A backend's admin address: on loopback, as it is by default; they share one here.
    #[must_use]
    pub fn backend_admin(host: Host) -> SocketAddr {
        let port = match host {
            Host::Master => 9601,
            Host::NodeA => 9602,
            Host::NodeB | Host::Devices | Host::Edge | Host::Firewall1 | Host::Firewall2 => 9603,
        };
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// The options by which a device knows the relay.
    #[must_use]
    pub fn device_options(&self, family: Family, node: Host) -> Vec<String> {
        let pairs = [
            ("--edge", self.edge_socket(family).to_string()),
            ("--pin", self.text("handout/edge.crt")),
            ("--roots", self.text("handout/edge.crt")),
            ("--master-pin", self.text("handout/hq.crt")),
            ("--mass-secret-file", self.text("handout/mass.secret")),
            ("--node", node.name().to_owned()),
        ];
        pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
    }

    /// A program as it is run in its namespace: as the host's user, ended with the lab, traced if `strace` says where to.
    #[must_use]
    pub fn command(&self, namespaces: &Namespaces, host: Host, binary: &str, strace: Option<&Path>) -> Command {
        let this = self.text("bin/firewall-rules");
        let mut command = namespaces.command(host.space(), &this);
        command.args(["lab-exec", "--parent", &std::process::id().to_string()]);
        if let Some(user) = host.user() {
            command.args(["--user", &user.to_string()]);
        }
        command.arg("--");
        if let Some(file) = strace {
            command.args(["strace", "-f", "-qq", "-e", "trace=connect,accept4", "-o"]).arg(file);
        }
        command.arg(self.binary(binary));
        command
    }

    /// An agent's command: as root of its namespace, or as the user of a backend, whose address it then has.
    #[must_use]
    pub fn agent(&self, namespaces: &Namespaces, space: Space, user: Option<Host>) -> Command {
        let this = self.text("bin/firewall-rules");
        let mut command = match user {
            Some(host) => self.command(namespaces, host, "firewall-rules", None),
            None => namespaces.command(space, &this),
        };
        command.arg("lab-agent").process_group(0);
        command
    }

    /// Starts a process; what it writes goes to a log of its name.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&self, name: &str, mut command: Command) -> Result<Process, LabError> {
        let log = self.path("logs").join(format!("{name}.log"));
        let action = format!("start {name}");
        let file = File::options().create(true).append(true).open(&log).map_err(LabError::io(action.as_str()))?;
        let errors = file.try_clone().map_err(LabError::io(action.as_str()))?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors).process_group(0);
        let child = command.spawn().map_err(LabError::io(action))?;
        Ok(Process { name: name.to_owned(), child, log })
    }

    /// Starts the edge.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_edge(&self, namespaces: &Namespaces, strace: Option<&Path>) -> Result<Process, LabError> {
        let mut command = self.command(namespaces, Host::Edge, "relay-edge", strace);
        command.args(["run", "--config"]).arg(self.path("edge/edge.toml"));
        self.start(EDGE, command)
    }

    /// Starts a backend.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_backend(&self, namespaces: &Namespaces, host: Host) -> Result<Process, LabError> {
        let mut command = self.command(namespaces, host, "relay-backend", None);
        command.args(["run", "--config"]).arg(self.path(host.name()).join("backend.toml"));
        self.start(host.name(), command)
    }
}

/// Gives a folder and all in it to a user.
fn give(path: &Path, user: Option<u32>) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), user)?;
        }
    }
    chown(path, user, user)
}

/// A running process. Dropping it kills it, and all that it has started.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// If the process ends, or is not ready in time: with the end of its log.
    pub fn wait_until(
        &mut self,
        what: &str,
        wait: Duration,
        stop: &Stop,
        mut ready: impl FnMut(&Self) -> Result<bool, LabError>,
    ) -> Result<(), LabError> {
        let until = Instant::now() + wait;
        loop {
            if ready(self)? {
                return Ok(());
            }
            if stop.requested() {
                return Err(LabError::Stopped);
            }
            let ended = self.child.try_wait().map_err(LabError::io("wait for a process"))?;
            let how = match ended {
                Some(status) => format!("it ended ({status})"),
                None if Instant::now() >= until => format!("not within {wait:?}"),
                None => {
                    thread::sleep(Duration::from_millis(20));
                    continue;
                }
            };
            return Err(LabError::failed(
                format!("see {} {what}", self.name),
                format!("{how}; it said:\n{}", self.said()),
            ));
        }
    }

    /// Whether it has written these words.
    #[must_use]
    pub fn has_said(&self, words: &str) -> bool {
        fs::read_to_string(&self.log).is_ok_and(|text| text.contains(words))
    }

    /// The end of its log.
    fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, signal);
        }
    }

    /// SIGTERM, and its end: a process that takes longer is killed.
    pub fn terminate(mut self) {
        self.signal(Signal::TERM);
        let until = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group also where its first process has ended: until it is waited for, its number is nobody else's.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}
