//! A device's persistent connection: one request at a time, one reply each.
//!
//! The protocol is the session's ([`DeviceSide`]), the I/O is the driver's. A link holds the driver as a future and polls
//! it whenever its owner waits for something, so a connected device is one task and not two, and an idle one costs no
//! buffer.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use relay_runtime::{
    clock::Clock,
    driver::{self, Owner},
    mailbox::{Sender, mailbox},
};
use relay_wire::{
    Platform,
    frame::reply::Offer,
    ids::Exporter,
    limits,
    session::device::{DeviceClose, DeviceCommand, DeviceEvent, DeviceSide},
};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{Failure, Step, dial::EdgeConnection};

/// How long closing may take: a peer that reads nothing must not hold a device.
const CLOSE: Duration = Duration::from_secs(2);

/// What the edge answered to a request.
pub enum Answer {
    /// Done.
    Accepted,
    /// A tunnel stands ready.
    Tunnel(Offer),
}

/// What ended a wait without a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// The time is over and the connection stands.
    Elapsed,
    /// The edge goes away; connect again after this time.
    Draining(Duration),
    /// The connection is over.
    Ended,
}

type Events = Arc<Mutex<VecDeque<DeviceEvent>>>;
type Driver = Pin<Box<dyn Future<Output = io::Result<DeviceClose>> + Send>>;

/// Keeps what happened for the link; the session bounds it to one event per request and one on draining.
struct Inbox(Events);

impl Owner<DeviceSide> for Inbox {
    fn on_event(&mut self, event: DeviceEvent, _commands: &mut Vec<DeviceCommand>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }
}

/// How the connection ended.
#[derive(Clone, Copy)]
enum Ended {
    Session(DeviceClose),
    Broken(io::ErrorKind),
}

/// A device's connection to an edge.
pub struct Link {
    driver: Driver,
    end: Option<Ended>,
    commands: Sender<DeviceCommand>,
    events: Events,
    draining: Option<Duration>,
    exporter: Exporter,
    address: SocketAddr,
}

impl Link {
    /// Starts the session on a connection that stands.
    #[must_use]
    pub fn new(connection: EdgeConnection, clock: Clock) -> Self {
        let EdgeConnection { mut stream, address, exporter, .. } = connection;
        let (commands, mut receiver) = mailbox(4);
        let events = Events::default();
        let mut inbox = Inbox(Arc::clone(&events));
        let driver = Box::pin(async move {
            let mut session = DeviceSide::new();
            let ended = driver::drive(&mut stream, &mut session, &mut receiver, &mut inbox, &clock).await;
            // close_notify is a courtesy: whether it arrives changes nothing.
            let _ = timeout(CLOSE, stream.shutdown()).await;
            ended
        });
        Self { driver, end: None, commands, events, draining: None, exporter, address }
    }

    /// What binds proofs to this connection.
    #[must_use]
    pub const fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// The edge's address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// When to come back, if the edge has said that it goes away.
    #[must_use]
    pub const fn draining(&self) -> Option<Duration> {
        self.draining
    }

    /// Sends a request, valid or not, and waits for its reply.
    ///
    /// # Errors
    /// [`Failure::Refused`] and [`Failure::Later`] as the edge says; [`Failure::Timeout`] after [`limits::REPLY`];
    /// [`Failure::Ended`], [`Failure::Unreachable`] or [`Failure::Violation`] if the connection ends instead.
    pub async fn request(&mut self, step: Step, platform: Platform, body: Vec<u8>) -> Result<Answer, Failure> {
        if self.end.is_some() || self.commands.try_send(DeviceCommand::Send { platform, body }).is_err() {
            return Err(Failure::Ended { step });
        }
        // The session has this deadline too; this one holds even if its driver is stuck in a write.
        let after = limits::REPLY + limits::NEXT_FRAME;
        timeout(after, self.reply(step)).await.unwrap_or(Err(Failure::Timeout { step, after }))
    }

    async fn reply(&mut self, step: Step) -> Result<Answer, Failure> {
        match self.next().await {
            Ok(DeviceEvent::Accepted) => Ok(Answer::Accepted),
            Ok(DeviceEvent::Tunnel(offer)) => Ok(Answer::Tunnel(offer)),
            Ok(DeviceEvent::Refused) => Err(Failure::Refused { step }),
            Ok(DeviceEvent::Later(after)) => Err(Failure::Later { step, after }),
            // A request that meets a drain is not answered any more.
            Ok(DeviceEvent::Draining(after)) => {
                self.draining = Some(after);
                Err(Failure::Ended { step })
            }
            Err(end) => Err(self.failure(step, end)),
        }
    }

    fn failure(&self, step: Step, end: Ended) -> Failure {
        match end {
            Ended::Session(DeviceClose::Finished | DeviceClose::Left) => Failure::Ended { step },
            Ended::Session(DeviceClose::Violation) => {
                Failure::Violation { step, what: "the edge sent no reply of this protocol" }
            }
            Ended::Session(DeviceClose::Timeout) => Failure::Timeout { step, after: limits::REPLY },
            Ended::Broken(kind) => Failure::Unreachable { step, peer: self.address.to_string(), source: kind.into() },
        }
    }

    /// Waits without asking anything: until `duration` is over, the edge goes away, or the connection ends.
    pub async fn quiet(&mut self, duration: Duration) -> Quiet {
        if let Some(after) = self.draining {
            return Quiet::Draining(after);
        }
        if self.end.is_some() {
            return Quiet::Ended;
        }
        match timeout(duration, self.next()).await {
            Err(_) => Quiet::Elapsed,
            Ok(Ok(DeviceEvent::Draining(after))) => {
                self.draining = Some(after);
                Quiet::Draining(after)
            }
            // A reply that nobody asked for never comes this far: the session ends on it.
            Ok(Ok(DeviceEvent::Accepted | DeviceEvent::Refused | DeviceEvent::Later(_) | DeviceEvent::Tunnel(_)))
            | Ok(Err(_)) => Quiet::Ended,
        }
    }

    /// Ends the connection.
    pub async fn close(mut self) {
        if self.end.is_some() || self.commands.try_send(DeviceCommand::Close).is_err() {
            return;
        }
        let _ = timeout(CLOSE * 2, async { while self.next().await.is_ok() {} }).await;
    }

    /// Polls the driver until something happened. Events that came before the end are told before it.
    async fn next(&mut self) -> Result<DeviceEvent, Ended> {
        poll_fn(|cx| {
            if self.end.is_none()
                && let Poll::Ready(end) = self.driver.as_mut().poll(cx)
            {
                self.end = Some(end.map_or_else(|error| Ended::Broken(error.kind()), Ended::Session));
            }
            if let Some(event) = self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return Poll::Ready(Ok(event));
            }
            self.end.map_or(Poll::Pending, |end| Poll::Ready(Err(end)))
        })
        .await
    }
}
