//! One child process: its words line by line, a deadline, and its certain end.

use std::{
    io::{self, BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{
        LazyLock,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{error::Error, stop::Stop};

/// How long a child has for its last words after it was asked to end.
const GRACE: Duration = Duration::from_secs(5);
/// How often the deadline and the signals are looked at.
const TICK: Duration = Duration::from_millis(100);
/// A line is cut here; libFuzzer prints inputs in full.
const LINE: u64 = 16 * 1024;
/// Lines that wait between the reader and its listener.
const LINES: usize = 1024;

/// Where this program lies, as it was when it was first asked; `main` asks as it begins. Who builds it again meanwhile puts another
/// file in its place, and the system then names one that is not there.
///
/// # Errors
/// If the system does not say.
pub fn this_program() -> io::Result<PathBuf> {
    static PROGRAM: LazyLock<io::Result<PathBuf>> = LazyLock::new(std::env::current_exe);
    PROGRAM.as_ref().map(Clone::clone).map_err(|error| error.kind().into())
}

/// Why a child is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Exited(ExitStatus),
    /// It was ended at its deadline.
    Deadline,
    /// It was ended because somebody asked for the end.
    Stopped,
}

/// Runs `command` in a process group of its own until it ends, `deadline` has passed or `stop` is requested; the group is gone
/// afterwards. `listen` gets every line of its standard error; standard output is the caller's to set, and nothing by default.
///
/// # Errors
/// If it cannot be started.
pub fn watch(
    mut command: Command,
    deadline: Duration,
    stop: &Stop,
    mut listen: impl FnMut(&str),
) -> Result<End, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let until = Instant::now() + deadline;
    let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn();
    let mut child = child.map_err(|source| Error::System { action: format!("start {name}"), source })?;
    let (sender, receiver) = sync_channel(LINES);
    let reader = child.stderr.take().map(|stderr| thread::spawn(move || read(stderr, &sender)));
    let cut = hear(&receiver, until, stop, &mut listen);
    let end = match cut {
        None => finish(&mut child, until, stop),
        Some(end) => {
            // libFuzzer says its figures when it is interrupted.
            signal(&child, Signal::INT);
            let _ = hear(&receiver, Instant::now() + GRACE, &Stop::default(), &mut listen);
            Ok(end)
        }
    };
    // A process that was waited for has no number any more.
    if !matches!(end, Ok(End::Exited(_))) {
        signal(&child, Signal::KILL);
    }
    drop(receiver);
    let _ = child.wait();
    if let Some(reader) = reader {
        let _ = reader.join();
    }
    end
}

/// Hands lines on until the child closes its standard error; `Some` if it had to be cut short.
fn hear(receiver: &Receiver<String>, until: Instant, stop: &Stop, listen: &mut impl FnMut(&str)) -> Option<End> {
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(line) => listen(&line),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if stop.requested() {
            return Some(End::Stopped);
        }
        if Instant::now() >= until {
            return Some(End::Deadline);
        }
    }
}

/// Waits for a child that has closed its standard error, which it does as it ends.
fn finish(child: &mut Child, until: Instant, stop: &Stop) -> Result<End, Error> {
    loop {
        let status = child
            .try_wait()
            .map_err(|source| Error::System { action: "wait for a child process".to_owned(), source })?;
        if let Some(status) = status {
            return Ok(End::Exited(status));
        }
        if stop.requested() {
            return Ok(End::Stopped);
        }
        if Instant::now() >= until {
            return Ok(End::Deadline);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn read(stderr: ChildStderr, sender: &SyncSender<String>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if sender.send(text.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
            return;
        }
    }
}

/// To the whole group: libFuzzer's merge has children of its own. A group that is gone is what is wanted.
fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_does_not_end_is_ended_at_its_deadline_with_its_children() {
        let mut command = Command::new("sh");
        // The second one ignores what a polite end is.
        command.args(["-c", "trap '' INT; echo one >&2; (trap '' INT; sleep 1000) & sleep 1000"]);
        let mut lines = Vec::new();
        let began = Instant::now();
        let deadline = Duration::from_millis(300);
        let end = watch(command, deadline, &Stop::default(), |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((end, lines.as_slice()), (End::Deadline, ["one".to_owned()].as_slice()));
        assert!(began.elapsed() < GRACE + Duration::from_secs(20));
    }

    #[test]
    fn a_child_is_heard_to_its_last_line() {
        let mut command = Command::new("sh");
        command.args(["-c", "for n in 1 2 3; do echo $n >&2; done; printf 'no end' >&2; exit 3"]);
        let mut lines = Vec::new();
        let end = watch(command, GRACE, &Stop::default(), |line| lines.push(line.to_owned())).unwrap();
        assert!(matches!(end, End::Exited(status) if status.code() == Some(3)), "{end:?}");
        assert_eq!(lines, ["1", "2", "3", "no end"]);
        let missing = watch(Command::new("no-such-program"), GRACE, &Stop::default(), |_| ()).unwrap_err();
        assert!(missing.to_string().contains("start no-such-program"));
    }
}
