//! SPEC §9.1, the edge's side: the reference model.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use relay_wire::{Checked, Code, Operation, Platform, Rejection, Request, Validator};

use crate::{
    frames::{
        compare::{device_id, platform as number_of},
        layout::Value,
        messages::{Message, open_opening, seal_reply},
        names::same_device,
        times::millis,
    },
    sessions::{
        host::{Model, Said},
        limits,
    },
};

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    Refused,
    Later(Duration),
    Granted { grant: Vec<u8>, signature: [u8; 64], token: [u8; 16] },
}

/// What the owner says. Questions are counted from 0 in the order in which they were asked; one that was never asked has a
/// number beyond them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Answer { question: usize, answer: Answer },
    Revoke,
    Drain(Duration),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Ask { question: usize, request: Rc<Checked<Request>> },
    Unanswered(usize),
    Authenticated(Vec<Value>),
    Offered { token: [u8; 16], grant: Vec<u8>, signature: [u8; 64], request: Rc<Checked<Request>> },
    Rejected { platform: u64, code: &'static str, field: &'static str },
    Refused(&'static str),
    Pinged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    Finished,
    BadFrame(&'static str, &'static str),
    Unauthenticated,
    Refused,
    Idle,
    Revoked,
    Draining,
}

/// What follows the answer under way.
#[derive(Clone, Copy, Debug)]
enum Then {
    Continue,
    Finish,
    Drain(Duration),
}

/// §9.1.1, each with the time that its deadline counts from.
enum State {
    Opening,
    Between(Duration),
    Inside(Duration),
    Asked(Duration, Rc<Checked<Request>>, Then),
    Over(Close),
}

type Verdict = Result<Rc<Checked<Request>>, Rejection>;

/// What a frame's body is worth. Told once, remembered from then on: the answer must not depend on anything else.
fn verdict(validator: &Validator, frame: &[u8]) -> Verdict {
    thread_local!(static KNOWN: RefCell<BTreeMap<Vec<u8>, Verdict>> = const { RefCell::new(BTreeMap::new()) });
    const KNOWN_MAX: usize = 1_024;
    KNOWN.with_borrow_mut(|known| {
        if let Some(verdict) = known.get(frame) {
            return verdict.clone();
        }
        if known.len() == KNOWN_MAX {
            known.clear();
        }
        let platform = Platform::from_number(frame[4]).ok_or(Rejection::new(Code::Frame, "platform"))?;
        let verdict = validator.check(platform, &frame[12..]).map(Rc::new);
        known.insert(frame.to_vec(), verdict.clone());
        verdict
    })
}

/// The model. What a body is worth is the validator's to say, here as there.
pub(crate) struct EdgeModel {
    validator: Arc<Validator>,
    accepted: Duration,
    state: State,
    /// The authenticated device.
    pub(crate) device: Option<(u8, String)>,
    pub(crate) platform: Option<u8>,
    frame: Vec<u8>,
    /// Bytes of the frame under way in all, once its header is there.
    length: Option<usize>,
    nonces: Vec<[u8; 16]>,
    refusals: usize,
    pub(crate) asked: usize,
    said: Vec<Said<Event, Close>>,
}

impl EdgeModel {
    pub(crate) fn new(validator: Arc<Validator>, accepted: Duration) -> Self {
        Self {
            validator,
            accepted,
            state: State::Opening,
            device: None,
            platform: None,
            frame: Vec::new(),
            length: None,
            nonces: Vec::new(),
            refusals: 0,
            asked: 0,
            said: Vec::new(),
        }
    }

    /// Whether the open question, if there is one, is about `auth`.
    pub(crate) fn asks_auth(&self) -> Option<bool> {
        match &self.state {
            State::Asked(_, request, _) => Some(request.content.operation == Operation::Auth),
            State::Opening | State::Between(_) | State::Inside(_) | State::Over(_) => None,
        }
    }

    /// §9.1.1: no deadline of a stranger lies beyond this.
    fn stranger_ends(&self) -> Option<Duration> {
        self.device.is_none().then_some(self.accepted + limits::UNAUTHENTICATED)
    }

    fn event(&mut self, event: Event) {
        self.said.push(Said::Event(event));
    }

    fn reply(&mut self, kind: u8, values: Vec<Value>) {
        self.said.push(Said::Send(seal_reply(&Message::new(kind, values))));
    }

    fn close(&mut self, reason: Close) {
        self.state = State::Over(reason);
        self.frame.clear();
    }

    fn bad_frame(&mut self, field: &'static str) {
        self.close(Close::BadFrame("E_FRAME", field));
    }

    /// §9.1.3
    fn whole(&mut self, now: Duration) {
        let frame = std::mem::take(&mut self.frame);
        self.length = None;
        let number = frame[4];
        self.platform = Some(number);
        match verdict(&self.validator, &frame) {
            Ok(request) => self.judge(request, now),
            Err(rejection) if rejection.code == Code::Frame => {
                self.close(Close::BadFrame(rejection.code.as_str(), rejection.field));
            }
            Err(rejection) => {
                let (code, field) = (rejection.code.as_str(), rejection.field);
                self.event(Event::Rejected { platform: number.into(), code, field });
                self.refuse(Then::Continue, now);
            }
        }
    }

    /// §9.1.4
    fn judge(&mut self, request: Rc<Checked<Request>>, now: Duration) {
        let content = &request.content;
        let (registers, auths, pings) = match content.operation {
            Operation::Register { .. } => (true, false, false),
            Operation::Auth => (false, true, false),
            Operation::Ping => (false, false, true),
            Operation::Transfer { .. } => (false, false, false),
        };
        let nonce = *content.nonce.bytes();
        let other = |(platform, text): &(u8, String)| {
            u64::from(*platform) != number_of(content.device_id.platform())
                || !same_device(*platform, text, content.device_id.text())
        };
        let reason = if self.device.is_none() && !registers && !auths {
            Some("unauthenticated")
        } else if self.device.as_ref().is_some_and(other) {
            Some("other-device")
        } else if self.nonces.iter().rev().take(limits::NONCES_REMEMBERED).any(|known| *known == nonce) {
            Some("nonce-reused")
        } else {
            None
        };
        if let Some(reason) = reason {
            self.event(Event::Refused(reason));
            return self.refuse(Then::Continue, now);
        }
        self.nonces.push(nonce);
        if pings {
            self.event(Event::Pinged);
            self.reply(1, Vec::new());
            self.state = State::Between(now);
        } else {
            self.event(Event::Ask { question: self.asked, request: Rc::clone(&request) });
            self.asked += 1;
            self.state = State::Asked(now, request, Then::Continue);
        }
    }

    /// §9.1.5
    fn refuse(&mut self, then: Then, now: Duration) {
        self.reply(2, Vec::new());
        self.refusals += usize::from(self.device.is_some());
        if self.device.is_none() || self.refusals == limits::REFUSALS_MAX {
            self.close(Close::Refused);
        } else {
            self.follow(then, now);
        }
    }

    /// §9.1.6, §9.1.9, §9.1.10
    fn follow(&mut self, then: Then, now: Duration) {
        match then {
            Then::Continue => self.state = State::Between(now),
            Then::Finish => self.close(Close::Finished),
            Then::Drain(after) => {
                self.reply(5, vec![millis(after).into()]);
                self.close(Close::Draining);
            }
        }
    }

    /// §9.1.7, §9.1.8
    fn answer(&mut self, question: usize, answer: Answer, now: Duration) {
        let State::Asked(_, request, then) = &self.state else { return };
        let (request, then) = (Rc::clone(request), *then);
        let (auths, tunnels) = match request.content.operation {
            Operation::Auth => (true, false),
            Operation::Register { .. } | Operation::Transfer { .. } => (false, true),
            Operation::Ping => (false, false),
        };
        let fits = match answer {
            Answer::Accepted => auths,
            Answer::Granted { .. } => tunnels,
            Answer::Refused | Answer::Later(_) => true,
        };
        if question.checked_add(1) != Some(self.asked) || !fits {
            return;
        }
        match answer {
            Answer::Refused => {
                self.event(Event::Refused("master"));
                return self.refuse(then, now);
            }
            Answer::Later(after) => self.reply(3, vec![millis(after).into()]),
            Answer::Accepted => {
                let id = &request.content.device_id;
                if self.device.is_none() {
                    self.device = Some((id.platform().number(), id.text().to_owned()));
                    self.event(Event::Authenticated(device_id(id).to_vec()));
                }
                self.reply(1, Vec::new());
            }
            Answer::Granted { grant, signature, token } => {
                let body = [token.as_slice().into(), Value::Number(limits::TOKEN_MILLIS)];
                let signed = [grant.as_slice().into(), signature.as_slice().into()];
                self.event(Event::Offered { token, grant, signature, request });
                self.reply(4, body.into_iter().chain(signed).collect());
            }
        }
        self.follow(then, now);
    }
}

impl Model for EdgeModel {
    type Command = Command;
    type Event = Event;
    type Close = Close;

    fn wants(&self) -> bool {
        matches!(self.state, State::Opening | State::Between(_) | State::Inside(_))
    }

    fn byte(&mut self, byte: u8, _last: bool, now: Duration) {
        if let State::Between(_) = self.state {
            self.state = State::Inside(now);
        }
        self.frame.push(byte);
        if self.length.is_none() {
            match open_opening(&self.frame, self.platform) {
                Ok(None) => {}
                Ok(Some((_, body))) => self.length = Some(12 + body),
                Err(field) => return self.bad_frame(field),
            }
        }
        if self.length == Some(self.frame.len()) {
            self.whole(now);
        }
    }

    /// §9.1.10
    fn end(&mut self) {
        match &mut self.state {
            State::Over(_) => {}
            State::Asked(_, _, then) => {
                if let Then::Continue = then {
                    *then = Then::Finish;
                }
            }
            State::Opening | State::Between(_) | State::Inside(_) if self.frame.is_empty() => {
                self.close(Close::Finished);
            }
            State::Opening | State::Between(_) | State::Inside(_) => self.bad_frame("end of stream"),
        }
    }

    /// §9.1.2
    fn tick(&mut self, now: Duration) {
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= now) {
            let ended = self.stranger_ends().is_some_and(|end| end <= deadline);
            match &self.state {
                State::Opening => self.bad_frame("deadline"),
                State::Between(_) | State::Inside(_) | State::Asked(..) if ended => self.close(Close::Unauthenticated),
                State::Between(_) => self.close(Close::Idle),
                State::Inside(_) => self.bad_frame("deadline"),
                State::Asked(_, _, then) => {
                    let then = *then;
                    self.event(Event::Unanswered(self.asked - 1));
                    self.reply(3, vec![Value::Number(limits::RETRY_MILLIS)]);
                    self.follow(then, now);
                }
                State::Over(_) => return,
            }
        }
    }

    fn command(&mut self, command: Command, now: Duration) {
        match (command, &mut self.state) {
            (_, State::Over(_)) => {}
            (Command::Answer { question, answer }, _) => self.answer(question, answer, now),
            (Command::Revoke, _) => self.close(Close::Revoked),
            (Command::Drain(after), State::Asked(_, _, then)) => *then = Then::Drain(after),
            (Command::Drain(after), _) => self.follow(Then::Drain(after), now),
        }
    }

    fn said(&mut self) -> Vec<Said<Event, Close>> {
        std::mem::take(&mut self.said)
    }

    fn deadline(&self) -> Option<Duration> {
        let deadline = match self.state {
            State::Opening => self.accepted + limits::FIRST_FRAME,
            State::Between(since) => since + limits::DEVICE_IDLE,
            State::Inside(since) => since + limits::NEXT_FRAME,
            State::Asked(since, ..) => since + limits::ANSWER,
            State::Over(_) => return None,
        };
        Some(self.stranger_ends().map_or(deadline, |end| end.min(deadline)))
    }

    fn closed(&self) -> Option<Close> {
        match self.state {
            State::Over(reason) => Some(reason),
            State::Opening | State::Between(_) | State::Inside(_) | State::Asked(..) => None,
        }
    }

    fn held(&self) -> usize {
        self.frame.len()
    }
}
