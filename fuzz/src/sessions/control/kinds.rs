//! Both sides of a control connection, in the model's words.

use std::time::Duration;

use relay_wire::{
    frame::control::{ControlFrame, Verdict, Welcome},
    grant::SignedGrant,
    ids::{BackendName, DeviceId, Exporter, Generation, RequestId, Role},
    request::Platform,
    session::control as real,
};

use super::model::{Close, Command, ControlModel, Event, kind};
use crate::{
    frames::{
        compare,
        layout::Come,
        messages::{CONTROL, Message, open},
    },
    sessions::host::Kind,
};

pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

pub(crate) fn role(number: u64) -> Role {
    if number == super::model::MASTER { Role::Master } else { Role::StorageNode }
}

fn name(bytes: &[u8]) -> Option<BackendName> {
    BackendName::new(std::str::from_utf8(bytes).ok()?).ok()
}

/// A hello's role, name, generation and proof.
pub(crate) fn hello(message: &Message) -> Option<(Role, BackendName, Generation, [u8; 32])> {
    let [of, generation, called, proof] = message.values.as_slice() else { return None };
    Some((role(of.number()), name(called.bytes())?, Generation(generation.number()), array(proof.bytes())))
}

fn welcome(message: &Message) -> Welcome {
    let spares_max = u16::try_from(message.values[1].number()).unwrap_or(u16::MAX);
    Welcome { proof: array(message.values[0].bytes()), spares_max }
}

fn verdict(message: &Message) -> Verdict {
    match &message.values[1..] {
        [tag] if tag.number() == 1 => Verdict::Accepted,
        [_, after] => Verdict::Later(Duration::from_millis(after.number())),
        [_, grant, signature] => {
            Verdict::Granted(SignedGrant { grant: grant.bytes().to_vec(), signature: array(signature.bytes()) })
        }
        _ => Verdict::Refused,
    }
}

fn revoked(message: &Message) -> DeviceId {
    let platform = u8::try_from(message.values[0].number()).ok().and_then(Platform::from_number);
    let text = String::from_utf8_lossy(message.values[1].bytes()).into_owned();
    DeviceId::new(platform.unwrap_or(Platform::Windows), text)
}

fn frame_word(bytes: &[u8]) -> String {
    let words = ["", "Hello", "Welcome", "Ask", "Answer", "Dial", "Revoke", "Leave", "Ping", "Pong"];
    match open(CONTROL, bytes) {
        Come::Whole(frame, length) if length == bytes.len() => {
            words.get(usize::from(frame.kind)).copied().unwrap_or_default().to_owned()
        }
        Come::Whole(..) | Come::Part | Come::Wrong => "what is no frame".to_owned(),
    }
}

fn close(close: &real::ControlClose) -> Close {
    match close {
        real::ControlClose::Finished => Close::Finished,
        real::ControlClose::HandshakeTimeout => Close::HandshakeTimeout,
        real::ControlClose::NotProved => Close::NotProved,
        // The word is for a log.
        real::ControlClose::Violation(_) => Close::Violation,
        real::ControlClose::Silent => Close::Silent,
        real::ControlClose::Superseded => Close::Superseded,
        real::ControlClose::Left => Close::Left,
    }
}

/// The edge's side.
pub(crate) struct EdgeKind;

impl Kind for EdgeKind {
    const NAME: &'static str = "edge";
    type Real = real::EdgeSide;
    type Model = ControlModel;

    fn command(&mut self, command: &Command) -> real::EdgeCommand {
        match command {
            Command::Trust | Command::Distrust => real::EdgeCommand::Reject,
            Command::End => real::EdgeCommand::Supersede,
            Command::Say(frame) => match frame.kind {
                kind::WELCOME => real::EdgeCommand::Welcome(welcome(frame)),
                kind::ASK => real::EdgeCommand::Ask {
                    id: RequestId(frame.values[0].number()),
                    exporter: Exporter(array(frame.values[1].bytes())),
                    request: frame.values[2].bytes().to_vec(),
                },
                kind::DIAL => real::EdgeCommand::Dial(u16::try_from(frame.values[0].number()).unwrap_or(0)),
                _ => real::EdgeCommand::Leave,
            },
        }
    }

    fn event(&mut self, event: real::EdgeEvent) -> Event {
        compare::control(&match event {
            real::EdgeEvent::Prove(hello) => ControlFrame::Hello(hello),
            real::EdgeEvent::Answer { id, verdict } => ControlFrame::Answer { id, verdict },
            real::EdgeEvent::Revoke(device_id) => ControlFrame::Revoke { device_id },
            real::EdgeEvent::Leaving => ControlFrame::Leave,
        })
    }

    fn close(reason: &real::ControlClose) -> Close {
        close(reason)
    }

    fn sent(bytes: &[u8]) -> String {
        frame_word(bytes)
    }
}

/// The backend's side.
pub(crate) struct BackendKind;

impl Kind for BackendKind {
    const NAME: &'static str = "backend";
    type Real = real::BackendSide;
    type Model = ControlModel;

    fn command(&mut self, command: &Command) -> real::BackendCommand {
        match command {
            Command::Trust => real::BackendCommand::Trust,
            Command::Distrust => real::BackendCommand::Distrust,
            Command::End => real::BackendCommand::Close,
            Command::Say(frame) => match frame.kind {
                kind::ANSWER => {
                    real::BackendCommand::Answer { id: RequestId(frame.values[0].number()), verdict: verdict(frame) }
                }
                kind::REVOKE => real::BackendCommand::Revoke(revoked(frame)),
                _ => real::BackendCommand::Leave,
            },
        }
    }

    fn event(&mut self, event: real::BackendEvent) -> Event {
        compare::control(&match event {
            real::BackendEvent::Prove(welcome) => ControlFrame::Welcome(welcome),
            real::BackendEvent::Ask { id, exporter, request } => ControlFrame::Ask { id, exporter, request },
            real::BackendEvent::Dial(count) => ControlFrame::Dial { count },
            real::BackendEvent::Leaving => ControlFrame::Leave,
        })
    }

    fn close(reason: &real::ControlClose) -> Close {
        close(reason)
    }

    fn sent(bytes: &[u8]) -> String {
        frame_word(bytes)
    }
}

/// A backend that says this hello.
pub(crate) fn backend(message: &Message, now: relay_wire::time::Timestamp) -> Option<real::BackendSide> {
    let (role, name, generation, proof) = hello(message)?;
    Some(real::BackendSide::new(role, name, generation, proof, now))
}
