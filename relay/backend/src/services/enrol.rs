//! `enrol`, at the master: registers the key that the device has just proved to hold, if a mass secret vouches for it
//! over this very tunnel (SPEC §8.4).

use std::io;

use relay_wire::{
    builtin::{EnrolOrder, EnrolReceipt},
    grant::DeviceKey,
    limits, proof,
    request::OperationName,
    time::WallTime,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{Means, Peer, TunnelStream, copy::End};
use crate::registry::{
    NewDevice, UnixSeconds,
    cache::SecretMismatch,
    devices::EnrolRefusal,
    entry,
    thread::{RegistryHandle, Unavailable},
};

/// Reads the order, judges it, answers with one byte. All of it has [`limits::TUNNEL_HANDSHAKE`].
pub async fn enrol(
    tunnel: &mut TunnelStream,
    peer: &Peer,
    registry: &RegistryHandle,
    means: &Means,
    now: WallTime,
) -> End {
    let serve = async {
        let order = read_order(tunnel).await?;
        let outcome = match judge(&order, peer, registry, now).await {
            Ok(outcome) => outcome,
            Err(error) => {
                // No answer: "refused" is for good, and a device that gets none comes back.
                means.metrics.enrolment(unavailable(&error));
                tracing::error!(%error, device = %peer.grant.device_id, "the registry cannot enrol a device now");
                return Err(io::Error::other(error));
            }
        };
        means.metrics.enrolment(outcome);
        let receipt = if outcome == ENROLLED {
            tracing::info!(device = %order.device_id, user = peer.grant.user, remote = %peer.address(), "device enrolled");
            EnrolReceipt::Enrolled
        } else {
            tracing::warn!(reason = outcome, device = %peer.grant.device_id, remote = %peer.address(), "enrolment refused");
            EnrolReceipt::Refused
        };
        tunnel.write_all(&[receipt.number()]).await?;
        tunnel.flush().await
    };
    match timeout(limits::TUNNEL_HANDSHAKE, serve).await {
        Ok(Ok(())) => End::Finished,
        Ok(Err(error)) => End::DeviceBroke(error),
        Err(_) => End::Idle,
    }
}

const ENROLLED: &str = "enrolled";

async fn read_order(tunnel: &mut TunnelStream) -> io::Result<EnrolOrder> {
    let mut bytes = Vec::with_capacity(EnrolOrder::BYTES_MAX);
    loop {
        match EnrolOrder::decode(&bytes) {
            Ok(Some((order, length))) if length == bytes.len() => return Ok(order),
            Ok(Some(_)) => return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes behind the enrol order")),
            Ok(None) => {}
            Err(malformed) => return Err(io::Error::new(io::ErrorKind::InvalidData, malformed.to_string())),
        }
        let mut part = [0; EnrolOrder::BYTES_MAX];
        match tunnel.read(&mut part).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
}

/// The registry's trouble as a fixed word.
const fn unavailable(error: &Unavailable) -> &'static str {
    match error {
        Unavailable::Busy => "registry-busy",
        Unavailable::Closed => "registry-closed",
        Unavailable::Registry(_) => "registry-failed",
    }
}

/// The outcome as a fixed word.
async fn judge(
    order: &EnrolOrder,
    peer: &Peer,
    registry: &RegistryHandle,
    now: WallTime,
) -> Result<&'static str, Unavailable> {
    let key = order.device_id.registry_key();
    let granted = peer.grant.operation == OperationName::Register && peer.grant.device_key == DeviceKey::ToBeEnrolled;
    if !granted || key != peer.grant.device_id.registry_key() {
        return Ok("other-device");
    }
    if !entry::is_p256(&peer.spki) {
        return Ok("wrong-key");
    }
    let message = proof::mass_enrol(&peer.exporter, &order.device_id, &peer.spki);
    let unix = UnixSeconds(now.unix_seconds());
    let label = match registry.cache().matching_secret(unix, |secret| secret.verify(&message, &order.proof)) {
        Ok(label) => label,
        Err(SecretMismatch::Unknown) => return Ok("unknown-secret"),
        Err(SecretMismatch::Expired) => return Ok("secret-expired"),
        Err(SecretMismatch::UsedUp) => return Ok("secret-used-up"),
    };
    let device = NewDevice {
        id: order.device_id.clone(),
        user: peer.grant.user.clone(),
        name: String::new(),
        spki: peer.spki.clone(),
    };
    Ok(match registry.enrol(label, device).await? {
        Ok(()) => ENROLLED,
        Err(EnrolRefusal::UnknownSecret) => "unknown-secret",
        Err(EnrolRefusal::SecretExpired) => "secret-expired",
        Err(EnrolRefusal::SecretUsedUp) => "secret-used-up",
        Err(EnrolRefusal::AlreadyEnrolled) => "already-enrolled",
        Err(EnrolRefusal::Revoked) => "revoked",
    })
}
