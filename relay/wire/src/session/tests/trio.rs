//! Device, edge and backend joined: the device's connection, the control connection and the data connections, with the
//! least of owners that makes a relay of them.

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    string::String,
    vec,
    vec::Vec,
};
use core::time::Duration;

use super::{
    describe::Readable,
    harness::{Chance, Cut, Link, Loss, Pair},
    samples::{self, BACKEND_PROOF, EDGE_PROOF, GENERATION, Op, PLATFORM, Who},
};
use crate::{
    Operation, Validator, canonical,
    frame::control::{Verdict, Welcome},
    grant::SignedGrant,
    ids::{DeviceId, Exporter, Generation, RequestId, Role, Token},
    limits,
    session::{
        control,
        data::{self, DataClose},
        device::{self, Answer, DeviceClose, EdgeClose, QuestionId},
    },
    time::Timestamp,
};

const EXPORTER: Exporter = Exporter([0xee; 32]);
const SECOND: u64 = 1_000;

/// How the master answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Prompt,
    Slow(Duration),
    Busy(Duration),
    Mute,
}

type Device = Pair<device::DeviceSide, device::EdgeSide>;
type Control = Pair<control::BackendSide, control::EdgeSide>;
type Data = Pair<data::BackendSide, data::EdgeSide>;

struct Trio {
    now: Timestamp,
    link: Link,
    device: Device,
    controls: Vec<Control>,
    datas: Vec<Data>,
    log: Vec<String>,
    // The edge's owner.
    up: Option<usize>,
    generation: Generation,
    asked: BTreeMap<RequestId, QuestionId>,
    offered: BTreeMap<Token, SignedGrant>,
    waiting: VecDeque<SignedGrant>,
    tokens: u8,
    // The master's owner.
    mood: Mood,
    refuses: Vec<DeviceId>,
    thinking: VecDeque<(Timestamp, RequestId, Verdict)>,
}

impl Trio {
    /// A device connected, and a master logged in.
    fn new(cut: Cut, seed: u64) -> Self {
        let mut trio = Self::without_master(cut, seed);
        trio.log_in(GENERATION, BACKEND_PROOF);
        trio.pass(100);
        assert_eq!(trio.up, Some(0));
        trio
    }

    fn without_master(cut: Cut, seed: u64) -> Self {
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

    fn log_in(&mut self, generation: Generation, proof: [u8; 32]) {
        let role = Role::Master;
        let backend = control::BackendSide::new(role, samples::name(role), generation, proof, self.now);
        let edge = control::EdgeSide::new(self.now);
        self.controls.push(Pair::new(backend, edge, self.link.clone(), self.now));
    }

    /// A new connection of the device.
    fn reconnect(&mut self) {
        let edge = device::EdgeSide::new(samples::validator(), self.now);
        self.device = Pair::new(device::DeviceSide::new(), edge, self.link.clone(), self.now);
    }

    /// Lets `millis` pass; the clock jumps from one thing to do to the next.
    fn pass(&mut self, millis: u64) {
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
    fn park(&mut self) {
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
    fn claim(&mut self, token: Token) {
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

    fn send(&mut self, who: Who, op: Op, nonce: u8) {
        let body = samples::body(who, op, nonce);
        self.device.command_a(device::DeviceCommand::Send { platform: PLATFORM, body }, self.now);
    }

    /// Sends a request, lets a second pass, and returns what was said.
    fn ask(&mut self, who: Who, op: Op, nonce: u8) -> Vec<String> {
        self.send(who, op, nonce);
        self.heard_after(SECOND)
    }

    fn heard_after(&mut self, millis: u64) -> Vec<String> {
        self.log.clear();
        self.pass(millis);
        core::mem::take(&mut self.log)
    }

    fn authenticate(&mut self) {
        let heard = self.ask(Who::Ana, Op::Auth, 200);
        assert_eq!(heard.last().map(String::as_str), Some("device: accepted"));
    }

    fn closes(&self) -> (Option<DeviceClose>, Option<EdgeClose>) {
        (self.device.a.closed, self.device.b.closed)
    }
}

fn trio() -> Trio {
    Trio::new(Cut::Pieces, 1)
}

#[test]
fn from_first_contact_to_a_tunnel_however_the_bytes_are_cut() {
    for (cut, seed) in [(Cut::Whole, 0), (Cut::Bytes, 0), (Cut::Pieces, 1), (Cut::Pieces, 2), (Cut::Pieces, 3)] {
        let mut trio = Trio::new(cut, seed);
        let id = "macos:4C4C4544-0042-3510-8052-B4C04F4A5931";
        assert_eq!(
            trio.ask(Who::Ana, Op::Register, 1),
            [&format!("edge: ask 1: register of {id}"), "edge: offered 1 for register", "device: tunnel 1 for 30s"]
        );
        assert_eq!(
            trio.ask(Who::Ana, Op::Auth, 2),
            [&format!("edge: ask 2: auth of {id}"), &format!("edge: authenticated {id}"), "device: accepted"]
        );
        assert_eq!(trio.ask(Who::Ana, Op::Ping, 3), ["edge: pinged", "device: accepted"]);
        for (op, name, nonce, token) in
            [(Op::Backup, "backup", 4, 3), (Op::Restore, "restore", 5, 4), (Op::Sync, "sync", 6, 5)]
        {
            assert_eq!(
                trio.ask(Who::Ana, op, nonce),
                [
                    format!("edge: ask {}: {name} of {id}", nonce - 1),
                    format!("edge: offered {token} for {name}"),
                    format!("device: tunnel {token} for 30s")
                ]
            );
        }
        trio.device.command_a(device::DeviceCommand::Close, trio.now);
        trio.pass(SECOND);
        assert_eq!(trio.closes(), (Some(DeviceClose::Left), Some(EdgeClose::Finished)));
    }
}

#[test]
fn a_spare_connection_carries_the_tunnel_or_one_is_dialled() {
    let mut trio = trio();
    trio.authenticate();
    trio.park();
    for nonce in [1, 2] {
        trio.ask(Who::Ana, Op::Backup, nonce);
        trio.claim(samples::token(nonce + 1));
        assert_eq!(trio.heard_after(SECOND), ["master: tunnel of grant 9"]);
    }
    assert_eq!(trio.datas.len(), 2);
    for pair in &trio.datas {
        assert_eq!((pair.a.closed, pair.b.closed), (Some(DataClose::HandOver), Some(DataClose::HandOver)));
    }
}

#[test]
fn without_a_master_the_device_comes_later() {
    let mut trio = Trio::without_master(Cut::Pieces, 4);
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: later 5s");
    trio.log_in(GENERATION, BACKEND_PROOF);
    trio.pass(100);
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 2).last().unwrap(), "device: accepted");
}

#[test]
fn a_busy_master_is_heard() {
    let mut trio = trio();
    trio.mood = Mood::Busy(Duration::from_secs(42));
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: later 42s");
}

#[test]
fn a_mute_master_makes_the_session_answer_by_itself() {
    let mut trio = trio();
    trio.mood = Mood::Mute;
    trio.send(Who::Ana, Op::Auth, 1);
    assert_eq!(trio.heard_after(5_900).len(), 1);
    assert_eq!(trio.heard_after(SECOND), ["edge: unanswered 1", "device: later 5s"]);
}

#[test]
fn a_late_answer_is_not_the_answer_to_the_next_question() {
    let mut trio = trio();
    trio.mood = Mood::Slow(Duration::from_secs(8));
    trio.send(Who::Ana, Op::Auth, 1);
    assert_eq!(trio.heard_after(7_000).last().unwrap(), "device: later 5s");
    // A second device id on the same connection, which the master will never accept.
    trio.mood = Mood::Mute;
    trio.send(Who::Ben, Op::Auth, 2);
    let heard = trio.heard_after(10_000);
    assert_eq!(heard.last().unwrap(), "device: later 5s");
    assert!(!heard.iter().any(|line| line.contains("authenticated")));
    assert_eq!(trio.device.b.session.device_id(), None);
}

#[test]
fn a_stranger_is_closed_when_the_master_refuses() {
    let mut trio = trio();
    trio.refuses = vec![samples::device_id(Who::Ben)];
    let heard = trio.ask(Who::Ben, Op::Register, 1);
    assert_eq!(heard[1..], ["edge: refused master", "device: refused"]);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Refused)));
    trio.reconnect();
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 2).last().unwrap(), "device: accepted");
}

#[test]
fn a_revoked_device_is_gone_at_once() {
    let mut trio = trio();
    trio.authenticate();
    let revoke = |who| control::BackendCommand::Revoke(samples::device_id(who));
    trio.controls[0].command_a(revoke(Who::Ben), trio.now);
    trio.pass(SECOND);
    assert_eq!(trio.closes(), (None, None));
    trio.mood = Mood::Mute;
    trio.send(Who::Ana, Op::Backup, 1);
    trio.pass(SECOND);
    trio.controls[0].command_a(revoke(Who::Ana), trio.now);
    trio.pass(SECOND);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Revoked)));
}

#[test]
fn draining_finishes_the_answer_under_way() {
    let mut trio = trio();
    trio.mood = Mood::Slow(Duration::from_secs(2));
    trio.send(Who::Ana, Op::Auth, 1);
    trio.pass(SECOND);
    trio.device.command_b(device::EdgeCommand::Drain(Duration::from_secs(3)), trio.now);
    let heard = trio.heard_after(3 * SECOND);
    assert_eq!(heard[1..], ["device: accepted", "device: draining 3s"]);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Draining)));
}

#[test]
fn a_request_that_meets_the_draining_is_not_answered() {
    let mut trio = trio();
    trio.authenticate();
    trio.send(Who::Ana, Op::Ping, 1);
    trio.device.command_b(device::EdgeCommand::Drain(Duration::from_secs(3)), trio.now);
    assert_eq!(trio.heard_after(SECOND), ["device: draining 3s"]);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Draining)));
}

#[test]
fn an_edge_that_leaves_tells_its_backends() {
    let mut trio = trio();
    trio.controls[0].command_b(control::EdgeCommand::Leave, trio.now);
    trio.controls[0].command_b(control::EdgeCommand::Leave, trio.now);
    assert_eq!(trio.heard_after(60 * SECOND), ["master: edge leaving"]);
    assert_eq!((trio.controls[0].a.closed, trio.controls[0].b.closed), (None, None));
    // What was asked before is still answered.
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).len(), 0, "the device's own minute has passed");
    trio.reconnect();
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 2).last().unwrap(), "device: accepted");
}

#[test]
fn a_master_that_leaves_gets_nothing_new() {
    let mut trio = trio();
    trio.controls[0].command_a(control::BackendCommand::Leave, trio.now);
    trio.pass(SECOND);
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: later 5s");
    trio.controls[0].command_a(control::BackendCommand::Close, trio.now);
    trio.pass(SECOND);
    let closes = (trio.controls[0].a.closed, trio.controls[0].b.closed);
    assert_eq!(closes, (Some(control::ControlClose::Left), Some(control::ControlClose::Finished)));
}

#[test]
fn a_newer_life_takes_over_and_an_older_one_is_refused() {
    let mut trio = trio();
    trio.controls[0].lose(Loss::Silence, trio.now);
    trio.log_in(Generation(GENERATION.0 + 1), BACKEND_PROOF);
    trio.pass(SECOND);
    assert_eq!(trio.up, Some(1));
    assert_eq!(trio.controls[0].b.closed, Some(control::ControlClose::Superseded));
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: accepted");
    trio.log_in(GENERATION, BACKEND_PROOF);
    trio.pass(SECOND);
    assert_eq!(trio.controls[2].b.closed, Some(control::ControlClose::NotProved));
    assert_eq!(trio.up, Some(1));
}

#[test]
fn a_backend_without_the_key_stays_outside() {
    let mut trio = Trio::without_master(Cut::Whole, 5);
    trio.log_in(GENERATION, [0; 32]);
    trio.pass(SECOND);
    assert_eq!(trio.up, None);
    let closes = (trio.controls[0].a.closed, trio.controls[0].b.closed);
    assert_eq!(closes, (Some(control::ControlClose::Finished), Some(control::ControlClose::NotProved)));
}

#[test]
fn a_day_of_quiet_costs_heartbeats_only() {
    let mut trio = trio();
    trio.authenticate();
    for minute in 0..24 * 60 {
        if minute % 30 == 0 {
            trio.send(Who::Ana, Op::Ping, u8::try_from(minute / 30 % 40 + 1).unwrap());
        }
        trio.pass(60 * SECOND);
    }
    assert_eq!((trio.controls[0].a.closed, trio.controls[0].b.closed), (None, None));
    assert_eq!(trio.closes(), (None, None));
}

#[test]
fn a_cut_cable_is_found_and_a_device_told_meanwhile() {
    let mut trio = trio();
    trio.controls[0].lose(Loss::Silence, trio.now);
    trio.send(Who::Ana, Op::Auth, 1);
    assert_eq!(trio.heard_after(7 * SECOND).last().unwrap(), "device: later 5s");
    trio.pass(9 * SECOND);
    let closes = (trio.controls[0].a.closed, trio.controls[0].b.closed);
    assert_eq!(closes, (Some(control::ControlClose::Silent), Some(control::ControlClose::Silent)));
}

#[test]
fn a_device_that_hears_nothing_gives_up() {
    let mut trio = trio();
    trio.authenticate();
    trio.send(Who::Ana, Op::Ping, 1);
    trio.device.lose(Loss::Silence, trio.now);
    trio.pass(14 * SECOND);
    assert_eq!(trio.closes(), (None, None));
    trio.pass(SECOND);
    assert_eq!(trio.closes(), (Some(DeviceClose::Timeout), None));
    trio.pass(40 * 60 * SECOND);
    assert_eq!(trio.closes(), (Some(DeviceClose::Timeout), Some(EdgeClose::Idle)));
}

#[test]
fn a_lost_connection_ends_both_sides_wherever_it_is_lost() {
    for moment in (0..400).step_by(7) {
        let mut trio = trio();
        trio.send(Who::Ana, Op::Auth, 1);
        trio.pass(moment);
        trio.device.lose(Loss::Reset, trio.now);
        for control in &mut trio.controls {
            control.lose(Loss::Reset, trio.now);
        }
        trio.pass(20 * SECOND);
        let (device, edge) = trio.closes();
        assert!(matches!(device, Some(DeviceClose::Finished | DeviceClose::Violation)), "{moment}: {device:?}");
        assert!(matches!(edge, Some(EdgeClose::Finished | EdgeClose::BadFrame(_))), "{moment}: {edge:?}");
        for half in [trio.controls[0].a.closed, trio.controls[0].b.closed] {
            assert!(matches!(half, Some(control::ControlClose::Finished | control::ControlClose::Violation(_))));
        }
    }
}
