//! Device, edge and backend joined: the device's connection, the control connection and the data connections, with the
//! least of owners that makes a relay of them.

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    string::String,
    vec::Vec,
};
use core::time::Duration;

use super::{
    describe::Readable,
    harness::{Chance, Cut, Link, Pair},
    samples::{self, BACKEND_PROOF, EDGE_PROOF, GENERATION, Op, PLATFORM, Who},
};
use crate::{
    Operation, Validator, canonical,
    frame::control::{Verdict, Welcome},
    grant::SignedGrant,
    ids::{DeviceId, Exporter, Generation, RequestId, Role, Token},
    limits,
    session::{
        control, data,
        device::{self, Answer, DeviceClose, EdgeClose, QuestionId},
    },
    time::Timestamp,
};

const EXPORTER: Exporter = Exporter([0xee; 32]);
pub(super) const SECOND: u64 = 1_000;

/// How the master answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Prompt,
    Slow(Duration),
    Busy(Duration),
    Mute,
}

pub(super) type Device = Pair<device::DeviceSide, device::EdgeSide>;
pub(super) type Control = Pair<control::BackendSide, control::EdgeSide>;
pub(super) type Data = Pair<data::BackendSide, data::EdgeSide>;

pub(super) struct Trio {
    pub(super) now: Timestamp,
    link: Link,
    pub(super) device: Device,
    pub(super) controls: Vec<Control>,
    pub(super) datas: Vec<Data>,
    log: Vec<String>,
    // The edge's owner.
    pub(super) up: Option<usize>,
    generation: Generation,
    asked: BTreeMap<RequestId, QuestionId>,
    offered: BTreeMap<Token, SignedGrant>,
    waiting: VecDeque<SignedGrant>,
    tokens: u8,
    // The master's owner.
    pub(super) mood: Mood,
    pub(super) refuses: Vec<DeviceId>,
    thinking: VecDeque<(Timestamp, RequestId, Verdict)>,
}

impl Trio {
    /// A device connected, and a master logged in.
    pub(super) fn new(cut: Cut, seed: u64) -> Self {
        let mut trio = Self::without_master(cut, seed);
        trio.log_in(GENERATION, BACKEND_PROOF);
        trio.pass(100);
        assert_eq!(trio.up, Some(0));
        trio
    }

    pub(super) fn without_master(cut: Cut, seed: u64) -> Self {
        let link = Link { latency: Duration::from_millis(10), cut, chance: Chance::new(seed) };
        let now = Timestamp::ORIGIN;
        let edge = device::EdgeSide::new(samples::validator(), now);
        Self {
            now,
            device: Pair::new(device::DeviceSide::new(), edge, link.clone(), now),
            link,
            controls: Vec::new(),
            datas: Vec::new(),
            log: Vec::new(),
            up: None,
            generation: Generation(0),
            asked: BTreeMap::new(),
            offered: BTreeMap::new(),
            waiting: VecDeque::new(),
            tokens: 0,
            mood: Mood::Prompt,
            refuses: Vec::new(),
            thinking: VecDeque::new(),
        }
    }

    pub(super) fn log_in(&mut self, generation: Generation, proof: [u8; 32]) {
        let role = Role::Master;
        let backend = control::BackendSide::new(role, samples::name(role), generation, proof, self.now);
        let edge = control::EdgeSide::new(self.now);
        self.controls.push(Pair::new(backend, edge, self.link.clone(), self.now));
    }

    /// A new connection of the device.
    pub(super) fn reconnect(&mut self) {
        let edge = device::EdgeSide::new(samples::validator(), self.now);
        self.device = Pair::new(device::DeviceSide::new(), edge, self.link.clone(), self.now);
    }

    /// Lets `millis` pass; the clock jumps from one thing to do to the next.
    pub(super) fn pass(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        loop {
            while self.step() {}
            let pairs = self.controls.iter().map(Pair::next).chain(self.datas.iter().map(Pair::next));
            let thinking = self.thinking.iter().map(|(time, ..)| Some(*time));
            let next = pairs.chain(thinking).chain([self.device.next()]).flatten().min();
            match next.filter(|next| *next <= until) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
        }
        self.now = until;
    }

    /// One thing that is due; whether there was one.
    fn step(&mut self) -> bool {
        let now = self.now;
        self.device_events()
            || self.control_events()
            || self.data_events()
            || self.answers()
            || self.device.step(now)
            || self.controls.iter_mut().any(|pair| pair.step(now))
            || self.datas.iter_mut().any(|pair| pair.step(now))
    }

    fn device_events(&mut self) -> bool {
        if let Some(event) = self.device.a.events.pop_front() {
            self.log.push(format!("device: {}", device::DeviceSide::event(&event)));
            return true;
        }
        let Some(event) = self.device.b.events.pop_front() else { return false };
        self.log.push(format!("edge: {}", device::EdgeSide::event(&event)));
        match event {
            device::EdgeEvent::Ask { question, request } => match self.up {
                Some(index) => {
                    let id = RequestId(u64::from(question.0) + 1_000);
                    self.asked.insert(id, question);
                    let request = canonical::encode(&request).unwrap();
                    self.controls[index]
                        .command_b(control::EdgeCommand::Ask { id, exporter: EXPORTER, request }, self.now);
                }
                None => self.answer(question, Answer::Later(limits::RETRY)),
            },
            device::EdgeEvent::Offered { token, grant, .. } => {
                self.offered.insert(token, grant);
            }
            device::EdgeEvent::Unanswered(_)
            | device::EdgeEvent::Authenticated(_)
            | device::EdgeEvent::Rejected { .. }
            | device::EdgeEvent::Refused { .. }
            | device::EdgeEvent::Pinged => {}
        }
        true
    }

    fn answer(&mut self, question: QuestionId, answer: Answer) {
        self.device.command_b(device::EdgeCommand::Answer { question, answer }, self.now);
    }

    fn control_events(&mut self) -> bool {
        for index in 0..self.controls.len() {
            if let Some(event) = self.controls[index].a.events.pop_front() {
                self.master(index, event);
                return true;
            }
            if let Some(event) = self.controls[index].b.events.pop_front() {
                self.edge(index, event);
                return true;
            }
        }
        false
    }

    fn edge(&mut self, index: usize, event: control::EdgeEvent) {
        match event {
            control::EdgeEvent::Prove(hello) if hello.proof == BACKEND_PROOF && hello.generation > self.generation => {
                if let Some(old) = self.up {
                    self.controls[old].command_b(control::EdgeCommand::Supersede, self.now);
                }
                self.up = Some(index);
                self.generation = hello.generation;
                let welcome = control::EdgeCommand::Welcome(Welcome { proof: EDGE_PROOF, spares_max: 4 });
                self.controls[index].command_b(welcome, self.now);
            }
            control::EdgeEvent::Prove(_) => self.controls[index].command_b(control::EdgeCommand::Reject, self.now),
            control::EdgeEvent::Answer { id, verdict } => {
                let Some(question) = self.asked.remove(&id) else { return };
                self.tokens += 1;
                let answer = match verdict {
                    Verdict::Accepted => Answer::Accepted,
                    Verdict::Refused => Answer::Refused,
                    Verdict::Later(after) => Answer::Later(after),
                    Verdict::Granted(grant) => Answer::Granted { grant, token: samples::token(self.tokens) },
                };
                self.answer(question, answer);
            }
            control::EdgeEvent::Revoke(id) => {
                if self.device.b.session.device_id() == Some(&id) {
                    self.device.command_b(device::EdgeCommand::Revoke, self.now);
                }
            }
            control::EdgeEvent::Leaving => self.up = None,
        }
    }

    fn master(&mut self, index: usize, event: control::BackendEvent) {
        match event {
            control::BackendEvent::Prove(welcome) => {
                let good = welcome.proof == EDGE_PROOF;
                let word = if good { control::BackendCommand::Trust } else { control::BackendCommand::Distrust };
                self.controls[index].command_a(word, self.now);
            }
            control::BackendEvent::Ask { id, exporter, request } => {
                assert_eq!(exporter, EXPORTER);
                let request = Validator::default().check_canonical(&request).unwrap();
                let (delay, verdict) = match self.mood {
                    Mood::Mute => return,
                    Mood::Busy(after) => (Duration::ZERO, Some(Verdict::Later(after))),
                    Mood::Prompt => (Duration::ZERO, None),
                    Mood::Slow(delay) => (delay, None),
                };
                let verdict = verdict.unwrap_or_else(|| match request.content.operation {
                    _ if self.refuses.contains(&request.content.device_id) => Verdict::Refused,
                    Operation::Auth | Operation::Ping => Verdict::Accepted,
                    Operation::Register { .. } | Operation::Transfer { .. } => Verdict::Granted(samples::grant(9)),
                });
                self.thinking.push_back((self.now + delay, id, verdict));
            }
            control::BackendEvent::Dial(count) => {
                for _ in 0..count {
                    self.park();
                }
            }
            control::BackendEvent::Leaving => self.log.push(String::from("master: edge leaving")),
        }
    }

    fn answers(&mut self) -> bool {
        let due = self.thinking.front().is_some_and(|(time, ..)| *time <= self.now);
        let Some((_, id, verdict)) = due.then(|| self.thinking.pop_front()).flatten() else { return false };
        let Some(index) = self.up else { return true };
        self.controls[index].command_a(control::BackendCommand::Answer { id, verdict }, self.now);
        true
    }

    /// The backend opens a data connection.
    pub(super) fn park(&mut self) {
        let role = Role::Master;
        let backend = data::BackendSide::new(role, samples::name(role), self.generation, BACKEND_PROOF, self.now);
        self.datas.push(Pair::new(backend, data::EdgeSide::new(self.now), self.link.clone(), self.now));
    }

    fn data_events(&mut self) -> bool {
        for pair in &mut self.datas {
            if let Some(data::EdgeEvent::Prove { proof, .. }) = pair.b.events.pop_front() {
                let good = proof == BACKEND_PROOF;
                let park = data::EdgeCommand::Park { proof: EDGE_PROOF };
                pair.command_b(if good { park } else { data::EdgeCommand::Reject }, self.now);
                if let Some(grant) = self.waiting.pop_front() {
                    pair.command_b(data::EdgeCommand::Assign { grant, remote: samples::remote() }, self.now);
                }
                return true;
            }
            match pair.a.events.pop_front() {
                Some(data::BackendEvent::Prove { proof }) => {
                    let good = proof == EDGE_PROOF;
                    let word = if good { data::BackendCommand::Trust } else { data::BackendCommand::Distrust };
                    pair.command_a(word, self.now);
                    return true;
                }
                Some(data::BackendEvent::Assigned { grant, remote }) => {
                    assert_eq!(remote, samples::remote());
                    self.log.push(format!("master: tunnel of grant {}", grant.signature[0]));
                    return true;
                }
                None => {}
            }
        }
        false
    }

    /// The device opens its tunnel: the edge burns the token, and takes a parked connection or asks for one.
    pub(super) fn claim(&mut self, token: Token) {
        let Some(grant) = self.offered.remove(&token) else { return };
        let parked = self.datas.iter_mut().find(|pair| pair.b.closed.is_none());
        match parked {
            Some(pair) => pair.command_b(data::EdgeCommand::Assign { grant, remote: samples::remote() }, self.now),
            None => {
                self.waiting.push_back(grant);
                let index = self.up.unwrap();
                self.controls[index].command_b(control::EdgeCommand::Dial(1), self.now);
            }
        }
    }

    pub(super) fn send(&mut self, who: Who, op: Op, nonce: u8) {
        let body = samples::body(who, op, nonce);
        self.device.command_a(device::DeviceCommand::Send { platform: PLATFORM, body }, self.now);
    }

    /// Sends a request, lets a second pass, and returns what was said.
    pub(super) fn ask(&mut self, who: Who, op: Op, nonce: u8) -> Vec<String> {
        self.send(who, op, nonce);
        self.heard_after(SECOND)
    }

    pub(super) fn heard_after(&mut self, millis: u64) -> Vec<String> {
        self.log.clear();
        self.pass(millis);
        core::mem::take(&mut self.log)
    }

    pub(super) fn authenticate(&mut self) {
        let heard = self.ask(Who::Ana, Op::Auth, 200);
        assert_eq!(heard.last().map(String::as_str), Some("device: accepted"));
    }

    pub(super) fn closes(&self) -> (Option<DeviceClose>, Option<EdgeClose>) {
        (self.device.a.closed, self.device.b.closed)
    }
}
