//! A service manager: what programs tell it, and sockets that it hands over.

use std::{
    net::TcpListener,
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::PATIENCE;

/// The socket that a program finds in `NOTIFY_SOCKET`.
pub struct Manager {
    socket: UnixDatagram,
    address: String,
    _folder: TempDir,
}

impl Manager {
    /// At a path.
    ///
    /// # Panics
    /// If it cannot be bound.
    #[must_use]
    pub fn at_path() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path: PathBuf = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        Self { socket, address: path.display().to_string(), _folder: folder }
    }

    /// At an abstract name.
    ///
    /// # Panics
    /// If it cannot be bound.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn abstract_name() -> Self {
        use std::os::{linux::net::SocketAddrExt as _, unix::net::SocketAddr};
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = folder.path().display().to_string();
        let address = SocketAddr::from_abstract_name(&name).expect("a short name");
        let socket = UnixDatagram::bind_addr(&address).expect("a socket");
        Self { socket, address: format!("@{name}"), _folder: folder }
    }

    /// Lets the program know of this manager, which wants a sign of life within every `watchdog`.
    pub fn watch(&self, command: &mut Command, watchdog: Duration) {
        command.env("NOTIFY_SOCKET", &self.address).env("WATCHDOG_USEC", watchdog.as_micros().to_string());
    }

    /// The next message; `None` if none comes within `patience`.
    ///
    /// # Panics
    /// If the socket fails.
    #[must_use]
    pub fn next_within(&self, patience: Duration) -> Option<String> {
        let mut buffer = [0; 4096];
        self.socket.set_read_timeout(Some(patience)).expect("a socket has timeouts");
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// The next message with a line that starts with `start`; what comes before it is passed over.
    ///
    /// # Panics
    /// If it does not come; with what came.
    #[must_use]
    pub fn wait_for(&self, start: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut passed = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            match self.next_within(left) {
                Some(message) if message.lines().any(|line| line.starts_with(start)) => return message,
                Some(message) => passed.push(message),
                None => panic!("no {start:?} in {passed:#?}"),
            }
        }
    }
}

/// A command that runs `program` with one listening socket handed over under that name, as sd_listen_fds(3) has it; and the
/// standard input to start it with. A shell moves the socket to where it belongs and becomes the program.
///
/// # Panics
/// If the system has no more descriptors.
#[must_use]
pub fn handing_over(listener: &TcpListener, name: &str, program: &Path) -> (Command, Stdio) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exec 3<&0 </dev/null; export LISTEN_PID=$$; exec \"$@\"", "sh"]).arg(program);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name);
    let socket: OwnedFd = listener.try_clone().expect("a descriptor").into();
    (command, socket.into())
}
