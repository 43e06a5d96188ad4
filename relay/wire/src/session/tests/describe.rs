//! One line of text for everything that goes in and out of a machine.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Debug;

use crate::{
    frame::{
        control::{ControlFrame, Verdict},
        data::DataFrame,
        reply::Reply,
    },
    session::{Output, Session, control, data, device},
    time::Timestamp,
};

/// A machine whose words can be read.
pub(super) trait Readable: Session {
    fn event(event: &Self::Event) -> String;
    fn sent(bytes: &[u8]) -> String;
    fn close(reason: &Self::Close) -> String;
}

/// All outputs up to the wait or the close, deadlines relative to `now` (not at all if `None`).
pub(super) fn outputs<S: Readable>(session: &mut S, now: Option<Timestamp>) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match session.poll_output() {
            Output::Send(bytes) => lines.push(format!("send {}", S::sent(&bytes))),
            Output::Event(event) => lines.push(format!("event {}", S::event(&event))),
            Output::Close(reason) => {
                lines.push(format!("close {}", S::close(&reason)));
                return lines;
            }
            Output::Wait(until) => {
                match (until, now) {
                    (_, None) => {}
                    (None, Some(_)) => lines.push("wait".to_string()),
                    (Some(until), Some(now)) => lines.push(format!("wait {:?}", until.since(now))),
                }
                return lines;
            }
        }
    }
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Accepted => "accepted".to_string(),
        Reply::Refused => "refused".to_string(),
        Reply::Later(after) => format!("later {after:?}"),
        Reply::Tunnel(offer) => format!("tunnel {:?} for {:?}", offer.token.bytes()[0], offer.lifetime),
        Reply::Draining(after) => format!("draining {after:?}"),
    }
}

fn replies(bytes: &[u8]) -> String {
    match Reply::decode(bytes) {
        Ok(Some((found, length))) if length == bytes.len() => reply(&found),
        Ok(_) | Err(_) => format!("{} bytes", bytes.len()),
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted => "accepted".to_string(),
        Verdict::Refused => "refused".to_string(),
        Verdict::Later(after) => format!("later {after:?}"),
        Verdict::Granted(_) => "granted".to_string(),
    }
}

fn control_frame(frame: &ControlFrame) -> String {
    match frame {
        ControlFrame::Hello(hello) => format!("hello of {} {}", hello.role, hello.name),
        ControlFrame::Welcome(welcome) => format!("welcome with {} spares", welcome.spares_max),
        ControlFrame::Ask { id, .. } => format!("ask {}", id.0),
        ControlFrame::Answer { id, verdict: v } => format!("answer {} {}", id.0, verdict(v)),
        ControlFrame::Dial { count } => format!("dial {count}"),
        ControlFrame::Revoke { device_id } => format!("revoke {device_id}"),
        ControlFrame::Leave => "leave".to_string(),
        ControlFrame::Ping => "ping".to_string(),
        ControlFrame::Pong => "pong".to_string(),
    }
}

fn control_frames(bytes: &[u8]) -> String {
    ControlFrame::decode(bytes).unwrap().map_or_else(String::new, |(frame, _)| control_frame(&frame))
}

fn data_frames(bytes: &[u8]) -> String {
    match DataFrame::decode(bytes).unwrap().map(|(frame, _)| frame) {
        Some(DataFrame::Hello { role, name, .. }) => format!("hello of {role} {name}"),
        Some(DataFrame::Parked { .. }) => "parked".to_string(),
        Some(DataFrame::Assign { remote, .. }) => format!("assign from port {}", remote.port),
        None => String::new(),
    }
}

impl Readable for device::EdgeSide {
    fn event(event: &device::EdgeEvent) -> String {
        use device::EdgeEvent as E;
        match event {
            E::Ask { question, request } => {
                format!(
                    "ask {}: {} of {}",
                    question.0,
                    request.content.operation.name().as_str(),
                    request.content.device_id
                )
            }
            E::Unanswered(question) => format!("unanswered {}", question.0),
            E::Authenticated(id) => format!("authenticated {id}"),
            E::Offered { token, request, .. } => {
                format!("offered {} for {}", token.bytes()[0], request.content.operation.name().as_str())
            }
            E::Rejected { platform, rejection } => format!("rejected {rejection} ({platform})"),
            E::Refused { reason } => format!("refused {reason}"),
            E::Pinged => "pinged".to_string(),
        }
    }
    fn sent(bytes: &[u8]) -> String {
        replies(bytes)
    }
    fn close(reason: &device::EdgeClose) -> String {
        match reason {
            device::EdgeClose::BadFrame(rejection) => format!("BadFrame({rejection})"),
            device::EdgeClose::Finished
            | device::EdgeClose::Unauthenticated
            | device::EdgeClose::Refused
            | device::EdgeClose::Idle
            | device::EdgeClose::Revoked
            | device::EdgeClose::Draining => debug(reason),
        }
    }
}

impl Readable for device::DeviceSide {
    fn event(event: &device::DeviceEvent) -> String {
        use device::DeviceEvent as E;
        match event {
            E::Accepted => reply(&Reply::Accepted),
            E::Refused => reply(&Reply::Refused),
            E::Later(after) => reply(&Reply::Later(*after)),
            E::Tunnel(offer) => reply(&Reply::Tunnel(offer.clone())),
            E::Draining(after) => reply(&Reply::Draining(*after)),
        }
    }
    fn sent(bytes: &[u8]) -> String {
        format!("{} bytes", bytes.len())
    }
    fn close(reason: &device::DeviceClose) -> String {
        debug(reason)
    }
}

impl Readable for control::EdgeSide {
    fn event(event: &control::EdgeEvent) -> String {
        use control::EdgeEvent as E;
        match event {
            E::Prove(hello) => format!("prove {} {}", hello.role, hello.name),
            E::Answer { id, verdict: v } => format!("answer {} {}", id.0, verdict(v)),
            E::Revoke(id) => format!("revoke {id}"),
            E::Leaving => "leaving".to_string(),
        }
    }
    fn sent(bytes: &[u8]) -> String {
        control_frames(bytes)
    }
    fn close(reason: &control::ControlClose) -> String {
        debug(reason)
    }
}

impl Readable for control::BackendSide {
    fn event(event: &control::BackendEvent) -> String {
        use control::BackendEvent as E;
        match event {
            E::Prove(welcome) => format!("prove with {} spares", welcome.spares_max),
            E::Ask { id, .. } => format!("ask {}", id.0),
            E::Dial(count) => format!("dial {count}"),
            E::Leaving => "leaving".to_string(),
        }
    }
    fn sent(bytes: &[u8]) -> String {
        control_frames(bytes)
    }
    fn close(reason: &control::ControlClose) -> String {
        debug(reason)
    }
}

impl Readable for data::EdgeSide {
    fn event(event: &data::EdgeEvent) -> String {
        let data::EdgeEvent::Prove { role, name, .. } = event;
        format!("prove {role} {name}")
    }
    fn sent(bytes: &[u8]) -> String {
        data_frames(bytes)
    }
    fn close(reason: &data::DataClose) -> String {
        debug(reason)
    }
}

impl Readable for data::BackendSide {
    fn event(event: &data::BackendEvent) -> String {
        match event {
            data::BackendEvent::Prove { .. } => "prove".to_string(),
            data::BackendEvent::Assigned { remote, .. } => format!("assigned from port {}", remote.port),
        }
    }
    fn sent(bytes: &[u8]) -> String {
        data_frames(bytes)
    }
    fn close(reason: &data::DataClose) -> String {
        debug(reason)
    }
}
