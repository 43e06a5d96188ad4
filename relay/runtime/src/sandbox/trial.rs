//! Trying what a sandbox forbids: the proof that it holds, from inside. `check --sandbox` calls it, and tests do.

use std::fmt;

use serde::Serialize;

use super::{Network, Report};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "outcome", content = "detail")]
pub enum Outcome {
    /// The kernel refused; in its own words.
    Refused(String),
    /// It went through, or failed for another reason than being forbidden; what the kernel said.
    Passed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(said) => write!(f, "refused: {said}"),
            Self::Passed(said) => write!(f, "NOT REFUSED: {said}"),
        }
    }
}

/// One forbidden thing, tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What was tried, with the system call.
    pub what: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What holds, and what came of trying it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// What holds.
    pub sandbox: Report,
    /// What was tried.
    pub attempts: Vec<Attempt>,
}

impl Trial {
    /// How many attempts went through.
    #[must_use]
    pub fn leaks(&self) -> usize {
        self.attempts.iter().filter(|attempt| matches!(attempt.outcome, Outcome::Passed(_))).count()
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for held in &self.sandbox.layers {
            let holds = if held.holds { "holds  " } else { "MISSING" };
            writeln!(f, "{holds} {:<18} {}", held.layer.as_str(), held.detail)?;
        }
        writeln!(f)?;
        for attempt in &self.attempts {
            writeln!(f, "{:<52} {}", attempt.what, attempt.outcome)?;
        }
        let (all, leaks) = (self.attempts.len(), self.leaks());
        write!(f, "\n{} of {all} attempts refused by the kernel.", all - leaks)
    }
}

/// Makes what attempts need beforehand, and gives the function that makes them: call it inside the sandbox.
/// None of them does harm where it is not refused.
///
/// # Errors
/// If a socket for them cannot be made.
#[cfg(target_os = "linux")]
pub fn attempts(network: &Network) -> std::io::Result<impl FnOnce() -> Vec<Attempt> + use<>> {
    let prepared = linux::Prepared::new()?;
    let network = network.clone();
    Ok(move || prepared.run(&network))
}

/// There is no sandbox here, and nothing to try.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn attempts(_: &Network) -> std::io::Result<impl FnOnce() -> Vec<Attempt> + use<>> {
    Ok(Vec::new)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs::{self, File},
        io::{self, IoSlice},
        net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
        os::{
            fd::{AsFd, AsRawFd},
            unix::{
                fs::{PermissionsExt as _, chown, fchown},
                net::UnixDatagram,
                process::CommandExt as _,
            },
        },
        path::PathBuf,
        process::Command,
        time::SystemTime,
    };

    use rustix::{
        fs::{CWD, FileType, MemfdFlags, Mode, XattrFlags, chmod, memfd_create, mknodat, setxattr},
        io::Errno,
        mount::{FsOpenFlags, MountFlags, UnmountFlags, fsopen, mount, unmount},
        process::{chroot, geteuid, getppid, pivot_root, test_kill_process},
        system::{sethostname, uname},
        thread::{move_into_link_name_space, set_thread_uid},
        time::{ClockId, clock_gettime, clock_settime},
    };
    use socket2::{Domain, MsgHdr, Protocol, Socket, Type};

    use super::{Attempt, Network, Outcome};

    /// What cannot be made inside.
    pub(super) struct Prepared {
        /// Somebody to connect to.
        listener: TcpListener,
        /// A file of this user's, and its path.
        owned: File,
        path: PathBuf,
        tcp: Socket,
        other: Socket,
        third: Socket,
        udp: UdpSocket,
        namespace: File,
    }

    impl Prepared {
        pub(super) fn new() -> io::Result<Self> {
            let tcp = || Socket::new(Domain::IPV4, Type::STREAM, None);
            // In memory alone: nothing is left of it, and its path is one that the process may read.
            let owned = File::from(memfd_create("sallyport-sandbox-trial", MemfdFlags::CLOEXEC)?);
            let path = PathBuf::from(format!("/proc/self/fd/{}", owned.as_raw_fd()));
            Ok(Self {
                listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
                owned,
                path,
                tcp: tcp()?,
                other: tcp()?,
                third: tcp()?,
                udp: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
                namespace: File::open("/proc/self/ns/net")?,
            })
        }

        pub(super) fn run(self, network: &Network) -> Vec<Attempt> {
            let Self { listener, owned, path, tcp, other, third, udp, namespace } = self;
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let inside = listener.local_addr().unwrap_or(any);
            let mut tried = vec![
                attempt("open a TCP connection (connect)", || tcp.connect(&inside.into())),
                attempt("bind a TCP port (bind)", || other.bind(&any.into())),
                attempt("listen on another port (listen)", || other.listen(1)),
                attempt("open a TCP connection with its first data (sendto)", || {
                    third.send_to_with_flags(b"x", &inside.into(), libc::MSG_FASTOPEN).map(drop)
                }),
                attempt("open a TCP connection with its first data (sendmsg)", || {
                    let data = [IoSlice::new(b"x")];
                    let peer = inside.into();
                    let message = MsgHdr::new().with_addr(&peer).with_buffers(&data);
                    third.sendmsg(&message, libc::MSG_FASTOPEN).map(drop)
                }),
            ];
            let socket = |domain, kind, protocol| Socket::new(domain, kind, protocol).map(drop);
            match network {
                Network::Accepts => tried.extend([
                    attempt("make a TCP socket (socket)", || socket(Domain::IPV4, Type::STREAM, None)),
                    attempt("make an IPv6 socket (socket)", || socket(Domain::IPV6, Type::STREAM, None)),
                    attempt("send to an address (sendto)", || udp.send_to(b"x", inside).map(drop)),
                ]),
                Network::Dials { .. } => {}
            }
            match network {
                Network::Accepts | Network::Dials { names: false, .. } => tried.extend([
                    attempt("make a UDP socket (socket)", || socket(Domain::IPV4, Type::DGRAM, None)),
                    attempt("make a local socket (socket)", || socket(Domain::UNIX, Type::STREAM, None)),
                ]),
                Network::Dials { names: true, .. } => {}
            }
            tried.extend([
                attempt("make a multipath TCP socket (socket)", || {
                    socket(Domain::IPV4, Type::STREAM, Some(Protocol::MPTCP))
                }),
                attempt("make a raw socket (socket)", || socket(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))),
                attempt("make a packet socket (socket)", || socket(Domain::PACKET, Type::DGRAM, None)),
                attempt("make a pair of datagram sockets (socketpair)", || UnixDatagram::pair().map(drop)),
                attempt("start a process (clone)", || Command::new("/bin/true").status().map(drop)),
                // A program that is not there: where it is not refused, this one goes on.
                attempt("become another program (execve)", || Err(Command::new("/nowhere/sallyport").exec())),
                attempt("read another's file (open)", || File::open("/etc/passwd").map(drop)),
                attempt("read another process (open)", || fs::read("/proc/1/environ").map(drop)),
                attempt("list the root folder (open)", || fs::read_dir("/").map(drop)),
                attempt("write a file (open)", || {
                    let path = std::env::temp_dir().join("sallyport-sandbox-trial");
                    File::create(&path).and_then(|_| fs::remove_file(&path))
                }),
                attempt("let others read a file (chmod)", || fs::set_permissions(&path, mode(0o644))),
                attempt("let others read a file (fchmodat)", || Ok(chmod(&path, Mode::from_raw_mode(0o644))?)),
                attempt("lend a file's rights (fchmod)", || owned.set_permissions(mode(0o4700))),
                attempt("give a file away (chown)", || chown(&path, Some(geteuid().as_raw()), None)),
                attempt("give a file away (fchown)", || fchown(&owned, Some(geteuid().as_raw()), None)),
                attempt("mark a file (setxattr)", || Ok(setxattr(&path, "user.sallyport", b"", XattrFlags::empty())?)),
                attempt("set a file's time (utimensat)", || owned.set_modified(SystemTime::UNIX_EPOCH)),
                attempt("make a device (mknodat)", || {
                    Ok(mknodat(CWD, "/tmp/sallyport-sandbox-trial", FileType::Fifo, Mode::empty(), 0)?)
                }),
                attempt("signal another process (kill)", || {
                    let parent = getppid().ok_or(Errno::SRCH)?;
                    Ok(test_kill_process(parent)?)
                }),
                attempt("enter a namespace (setns)", || Ok(move_into_link_name_space(namespace.as_fd(), None)?)),
                attempt("mount (mount)", || Ok(mount("none", "/proc", "proc", MountFlags::RDONLY, None)?)),
                attempt("open a file system (fsopen)", || Ok(fsopen("proc", FsOpenFlags::empty()).map(drop)?)),
                attempt("unmount (umount2)", || Ok(unmount("/nowhere", UnmountFlags::empty())?)),
                attempt("change the root (chroot)", || Ok(chroot("/proc")?)),
                attempt("turn the root (pivot_root)", || Ok(pivot_root("/proc", "/proc")?)),
                attempt("become root (setuid)", || Ok(set_thread_uid(rustix::process::Uid::ROOT)?)),
                attempt("name the machine (sethostname)", || Ok(sethostname(uname().nodename().to_bytes())?)),
                attempt("set the clock (clock_settime)", || {
                    Ok(clock_settime(ClockId::Realtime, clock_gettime(ClockId::Realtime))?)
                }),
            ]);
            tried
        }
    }

    fn mode(mode: u32) -> fs::Permissions {
        fs::Permissions::from_mode(mode)
    }

    fn attempt(what: &'static str, attempt: impl FnOnce() -> io::Result<()>) -> Attempt {
        let outcome = match attempt() {
            Ok(()) => Outcome::Passed("it was done".to_owned()),
            Err(error) => match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => Outcome::Refused(error.to_string()),
                Some(_) | None => Outcome::Passed(error.to_string()),
            },
        };
        Attempt { what, outcome }
    }
}
