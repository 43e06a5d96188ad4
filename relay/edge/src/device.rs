//! SPEC §5 and §9.1: devices' persistent connections. The session judges requests; its owner here asks the master and counts.

use std::sync::Arc;

use relay_runtime::{
    driver::{Owner, drive},
    mailbox::mailbox,
};
use relay_wire::{
    ids::{Exporter, RequestId},
    proof::exporter_label,
    session::device::{Answer, EdgeClose, EdgeCommand, EdgeEvent, EdgeSide, QuestionId},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;

use crate::{
    hub::SessionGuard,
    metrics::OpenGuard,
    shared::{Peer, Shared, exporter},
};

/// Commands for one device at most: an answer, a revocation, a drain; a second of each at worst.
const MAILBOX: u32 = 8;

/// Serves a device's connection whose TLS stands, until it ends.
pub async fn serve<IO>(shared: Arc<Shared>, tls: &mut TlsStream<IO>, peer: Peer)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let Some(exporter) = exporter(tls.get_ref().1, exporter_label::DEVICE) else { return };
    let (sender, mut commands) = mailbox(MAILBOX);
    let guard = shared.hub.open_session(sender);
    let mut session = EdgeSide::new(Arc::clone(&shared.validator), peer.accepted);
    let clock = shared.clock;
    let mut owner = DeviceOwner { shared, exporter, peer, session: guard, asked: None, authenticated: None };
    let ended = drive(tls, &mut session, &mut commands, &mut owner, &clock).await;
    owner.ended(ended, &session);
}

/// The reason as metrics and logs spell it.
const fn reason(close: EdgeClose) -> &'static str {
    match close {
        EdgeClose::Finished => "finished",
        EdgeClose::BadFrame(_) => "bad-frame",
        EdgeClose::Unauthenticated => "unauthenticated",
        EdgeClose::Refused => "refused",
        EdgeClose::Idle => "idle",
        EdgeClose::Revoked => "revoked",
        EdgeClose::Draining => "draining",
    }
}

struct DeviceOwner {
    shared: Arc<Shared>,
    exporter: Exporter,
    peer: Peer,
    session: SessionGuard,
    /// The question at the master.
    asked: Option<(QuestionId, RequestId)>,
    authenticated: Option<OpenGuard>,
}

impl DeviceOwner {
    fn ended(&self, ended: std::io::Result<EdgeClose>, session: &EdgeSide) {
        let remote = self.peer.remote;
        match ended {
            Ok(close) => {
                if let EdgeClose::BadFrame(rejection) = close {
                    self.shared.metrics.rejection(rejection.code, session.platform());
                    let (code, field) = (rejection.code.as_str(), rejection.field);
                    tracing::info!(%remote, code, field, "request refused");
                }
                self.shared.metrics.device_closed(reason(close));
                tracing::debug!(%remote, reason = reason(close), "device connection ended");
            }
            Err(error) => {
                self.shared.metrics.device_closed("lost");
                tracing::debug!(%remote, %error, "device connection lost");
            }
        }
    }

    fn forget(&mut self, outcome: &'static str) {
        if let Some((_, id)) = self.asked.take() {
            self.shared.hub.forget_ask(id, outcome);
        }
    }
}

impl Owner<EdgeSide> for DeviceOwner {
    fn on_event(&mut self, event: EdgeEvent, commands: &mut Vec<EdgeCommand>) {
        let remote = self.peer.remote;
        match event {
            EdgeEvent::Ask { question, request } => {
                self.asked = None;
                match self.shared.hub.ask(&self.session, question, self.exporter, &request) {
                    Ok(id) => self.asked = Some((question, id)),
                    Err(wait) => {
                        let operation = request.content.operation.name().as_str();
                        tracing::info!(%remote, operation, "the master cannot be asked: told to come back later");
                        commands.push(EdgeCommand::Answer { question, answer: Answer::Later(wait) });
                    }
                }
            }
            EdgeEvent::Unanswered(question) => {
                tracing::warn!(%remote, "the master did not answer in time");
                if self.asked.is_some_and(|(asked, _)| asked == question) {
                    self.forget("timeout");
                }
            }
            EdgeEvent::Authenticated(device) => {
                self.peer.permit.proved();
                self.authenticated = Some(self.shared.metrics.device());
                tracing::debug!(%remote, %device, "device authenticated");
            }
            EdgeEvent::Offered { token: _, grant: _, request } => {
                // The master has checked a proof, be it that of a registration.
                self.peer.permit.proved();
                let operation = request.content.operation.name().as_str();
                tracing::debug!(%remote, device = %request.content.device_id, operation, "tunnel offered");
            }
            EdgeEvent::Rejected { platform, rejection } => {
                self.shared.metrics.rejection(rejection.code, Some(platform));
                let (code, field, platform) = (rejection.code.as_str(), rejection.field, platform.as_str());
                tracing::info!(%remote, code, field, platform, "request refused");
            }
            EdgeEvent::Refused { reason } => {
                self.shared.metrics.refusal(reason);
                tracing::info!(%remote, code = reason, "request refused");
            }
            EdgeEvent::Pinged => self.shared.metrics.ping(),
        }
    }
}

impl Drop for DeviceOwner {
    fn drop(&mut self) {
        self.forget("abandoned");
    }
}
