//! The master's word: signed here at the master, verified here at every backend (SPEC §7.1).

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use relay_trust::{device_key::verify_p256, identity::Identity};
use relay_wire::{
    grant::{Grant, SignedGrant},
    ids::BackendName,
    proof,
    time::WallTime,
};

use crate::expiring::{ExpiringSet, Insertion};

/// Grant ids remembered until their grants expire: 1,000 tunnels a second for a minute, about 4 MB.
const SEEN_MAX: usize = 65_536;

/// Why a grant was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// It does not fit its encoding.
    #[error("the grant's field {0} is too long; the policy names too many or too long services")]
    TooLong(&'static str),
    /// The key said no.
    #[error("the master's key cannot sign: {0}; it must be ECDSA P-256")]
    Key(#[from] relay_trust::identity::IdentityError),
}

/// Signs grants with the master's key. The identity can be exchanged while requests are judged.
pub struct Signer {
    identity: RwLock<Arc<Identity>>,
}

impl Signer {
    /// A signer with this identity, whose key must be ECDSA P-256.
    #[must_use]
    pub fn new(identity: Arc<Identity>) -> Self {
        Self { identity: RwLock::new(identity) }
    }

    /// The identity that signs now.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on signs with this one.
    pub fn replace(&self, identity: Arc<Identity>) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// Signs a grant.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(&self, grant: &Grant) -> Result<SignedGrant, SignError> {
        let encoded = grant.encode().map_err(|too_long| SignError::TooLong(too_long.field))?;
        let signature = self.identity().sign(&proof::grant(&encoded))?;
        Ok(SignedGrant { grant: encoded, signature })
    }
}

/// Why a grant opens no tunnel here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantRefusal {
    /// The master did not sign these bytes, or they are no grant.
    Forged,
    /// It is for another backend.
    WrongNode,
    /// Its time is over.
    Expired,
    /// It was used before.
    Reused,
    /// More grants than can be remembered were used within their lifetime.
    Full,
}

impl GrantRefusal {
    /// The fixed word in log and metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forged => "forged-grant",
            Self::WrongNode => "wrong-node",
            Self::Expired => "expired",
            Self::Reused => "grant-reused",
            Self::Full => "grants-full",
        }
    }
}

/// Verifies the grants that edges pass on.
pub struct Verifier {
    master: RwLock<Vec<u8>>,
    node: BackendName,
    seen: Mutex<ExpiringSet<[u8; 16]>>,
}

impl Verifier {
    /// A verifier for the backend `node`, of grants signed with the key of `master_spki` (SubjectPublicKeyInfo, DER).
    #[must_use]
    pub fn new(master_spki: Vec<u8>, node: BackendName) -> Self {
        Self { master: RwLock::new(master_spki), node, seen: Mutex::new(ExpiringSet::new(SEEN_MAX)) }
    }

    /// From now on only grants signed with this key count.
    pub fn replace_master(&self, spki: Vec<u8>) {
        *self.master.write().unwrap_or_else(PoisonError::into_inner) = spki;
    }

    /// The grant, if the master signed it for this backend, its time is not over, and it is seen for the first time.
    ///
    /// # Errors
    /// [`GrantRefusal`].
    pub fn verify(&self, signed: &SignedGrant, now: WallTime) -> Result<Grant, GrantRefusal> {
        let message = proof::grant(&signed.grant);
        let master = self.master.read().unwrap_or_else(PoisonError::into_inner);
        if !verify_p256(&master, &message, &signed.signature) {
            return Err(GrantRefusal::Forged);
        }
        drop(master);
        let grant = Grant::decode(&signed.grant).map_err(|_| GrantRefusal::Forged)?;
        if grant.node != self.node {
            return Err(GrantRefusal::WrongNode);
        }
        if grant.expires_at <= now {
            return Err(GrantRefusal::Expired);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.expire(now, |_| {});
        match seen.insert(grant.id, grant.expires_at) {
            Insertion::Inserted => Ok(grant),
            Insertion::Present => Err(GrantRefusal::Reused),
            Insertion::Full => Err(GrantRefusal::Full),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use relay_wire::{
        Platform,
        grant::{DeviceKey, NodePin, PinKind, ServiceScope},
        ids::DeviceId,
        request::OperationName,
    };

    use super::*;

    fn grant(id: u8, node: &str) -> Grant {
        Grant {
            id: [id; 16],
            device_id: DeviceId::new(Platform::Linux, "0123456789abcdef0123456789abcdef".to_owned()),
            device_key: DeviceKey::Spki([7; 32]),
            user: "ana@example.com".to_owned(),
            operation: OperationName::Backup,
            services: ServiceScope::Any,
            node: BackendName::new(node).unwrap(),
            node_pin: NodePin { kind: PinKind::Spki, digest: [9; 32] },
            expires_at: WallTime::MIN.plus(Duration::from_secs(60)),
        }
    }

    #[test]
    fn only_the_masters_own_fresh_word_for_this_node_counts_and_only_once() {
        let master = Arc::new(Identity::self_signed(&["master".to_owned()], 30).unwrap());
        let stranger = Arc::new(Identity::self_signed(&["master".to_owned()], 30).unwrap());
        let verifier = Verifier::new(master.spki(), BackendName::new("node-1").unwrap());
        let signer = Signer::new(master);
        let now = WallTime::MIN;

        let good = signer.sign(&grant(1, "node-1")).unwrap();
        assert_eq!(verifier.verify(&good, now), Ok(grant(1, "node-1")));
        assert_eq!(verifier.verify(&good, now), Err(GrantRefusal::Reused));

        let forged = Signer::new(stranger).sign(&grant(2, "node-1")).unwrap();
        assert_eq!(verifier.verify(&forged, now), Err(GrantRefusal::Forged));
        let mut altered = signer.sign(&grant(3, "node-1")).unwrap();
        altered.grant[5] ^= 1;
        assert_eq!(verifier.verify(&altered, now), Err(GrantRefusal::Forged));

        let elsewhere = signer.sign(&grant(4, "node-2")).unwrap();
        assert_eq!(verifier.verify(&elsewhere, now), Err(GrantRefusal::WrongNode));
        let late = signer.sign(&grant(5, "node-1")).unwrap();
        assert_eq!(verifier.verify(&late, grant(5, "node-1").expires_at), Err(GrantRefusal::Expired));
    }
}
