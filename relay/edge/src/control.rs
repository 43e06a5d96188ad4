//! SPEC §6: control connections. The session speaks the protocol; its owner here checks the proof and feeds the hub.

use std::sync::Arc;

use relay_runtime::{
    driver::{Owner, drive},
    mailbox::{Sender, mailbox},
};
use relay_wire::{
    frame::control::{Hello, Welcome},
    ids::{BackendName, Exporter},
    proof::exporter_label,
    session::control::{ControlClose, EdgeCommand, EdgeEvent, EdgeSide},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;

use crate::{
    hub::backends::LoginId,
    keystore::{Claim, ConnectionKind},
    shared::{Peer, Shared, exporter},
};

/// Commands that wait for a control connection at most: questions and dial orders. Beyond it a device hears "later".
/// Worst case: this many canonical requests, 1024 x 33 KiB.
const MAILBOX: u32 = 1_024;

/// Serves a control connection whose TLS stands, until it ends.
pub async fn serve<IO>(shared: Arc<Shared>, tls: &mut TlsStream<IO>, peer: Peer)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let Some(exporter) = exporter(tls.get_ref().1, exporter_label::CONTROL) else { return };
    let (mailbox, mut commands) = mailbox(MAILBOX);
    let remote = peer.remote;
    let mut session = EdgeSide::new(peer.accepted);
    let clock = shared.clock;
    let mut owner = ControlOwner { shared, exporter, mailbox, peer, login: None };
    let ended = drive(tls, &mut session, &mut commands, &mut owner, &clock).await;
    let backend = owner.login.as_ref().map(|login| login.name.as_str().to_owned());
    drop(owner);
    match (ended, backend) {
        (Ok(close), Some(backend)) => {
            tracing::warn!(%remote, backend, reason = reason(close), "control connection ended");
        }
        (Err(error), Some(backend)) => tracing::warn!(%remote, backend, %error, "control connection lost"),
        // A refused proof has had its line.
        (Ok(ControlClose::NotProved), None) => {}
        (Ok(close), None) => tracing::info!(%remote, reason = reason(close), "control connection without a login"),
        (Err(error), None) => tracing::info!(%remote, %error, "control connection without a login"),
    }
}

/// The reason as the log spells it.
const fn reason(close: ControlClose) -> &'static str {
    match close {
        ControlClose::Finished => "finished",
        ControlClose::HandshakeTimeout => "handshake-timeout",
        ControlClose::NotProved => "not-proved",
        ControlClose::Violation(what) => what,
        ControlClose::Silent => "silent",
        ControlClose::Superseded => "superseded",
        ControlClose::Left => "left",
    }
}

struct Login {
    id: LoginId,
    name: BackendName,
}

struct ControlOwner {
    shared: Arc<Shared>,
    exporter: Exporter,
    mailbox: Sender<EdgeCommand>,
    peer: Peer,
    login: Option<Login>,
}

impl ControlOwner {
    /// The backend's proof, and then whether a newer life of it is here already.
    fn prove(&mut self, hello: &Hello) -> Result<[u8; 32], &'static str> {
        let claim =
            Claim { exporter: &self.exporter, role: hello.role, name: &hello.name, generation: hello.generation };
        let shared = &self.shared;
        let proved = shared.keys().prove(claim, ConnectionKind::Control, &hello.proof).ok_or("control-not-proved")?;
        let backends = &shared.hub.backends;
        let id = backends
            .login(&hello.name, hello.role, hello.generation, proved.key, self.mailbox.clone())
            .map_err(|_| "control-older-generation")?;
        self.login = Some(Login { id, name: hello.name.clone() });
        // Keys that were exchanged since they were looked at have not seen this login.
        if shared.keys().holds(&hello.name, hello.role, proved.key) {
            Ok(proved.answer)
        } else {
            Err("control-not-proved")
        }
    }
}

impl Owner<EdgeSide> for ControlOwner {
    fn on_event(&mut self, event: EdgeEvent, commands: &mut Vec<EdgeCommand>) {
        let remote = self.peer.remote;
        match event {
            EdgeEvent::Prove(hello) => match self.prove(&hello) {
                Ok(proof) => {
                    self.peer.permit.proved_backend();
                    let (role, generation) = (hello.role.as_str(), hello.generation.0);
                    tracing::info!(%remote, backend = hello.name.as_str(), role, generation, "backend connected");
                    let spares_max = u16::try_from(self.shared.limits.spares_per_backend).unwrap_or(u16::MAX);
                    commands.push(EdgeCommand::Welcome(Welcome { proof, spares_max }));
                }
                Err(reason) => {
                    self.shared.metrics.backend_refused(reason);
                    // The name is a label by its grammar, so what a stranger wrote cannot forge a log line.
                    tracing::warn!(%remote, backend = hello.name.as_str(), reason, "backend refused");
                    commands.push(EdgeCommand::Reject);
                }
            },
            EdgeEvent::Answer { id, verdict } => {
                if let Some(login) = &self.login {
                    self.shared.hub.answer(login.id, id, verdict);
                }
            }
            EdgeEvent::Revoke(device) => {
                tracing::info!(%device, "the master revoked a device");
                self.shared.hub.revoke(&device);
            }
            EdgeEvent::Leaving => {
                if let Some(login) = &self.login {
                    tracing::info!(%remote, backend = login.name.as_str(), "backend leaves: nothing new to it");
                    self.shared.hub.backends.leaving(&login.name, login.id);
                }
            }
        }
    }
}

impl Drop for ControlOwner {
    fn drop(&mut self) {
        if let Some(login) = &self.login {
            self.shared.hub.backends.logout(&login.name, login.id);
            self.shared.hub.control_lost(login.id);
        }
    }
}
