//! The one I/O loop: a socket, a state machine, a timer and a mailbox.
//!
//! An idle connection holds no buffer here: bytes are read into a scratch array on the stack of the poll, and only what
//! the session cannot take yet (back-pressure) or the socket cannot take yet (a slow peer) is kept.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use relay_wire::{
    limits,
    session::{Output, Session},
    time::Timestamp,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use crate::{clock::Clock, mailbox::Receiver};

/// Bytes read in one go. It bounds what is held when the session does not take all of it.
const READ_BYTES: usize = 8 * 1024;
/// Inputs, commands and timeouts handled in one wake. More wait for the next turn, so that no connection starves others.
const STEPS_PER_WAKE: u32 = 32;
/// Bytes waiting for the peer at which commands are left in the mailbox, where their sender sees its bound.
const UNSENT_SOFT: usize = 16 * 1024;
/// Bytes waiting for the peer at which its input is no longer read. Between the two bounds input is still read: two
/// peers that both wait for the other to read would otherwise never move.
const UNSENT_HARD: usize = 64 * 1024;
/// A deadline so far away that it never comes, for a timer that is not armed.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What stands behind a session: it acts on events.
///
/// It never blocks and never waits. What takes time goes through a channel to a task of its own and comes back through
/// the connection's mailbox.
pub trait Owner<S: Session> {
    /// The session says `event`; whatever is pushed to `commands` is given to the session next, in order.
    fn on_event(&mut self, event: S::Event, commands: &mut Vec<S::Command>);
}

impl<S: Session, F: FnMut(S::Event, &mut Vec<S::Command>)> Owner<S> for F {
    fn on_event(&mut self, event: S::Event, commands: &mut Vec<S::Command>) {
        self(event, commands);
    }
}

/// Runs `session` over `io` until it closes; returns why it did.
///
/// What the session sent before it closed is flushed; shutting `io` down is the caller's business. A peer that ends the
/// connection, with or without TLS's close_notify, is an end of input for the session, which knows whether the moment
/// was right.
///
/// The future holds no read buffer and is cancel-safe in the sense that dropping it just stops: `io` and `session` stay
/// with the caller.
///
/// # Errors
/// Of the kind `TimedOut` if the peer does not take what is sent within [`limits::NEXT_FRAME`]; otherwise what reading
/// from or writing to `io` gave.
pub async fn drive<S, IO, O>(
    io: &mut IO,
    session: &mut S,
    commands: &mut Receiver<S::Command>,
    owner: &mut O,
    clock: &Clock,
) -> io::Result<S::Close>
where
    S: Session,
    IO: AsyncRead + AsyncWrite + Unpin,
    O: Owner<S>,
{
    let mut pump = Pump { io, session, mailbox: commands, owner, clock, state: State::default() };
    let mut timer = pin!(sleep_until(Instant::now() + NEVER));
    poll_fn(|cx| pump.poll(cx, timer.as_mut())).await
}

/// What the loop remembers between wakes.
struct State<S: Session> {
    /// Input the session has not taken yet; empty while it keeps up.
    held: Vec<u8>,
    /// The session took nothing of `held`: it is offered again after the next command or timeout.
    refused: bool,
    /// The peer sends nothing more.
    end: bool,
    /// The session knows about the end.
    end_told: bool,
    /// A command was handled last.
    input_first: bool,
    /// The mailbox has no senders left.
    mailbox_closed: bool,
    /// Commands that the owner gave during an event.
    own_commands: std::collections::VecDeque<S::Command>,
    unsent: Unsent,
    /// The session's own deadline.
    wait: Option<Timestamp>,
    /// The session is over once `unsent` is empty.
    close: Option<S::Close>,
    /// What the timer is set to.
    armed: Option<Instant>,
}

impl<S: Session> Default for State<S> {
    fn default() -> Self {
        Self {
            held: Vec::new(),
            refused: false,
            end: false,
            end_told: false,
            input_first: false,
            mailbox_closed: false,
            own_commands: std::collections::VecDeque::new(),
            unsent: Unsent::default(),
            wait: None,
            close: None,
            armed: None,
        }
    }
}

/// Bytes on their way to the peer.
#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    /// How many of `bytes` the stream has taken.
    taken: usize,
    /// The stream has taken bytes and has not flushed them.
    flushing: bool,
    /// Since when the peer has not taken what was waiting then: the deadline, and how many bytes that still are.
    stalled: Option<(Instant, usize)>,
}

impl Unsent {
    fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    fn push(&mut self, bytes: Vec<u8>) {
        if self.len() == 0 {
            self.bytes = bytes;
            self.taken = 0;
        } else {
            self.bytes.drain(..self.taken);
            self.taken = 0;
            self.bytes.extend_from_slice(&bytes);
        }
    }

    /// Writes and flushes as far as the stream goes. Nothing is written before what went before is flushed: a TLS stream
    /// would otherwise buffer for a peer that takes nothing, and its write would look like progress.
    fn poll_send<IO: AsyncWrite + Unpin>(&mut self, io: &mut IO, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.flushing {
                if let Poll::Ready(done) = Pin::new(&mut *io).poll_flush(cx) {
                    done?;
                    self.flushing = false;
                    self.stalled = self.stalled.filter(|(_, left)| *left > 0);
                } else {
                    return self.stall();
                }
            }
            if self.len() == 0 {
                *self = Self::default();
                return Poll::Ready(Ok(()));
            }
            match Pin::new(&mut *io).poll_write(cx, &self.bytes[self.taken..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => {
                    self.taken += n;
                    self.flushing = true;
                    if let Some((_, left)) = &mut self.stalled {
                        if *left <= n {
                            self.stalled = None;
                        } else {
                            *left -= n;
                        }
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.stall(),
            }
        }
    }

    fn stall(&mut self) -> Poll<io::Result<()>> {
        if self.stalled.is_none() {
            self.stalled = Some((Instant::now() + limits::NEXT_FRAME, self.len()));
        }
        Poll::Pending
    }
}

struct Pump<'a, S: Session, IO, O> {
    io: &'a mut IO,
    session: &'a mut S,
    mailbox: &'a mut Receiver<S::Command>,
    owner: &'a mut O,
    clock: &'a Clock,
    state: State<S>,
}

/// What one step of the loop found.
enum Step {
    /// Something was handled; there may be more.
    Moved,
    /// Nothing to handle now; whatever comes will wake us.
    Quiet,
}

impl<S: Session, IO: AsyncRead + AsyncWrite + Unpin, O: Owner<S>> Pump<'_, S, IO, O> {
    fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<io::Result<S::Close>> {
        for _ in 0..STEPS_PER_WAKE {
            self.collect();
            let sent = self.state.unsent.poll_send(self.io, cx)?;
            if self.state.close.is_some() {
                if sent.is_ready()
                    && let Some(close) = self.state.close.take()
                {
                    return Poll::Ready(Ok(close));
                }
                ready!(self.poll_timer(cx, timer.as_mut()))?;
                continue;
            }
            if let Poll::Ready(done) = self.poll_timer(cx, timer.as_mut()) {
                done?;
                continue;
            }
            match self.step(cx)? {
                Step::Moved => {}
                Step::Quiet => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes the session's outputs until it waits, closes, or enough bytes are on their way.
    fn collect(&mut self) {
        while self.state.close.is_none() {
            match self.session.poll_output() {
                Output::Send(bytes) => self.state.unsent.push(bytes),
                Output::Event(event) => {
                    let mut commands = Vec::new();
                    self.owner.on_event(event, &mut commands);
                    self.state.own_commands.extend(commands);
                }
                Output::Close(close) => self.state.close = Some(close),
                Output::Wait(until) => {
                    self.state.wait = until;
                    let Some(command) = self.state.own_commands.pop_front() else {
                        return;
                    };
                    self.command(command);
                }
            }
        }
    }

    fn command(&mut self, command: S::Command) {
        self.state.refused = false;
        self.session.handle_command(command, self.clock.now());
    }

    /// Ready when the session's deadline was handled, or with an error when the peer's was missed.
    fn poll_timer(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<io::Result<()>> {
        let stalled = self.state.unsent.stalled.map(|(deadline, _)| deadline);
        let wait = match self.state.close {
            Some(_) => None,
            None => self.state.wait.and_then(|wait| self.clock.instant(wait)),
        };
        let Some(target) = stalled.into_iter().chain(wait).min() else {
            return Poll::Pending;
        };
        if self.state.armed != Some(target) {
            timer.as_mut().reset(target);
            self.state.armed = Some(target);
        }
        ready!(timer.poll(cx));
        self.state.armed = None;
        if stalled.is_some_and(|deadline| deadline <= target) {
            let text = format!("the peer takes nothing that is sent to it for {:?}", limits::NEXT_FRAME);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)));
        }
        self.state.refused = false;
        self.state.wait = None;
        self.session.handle_timeout(self.clock.now());
        Poll::Ready(Ok(()))
    }

    /// Handles one command or one piece of input, in turns: neither a busy mailbox nor a busy peer shuts the other out.
    fn step(&mut self, cx: &mut Context<'_>) -> io::Result<Step> {
        if std::mem::take(&mut self.state.input_first) {
            return match self.take_input(cx)? {
                Step::Moved => Ok(Step::Moved),
                Step::Quiet => Ok(self.take_command(cx)),
            };
        }
        match self.take_command(cx) {
            Step::Moved => {
                self.state.input_first = true;
                Ok(Step::Moved)
            }
            Step::Quiet => self.take_input(cx),
        }
    }

    fn take_command(&mut self, cx: &mut Context<'_>) -> Step {
        if self.state.unsent.len() >= UNSENT_SOFT || self.state.mailbox_closed {
            return Step::Quiet;
        }
        match self.mailbox.poll_recv(cx) {
            Poll::Ready(Some(command)) => {
                self.command(command);
                Step::Moved
            }
            Poll::Ready(None) => {
                self.state.mailbox_closed = true;
                Step::Quiet
            }
            Poll::Pending => Step::Quiet,
        }
    }

    /// One offer of held input, one read, or the end of input: the first there is.
    fn take_input(&mut self, cx: &mut Context<'_>) -> io::Result<Step> {
        if self.state.unsent.len() >= UNSENT_HARD || self.state.refused || self.state.end_told {
            return Ok(Step::Quiet);
        }
        if !self.state.held.is_empty() {
            if !self.session.wants_input() {
                return Ok(Step::Quiet);
            }
            let taken = self.session.handle_input(&self.state.held, self.clock.now());
            if taken >= self.state.held.len() {
                self.state.held = Vec::new();
            } else {
                self.state.held.drain(..taken);
                self.state.refused = taken == 0;
            }
            return Ok(Step::Moved);
        }
        if self.state.end {
            self.state.end_told = true;
            self.session.handle_end(self.clock.now());
            return Ok(Step::Moved);
        }
        if !self.session.wants_input() {
            return Ok(Step::Quiet);
        }
        self.read(cx)
    }

    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<Step> {
        // On this stack frame, not in the future: an idle connection does not hold it.
        let mut scratch = [MaybeUninit::<u8>::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut scratch);
        match Pin::new(&mut *self.io).poll_read(cx, &mut buffer) {
            Poll::Pending => return Ok(Step::Quiet),
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => self.state.end = true,
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Ready(Ok(())) => {
                let bytes = buffer.filled();
                if bytes.is_empty() {
                    self.state.end = true;
                } else {
                    let taken = self.session.handle_input(bytes, self.clock.now()).min(bytes.len());
                    self.state.held.extend_from_slice(&bytes[taken..]);
                }
            }
        }
        Ok(Step::Moved)
    }
}

#[cfg(test)]
mod tests;
