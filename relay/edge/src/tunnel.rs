//! SPEC §7: from a tunnel's ClientHello to the joined connections. The edge never holds a key of what it moves.
//!
//! The order: burn the token; take a data connection of the node (or wait for one); `Assign` and close_notify on it, the
//! recorded ClientHello raw behind them; the backend's close_notify; then both TCP connections are joined.

use std::{net::IpAddr, sync::Arc, time::Duration};

use relay_runtime::{
    handover::hand_over_with,
    splice::{relay, reset_on_close},
};
use relay_wire::{
    frame::data::Remote,
    ids::{BackendName, Token},
    limits,
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::{
    data::Assigned,
    hub::{backends::Wanted, tunnels::Claim},
    metrics::OpenGuard,
    shared::{Peer, Shared},
};

/// How long one end of a tunnel may take nothing while bytes wait for it: as long as TCP itself keeps trying, and longer than any
/// upstream should pause; a frozen peer does not hold its tunnel for ever.
const STALL: Duration = Duration::from_secs(15 * 60);

/// Data connections that are tried for one tunnel.
const HAND_OVERS_MAX: u32 = 3;

/// Why a tunnel, or an attempt at one, ended; a label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Both ends were done.
    Finished,
    /// The server name holds no token, or one that is not valid: never was, was used, has expired, is void.
    Token,
    /// The backend is not connected.
    NodeAway,
    /// Too many tunnels wait for the backend, or it does not take orders.
    Busy,
    /// No data connection within [`limits::TUNNEL_MATCH`].
    MatchTimeout,
    /// No close_notify from the backend within [`limits::HAND_OVER`]: it is frozen.
    HandOverTimeout,
    /// The data connection failed while it was handed over.
    HandOverFailed,
    /// The device was revoked.
    Revoked,
    /// One end failed, was cut or stalled.
    Broken,
}

impl Ended {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Finished,
        Self::Token,
        Self::NodeAway,
        Self::Busy,
        Self::MatchTimeout,
        Self::HandOverTimeout,
        Self::HandOverFailed,
        Self::Revoked,
        Self::Broken,
    ];

    /// The reason as metrics and logs spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Token => "token",
            Self::NodeAway => "node-away",
            Self::Busy => "busy",
            Self::MatchTimeout => "match-timeout",
            Self::HandOverTimeout => "hand-over-timeout",
            Self::HandOverFailed => "hand-over-failed",
            Self::Revoked => "revoked",
            Self::Broken => "broken",
        }
    }
}

/// A device's tunnel connection whose ClientHello has been taken from it.
pub struct TunnelHello {
    /// The connection.
    pub device: TcpStream,
    /// The ClientHello's bytes.
    pub recorded: Vec<u8>,
    /// The token in its server name, if that is one.
    pub token: Option<Token>,
}

/// Serves a tunnel connection until it ends.
pub async fn serve(shared: Arc<Shared>, hello: TunnelHello, mut peer: Peer) {
    let TunnelHello { device, recorded, token } = hello;
    let Some(claim) = token.and_then(|token| shared.hub.claim(&token, Instant::now())) else {
        shared.metrics.tunnel_closed(Ended::Token.as_str());
        tracing::info!(remote = %peer.remote, code = "token", "tunnel refused");
        return;
    };
    peer.permit.proved();
    let remote = peer.remote;
    let Claim { grant, node, mut revoked, device: id, place } = claim;
    let tunnel = async {
        let remote = wire_remote(remote.ip(), remote.port());
        let joined =
            join(&shared, &node, Order { grant, remote }, recorded).await.inspect_err(|_| reset_on_close(&device))?;
        carry(&shared, device, joined).await
    };
    let ended = tokio::select! {
        biased;
        // The sender goes only with its entry in the table, and that goes with `place`: an error cannot come first.
        _ = &mut revoked => Ended::Revoked,
        done = tunnel => done.err().unwrap_or(Ended::Finished),
    };
    drop(place);
    shared.metrics.tunnel_closed(ended.as_str());
    match ended {
        Ended::Finished => tracing::debug!(%remote, device = &*id, node = node.as_str(), "tunnel finished"),
        Ended::Token
        | Ended::NodeAway
        | Ended::Busy
        | Ended::MatchTimeout
        | Ended::HandOverTimeout
        | Ended::HandOverFailed
        | Ended::Revoked
        | Ended::Broken => {
            let code = ended.as_str();
            tracing::info!(%remote, device = &*id, node = node.as_str(), code, "tunnel cut");
        }
    }
}

/// What `Assign` will say.
#[derive(Clone)]
struct Order {
    grant: relay_wire::grant::SignedGrant,
    remote: Remote,
}

fn wire_remote(address: IpAddr, port: u16) -> Remote {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    Remote { address: address.octets(), port }
}

/// A data connection of `node` on which `Assign` was written: a parked one, the next if that is dead, else a new one.
async fn find(shared: &Shared, node: &BackendName, order: Order) -> Result<Assigned, Ended> {
    let deadline = Instant::now() + limits::TUNNEL_MATCH;
    let search = async {
        loop {
            let spare = match shared.hub.backends.want(node) {
                Wanted::Spare(spare) => spare,
                Wanted::Wait(spare) => spare.await.map_err(|_| Ended::NodeAway)?,
                Wanted::Busy => return Err(Ended::Busy),
                Wanted::Away => return Err(Ended::NodeAway),
            };
            if let Some(data) = spare.assign(order.grant.clone(), order.remote).await {
                return Ok(data);
            }
        }
    };
    timeout_at(deadline, search).await.unwrap_or(Err(Ended::MatchTimeout))
}

/// A data connection that was handed over: raw, with the ClientHello on its way to the backend.
struct Joined {
    backend: TcpStream,
    held: (Peer, OpenGuard),
}

/// A data connection of `node`, handed over. A backend may have ended a parked one just when it was assigned (it replaces
/// old ones); nothing of the tunnel has been answered then, so the next is tried, [`HAND_OVERS_MAX`] in all.
async fn join(shared: &Shared, node: &BackendName, order: Order, hello: Vec<u8>) -> Result<Joined, Ended> {
    let mut tries = HAND_OVERS_MAX;
    loop {
        let Assigned { tls, held } = find(shared, node, order.clone()).await?;
        tries -= 1;
        match hand_over_with(*tls, &hello).await {
            Ok(backend) => return Ok(Joined { backend, held }),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => return Err(Ended::HandOverTimeout),
            Err(error) if tries == 0 => {
                tracing::debug!(%error, "hand-over failed");
                return Err(Ended::HandOverFailed);
            }
            Err(error) => tracing::debug!(%error, "hand-over failed; trying another data connection"),
        }
    }
}

/// Moves bytes until both ends are done.
async fn carry(shared: &Shared, device: TcpStream, joined: Joined) -> Result<(), Ended> {
    let Joined { backend, held } = joined;
    shared.metrics.tunnel_opened();
    let moved = relay(device, backend, &shared.pipes, &shared.meter, Some(STALL)).await;
    drop(held);
    moved.map(drop).map_err(|error| {
        tracing::debug!(%error, "tunnel broken");
        Ended::Broken
    })
}
