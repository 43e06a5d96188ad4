//! The hidden subcommand that acts inside one namespace: it is asked on standard input and answers on standard output, a JSON
//! object per line, until its input ends.
//!
//! A process enters a namespace once and stays there, so a matrix of hundreds of probes starts no process at all; and since
//! its input ends with whoever started it, nothing stays behind.

mod icmp;
mod listen;
mod sweep;
mod tcp;
mod udp;

use std::{
    io::{self, BufRead, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use self::listen::Arrived;

/// The most that one probe may wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Questions at one time.
const THREADS_MAX: usize = 256;

/// What an agent can be asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Write a setting below `/proc/sys/net`; with `optional` it may be missing.
    Set {
        /// Where, below that folder.
        path: String,
        /// What.
        value: String,
        /// Whether a kernel without it is fine.
        optional: bool,
    },
    /// Answer on these addresses from now on, and remember what arrives.
    Listen {
        /// A line of text is sent to whoever connects.
        tcp: Vec<SocketAddr>,
        /// Datagrams are sent back.
        udp: Vec<SocketAddr>,
    },
    /// Open a TCP connection, from this port if one is given.
    Tcp {
        /// To where.
        to: SocketAddr,
        /// From which port.
        from_port: Option<u16>,
    },
    /// Open a TCP connection and complete a TLS handshake.
    Tls {
        /// To where.
        to: SocketAddr,
        /// The application protocol to ask for.
        alpn: String,
        /// The pin that the server must have.
        pin: String,
    },
    /// Send a datagram and wait for the same one.
    Udp {
        /// To where.
        to: SocketAddr,
        /// From which port.
        from_port: Option<u16>,
        /// What is in it; the receiving agent remembers it.
        mark: u64,
    },
    /// Send an echo request and wait for its reply.
    Icmp {
        /// To where.
        to: IpAddr,
        /// What is in it.
        mark: u64,
    },
    /// Send an ICMP error as a router on the way would: too big, about a packet of a connection.
    TooBig {
        /// The packet's sender, to whom the error goes, and its port.
        from: SocketAddr,
        /// The packet's receiver and port.
        to: SocketAddr,
        /// What follows the quoted packet; the receiving agent remembers it.
        mark: u64,
    },
    /// Join a multicast group whose address holds the mark, so that this host reports it.
    Join {
        /// Over which interface.
        interface: String,
        /// In the group's address.
        mark: u64,
    },
    /// Ask the hosts of a link who listens to the group whose address holds the mark, as a switch does.
    QueryListeners {
        /// Over which interface.
        interface: String,
        /// In the group's address.
        mark: u64,
    },
    /// Remember the listener reports that arrive over this interface.
    WatchReports {
        /// Over which interface.
        interface: String,
    },
    /// Fetch a page of an admin address.
    Get {
        /// From where.
        from: SocketAddr,
        /// Which page.
        path: String,
    },
    /// Connect to every port of an address.
    Sweep {
        /// Which address.
        to: IpAddr,
        /// The first port.
        first: u16,
        /// The last port.
        last: u16,
    },
    /// Open a TCP connection, see as many bytes come back alike, and keep it open.
    Hold {
        /// To where.
        to: SocketAddr,
        /// How many bytes; 0: the connection alone.
        bytes: u32,
    },
    /// Close every held connection, leave every group.
    Release,
    /// The marks of datagrams and echo requests that have arrived here.
    Arrived,
    /// The lines of `/proc/net/nf_conntrack`.
    Tracked,
}

/// A question with its number and its deadline.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Question {
    /// Given back with the answer.
    pub id: u64,
    /// How long to wait for what is asked, in milliseconds.
    pub wait_ms: u64,
    /// What is asked.
    pub ask: Ask,
}

/// What came of a probe.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Done: a setting, listeners.
    Done,
    /// The other side answered as it should: connected, handshake complete, the same bytes back.
    Open {
        /// What more there is to say: the local address.
        detail: String,
    },
    /// The other side, or something on the way, answered that it does not want to.
    Refused,
    /// Nothing came until the deadline.
    Silent,
    /// This host's own filter or routing let nothing out.
    Barred {
        /// What the operating system said.
        reason: String,
    },
    /// Connected, and then something else than expected.
    Wrong {
        /// What.
        reason: String,
    },
    /// A page.
    Page {
        /// The status code.
        status: u16,
        /// The body.
        body: String,
    },
    /// What a sweep found.
    Swept {
        /// Ports on which somebody answers.
        open: Vec<u16>,
        /// Ports that refuse: they answer too, only otherwise.
        refused: Vec<u16>,
        /// How many said nothing.
        silent: u32,
        /// How many this host itself did not let out.
        barred: u32,
    },
    /// Marks, or lines.
    Marks {
        /// Marks of datagrams and echo requests.
        marks: Vec<u64>,
    },
    /// Lines of a file; `None` if it cannot be read here.
    Lines {
        /// The lines.
        lines: Option<Vec<String>>,
    },
    /// It could not be tried.
    Failed {
        /// Why.
        reason: String,
    },
}

/// An answer with the number of its question.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Reply {
    /// The question's.
    pub id: u64,
    /// What came of it.
    pub answer: Answer,
}

/// What the questions of one agent share.
#[derive(Default)]
struct State {
    arrived: Arrived,
    held: Mutex<Vec<TcpStream>>,
    joined: Mutex<Vec<UdpSocket>>,
}

/// Answers questions until there are no more.
///
/// # Errors
/// If standard input cannot be read.
pub fn serve() -> io::Result<()> {
    // A sweep needs many sockets at a time; where the limit stays low it is only slower.
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum });
    let state = Arc::new(State::default());
    // Echo requests are remembered where that is allowed, which is as root.
    listen::watch_icmp(&state.arrived);
    let output = Arc::new(Mutex::new(io::stdout()));
    let slots = Arc::new(());
    for line in io::stdin().lock().lines() {
        let Ok(question) = serde_json::from_str::<Question>(&line?) else { continue };
        let (state, output, slot) = (Arc::clone(&state), Arc::clone(&output), Arc::clone(&slots));
        let work = move || {
            let answer = answer(&state, &question);
            say(&output, &Reply { id: question.id, answer });
            drop(slot);
        };
        if Arc::strong_count(&slots) > THREADS_MAX {
            work();
        } else {
            thread::spawn(work);
        }
    }
    Ok(())
}

fn say(output: &Mutex<io::Stdout>, reply: &Reply) {
    let (Ok(text), Ok(mut output)) = (serde_json::to_string(reply), output.lock()) else { return };
    // Nobody is left to be told if this fails; the input ends then too.
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
}

fn answer(state: &State, question: &Question) -> Answer {
    let wait = Duration::from_millis(question.wait_ms).min(WAIT_MAX).max(Duration::from_millis(1));
    match &question.ask {
        Ask::Set { path, value, optional } => set(path, value, *optional),
        Ask::Listen { tcp, udp } => listen::listen(tcp, udp, &state.arrived),
        Ask::Tcp { to, from_port } => tcp::connect(*to, *from_port, wait),
        Ask::Tls { to, alpn, pin } => tcp::handshake(*to, alpn, pin, wait),
        Ask::Udp { to, from_port, mark } => udp::echo(*to, *from_port, *mark, wait),
        Ask::Icmp { to, mark } => icmp::echo(*to, *mark, wait),
        Ask::TooBig { from, to, mark } => icmp::too_big(*from, *to, *mark),
        Ask::Join { interface, mark } => match icmp::join(interface, *mark) {
            Ok(socket) => {
                state.joined.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
                Answer::Done
            }
            Err(error) => Answer::Failed { reason: format!("join a multicast group on {interface}: {error}") },
        },
        Ask::QueryListeners { interface, mark } => icmp::query(interface, *mark),
        Ask::WatchReports { interface } => listen::watch_reports(interface, &state.arrived),
        Ask::Get { from, path } => tcp::page(*from, path, wait),
        Ask::Sweep { to, first, last } => sweep::sweep(*to, *first..=*last, wait),
        Ask::Hold { to, bytes } => match tcp::hold(*to, *bytes, wait) {
            Ok(stream) => {
                let detail = stream.local_addr().map(|address| address.to_string()).unwrap_or_default();
                state.held.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
                Answer::Open { detail }
            }
            Err(answer) => answer,
        },
        Ask::Release => {
            state.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
            state.joined.lock().unwrap_or_else(PoisonError::into_inner).clear();
            Answer::Done
        }
        Ask::Arrived => Answer::Marks { marks: state.arrived.marks() },
        Ask::Tracked => Answer::Lines {
            lines: std::fs::read_to_string("/proc/net/nf_conntrack")
                .ok()
                .map(|text| text.lines().map(str::to_owned).collect()),
        },
    }
}

fn set(path: &str, value: &str, optional: bool) -> Answer {
    let file = Path::new("/proc/sys/net").join(path);
    match std::fs::write(&file, value) {
        Ok(()) => Answer::Done,
        Err(error) if optional && error.kind() == io::ErrorKind::NotFound => Answer::Done,
        Err(error) => Answer::Failed { reason: format!("cannot write {value} to {}: {error}", file.display()) },
    }
}

/// What an error of a socket says about the way.
fn met(error: &io::Error) -> Answer {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, TimedOut, WouldBlock};
    let kind = error.kind();
    if matches!(kind, ConnectionRefused | ConnectionReset | HostUnreachable) {
        Answer::Refused
    } else if matches!(kind, TimedOut | WouldBlock) {
        Answer::Silent
    } else {
        Answer::Barred { reason: error.to_string() }
    }
}
