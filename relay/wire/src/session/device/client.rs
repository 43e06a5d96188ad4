//! SPEC §9.1: a device's side of its connection.

use core::fmt;

use super::{DeviceClose, DeviceCommand, DeviceEvent};
use crate::{
    frame::{opening::Header, reply::Reply},
    limits,
    session::{Outbox, Output, Session, deframer::Deframer},
    time::Timestamp,
};

/// A device's side of its connection: one request at a time, one reply each.
///
/// Between two requests it waits without a deadline: how long to hold the connection, and when to ping, is its owner's to
/// decide.
pub struct DeviceSide {
    state: State,
    deframer: Deframer,
    outbox: Outbox<DeviceEvent>,
}

#[derive(Clone, Copy)]
enum State {
    /// For the owner to send a request.
    Ready,
    /// For the reply.
    Waiting {
        until: Timestamp,
    },
    Over(DeviceClose),
}

impl DeviceSide {
    /// A session on a connection that stands.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Ready, deframer: Deframer::new(), outbox: Outbox::new() }
    }

    fn close(&mut self, reason: DeviceClose) {
        self.deframer = Deframer::new();
        self.state = State::Over(reason);
    }

    fn hear(&mut self, reply: Reply) {
        let event = match (reply, self.state) {
            (Reply::Draining(after), _) => {
                self.outbox.event(DeviceEvent::Draining(after));
                return self.close(DeviceClose::Finished);
            }
            (_, State::Ready | State::Over(_)) => return self.close(DeviceClose::Violation),
            (Reply::Accepted, State::Waiting { .. }) => DeviceEvent::Accepted,
            (Reply::Refused, State::Waiting { .. }) => DeviceEvent::Refused,
            (Reply::Later(after), State::Waiting { .. }) => DeviceEvent::Later(after),
            (Reply::Tunnel(offer), State::Waiting { .. }) => DeviceEvent::Tunnel(offer),
        };
        self.outbox.event(event);
        self.state = State::Ready;
    }
}

impl Default for DeviceSide {
    fn default() -> Self {
        Self::new()
    }
}

impl Session for DeviceSide {
    type Event = DeviceEvent;
    type Command = DeviceCommand;
    type Close = DeviceClose;

    fn handle_input(&mut self, bytes: &[u8], now: Timestamp) -> usize {
        self.handle_timeout(now);
        let mut taken = 0;
        while self.wants_input()
            && let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty())
        {
            let (length, reply) = self.deframer.take(rest);
            taken += length;
            match reply {
                Ok(Some(reply)) => self.hear(reply),
                Ok(None) => {}
                Err(_) => self.close(DeviceClose::Violation),
            }
        }
        taken
    }

    fn handle_end(&mut self, now: Timestamp) {
        self.handle_timeout(now);
        match self.state {
            State::Over(_) => {}
            State::Ready | State::Waiting { .. } if self.deframer.is_empty() => self.close(DeviceClose::Finished),
            State::Ready | State::Waiting { .. } => self.close(DeviceClose::Violation),
        }
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        match self.state {
            State::Waiting { until } if until <= now => self.close(DeviceClose::Timeout),
            State::Ready | State::Waiting { .. } | State::Over(_) => {}
        }
    }

    fn handle_command(&mut self, command: DeviceCommand, now: Timestamp) {
        self.handle_timeout(now);
        match (command, self.state) {
            (_, State::Over(_)) | (DeviceCommand::Send { .. }, State::Waiting { .. }) => {}
            (DeviceCommand::Send { platform, body }, State::Ready) => {
                let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
                let mut frame = Header::encode(platform, length).to_vec();
                frame.extend_from_slice(&body);
                self.outbox.send(frame);
                self.state = State::Waiting { until: now + limits::REPLY };
            }
            (DeviceCommand::Close, State::Ready | State::Waiting { .. }) => self.close(DeviceClose::Left),
        }
    }

    fn poll_output(&mut self) -> Output<DeviceEvent, DeviceClose> {
        let state = self.state;
        self.outbox.next(|| match state {
            State::Ready => Output::Wait(None),
            State::Waiting { until } => Output::Wait(Some(until)),
            State::Over(reason) => Output::Close(reason),
        })
    }

    fn wants_input(&self) -> bool {
        match self.state {
            State::Ready | State::Waiting { .. } => true,
            State::Over(_) => false,
        }
    }
}

impl fmt::Debug for DeviceSide {
    /// Names the type only: requests and tokens do not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceSide").finish_non_exhaustive()
    }
}
