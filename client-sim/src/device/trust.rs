//! What a device believes inside the relay: the master by its deployed pin, a grant by the master's key, a node by the grant.

use relay_trust::{Pin, PinKind, PinSet, verify_p256};
use relay_wire::{
    grant::{self, DeviceKey, Grant, NodePin, SignedGrant},
    ids::{BackendName, DeviceId, ServiceName},
    proof,
    request::OperationName,
    time::WallTime,
};

use super::Failure;

/// What the grant of an offer must say.
pub struct Expected<'a> {
    /// This device.
    pub device_id: &'a DeviceId,
    /// The SHA-256 of its SPKI.
    pub key: [u8; 32],
    /// What it asked for.
    pub operation: OperationName,
    /// Where.
    pub node: &'a BackendName,
    /// The time now, by this device's clock.
    pub now: WallTime,
}

/// The grant, if the master signed it and it is the one that was asked for.
///
/// The edge passes grants on and may be captured: everything that it could have swapped is compared.
pub fn check_grant(signed: &SignedGrant, master_spki: &[u8], expected: &Expected<'_>) -> Result<Grant, Failure> {
    let grant = verified(signed, master_spki, expected.now)?;
    if grant.device_id != *expected.device_id {
        return Err(Failure::Grant("it is for another device"));
    }
    if grant.device_key != DeviceKey::Spki(expected.key) {
        return Err(Failure::Grant("it is for another device key"));
    }
    if grant.operation != expected.operation {
        return Err(Failure::Grant("it is for another operation"));
    }
    if grant.node != *expected.node {
        return Err(Failure::Grant("it is for another node"));
    }
    Ok(grant)
}

/// Checks the grant of a `register` offer against the master that was found in the tunnel.
pub fn check_enrol_grant(
    signed: &SignedGrant,
    certificate: &[u8],
    master_spki: &[u8],
    device_id: &DeviceId,
    now: WallTime,
) -> Result<(), Failure> {
    let grant = verified(signed, master_spki, now)?;
    if grant.device_id != *device_id {
        return Err(Failure::Grant("it is for another device"));
    }
    if grant.operation != OperationName::Register {
        return Err(Failure::Grant("it is for another operation"));
    }
    if !pin(&grant.node_pin).matches(certificate) {
        return Err(Failure::Grant("it names another master than the one in the tunnel"));
    }
    Ok(())
}

fn verified(signed: &SignedGrant, master_spki: &[u8], now: WallTime) -> Result<Grant, Failure> {
    if !verify_p256(master_spki, &proof::grant(&signed.grant), &signed.signature) {
        return Err(Failure::Grant("the master did not sign it"));
    }
    let grant = Grant::decode(&signed.grant).map_err(|_| Failure::Grant("it does not decode"))?;
    // A clock that is off by as much as the master tolerates in requests must not spoil a good grant.
    if grant.expires_at.plus(relay_wire::limits::CLOCK_SKEW) <= now {
        return Err(Failure::Grant("it has expired"));
    }
    Ok(grant)
}

fn pin(pin: &NodePin) -> Pin {
    let kind = match pin.kind {
        grant::PinKind::Leaf => PinKind::Leaf,
        grant::PinKind::Spki => PinKind::Spki,
    };
    Pin::new(kind, pin.digest)
}

/// The pin of the grant's node, as the verifier of its tunnel wants it.
pub fn node_pins(grant: &Grant) -> Result<PinSet, Failure> {
    PinSet::new(vec![pin(&grant.node_pin)]).map_err(|error| Failure::Local(error.to_string()))
}

/// The service in which a device enrols.
pub fn enrol_service() -> Result<ServiceName, Failure> {
    ServiceName::new("enrol").map_err(|error| Failure::Local(error.to_string()))
}

/// A master that does not match its deployed pin is as bad as an edge that does not: the device halts. (A node that does not
/// match its grant is not: that pin was not deployed, and a node whose certificate was renewed must not stop a fleet.)
pub fn halt_on_wrong_master(failure: Failure) -> Failure {
    if let Failure::WrongBackend(reason) = failure { Failure::Halted { peer: "the master", reason } } else { failure }
}

#[cfg(test)]
mod tests {
    use relay_trust::{DeviceKey as Key, sha256};
    use relay_wire::{Platform, grant::ServiceScope};

    use super::*;

    const NOW: WallTime = WallTime::from_ticks(17_787_510_000_000_000);

    struct World {
        master: Key,
        grant: Grant,
        device_id: DeviceId,
        node: BackendName,
        key: [u8; 32],
    }

    fn world() -> World {
        let device_id = DeviceId::new(Platform::Linux, "9d1f6e02b7c84a35b2e07d5c41f98a06".into());
        let node = BackendName::new("node-a").unwrap();
        let key = sha256(&Key::generate().spki());
        let grant = Grant {
            id: [1; 16],
            device_id: device_id.clone(),
            device_key: DeviceKey::Spki(key),
            user: "ana@example.com".into(),
            operation: OperationName::Sync,
            services: ServiceScope::Any,
            node: node.clone(),
            node_pin: NodePin { kind: grant::PinKind::Spki, digest: [7; 32] },
            expires_at: NOW.plus(std::time::Duration::from_secs(60)),
        };
        World { master: Key::generate(), grant, device_id, node, key }
    }

    impl World {
        fn judge(&self, grant: &Grant, signer: &Key) -> Result<Grant, Failure> {
            let encoded = grant.encode().unwrap();
            let signature = signer.sign(&proof::grant(&encoded));
            let expected = Expected {
                device_id: &self.device_id,
                key: self.key,
                operation: OperationName::Sync,
                node: &self.node,
                now: NOW,
            };
            check_grant(&SignedGrant { grant: encoded, signature }, &self.master.spki(), &expected)
        }
    }

    #[test]
    fn the_master_grant_for_this_request_is_believed() {
        let world = world();
        assert_eq!(world.judge(&world.grant, &world.master).unwrap(), world.grant);
    }

    #[test]
    fn a_grant_that_another_signed_is_not() {
        let world = world();
        let refused = world.judge(&world.grant, &Key::generate());
        assert!(matches!(refused, Err(Failure::Grant("the master did not sign it"))));
    }

    #[test]
    fn a_true_grant_for_anything_else_is_not() {
        let world = world();
        let id = DeviceId::new(Platform::Linux, "0d1f6e02b7c84a35b2e07d5c41f98a06".into());
        let others = [
            Grant { device_id: id, ..world.grant.clone() },
            Grant { device_key: DeviceKey::ToBeEnrolled, ..world.grant.clone() },
            Grant { device_key: DeviceKey::Spki([0; 32]), ..world.grant.clone() },
            Grant { operation: OperationName::Backup, ..world.grant.clone() },
            Grant { node: BackendName::new("node-b").unwrap(), ..world.grant.clone() },
            Grant { expires_at: WallTime::from_ticks(1), ..world.grant.clone() },
        ];
        for other in others {
            assert!(matches!(world.judge(&other, &world.master), Err(Failure::Grant(_))), "{other:?}");
        }
    }
}
