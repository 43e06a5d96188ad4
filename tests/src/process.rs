//! Child processes whose end is certain and whose words can be waited for.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, Condvar, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long a test waits for what must happen at once on an idle machine, with room for a busy one.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The binaries under test, each behind its package.
const PROGRAMS: [(&str, &str); 4] = [
    ("relay-edge", "relay-edge"),
    ("relay-backend", "relay-backend"),
    ("client-sim", "client-sim"),
    ("tools", "rogue-edge"),
];

/// The folder of the binaries under test: `SALLYPORT_BINARIES` if that is set (binaries of a package, say), else built
/// once per test run with the profile of the tests themselves.
///
/// # Panics
/// If they do not build.
#[must_use]
pub fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(folder) = std::env::var_os("SALLYPORT_BINARIES") {
            return PathBuf::from(folder);
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--locked"]);
        for (package, binary) in PROGRAMS {
            command.args(["-p", package, "--bin", binary]);
        }
        command.arg("--message-format=json").current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let output = command.stderr(Stdio::inherit()).output().expect("cargo runs");
        assert!(output.status.success(), "the binaries under test do not build");
        let text = String::from_utf8_lossy(&output.stdout);
        let executable = text
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("cargo names the binaries it built");
        executable.parent().expect("a folder").to_owned()
    })
}

/// A command that runs one of the binaries under test.
#[must_use]
pub fn command(binary: &str) -> Command {
    Command::new(binaries().join(binary))
}

/// Runs a binary to its end.
///
/// # Panics
/// If it cannot be started or does not end within [`PATIENCE`].
pub fn run<S: AsRef<OsStr>>(binary: &str, arguments: impl IntoIterator<Item = S>) -> Output {
    let mut command = command(binary);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap_or_else(|error| panic!("{binary}: {error}"));
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver.recv_timeout(PATIENCE * 4);
    if output.is_err() {
        signal(id, rustix::process::Signal::KILL);
    }
    let _ = waiter.join();
    output.unwrap_or_else(|_| panic!("{binary} does not end")).unwrap_or_else(|error| panic!("{binary}: {error}"))
}

/// Runs a binary that must succeed, and returns what it wrote to standard output.
///
/// # Panics
/// If it fails; with what it wrote.
pub fn run_ok<S: AsRef<OsStr>>(binary: &str, arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(binary, arguments);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{binary} ended with {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// A port that was free a moment ago, for servers that cannot tell which one they took or that must have it again later.
///
/// It lies below those that systems give to outgoing connections, so that none of these takes it while its server is away; and
/// every process of tests begins somewhere else.
///
/// # Panics
/// If the system has none.
#[must_use]
pub fn free_address() -> SocketAddr {
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(641);
    let free = (0..COUNT).find_map(|_| {
        let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + offset).ok()?;
        TcpListener::bind(("127.0.0.1", port)).and_then(|listener| listener.local_addr()).ok()
    });
    free.expect("a free port")
}

fn signal(id: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

#[derive(Default)]
struct Spoken {
    /// What went to standard output alone: a result is not to be mixed with the talk around it.
    results: Mutex<Vec<String>>,
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// A running child. Dropping it kills it and waits for its end.
pub struct Process {
    name: String,
    child: Child,
    spoken: Arc<Spoken>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts `command`; both its output streams are read line by line.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(name: &str, command: Command) -> Self {
        Self::start_reading(name, command, Stdio::null())
    }

    /// As [`Self::start`], with that standard input.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start_reading(name: &str, mut command: Command, input: Stdio) -> Self {
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let spoken = Arc::new(Spoken::default());
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        let readers = vec![listen(stdout, Arc::clone(&spoken), true), listen(stderr, Arc::clone(&spoken), false)];
        Self { name: name.to_owned(), child, spoken, readers }
    }

    /// The first line, spoken already or to come, that contains `words`.
    ///
    /// # Panics
    /// If it does not come within [`PATIENCE`]; with all lines so far.
    #[must_use]
    pub fn wait_for_line(&self, words: &str) -> String {
        self.wait_for_line_after(0, words)
    }

    /// As [`Self::wait_for_line`], but only lines from number `first` on (see [`Self::line_count`]).
    ///
    /// # Panics
    /// As [`Self::wait_for_line`].
    #[must_use]
    pub fn wait_for_line_after(&self, first: usize, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.spoken.lines.lock().expect("no reader panics");
        loop {
            if let Some(line) = lines.iter().skip(first).find(|line| line.contains(words)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} never said {words:?}; it said\n{}", self.name, lines.join("\n"));
            lines = self.spoken.more.wait_timeout(lines, left).expect("no reader panics").0;
        }
    }

    /// How many lines were spoken so far.
    ///
    /// # Panics
    /// If a reader panicked.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.spoken.lines.lock().expect("no reader panics").len()
    }

    /// All lines so far.
    ///
    /// # Panics
    /// If a reader panicked.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.spoken.lines.lock().expect("no reader panics").clone()
    }

    /// What it wrote to standard output so far.
    ///
    /// # Panics
    /// If a reader panicked.
    #[must_use]
    pub fn results(&self) -> Vec<String> {
        self.spoken.results.lock().expect("no reader panics").clone()
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, number: rustix::process::Signal) {
        signal(self.child.id(), number);
    }

    /// Stops it with SIGSTOP, and waits until its last thread stands still: the signal alone leaves the others running for
    /// as long as the scheduler likes.
    ///
    /// # Panics
    /// If it is gone.
    pub fn stop(&self) {
        self.signal(rustix::process::Signal::STOP);
        let pid =
            i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("the id of a process");
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), rustix::process::WaitIdOptions::STOPPED)
            .expect("a process that runs can be stopped");
    }

    /// Kills it without a chance to clean up, and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end within [`PATIENCE`].
    #[must_use]
    pub fn wait(&mut self) -> ExitStatus {
        self.wait_within(PATIENCE)
    }

    /// Waits for its end, and until all that it wrote was read.
    ///
    /// # Panics
    /// If it does not end within `patience`.
    #[must_use]
    pub fn wait_within(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                for reader in self.readers.drain(..) {
                    let _ = reader.join();
                }
                return status;
            }
            assert!(Instant::now() < deadline, "{} does not end; it said\n{}", self.name, self.lines().join("\n"));
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Resident memory in bytes (Linux).
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::CONT);
        self.kill();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if std::thread::panicking() {
            eprintln!("--- {} said\n{}", self.name, self.lines().join("\n"));
        }
    }
}

fn listen(stream: impl std::io::Read + Send + 'static, spoken: Arc<Spoken>, results: bool) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if results {
                spoken.results.lock().expect("no reader panics").push(line.clone());
            }
            spoken.lines.lock().expect("no reader panics").push(line);
            spoken.more.notify_all();
        }
    })
}

/// Asks `condition` again and again until it holds.
///
/// # Panics
/// If it does not hold within [`PATIENCE`]; `what` says what was waited for.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
