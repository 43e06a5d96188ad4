//! Both sides of a device's connection, joined.

use std::time::Duration;

use relay_wire::session::device::DeviceSide;

use super::{
    ACCEPTED, ORACLE, answer_of, bodies,
    client::{self, ClientKind, ClientModel},
    code, edge, edge_host,
    edge_kind::EdgeKind,
    question_of, request,
};
use crate::{
    run::finding,
    sessions::{
        host::{Host, Model},
        ops::{self, Op},
        wire::Wire,
    },
};

/// Both sides and the bytes between them.
struct Joined {
    device: Host<ClientKind>,
    edge: Host<EdgeKind>,
    to_edge: Wire,
    to_device: Wire,
    now: Duration,
    /// Requests that the device sent.
    requests: usize,
    /// Replies that it heard, but for `Draining`.
    replies: usize,
    /// The connection was cut in the middle.
    cut: bool,
}

/// What holds from end to end between two honest sides.
pub(super) fn joined(platform: u8, ops: &[Op]) {
    let device = Host::new(ORACLE, ClientKind, DeviceSide::new(), ClientModel::new());
    let mut both = Joined {
        device,
        edge: edge_host(),
        to_edge: Wire::default(),
        to_device: Wire::default(),
        now: ACCEPTED,
        requests: 0,
        replies: 0,
        cut: false,
    };
    for op in ops {
        both.step(platform, op);
        both.carry();
        both.judge();
    }
}

impl Joined {
    fn step(&mut self, platform: u8, op: &Op) {
        let now = self.now;
        match op.code % code::COUNT {
            code::REQUEST | code::REQUEST_TOO | code::CHANGED => {
                self.send(platform, request(platform, op.a, op.b).split_off(12))
            }
            code::REFUSED => self.send(platform, bodies::refused(platform, usize::from(op.a)).to_vec()),
            code::ANSWER => {
                let question = question_of(op, self.edge.model.asked);
                let answer = answer_of(op, self.edge.model.asks_auth());
                self.edge.command(&edge::Command::Answer { question, answer }, now);
            }
            code::LEAVE => match op.a % 4 {
                0 => self.edge.command(&edge::Command::Revoke, now),
                1 => self.device.command(&client::Command::Close, now),
                _ => self.edge.command(&edge::Command::Drain(ops::duration(op.b, op.c)), now),
            },
            code::END => {
                self.cut = true;
                self.edge.end(now);
                self.device.end(now);
            }
            code::TIME | code::TIME_TOO => {
                let next = self.device.model.deadline().into_iter().chain(self.edge.model.deadline()).min();
                self.now = ops::later(op, now, next);
                self.edge.timeout(self.now);
                self.device.timeout(self.now);
            }
            code::RAW | code::DELIVER => {
                let (count, one_by_one) = (usize::from(op.a), op.b & 1 == 1);
                self.to_edge.offer(&mut self.edge, count, one_by_one, now);
                self.to_device.offer(&mut self.device, usize::from(op.c), one_by_one, now);
                return;
            }
            _ => self.edge.timeout(now),
        }
        // Otherwise all that was sent arrives, but for what is held back: delivery comes in pieces later.
        self.carry();
        if op.c % 4 != 3 {
            self.to_edge.offer(&mut self.edge, usize::MAX, op.c % 4 == 2, now);
            self.carry();
            self.to_device.offer(&mut self.device, usize::MAX, op.c % 4 == 2, now);
        }
    }

    fn send(&mut self, platform: u8, body: Vec<u8>) {
        if self.device.model.closed().is_none() && !self.device.model.waits() {
            self.requests += 1;
        }
        self.device.command(&client::Command::Send { platform, body }, self.now);
    }

    fn carry(&mut self) {
        self.to_edge.put(&std::mem::take(&mut self.device.sent));
        self.to_device.put(&std::mem::take(&mut self.edge.sent));
        self.replies += self.device.events.drain(..).filter(|reply| reply.kind != 5).count();
    }

    fn judge(&self) {
        let wrong = |what: &str| finding(ORACLE, format_args!("joined: {what}"), "");
        if self.replies > self.requests {
            wrong("more replies than requests");
        }
        if self.device.model.closed() == Some(client::Close::Violation) && !self.cut {
            wrong("the device finds a violation in what the edge said");
        }
        match self.edge.model.closed() {
            Some(edge::Close::BadFrame(_, "deadline" | "end of stream")) | None => {}
            Some(edge::Close::BadFrame(..)) => wrong("the edge finds a bad frame in what the device said"),
            Some(
                edge::Close::Finished
                | edge::Close::Unauthenticated
                | edge::Close::Refused
                | edge::Close::Idle
                | edge::Close::Revoked
                | edge::Close::Draining,
            ) => {}
        }
        let over = self.edge.model.closed().is_some() || self.device.model.closed().is_some();
        let still = self.to_edge.bytes.is_empty() && self.to_device.bytes.is_empty() && self.edge.model.held() == 0;
        if !over && still && self.edge.model.wants() && self.replies != self.requests {
            wrong("a request was never answered");
        }
    }
}
