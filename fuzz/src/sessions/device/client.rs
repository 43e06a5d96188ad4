//! SPEC §9.1.11, the device's side: the reference model.

use std::time::Duration;

use relay_wire::{Platform, frame::reply::Reply, session::device as real};

use crate::{
    frames::{
        compare,
        layout::Come,
        messages::{Message, only_body_is_missing, open_reply, opening},
    },
    sessions::{
        host::{Kind, Model, Said},
        limits,
    },
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Send { platform: u8, body: Vec<u8> },
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    Finished,
    Violation,
    Timeout,
    Left,
}

/// What a device hears is the reply, as it was decoded.
pub(crate) type Event = Message;

#[derive(Clone, Copy)]
enum State {
    Ready,
    Waiting(Duration),
    Over(Close),
}

pub(crate) struct ClientModel {
    state: State,
    frame: Vec<u8>,
    said: Vec<Said<Event, Close>>,
}

impl ClientModel {
    pub(crate) fn new() -> Self {
        Self { state: State::Ready, frame: Vec::new(), said: Vec::new() }
    }

    pub(crate) fn waits(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    fn close(&mut self, reason: Close) {
        self.state = State::Over(reason);
        self.frame.clear();
    }
}

impl Model for ClientModel {
    type Command = Command;
    type Event = Event;
    type Close = Close;

    fn wants(&self) -> bool {
        self.closed().is_none()
    }

    fn byte(&mut self, byte: u8, _last: bool, _now: Duration) {
        self.frame.push(byte);
        if only_body_is_missing(&self.frame, 12) {
            return;
        }
        match open_reply(&self.frame) {
            Come::Part => {}
            Come::Wrong => self.close(Close::Violation),
            Come::Whole(reply, _) => {
                self.frame.clear();
                let (drains, asked) = (reply.kind == 5, self.waits());
                if drains || asked {
                    self.said.push(Said::Event(reply));
                    self.state = State::Ready;
                }
                if drains {
                    self.close(Close::Finished);
                } else if !asked {
                    self.close(Close::Violation);
                }
            }
        }
    }

    fn end(&mut self) {
        match self.state {
            State::Over(_) => {}
            State::Ready | State::Waiting(_) if self.frame.is_empty() => self.close(Close::Finished),
            State::Ready | State::Waiting(_) => self.close(Close::Violation),
        }
    }

    fn tick(&mut self, now: Duration) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.close(Close::Timeout);
        }
    }

    fn command(&mut self, command: Command, now: Duration) {
        match (command, self.state) {
            (_, State::Over(_)) | (Command::Send { .. }, State::Waiting(_)) => {}
            (Command::Send { platform, body }, State::Ready) => {
                let mut frame = opening(platform, u32::try_from(body.len()).unwrap_or(u32::MAX)).to_vec();
                frame.extend(body);
                self.said.push(Said::Send(frame));
                self.state = State::Waiting(now);
            }
            (Command::Close, _) => self.close(Close::Left),
        }
    }

    fn said(&mut self) -> Vec<Said<Event, Close>> {
        std::mem::take(&mut self.said)
    }

    fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Waiting(since) => Some(since + limits::REPLY),
            State::Ready | State::Over(_) => None,
        }
    }

    fn closed(&self) -> Option<Close> {
        match self.state {
            State::Over(reason) => Some(reason),
            State::Ready | State::Waiting(_) => None,
        }
    }

    fn held(&self) -> usize {
        self.frame.len()
    }
}

/// The device's side.
pub(crate) struct ClientKind;

impl Kind for ClientKind {
    const NAME: &'static str = "device";
    type Real = real::DeviceSide;
    type Model = ClientModel;

    fn command(&mut self, command: &Command) -> real::DeviceCommand {
        match command {
            Command::Close => real::DeviceCommand::Close,
            Command::Send { platform, body } => real::DeviceCommand::Send {
                platform: Platform::from_number(*platform).unwrap_or(Platform::Windows),
                body: body.clone(),
            },
        }
    }

    fn event(&mut self, event: real::DeviceEvent) -> Event {
        compare::reply(&match event {
            real::DeviceEvent::Accepted => Reply::Accepted,
            real::DeviceEvent::Refused => Reply::Refused,
            real::DeviceEvent::Later(after) => Reply::Later(after),
            real::DeviceEvent::Tunnel(offer) => Reply::Tunnel(offer),
            real::DeviceEvent::Draining(after) => Reply::Draining(after),
        })
    }

    fn close(close: &real::DeviceClose) -> Close {
        match close {
            real::DeviceClose::Finished => Close::Finished,
            real::DeviceClose::Violation => Close::Violation,
            real::DeviceClose::Timeout => Close::Timeout,
            real::DeviceClose::Left => Close::Left,
        }
    }

    fn sent(bytes: &[u8]) -> String {
        format!("a request of {}", if bytes.starts_with(b"EDG1") { "a platform" } else { "nothing" })
    }
}
