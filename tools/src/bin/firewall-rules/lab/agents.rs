//! Those who act inside the namespaces, as they are spoken to from outside.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tools::stop::Stop;

use super::{
    agent::{Answer, Ask, Question, Reply},
    error::LabError,
};

/// How much later than its deadline an answer may come: a busy machine, and a sweep with its many batches.
const LATE: Duration = Duration::from_secs(120);
/// How often somebody who waits looks whether to go on.
const TICK: Duration = Duration::from_millis(20);
/// How long an agent may take to end once its input has.
const END: Duration = Duration::from_secs(2);

type Waiting = Arc<Mutex<HashMap<u64, Sender<Answer>>>>;

/// One agent. Dropping it ends it.
pub struct Agent {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
    waiting: Waiting,
    next: AtomicU64,
    reader: Option<JoinHandle<()>>,
}

/// An answer that is to come.
#[must_use]
pub struct Pending {
    answer: Receiver<Answer>,
    until: Instant,
}

impl Agent {
    /// Starts it; `command` runs the hidden subcommand in its namespace.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Result<Self, LabError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(LabError::io("start an agent in a namespace"))?;
        let input = Mutex::new(child.stdin.take());
        let waiting = Waiting::default();
        let reader = child.stdout.take().map(|output| {
            let waiting = Arc::clone(&waiting);
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let Ok(reply) = serde_json::from_str::<Reply>(&line) else { continue };
                    let asked = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&reply.id);
                    // Who asked may have stopped waiting.
                    let _ = asked.map(|asked| asked.send(reply.answer));
                }
                // Whoever still waits is told so by the end of the channel.
                waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
            })
        });
        Ok(Self { child, input, waiting, next: AtomicU64::new(0), reader })
    }

    /// Asks; the answer is waited for later, so that many are asked at one time.
    pub fn ask(&self, ask: Ask, wait: Duration) -> Pending {
        let (sender, answer) = channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = serde_json::to_string(&Question { id, wait_ms, ask }).ok().and_then(|line| {
            let input = input.as_mut()?;
            writeln!(input, "{line}").and_then(|()| input.flush()).ok()
        });
        if sent.is_none() {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
        Pending { answer, until: Instant::now() + wait + LATE }
    }

    /// Asks for something that must be done.
    ///
    /// # Errors
    /// With what the agent said.
    pub fn must(&self, what: &str, ask: Ask, stop: &Stop) -> Result<(), LabError> {
        let answer = self.ask(ask, Duration::from_secs(5)).wait(stop)?;
        if let Answer::Failed { reason } = answer {
            Err(LabError::failed(what, reason))
        } else if answer == Answer::Done {
            Ok(())
        } else {
            Err(LabError::failed(what, format!("{answer:?}")))
        }
    }
}

impl Pending {
    /// Waits for the answer.
    ///
    /// # Errors
    /// If the agent is gone or says nothing in time; [`LabError::Stopped`] if somebody asked for the end.
    pub fn wait(self, stop: &Stop) -> Result<Answer, LabError> {
        loop {
            match self.answer.recv_timeout(TICK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(if stop.requested() {
                        LabError::Stopped
                    } else {
                        LabError::failed("ask an agent in a namespace", "it has ended")
                    });
                }
                Err(RecvTimeoutError::Timeout) if stop.requested() => return Err(LabError::Stopped),
                Err(RecvTimeoutError::Timeout) if Instant::now() >= self.until => {
                    return Err(LabError::failed("ask an agent in a namespace", "no answer long after its deadline"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // The end of its input is the end of the agent.
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
        let until = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.take().map(JoinHandle::join);
    }
}
