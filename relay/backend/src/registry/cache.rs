//! What the daemon answers from: devices and secrets in memory, kept in step with the file by the registry thread.
//!
//! A device costs about 350 bytes here (key, user, names, table slots): 100,000 of them 35 MB.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use relay_trust::secret::MassSecret;
use relay_wire::ids::DeviceId;

use super::{
    UnixSeconds,
    devices::{Device, DeviceState, TriedSecret},
};

/// A device as requests are judged by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Its identity as filed.
    pub id: DeviceId,
    /// Whose it is.
    pub user: String,
    /// Whether it may use the relay.
    pub standing: Standing,
}

/// Whether a device may use the relay, with its key if it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may, with this key.
    Active {
        /// SubjectPublicKeyInfo, DER.
        spki: Box<[u8]>,
        /// SHA-256 of it.
        digest: [u8; 32],
    },
    /// It may not.
    Revoked,
    /// It may enrol.
    Reset,
}

/// Why no secret stands behind a MASS proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretMismatch {
    /// None of the known secrets made it.
    Unknown,
    /// One made it whose time is over.
    Expired,
    /// One made it that has no uses left.
    UsedUp,
}

#[derive(Default)]
struct Contents {
    devices: HashMap<String, Arc<KnownDevice>>,
    secrets: Vec<TriedSecret>,
}

/// The cache. Readers never wait for the disk.
#[derive(Default)]
pub struct Cache {
    contents: RwLock<Contents>,
}

impl Cache {
    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        // A writer only inserts and removes whole entries, so the contents are sound even if one panicked.
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device filed under `key`.
    #[must_use]
    pub fn device(&self, key: &str) -> Option<Arc<KnownDevice>> {
        self.read().devices.get(key).cloned()
    }

    /// How many devices are known, whatever their state.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.read().devices.len()
    }

    /// How many secrets are live at `now`.
    #[must_use]
    pub fn secrets_live(&self, now: UnixSeconds) -> usize {
        self.read().secrets.iter().filter(|secret| secret.expires_at > now && secret.uses_left > 0).count()
    }

    /// The label of the live secret that `made_it` recognises. Every secret is tried, also after one has matched, so that
    /// the time taken does not tell which one it was.
    ///
    /// # Errors
    /// [`SecretMismatch`] if there is none; that of a secret which is over if one of those made it.
    pub fn matching_secret(
        &self,
        now: UnixSeconds,
        made_it: impl Fn(&MassSecret) -> bool,
    ) -> Result<String, SecretMismatch> {
        let contents = self.read();
        let mut answer = Err(SecretMismatch::Unknown);
        for tried in &contents.secrets {
            if !made_it(&tried.secret) {
                continue;
            }
            answer = if tried.expires_at <= now {
                Err(SecretMismatch::Expired)
            } else if tried.uses_left == 0 {
                Err(SecretMismatch::UsedUp)
            } else {
                Ok(tried.label.clone())
            };
        }
        answer
    }

    /// Takes over a device as it now is; returns its identity if what it could do until now has ended (it was active and is
    /// not, or has another key).
    pub(super) fn apply(&self, device: Device) -> Option<DeviceId> {
        let key = device.id.registry_key();
        let standing = match (device.state, device.spki) {
            (DeviceState::Active, Some(spki)) => {
                Standing::Active { digest: relay_trust::sha256(&spki), spki: spki.into_boxed_slice() }
            }
            // Active without a key cannot be (the schema forbids it); were it, nobody could use it.
            (DeviceState::Revoked | DeviceState::Active, _) => Standing::Revoked,
            (DeviceState::Reset, _) => Standing::Reset,
        };
        let known = Arc::new(KnownDevice { id: device.id, user: device.user, standing });
        let before = self.write().devices.insert(key, Arc::clone(&known));
        let before = before?;
        let ended = match (&before.standing, &known.standing) {
            (Standing::Active { digest: old, .. }, Standing::Active { digest: new, .. }) => old != new,
            (Standing::Active { .. }, Standing::Revoked | Standing::Reset) => true,
            (Standing::Revoked | Standing::Reset, _) => false,
        };
        ended.then(|| before.id.clone())
    }

    /// Takes over the secrets as they now are.
    pub(super) fn replace_secrets(&self, secrets: Vec<TriedSecret>) {
        self.write().secrets = secrets;
    }
}
