//! Programs that are run to their end: with a deadline, and no more of their output than is needed.

use std::{
    io::{Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tools::stop::Stop;

use super::error::LabError;

/// How often the end is looked for.
const TICK: Duration = Duration::from_millis(2);
/// What is kept of each output: its begin.
const OUTPUT_MAX: u64 = 4 << 20;

/// How a program ended and what it wrote.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; `None`: by a signal.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs `command` until it ends, `deadline` is over or somebody asks for the end; then it is killed.
///
/// # Errors
/// If it cannot be started or does not end in time.
pub fn run(mut command: Command, input: &str, deadline: Duration, stop: &Stop) -> Result<Ended, LabError> {
    let name = shown(&command);
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    // In a group of its own: a Ctrl-C is the lab's to act on.
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let action = format!("run {name}");
    let mut child = command.spawn().map_err(LabError::io(action.as_str()))?;
    let stdout = child.stdout.take().map(keep);
    let stderr = child.stderr.take().map(keep);
    let stdin = child.stdin.take().map(|mut stdin| {
        let input = input.to_owned();
        thread::spawn(move || stdin.write_all(input.as_bytes()))
    });
    let ended = wait(&mut child, deadline, stop);
    if !matches!(ended, Ok(Some(_))) {
        let _ = child.kill();
        let _ = child.wait();
    }
    let text = |reader: Option<JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    let (stdout, stderr) = (text(stdout), text(stderr));
    // A program that ended without reading all of it says so itself.
    let _ = stdin.map(JoinHandle::join);
    match ended? {
        Some(code) => Ok(Ended { code, stdout, stderr }),
        None => Err(LabError::failed(action, format!("no end within {deadline:?}"))),
    }
}

/// Runs a program that must succeed; gives its standard output.
///
/// # Errors
/// As [`run`], and if it fails: with the end of what it said.
pub fn succeed(command: Command, input: &str, deadline: Duration, stop: &Stop) -> Result<String, LabError> {
    let name = shown(&command);
    let ended = run(command, input, deadline, stop)?;
    match ended.code {
        Some(0) => Ok(ended.stdout),
        code => {
            let how = code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"));
            let said = if ended.stderr.trim().is_empty() { &ended.stdout } else { &ended.stderr };
            Err(LabError::failed(format!("run {name}"), format!("{how}: {}", said.trim())))
        }
    }
}

/// The command as it would be typed.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The exit code once it has ended; `None` at the deadline.
fn wait(child: &mut Child, deadline: Duration, stop: &Stop) -> Result<Option<Option<i32>>, LabError> {
    let until = Instant::now() + deadline;
    loop {
        match child.try_wait().map_err(LabError::io("wait for a program"))? {
            Some(status) => return Ok(Some(status.code())),
            None if stop.requested() => return Err(LabError::Stopped),
            None if Instant::now() >= until => return Ok(None),
            None => thread::sleep(TICK),
        }
    }
}

fn keep(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        let _ = stream.by_ref().take(OUTPUT_MAX).read_to_end(&mut kept);
        // The rest is read as well: a writer that blocks would not end.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        String::from_utf8_lossy(&kept).into_owned()
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
    fn a_program_is_run_to_its_end_or_to_the_deadline() {
        let long = Duration::from_secs(30);
        let ended = run(shell("cat; echo bad >&2; exit 3"), "in", long, &Stop::default()).unwrap();
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(3), "in", "bad\n"));
        let error = succeed(shell("echo bad >&2; exit 3"), "", long, &Stop::default()).unwrap_err().to_string();
        assert!(error.ends_with("exit code 3: bad"), "{error}");
        let began = Instant::now();
        let error = run(shell("exec sleep 1000"), "", Duration::from_millis(50), &Stop::default()).unwrap_err();
        assert!(error.to_string().contains("no end within"), "{error}");
        assert!(began.elapsed() < long);
        assert!(run(Command::new("no-such-program"), "", long, &Stop::default()).is_err());
    }
}
