//! SPEC §9.1: the edge's side of a device's connection.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{fmt, mem, time::Duration};

use super::{Answer, EdgeClose, EdgeCommand, EdgeEvent, QuestionId};
use crate::{
    error::{Code, Rejection},
    frame::{
        opening::{Header, MAGIC},
        reply::{Offer, Reply},
    },
    ids::{DeviceId, Nonce},
    limits,
    request::{Operation, Platform, Request},
    session::{Outbox, Output, Session, deframer},
    time::Timestamp,
    validator::{Checked, Validator},
};

/// The edge's side of a device's connection.
///
/// Held for every device, nearly always idle: then it owns its own bytes, the device id and the last nonces, no buffer.
pub struct EdgeSide {
    validator: Arc<Validator>,
    state: State,
    peer: Peer,
    /// The platform of the first frame; later ones must name the same.
    platform: Option<Platform>,
    /// What has come of the frame under way: at most one header and one body.
    frame: Vec<u8>,
    /// The last [`limits::NONCES_REMEMBERED`] nonces, oldest first.
    nonces: Vec<Nonce>,
    last_question: QuestionId,
    outbox: Outbox<EdgeEvent>,
}

/// What the session waits for. Each state has exactly one deadline; a stranger's never lies beyond [`Peer::Stranger`]'s.
enum State {
    /// The first frame.
    Opening { until: Timestamp },
    /// The first byte of a later frame.
    Between { until: Timestamp },
    /// The rest of a later frame.
    Inside { until: Timestamp },
    /// The owner's answer. No input is taken.
    Asked(Box<Question>),
    /// Nothing more.
    Over(EdgeClose),
}

struct Question {
    id: QuestionId,
    request: Checked<Request>,
    until: Timestamp,
    then: Then,
}

/// What follows the answer.
#[derive(Clone, Copy)]
enum Then {
    Continue,
    /// The device has ended its side.
    Finish,
    Drain(Duration),
}

enum Peer {
    /// Not authenticated; gone at `until` if it stays so.
    Stranger {
        until: Timestamp,
    },
    Device {
        id: DeviceId,
        refusals: u8,
    },
}

impl EdgeSide {
    /// A session whose TCP connection was accepted at `accepted` (all deadlines of a stranger count from there).
    #[must_use]
    pub fn new(validator: Arc<Validator>, accepted: Timestamp) -> Self {
        Self {
            validator,
            state: State::Opening { until: accepted + limits::FIRST_FRAME },
            peer: Peer::Stranger { until: accepted + limits::UNAUTHENTICATED },
            platform: None,
            frame: Vec::new(),
            nonces: Vec::new(),
            last_question: QuestionId(0),
            outbox: Outbox::new(),
        }
    }

    /// The authenticated device, if any.
    #[must_use]
    pub const fn device_id(&self) -> Option<&DeviceId> {
        match &self.peer {
            Peer::Stranger { .. } => None,
            Peer::Device { id, .. } => Some(id),
        }
    }

    /// The platform of the first whole frame, if there was one.
    #[must_use]
    pub const fn platform(&self) -> Option<Platform> {
        self.platform
    }

    fn close(&mut self, reason: EdgeClose) {
        self.frame = Vec::new();
        self.state = State::Over(reason);
    }

    fn bad_frame(&mut self, rejection: Rejection) {
        self.close(EdgeClose::BadFrame(rejection));
    }

    fn reply(&mut self, reply: &Reply) {
        self.outbox.send(reply.encode());
    }

    /// `later`, but for a stranger never beyond its end.
    fn bounded(&self, later: Timestamp) -> Timestamp {
        match self.peer {
            Peer::Stranger { until } => later.min(until),
            Peer::Device { .. } => later,
        }
    }

    /// SPEC §9.1.6: waits for the next frame.
    fn rest(&mut self, now: Timestamp) {
        self.state = State::Between { until: self.bounded(now + limits::DEVICE_IDLE) };
    }

    fn deadline(&self) -> Option<Timestamp> {
        match &self.state {
            State::Opening { until } | State::Between { until } | State::Inside { until } => Some(*until),
            State::Asked(question) => Some(question.until),
            State::Over(_) => None,
        }
    }

    /// The deadline of the state has passed.
    fn fire(&mut self, deadline: Timestamp, now: Timestamp) {
        let stranger_ends = matches!(self.peer, Peer::Stranger { until } if until <= deadline);
        match &self.state {
            State::Over(_) => {}
            State::Opening { .. } => self.bad_frame(Rejection::new(Code::Frame, "deadline")),
            State::Between { .. } | State::Inside { .. } | State::Asked(_) if stranger_ends => {
                self.close(EdgeClose::Unauthenticated);
            }
            State::Between { .. } => self.close(EdgeClose::Idle),
            State::Inside { .. } => self.bad_frame(Rejection::new(Code::Frame, "deadline")),
            State::Asked(question) => {
                let (id, then) = (question.id, question.then);
                self.outbox.event(EdgeEvent::Unanswered(id));
                self.reply(&Reply::Later(limits::RETRY));
                self.proceed(then, now);
            }
        }
    }

    /// Takes bytes up to the end of one frame; returns how many.
    fn take(&mut self, bytes: &[u8], now: Timestamp) -> usize {
        if let State::Between { .. } = self.state {
            self.state = State::Inside { until: self.bounded(now + limits::NEXT_FRAME) };
        }
        if self.frame.is_empty() {
            match measure(bytes, self.platform) {
                Err(rejection) => {
                    self.bad_frame(rejection);
                    return bytes.len();
                }
                Ok(Some(header)) => {
                    let body = bytes.get(limits::DEVICE_HEADER_BYTES..limits::DEVICE_HEADER_BYTES + header.body_bytes);
                    if let Some(body) = body {
                        self.judge(header.platform, body, now);
                        return limits::DEVICE_HEADER_BYTES + header.body_bytes;
                    }
                }
                Ok(None) => {}
            }
        }
        let want = match measure(&self.frame, self.platform) {
            Ok(Some(header)) => limits::DEVICE_HEADER_BYTES + header.body_bytes,
            Ok(None) | Err(_) => limits::DEVICE_HEADER_BYTES,
        };
        let taken = deframer::append(&mut self.frame, bytes, want);
        match measure(&self.frame, self.platform) {
            Err(rejection) => self.bad_frame(rejection),
            Ok(Some(header)) if self.frame.len() == limits::DEVICE_HEADER_BYTES + header.body_bytes => {
                let frame = mem::take(&mut self.frame);
                let (_, body) = frame.split_at(limits::DEVICE_HEADER_BYTES);
                self.judge(header.platform, body, now);
            }
            Ok(_) => {}
        }
        taken
    }

    /// SPEC §9.1.3: a whole frame.
    fn judge(&mut self, platform: Platform, body: &[u8], now: Timestamp) {
        self.platform = Some(platform);
        match self.validator.check(platform, body) {
            Ok(request) => self.route(request, now),
            Err(rejection) if rejection.code == Code::Frame => self.bad_frame(rejection),
            Err(rejection) => {
                self.outbox.event(EdgeEvent::Rejected { platform, rejection });
                self.refuse(Then::Continue, now);
            }
        }
    }

    fn route(&mut self, request: Checked<Request>, now: Timestamp) {
        if let Err(reason) = self.admit(&request) {
            self.outbox.event(EdgeEvent::Refused { reason });
            self.refuse(Then::Continue, now);
            return;
        }
        match request.content.operation {
            Operation::Ping => {
                self.outbox.event(EdgeEvent::Pinged);
                self.reply(&Reply::Accepted);
                self.rest(now);
            }
            Operation::Register { .. } | Operation::Auth | Operation::Transfer { .. } => self.ask(request, now),
        }
    }

    /// SPEC §9.1.4: what can be refused without asking the master.
    fn admit(&mut self, request: &Request) -> Result<(), &'static str> {
        match &self.peer {
            Peer::Stranger { .. } => match request.content.operation {
                Operation::Register { .. } | Operation::Auth => {}
                Operation::Ping | Operation::Transfer { .. } => return Err("unauthenticated"),
            },
            Peer::Device { id, .. } => {
                let other = &request.content.device_id;
                if id != other && id.registry_key() != other.registry_key() {
                    return Err("other-device");
                }
            }
        }
        if self.nonces.contains(&request.content.nonce) {
            return Err("nonce-reused");
        }
        if self.nonces.len() >= limits::NONCES_REMEMBERED {
            self.nonces.remove(0);
        }
        self.nonces.push(request.content.nonce);
        Ok(())
    }

    fn ask(&mut self, request: Checked<Request>, now: Timestamp) {
        let id = QuestionId(self.last_question.0.wrapping_add(1));
        self.last_question = id;
        let until = self.bounded(now + limits::ANSWER);
        self.outbox.event(EdgeEvent::Ask { question: id, request: request.clone() });
        self.state = State::Asked(Box::new(Question { id, request, until, then: Then::Continue }));
    }

    fn answered(&mut self, id: QuestionId, answer: Answer, now: Timestamp) {
        let (request, then) = match &self.state {
            State::Asked(question) if question.id == id && fits(&question.request, &answer) => {
                (question.request.clone(), question.then)
            }
            State::Asked(_) | State::Opening { .. } | State::Between { .. } | State::Inside { .. } | State::Over(_) => {
                return;
            }
        };
        match answer {
            Answer::Refused => {
                self.outbox.event(EdgeEvent::Refused { reason: "master" });
                self.refuse(then, now);
                return;
            }
            Answer::Later(after) => self.reply(&Reply::Later(after)),
            Answer::Accepted => {
                if let Peer::Stranger { .. } = self.peer {
                    let id = request.content.device_id.clone();
                    self.outbox.event(EdgeEvent::Authenticated(id.clone()));
                    self.peer = Peer::Device { id, refusals: 0 };
                }
                self.reply(&Reply::Accepted);
            }
            Answer::Granted { grant, token } => {
                self.outbox.event(EdgeEvent::Offered { token, grant: grant.clone(), request });
                self.reply(&Reply::Tunnel(Offer { token, lifetime: limits::TOKEN, grant }));
            }
        }
        self.proceed(then, now);
    }

    /// SPEC §9.1.5: refuses; a stranger, and a device that was refused too often, is closed then.
    fn refuse(&mut self, then: Then, now: Timestamp) {
        self.reply(&Reply::Refused);
        let enough = match &mut self.peer {
            Peer::Stranger { .. } => true,
            Peer::Device { refusals, .. } => {
                *refusals = refusals.saturating_add(1);
                *refusals >= limits::REFUSALS_MAX
            }
        };
        if enough { self.close(EdgeClose::Refused) } else { self.proceed(then, now) }
    }

    /// What follows a reply.
    fn proceed(&mut self, then: Then, now: Timestamp) {
        match then {
            Then::Continue => self.rest(now),
            Then::Finish => self.close(EdgeClose::Finished),
            Then::Drain(after) => {
                self.reply(&Reply::Draining(after));
                self.close(EdgeClose::Draining);
            }
        }
    }
}

/// Whether `answer` can be one to `request`.
fn fits(request: &Request, answer: &Answer) -> bool {
    match answer {
        Answer::Refused | Answer::Later(_) => true,
        Answer::Accepted => matches!(request.content.operation, Operation::Auth),
        Answer::Granted { .. } => {
            matches!(request.content.operation, Operation::Register { .. } | Operation::Transfer { .. })
        }
    }
}

/// The header in what has come of a frame: `None` if more bytes are needed.
///
/// The magic is judged byte by byte as it arrives, the rest when the header is whole (FORMATS §0.1).
fn measure(come: &[u8], platform: Option<Platform>) -> Result<Option<Header>, Rejection> {
    if come.iter().zip(MAGIC).any(|(byte, magic)| *byte != magic) {
        return Err(Rejection::new(Code::Frame, "magic"));
    }
    let Some(header) = come.first_chunk() else { return Ok(None) };
    let header = Header::decode(header)?;
    if platform.is_some_and(|platform| platform != header.platform) {
        return Err(Rejection::new(Code::Frame, "platform"));
    }
    Ok(Some(header))
}

impl Session for EdgeSide {
    type Event = EdgeEvent;
    type Command = EdgeCommand;
    type Close = EdgeClose;

    fn handle_input(&mut self, bytes: &[u8], now: Timestamp) -> usize {
        self.handle_timeout(now);
        let mut taken = 0;
        while self.wants_input()
            && let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty())
        {
            taken += self.take(rest, now);
        }
        taken
    }

    fn handle_end(&mut self, now: Timestamp) {
        self.handle_timeout(now);
        match &mut self.state {
            State::Over(_) => {}
            State::Asked(question) => match question.then {
                Then::Continue => question.then = Then::Finish,
                Then::Finish | Then::Drain(_) => {}
            },
            State::Opening { .. } | State::Between { .. } | State::Inside { .. } => {
                if self.frame.is_empty() {
                    self.close(EdgeClose::Finished);
                } else {
                    self.bad_frame(Rejection::new(Code::Frame, "end of stream"));
                }
            }
        }
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= now) {
            self.fire(deadline, now);
        }
    }

    fn handle_command(&mut self, command: EdgeCommand, now: Timestamp) {
        self.handle_timeout(now);
        match (command, &mut self.state) {
            (_, State::Over(_)) => {}
            (EdgeCommand::Answer { question, answer }, _) => self.answered(question, answer, now),
            (EdgeCommand::Revoke, _) => self.close(EdgeClose::Revoked),
            (EdgeCommand::Drain(after), State::Asked(question)) => question.then = Then::Drain(after),
            (EdgeCommand::Drain(after), State::Opening { .. } | State::Between { .. } | State::Inside { .. }) => {
                self.proceed(Then::Drain(after), now);
            }
        }
    }

    fn poll_output(&mut self) -> Output<EdgeEvent, EdgeClose> {
        let idle = match &self.state {
            State::Over(reason) => Output::Close(*reason),
            State::Opening { .. } | State::Between { .. } | State::Inside { .. } | State::Asked(_) => {
                Output::Wait(self.deadline())
            }
        };
        self.outbox.next(|| idle)
    }

    fn wants_input(&self) -> bool {
        match self.state {
            State::Opening { .. } | State::Between { .. } | State::Inside { .. } => true,
            State::Asked(_) | State::Over(_) => false,
        }
    }
}

impl fmt::Debug for EdgeSide {
    /// Names the device only: requests and tokens do not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeSide").field("device_id", &self.device_id()).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl EdgeSide {
    /// Bytes on the heap that belong to this session alone.
    pub(in crate::session) fn heap_bytes(&self) -> usize {
        let id = self.device_id().map_or(0, |id| id.text().len());
        id + self.frame.capacity() + self.nonces.capacity() * size_of::<Nonce>()
    }
}
