//! The client under test: its command with what it is to trust, run once with a deadline, and its certain end.

use std::{
    collections::VecDeque,
    fmt,
    io::Read,
    os::{fd::AsFd, unix::process::CommandExt},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};
use serde::{Serialize, Serializer};
use tools::stop::Stop;

use crate::error::Error;

/// How often the deadline and the signals are looked at.
const TICK: Duration = Duration::from_millis(5);
const READ_TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
/// How long what the command has written may take to read once it is gone.
const AFTER: Duration = Duration::from_millis(500);
/// What is kept of each output: its end.
const KEPT: usize = 4096;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal of somebody else's.
    Signal(i32),
    /// It was ended when the trial's time was over.
    Deadline,
}

impl Exit {
    /// Whether the command says that all went well.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Deadline => f.write_str("ended at the deadline"),
        }
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a client is told, as placeholders and as environment variables.
#[derive(Clone, Debug)]
pub struct Facts(pub Vec<(&'static str, String)>);

impl Facts {
    /// Every placeholder by its value, in one pass: a value that looks like a placeholder stays what it is.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(place) = rest.find('{') {
            let (before, from) = rest.split_at(place);
            filled.push_str(before);
            let known = self.0.iter().find_map(|(name, value)| {
                let behind = from[1..].strip_prefix(name)?.strip_prefix('}')?;
                Some((value.as_str(), behind))
            });
            let (put, behind) = known.unwrap_or((&from[..1], &from[1..]));
            filled.push_str(put);
            rest = behind;
        }
        filled + rest
    }

    /// `{name}` in every argument is replaced, `ROGUE_NAME` set in the environment.
    pub fn command(&self, template: &[String]) -> Command {
        let mut words = template.iter().map(|word| self.filled(word));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        for (name, value) in &self.0 {
            command.env(variable(name), value);
        }
        command
    }
}

/// `pin-curl` as `ROGUE_PIN_CURL`.
#[must_use]
pub fn variable(placeholder: &str) -> String {
    format!("ROGUE_{}", placeholder.to_uppercase().replace('-', "_"))
}

/// What one run of the command left.
pub struct Ran {
    /// How it ended.
    pub exit: Exit,
    /// The end of what it wrote to standard output.
    pub stdout: String,
    /// The end of what it wrote to standard error.
    pub stderr: String,
}

/// Runs the command in a process group of its own until it ends, `until` has come or `stop` is requested; the group is gone
/// afterwards.
///
/// # Errors
/// If it cannot be started; [`Error::Stopped`] if somebody asked for the end.
pub fn run(mut command: Command, until: Instant, stop: &Stop) -> Result<Ran, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|source| {
        Error::Usage(format!("cannot start {name:?}: {source}; what follows -- is a program and its arguments"))
    })?;
    let over = Arc::new(AtomicBool::new(false));
    let stdout = child.stdout.take().map(|stdout| keep(stdout, &over));
    let stderr = child.stderr.take().map(|stderr| keep(stderr, &over));
    let ended = wait(&child, until, stop);
    // Before the child is waited for its number is nobody else's, and so is its group's.
    if let Some(pid) = pid(&child) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let status = child.wait().map_err(|source| Error::System { action: format!("wait for {name}"), source })?;
    over.store(true, Ordering::SeqCst);
    let text = |reader: Option<JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    let (stdout, stderr) = (text(stdout), text(stderr));
    let exit = match ended {
        Waited::Exited => exit_of(status),
        Waited::Deadline => Exit::Deadline,
        Waited::Stopped => return Err(Error::Stopped),
    };
    Ok(Ran { exit, stdout, stderr })
}

enum Waited {
    Exited,
    Deadline,
    Stopped,
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Waits without taking the child away.
fn wait(child: &Child, until: Instant, stop: &Stop) -> Waited {
    let Some(pid) = pid(child) else { return Waited::Exited };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        if !matches!(waitid(WaitId::Pid(pid), options), Ok(None) | Err(rustix::io::Errno::INTR)) {
            return Waited::Exited;
        }
        if stop.requested() {
            return Waited::Stopped;
        }
        if Instant::now() >= until {
            return Waited::Deadline;
        }
        thread::sleep(TICK);
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

/// Keeps the end of what comes, until nothing more can come: a daemon that the client left behind may hold the other end for
/// ever.
fn keep(mut stream: impl Read + AsFd + Send + 'static, over: &Arc<AtomicBool>) -> JoinHandle<String> {
    let over = Arc::clone(over);
    thread::spawn(move || {
        let mut kept = VecDeque::new();
        let mut buffer = [0; KEPT];
        let mut until = None;
        loop {
            let last = over.load(Ordering::SeqCst);
            // A daemon outside the group may also write for ever.
            if last && *until.get_or_insert_with(|| Instant::now() + AFTER) <= Instant::now() {
                break;
            }
            let ready = poll(&mut [PollFd::new(&stream, PollFlags::IN)], Some(&READ_TICK));
            if matches!(ready, Ok(0) | Err(_)) {
                if last {
                    break;
                }
                continue;
            }
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => kept.extend(&buffer[..count]),
            }
            let excess = kept.len().saturating_sub(KEPT);
            kept.drain(..excess);
        }
        String::from_utf8_lossy(kept.make_contiguous()).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_end_of_a_command_is_told_and_its_words_kept() {
        let until = Instant::now() + Duration::from_secs(30);
        let ran = run(shell("echo out; echo err >&2; exit 3"), until, &Stop::default()).unwrap();
        assert_eq!((ran.exit, ran.stdout.as_str(), ran.stderr.as_str()), (Exit::Code(3), "out\n", "err\n"));
        let ran = run(shell("kill -9 $$"), until, &Stop::default()).unwrap();
        assert_eq!(ran.exit, Exit::Signal(9));
        let missing = run(Command::new("no-such-program"), until, &Stop::default()).err().unwrap();
        assert!(missing.to_string().contains("cannot start \"no-such-program\""));
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_its_children() {
        let began = Instant::now();
        let ran =
            run(shell("trap '' TERM; sleep 1000 & sleep 1000"), began + Duration::from_millis(200), &Stop::default())
                .unwrap();
        assert_eq!(ran.exit, Exit::Deadline);
        // A child that outlives its parent holds the pipes, and is in the group.
        let ran = run(shell("sleep 1000 & echo done"), began + Duration::from_secs(30), &Stop::default()).unwrap();
        assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Code(0), "done\n"));
        assert!(began.elapsed() < Duration::from_secs(25));
        // Neither does one that left the group, and writes without end. It ends when nobody reads any more.
        let ran = run(shell("setsid yes & sleep 1"), Instant::now() + Duration::from_secs(30), &Stop::default());
        assert_eq!(ran.unwrap().exit, Exit::Code(0));
        assert!(began.elapsed() < Duration::from_secs(25));
    }

    #[test]
    fn placeholders_are_filled_and_told_in_the_environment() {
        let facts = Facts(vec![("port", "443".to_owned()), ("pin-curl", "sha256//x".to_owned())]);
        let command =
            facts.command(&["sh".to_owned(), "-c".to_owned(), "echo {port}:$ROGUE_PIN_CURL:{other}".to_owned()]);
        let ran = run(command, Instant::now() + Duration::from_secs(30), &Stop::default()).unwrap();
        assert_eq!(ran.stdout, "443:sha256//x:{other}\n");
        let facts = Facts(vec![("roots", "/tmp/{trial}/r".to_owned()), ("trial", "control".to_owned())]);
        assert_eq!(facts.filled("{{roots} {trial}{é{"), "{/tmp/{trial}/r control{é{");
    }
}
