//! Oracles without a fuzzer, in a process of their own: an input that hangs, aborts or overflows the stack is a finding like
//! any other and ends neither a replay nor a minimiser.
//!
//! `fuzz-campaign judge TARGET`, which help does not show, reads inputs from standard input and answers on standard output. An
//! input is its length, 4 bytes big endian, and its bytes; an answer is a class and a detail, written the same way, both empty if
//! the property holds.

use std::{
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use fuzz::{Target, corpus, targets::ALL};

use crate::{Verdict, error::Error, libfuzzer, process};

/// An input that takes longer hangs.
const INPUT: Duration = Duration::from_secs(libfuzzer::INPUT_TIMEOUT as u64);
/// A detail is cut here, in bytes.
const DETAIL: usize = 4096;

/// What an oracle said of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What two inputs share if they show one defect.
    pub class: String,
    /// For people.
    pub detail: String,
}

/// The target of this name, as it is linked into this program.
pub fn linked(name: &str) -> Option<&'static Target> {
    ALL.iter().copied().find(|target| target.name == name)
}

/// Judges inputs of one target, one after the other, in a child process that is replaced when it ends.
#[derive(Debug)]
pub struct Judge {
    target: &'static Target,
    child: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    inputs: BufWriter<ChildStdin>,
    answers: Receiver<Judged>,
    reader: Option<JoinHandle<()>>,
}

impl Judge {
    /// For inputs of `target`; the process starts with the first one.
    pub fn new(target: &'static Target) -> Self {
        Self { target, child: None }
    }

    /// What the oracle says of an input; `None`: the property holds.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub fn judge(&mut self, input: &[u8]) -> Result<Option<Judged>, Error> {
        let running = match &mut self.child {
            Some(running) => running,
            None => self.child.insert(Running::start(self.target)?),
        };
        // A failed write means that it has ended; the missing answer says so.
        let _ = send(&mut running.inputs, input).and_then(|()| running.inputs.flush());
        let judged = match running.answers.recv_timeout(INPUT) {
            Ok(judged) => return Ok((!judged.class.is_empty()).then_some(judged)),
            Err(RecvTimeoutError::Timeout) => {
                Judged { class: libfuzzer::TIMEOUT.to_owned(), detail: format!("longer than {INPUT:?}") }
            }
            Err(RecvTimeoutError::Disconnected) => {
                Judged { class: libfuzzer::DEADLY.to_owned(), detail: "the process was aborted".to_owned() }
            }
        };
        self.child = None;
        Ok(Some(judged))
    }
}

impl Running {
    fn start(target: &Target) -> Result<Self, Error> {
        let error = |source| Error::System { action: "start this program again to judge inputs".to_owned(), source };
        let program = process::this_program().map_err(error)?;
        let mut command = Command::new(program);
        command.args(["judge", target.name]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(error)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(error(io::Error::other("no pipes")));
        };
        let (sender, answers) = channel();
        let reader = thread::spawn(move || {
            let mut stdout: BufReader<ChildStdout> = BufReader::new(stdout);
            while let Ok((class, detail)) = take(&mut stdout).and_then(|class| Ok((class, take(&mut stdout)?))) {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                if sender.send(Judged { class: text(class), detail: text(detail) }).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, inputs: BufWriter::new(stdin), answers, reader: Some(reader) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// The child's side: judges what comes on standard input until that ends.
///
/// # Errors
/// If there is no such target.
pub fn serve(name: &str) -> Result<Verdict, Error> {
    /// When the input at work began, in milliseconds since the start and one more; 0: none is.
    static BEGAN: AtomicU64 = AtomicU64::new(0);
    let target = linked(name).ok_or_else(|| Error::Usage(format!("no target {name:?}")))?;
    let started = Instant::now();
    let now = move || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    // The parent ends a judge that hangs; this ends one whose parent is no more.
    thread::spawn(move || {
        loop {
            thread::sleep(INPUT);
            let began = BEGAN.load(Ordering::Relaxed);
            if began != 0 && now().saturating_sub(began) > 3000 + 1000 * u64::from(libfuzzer::INPUT_TIMEOUT) {
                std::process::exit(i32::from(tools::exit::USAGE));
            }
        }
    });
    let mut inputs = BufReader::new(io::stdin().lock());
    let mut answers = BufWriter::new(io::stdout().lock());
    while let Ok(input) = take(&mut inputs) {
        BEGAN.store(now() + 1, Ordering::Relaxed);
        let (class, detail) = fuzz::run::judge(target, &input).err().unwrap_or_default();
        BEGAN.store(0, Ordering::Relaxed);
        let detail = &detail.as_bytes()[..detail.len().min(DETAIL)];
        let sent = send(&mut answers, class.as_bytes()).and_then(|()| send(&mut answers, detail));
        if sent.and_then(|()| answers.flush()).is_err() {
            break;
        }
    }
    Ok(Verdict::Clean)
}

fn send(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(bytes)
}

fn take(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > corpus::INPUT {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
