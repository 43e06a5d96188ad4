//! A relay of real processes, made and started by the commands that an operator uses.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use client_sim::{
    cli::{DeploymentArgs, EdgeArgs},
    target::Target,
};
use relay_runtime::sandbox::Mode;
use relay_trust::RootSource;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    http,
    process::{PATIENCE, Process, command, free_address, run, run_ok, wait_until},
};

/// The longest pause of a backend between two attempts to reach its edge, as these relays are configured: what recovers after
/// an edge was away does so within this, and what the attempt itself takes.
pub const RECONNECT_MAX: Duration = Duration::from_secs(2);

/// What a relay shall be.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The storage nodes, at least one.
    pub nodes: &'a [&'a str],
    /// Services of every node besides the built-in ones.
    pub services: &'a [(&'a str, SocketAddr)],
    /// Lines for the edge's configuration to have in place of those with the same key.
    pub edge: &'a [(&'a str, &'a str)],
    /// `sandbox` of every part; `None`: as the programs have it.
    pub sandbox: Option<Mode>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { nodes: &["node-a"], services: &[], edge: &[], sandbox: None }
    }
}

/// One of the processes, which can be killed and started again with the same files.
pub struct Part {
    name: String,
    binary: &'static str,
    /// Its configuration.
    pub config: PathBuf,
    admin: SocketAddr,
    process: Option<Process>,
}

impl Part {
    fn new(name: &str, binary: &'static str, config: PathBuf, admin: SocketAddr) -> Self {
        Self { name: name.to_owned(), binary, config, admin, process: None }
    }

    /// The folder of its files.
    ///
    /// # Panics
    /// Never: a configuration lies in a folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.config.parent().expect("a folder")
    }

    /// Starts the process, and does not wait for it.
    pub fn start(&mut self) {
        self.start_as(self.command());
    }

    /// Starts another command in the place of the process, and does not wait for it.
    pub fn start_as(&mut self, command: Command) {
        self.start_reading(command, Stdio::null());
    }

    /// As [`Self::start_as`], with that standard input.
    pub fn start_reading(&mut self, command: Command, input: Stdio) {
        self.process = Some(Process::start_reading(&self.name, command, input));
    }

    /// The command that [`Self::start`] starts.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = command(self.binary);
        command.arg("run").arg("--config").arg(&self.config);
        command
    }

    /// The running process.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn process(&self) -> &Process {
        self.process.as_ref().unwrap_or_else(|| panic!("{} does not run", self.name))
    }

    /// What it wrote so far, as one text.
    #[must_use]
    pub fn log(&self) -> String {
        self.process().lines().join("\n")
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// SIGTERM; waits for the end.
    ///
    /// # Panics
    /// If it does not run, or does not end.
    pub fn terminate(&mut self) -> (ExitStatus, Vec<String>) {
        self.process().signal(Signal::TERM);
        self.wait()
    }

    /// Waits for the end; gives the exit status and what was written.
    ///
    /// # Panics
    /// If it does not run, or does not end.
    pub fn wait(&mut self) -> (ExitStatus, Vec<String>) {
        let mut process = self.process.take().unwrap_or_else(|| panic!("{} does not run", self.name));
        let status = process.wait();
        (status, process.lines())
    }

    /// SIGHUP.
    pub fn reload(&self) {
        self.process().signal(Signal::HUP);
    }

    /// SIGSTOP; when this returns, none of its threads runs any more.
    pub fn freeze(&self) {
        self.process().stop();
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.process().signal(Signal::CONT);
    }

    /// Whether `/readyz` says so.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        http::get(self.admin, "/readyz").is_some_and(|(status, _)| status == 200)
    }

    /// Waits until it is ready; gives the time that this took.
    ///
    /// # Panics
    /// If it is not ready in time.
    pub fn wait_ready(&self) -> Duration {
        let started = Instant::now();
        while !self.is_ready() {
            assert!(started.elapsed() < PATIENCE, "{} is not ready; it said\n{}", self.name, self.log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
        started.elapsed()
    }

    /// `/metrics`.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.admin_page("/metrics")
    }

    /// The sum of a metric over all label sets that contain every one of `labels`.
    #[must_use]
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        http::metric(&self.metrics(), name, labels)
    }

    /// `/status`.
    ///
    /// # Panics
    /// If it does not answer, or not in JSON.
    #[must_use]
    pub fn status(&self) -> Value {
        let page = self.admin_page("/status");
        serde_json::from_str(&page).unwrap_or_else(|error| panic!("{}: {error}: {page}", self.name))
    }

    fn admin_page(&self, path: &str) -> String {
        match http::get(self.admin, path) {
            Some((200, body)) => body,
            other => panic!("{}: {path}: {other:?}", self.name),
        }
    }
}

/// An edge, a master and storage nodes.
pub struct Relay {
    /// The edge.
    pub edge: Part,
    /// The master.
    pub master: Part,
    /// The storage nodes.
    pub nodes: Vec<Part>,
    /// Where devices and backends connect.
    pub address: SocketAddr,
    /// The pin of the edge's certificate key.
    pub edge_pin: String,
    /// The pin of the master's certificate key.
    pub master_pin: String,
    folder: TempDir,
}

impl Relay {
    /// Makes the files of a relay, starts it, and waits until all of it is ready.
    ///
    /// # Panics
    /// If a command fails, or something is not ready in time.
    #[must_use]
    pub fn start(options: &Options<'_>) -> Self {
        let mut relay = Self::prepare(options);
        relay.edge.start();
        relay.master.start();
        for node in &mut relay.nodes {
            node.start();
        }
        relay.wait_ready();
        relay
    }

    /// Makes the files, and starts nothing.
    ///
    /// # Panics
    /// If a command fails.
    #[must_use]
    pub fn prepare(options: &Options<'_>) -> Self {
        let folder = tempfile::Builder::new().prefix("sallyport-relay-").tempdir().expect("a temporary folder");
        let address = free_address();
        let edge = edge(folder.path(), address, options);
        let edge_pin = json("relay-edge", &["fingerprint", "--config", text(&edge.config)])["spki"]
            .as_str()
            .expect("a pin")
            .to_owned();
        let init = |name: &str, role: &str, more: &[&str]| {
            let dir = folder.path().join(name);
            let address = address.to_string();
            let mut arguments = vec!["init", "--role", role, "--name", name, "--dir", text(&dir), "--edge", &address];
            arguments.extend(["--edge-pin", &edge_pin]);
            arguments.extend(more);
            let made = json("relay-backend", &arguments);
            let admin = free_address();
            let config = dir.join("backend.toml");
            replace(&config, "# admin = ", &format!("admin = \"{admin}\""));
            replace(&config, "# reconnect_max = ", &format!("reconnect_max = \"{}s\"", RECONNECT_MAX.as_secs()));
            if let Some(mode) = options.sandbox {
                replace(&config, "# sandbox = ", &format!("sandbox = \"{mode}\""));
            }
            let key_file = made["shared_key"].as_str().expect("a file");
            let at_edge = ["key", "add", "--config", text(&edge.config), "--name", name, "--role", role];
            run_ok("relay-edge", at_edge.iter().copied().chain(["--key-file", key_file]));
            let pin = made["pin"].as_str().expect("a pin").to_owned();
            (Part::new(name, "relay-backend", config, admin), pin)
        };
        let (master, master_pin) = init("hq", "master", &[]);
        let certificate = folder.path().join("hq/backend.crt");
        let mut nodes = Vec::new();
        for name in options.nodes {
            let (node, pin) = init(name, "storage-node", &["--master-cert", text(&certificate)]);
            let services: String =
                options.services.iter().map(|(name, target)| format!("{name} = \"tcp://{target}\"\n")).collect();
            replace(&node.config, "[services]", &format!("[services]\n{services}"));
            let config = text(&master.config);
            run_ok("relay-backend", ["node", "add", "--config", config, "--name", name, "--pin", &pin]);
            nodes.push(node);
        }
        Self { edge, master, nodes, address, edge_pin, master_pin, folder }
    }

    /// Waits until the edge has all of its backends and every part says that it is ready.
    ///
    /// # Panics
    /// If that does not happen in time.
    pub fn wait_ready(&self) {
        self.edge.wait_ready();
        self.master.wait_ready();
        for node in &self.nodes {
            node.wait_ready();
        }
        wait_until("every backend is connected", || {
            let status = self.edge.status();
            let backends = status["backends"].as_array().map_or(&[][..], Vec::as_slice);
            let up = backends.iter().filter(|backend| backend["connected"] == true).count();
            up == self.nodes.len() + 1
        });
    }

    /// The folder of all files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The edge's certificate, which is its own root.
    #[must_use]
    pub fn roots(&self) -> PathBuf {
        self.edge.folder().join("edge.crt")
    }

    /// The file of a new mass-deployment secret of that many uses.
    ///
    /// # Panics
    /// If the command fails.
    #[must_use]
    pub fn mass_secret(&self, name: &str, uses: u32) -> PathBuf {
        let file = self.folder.path().join(format!("{name}.secret"));
        let (config, uses) = (text(&self.master.config), uses.to_string());
        let add = ["secret", "add", "--config", config, "--uses", &uses, "--expires", "1h", "--out", text(&file)];
        run_ok("relay-backend", add);
        // The master looks at its registry every second.
        wait_until("the master knows the secret", || {
            let known = json("relay-backend", &["secret", "list", "--config", config]);
            let live = |secret: &&Value| secret["status"] == "live";
            let listed = known.as_array().map_or(0, |secrets| secrets.iter().filter(live).count()) as u64;
            self.master.status()["registry"]["secrets_live"].as_u64() == Some(listed)
        });
        file
    }

    /// The options by which a device knows this relay and the storage node `node`.
    #[must_use]
    pub fn trust(&self, node: &str) -> Vec<String> {
        let pairs = [
            ("--edge", self.address.to_string()),
            ("--pin", self.edge_pin.clone()),
            ("--roots", text(&self.roots()).to_owned()),
            ("--master-pin", self.master_pin.clone()),
            ("--node", node.to_owned()),
        ];
        pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
    }

    /// The same for devices of this process, with a mass-deployment secret.
    ///
    /// # Panics
    /// If a file cannot be used.
    #[must_use]
    pub fn target(&self, node: &str, secret: &Path) -> Target {
        let edge = EdgeArgs {
            edges: vec![self.address.into()],
            server_name: None,
            pins: Some(self.edge_pin.parse().expect("a pin")),
            roots: Some(RootSource::File(self.roots())),
        };
        let deployment = DeploymentArgs {
            master_pins: Some(self.master_pin.parse().expect("a pin")),
            mass_secret_file: Some(secret.to_owned()),
            node: Some(node.parse().expect("a name")),
        };
        Target::from_args(&edge, &deployment).expect("options that can be used")
    }

    /// A fleet against `node`; `arguments` are more options of `client-sim run`.
    #[must_use]
    pub fn fleet(&self, node: &str, secret: &Path, arguments: &[&str]) -> Command {
        let mut command = command("client-sim");
        command.arg("run").args(self.trust(node)).arg("--mass-secret-file").arg(secret);
        command.args(["--format", "json"]).args(arguments);
        command
    }

    /// Starts a forwarder whose state is in the folder `name`, with a device of its own, and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    #[must_use]
    pub fn connect(&self, name: &str, node: &str, services: &[&str]) -> Forwarder {
        let state = self.folder.path().join(name);
        let mut command = command("client-sim");
        command.arg("connect").arg("--state").arg(&state);
        if !state.exists() {
            let secret = self.mass_secret(name, 1);
            command.args(self.trust(node)).arg("--mass-secret-file").arg(secret).args(["--user", "ana@example.com"]);
        }
        for service in services {
            command.arg("--forward").arg(format!("127.0.0.1:0={service}"));
        }
        let process = Process::start(name, command);
        let addresses = services.iter().map(|service| {
            let line = process.wait_for_line(&format!(" for {service}"));
            let address = line.strip_prefix("listening on ").and_then(|rest| rest.split(' ').next());
            address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("no address in {line:?}"))
        });
        let addresses = addresses.collect();
        Forwarder { process, addresses, state }
    }
}

/// A running `client-sim connect`.
pub struct Forwarder {
    /// The process.
    pub process: Process,
    /// Where it listens, one address for each service.
    pub addresses: Vec<SocketAddr>,
    /// Its state folder.
    pub state: PathBuf,
}

fn edge(folder: &Path, address: SocketAddr, options: &Options<'_>) -> Part {
    let dir = folder.join("edge");
    let listen = address.to_string();
    let names = ["--name", "localhost", "--name", "127.0.0.1"];
    run_ok("relay-edge", ["init", "--dir", text(&dir), "--listen", &listen].iter().copied().chain(names));
    let (config, admin) = (dir.join("edge.toml"), free_address());
    replace(&config, "admin = ", &format!("admin = \"{admin}\""));
    for (key, value) in options.edge {
        replace(&config, &format!("{key} = "), &format!("{key} = {value}"));
    }
    if let Some(mode) = options.sandbox {
        replace(&config, "sandbox = ", &format!("sandbox = \"{mode}\""));
    }
    Part::new("edge", "relay-edge", config, admin)
}

/// The result of a command in JSON.
///
/// # Panics
/// If it fails or does not write JSON.
#[must_use]
pub fn json(binary: &str, arguments: &[&str]) -> Value {
    let output = run_ok(binary, arguments.iter().copied().chain(["--format", "json"]));
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{binary} {arguments:?}: {error}: {output}"))
}

/// The result of a fleet: the process's status and its report.
///
/// # Panics
/// If it does not end within `deadline`, or writes no JSON; with what it wrote.
#[must_use]
pub fn fleet_report(process: &mut Process, deadline: Duration) -> (ExitStatus, Value) {
    let status = process.wait_within(deadline);
    let report = serde_json::from_str(&process.results().concat());
    (status, report.unwrap_or_else(|error| panic!("no report ({error}) in\n{}", process.lines().join("\n"))))
}

/// Runs a command that must be refused: its exit code and what it wrote to standard error.
///
/// # Panics
/// If it succeeds.
#[must_use]
pub fn refused(binary: &str, arguments: &[&str]) -> (i32, String) {
    let output = run(binary, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{binary} {arguments:?} succeeded");
    (output.status.code().unwrap_or(-1), said)
}

/// Replaces the first line that starts with `start`.
///
/// # Panics
/// If there is none.
pub fn replace(file: &Path, start: &str, line: &str) {
    let before = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let old = before.lines().find(|line| line.starts_with(start));
    let old = old.unwrap_or_else(|| panic!("{}: no line starts with {start:?}", file.display()));
    fs::write(file, before.replacen(old, line, 1)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// A path as an argument.
///
/// # Panics
/// If it is not UTF-8.
#[must_use]
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
