//! A session beside its model: both get the same calls at the same times, and whatever one says the other must say.

use std::{fmt::Debug, time::Duration};

use relay_wire::{
    session::{Output, Session},
    time::Timestamp,
};

use crate::run::{bounded, finding};

/// Memory that one input may make a session hold: so many times the input and what has come of its frame, and this beside.
/// An announced length alone must cost nothing.
const FACTOR: usize = 48;
const ALLOWANCE: usize = 6 * 1_024;
/// Outputs between two waits; more is a session that never rests.
const OUTPUTS_MAX: usize = 10_000;

/// What a session says, the last of which is a wait or the close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said<E, C> {
    Send(Vec<u8>),
    Event(E),
    Wait(Option<Duration>),
    Close(C),
}

/// A reference model of one side of a connection, written from SPEC §9. It takes one byte at a time.
pub(crate) trait Model {
    type Command: Clone;
    type Event: Debug + PartialEq;
    type Close: Copy + Debug + PartialEq;
    /// Whether it would take a byte.
    fn wants(&self) -> bool;
    /// One byte came; `last` if nothing was offered together with it behind it.
    fn byte(&mut self, byte: u8, last: bool, now: Duration);
    /// The peer's end.
    fn end(&mut self);
    /// The time is now; called before everything else.
    fn tick(&mut self, now: Duration);
    fn command(&mut self, command: Self::Command, now: Duration);
    /// What was said since the last call.
    fn said(&mut self) -> Vec<Said<Self::Event, Self::Close>>;
    fn deadline(&self) -> Option<Duration>;
    fn closed(&self) -> Option<Self::Close>;
    /// Bytes of the frame under way.
    fn held(&self) -> usize;
}

/// A kind of session and its model. It may remember what it translates (the numbers of questions).
pub(crate) trait Kind {
    const NAME: &'static str;
    type Real: Session;
    type Model: Model;
    fn command(&mut self, command: &<Self::Model as Model>::Command) -> <Self::Real as Session>::Command;
    fn event(&mut self, event: <Self::Real as Session>::Event) -> <Self::Model as Model>::Event;
    fn close(close: &<Self::Real as Session>::Close) -> <Self::Model as Model>::Close;
    /// What was sent, in a word.
    fn sent(bytes: &[u8]) -> String;
    /// What else can be asked of the session.
    fn look(&self, _real: &Self::Real, _model: &Self::Model) {}
}

type Event<K> = <<K as Kind>::Model as Model>::Event;
type Close<K> = <<K as Kind>::Model as Model>::Close;
type Command<K> = <<K as Kind>::Model as Model>::Command;

/// A session and its model.
pub(crate) struct Host<K: Kind> {
    kind: K,
    real: K::Real,
    pub(crate) model: K::Model,
    oracle: &'static str,
    /// What was sent and not yet taken from here.
    pub(crate) sent: Vec<u8>,
    /// What happened and was not yet taken from here.
    pub(crate) events: Vec<Event<K>>,
}

impl<K: Kind> Host<K> {
    /// Both, as they are before the first call.
    pub(crate) fn new(oracle: &'static str, kind: K, real: K::Real, model: K::Model) -> Self {
        let mut host = Self { kind, real, model, oracle, sent: Vec::new(), events: Vec::new() };
        host.settle();
        host
    }

    /// Offers bytes; returns how many were taken.
    pub(crate) fn input(&mut self, bytes: &[u8], now: Duration) -> usize {
        let held = self.model.held() + bytes.len();
        let over = self.model.closed().is_some();
        let real = &mut self.real;
        let taken =
            bounded(self.oracle, held, FACTOR, ALLOWANCE, || real.handle_input(bytes, Timestamp::from_origin(now)));
        self.model.tick(now);
        let mut expected = 0;
        while let Some(byte) = bytes.get(expected).filter(|_| self.model.wants()) {
            expected += 1;
            self.model.byte(*byte, expected == bytes.len(), now);
        }
        // With the close nobody asks how much was taken; after it nothing is.
        let judged = over || self.model.closed().is_none();
        if taken > bytes.len() || (judged && taken != expected) {
            self.differ("takes another number of bytes", "these", (taken, expected));
        }
        self.settle();
        expected
    }

    pub(crate) fn end(&mut self, now: Duration) {
        self.real.handle_end(Timestamp::from_origin(now));
        self.model.tick(now);
        self.model.end();
        self.settle();
    }

    pub(crate) fn timeout(&mut self, now: Duration) {
        self.real.handle_timeout(Timestamp::from_origin(now));
        self.model.tick(now);
        self.settle();
    }

    pub(crate) fn command(&mut self, command: &Command<K>, now: Duration) {
        self.real.handle_command(self.kind.command(command), Timestamp::from_origin(now));
        self.model.tick(now);
        self.model.command(command.clone(), now);
        self.settle();
    }

    fn differ(&self, real: &str, model: &str, detail: impl Debug) {
        let class = format_args!("{}: {real}, the text says {model}", K::NAME);
        finding(self.oracle, class, format_args!("{detail:?}"));
    }

    /// Takes what both say and compares it.
    fn settle(&mut self) {
        let real = self.heard();
        let mut model = self.model.said();
        model.push(match self.model.closed() {
            Some(close) => Said::Close(close),
            None => Said::Wait(self.model.deadline()),
        });
        if real != model {
            let place = real.iter().zip(&model).take_while(|(real, model)| real == model).count();
            let (said, expected) = (real.get(place).map(word::<K>), model.get(place).map(word::<K>));
            let (said, expected) = (said.unwrap_or_default(), expected.unwrap_or_default());
            let other = if said == expected { " otherwise" } else { "" };
            self.differ(&format!("{said}{other}"), &expected, (&real, &model));
        }
        if self.real.wants_input() != self.model.wants() {
            self.differ("wants_input", "the opposite", self.model.wants());
        }
        self.kind.look(&self.real, &self.model);
        for said in model {
            match said {
                Said::Send(bytes) => self.sent.extend(bytes),
                Said::Event(event) => self.events.push(event),
                Said::Wait(_) | Said::Close(_) => {}
            }
        }
    }

    fn heard(&mut self) -> Vec<Said<Event<K>, Close<K>>> {
        let mut heard = Vec::new();
        for _ in 0..OUTPUTS_MAX {
            match self.real.poll_output() {
                Output::Send(bytes) => heard.push(Said::Send(bytes)),
                Output::Event(event) => heard.push(Said::Event(self.kind.event(event))),
                Output::Wait(until) => {
                    heard.push(Said::Wait(until.map(Timestamp::since_origin)));
                    return heard;
                }
                Output::Close(close) => {
                    heard.push(Said::Close(K::close(&close)));
                    return heard;
                }
            }
        }
        self.differ("never rests", "a wait", heard.len());
        heard
    }
}

/// The kind of what was said, without numbers: what two inputs share if they show one defect.
fn word<K: Kind>(said: &Said<Event<K>, Close<K>>) -> String {
    let debug = |value: &dyn Debug| {
        let text = format!("{value:?}");
        let head = text.split([' ', '{', '[']).next().unwrap_or_default();
        head.chars().filter(|char| !char.is_ascii_digit()).collect::<String>()
    };
    match said {
        Said::Send(bytes) => format!("sends {}", K::sent(bytes)),
        Said::Event(event) => format!("tells {}", debug(event)),
        Said::Wait(None) => "waits without end".to_owned(),
        Said::Wait(Some(_)) => "waits until a time".to_owned(),
        Said::Close(close) => format!("closes {}", debug(close)),
    }
}
