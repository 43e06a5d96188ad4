//! Both sides of a data connection, in the model's words.

use relay_wire::{
    frame::data::{DataFrame, Remote},
    grant::SignedGrant,
    session::data as real,
    time::Timestamp,
};

use super::model::{Close, Command, DataModel, Event, kind};
use crate::{
    frames::{
        compare,
        layout::{Come, Value},
        messages::{DATA, Message, open},
    },
    sessions::{
        control::kinds::{array, hello},
        host::Kind,
    },
};

fn frame_word(bytes: &[u8]) -> String {
    match open(DATA, bytes) {
        Come::Whole(frame, length) if length == bytes.len() => match frame.kind {
            kind::HELLO => "Hello".to_owned(),
            kind::PARKED => "Parked".to_owned(),
            _ => "Assign".to_owned(),
        },
        Come::Whole(..) | Come::Part | Come::Wrong => "what is no frame".to_owned(),
    }
}

fn close(close: &real::DataClose) -> Close {
    match close {
        real::DataClose::Finished => Close::Finished,
        real::DataClose::HandshakeTimeout => Close::HandshakeTimeout,
        real::DataClose::NotProved => Close::NotProved,
        // The word is for a log.
        real::DataClose::Violation(_) => Close::Violation,
        real::DataClose::Left => Close::Left,
        real::DataClose::HandOver => Close::HandOver,
    }
}

/// The edge's side.
pub(crate) struct EdgeKind;

impl Kind for EdgeKind {
    const NAME: &'static str = "edge";
    type Real = real::EdgeSide;
    type Model = DataModel;

    fn command(&mut self, command: &Command) -> real::EdgeCommand {
        match command {
            Command::Close => real::EdgeCommand::Close,
            Command::Trust | Command::Distrust => real::EdgeCommand::Reject,
            Command::Say(frame) => match frame.values.as_slice() {
                [address, port, grant, signature] => real::EdgeCommand::Assign {
                    grant: SignedGrant { grant: grant.bytes().to_vec(), signature: array(signature.bytes()) },
                    remote: Remote { address: array(address.bytes()), port: u16::try_from(port.number()).unwrap_or(0) },
                },
                values => real::EdgeCommand::Park { proof: array(values.first().map_or(&[], Value::bytes)) },
            },
        }
    }

    fn event(&mut self, event: real::EdgeEvent) -> Event {
        let real::EdgeEvent::Prove { role, name, generation, proof } = event;
        compare::data(&DataFrame::Hello { role, name, generation, proof })
    }

    fn close(reason: &real::DataClose) -> Close {
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
    type Model = DataModel;

    fn command(&mut self, command: &Command) -> real::BackendCommand {
        match command {
            Command::Trust | Command::Say(_) => real::BackendCommand::Trust,
            Command::Distrust => real::BackendCommand::Distrust,
            Command::Close => real::BackendCommand::Close,
        }
    }

    fn event(&mut self, event: real::BackendEvent) -> Event {
        compare::data(&match event {
            real::BackendEvent::Prove { proof } => DataFrame::Parked { proof },
            real::BackendEvent::Assigned { grant, remote } => DataFrame::Assign { grant, remote },
        })
    }

    fn close(reason: &real::DataClose) -> Close {
        close(reason)
    }

    fn sent(bytes: &[u8]) -> String {
        frame_word(bytes)
    }
}

/// A backend that says this hello.
pub(crate) fn backend(message: &Message, now: Timestamp) -> Option<real::BackendSide> {
    let (role, name, generation, proof) = hello(message)?;
    Some(real::BackendSide::new(role, name, generation, proof, now))
}
