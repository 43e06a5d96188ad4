//! Mass-deployment secrets: add, list, revoke.

use std::time::Duration;

use relay_trust::secret::MassSecret;
use rusqlite::{OptionalExtension, params};
use zeroize::Zeroizing;

use super::{Registry, RegistryError, SECRETS_LIVE_MAX, UnixSeconds, devices::TriedSecret};

/// Whether a secret still enrols devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// It does.
    Live,
    /// Its time is over.
    Expired,
    /// It has enrolled as many as it may.
    UsedUp,
    /// An administrator ended it.
    Revoked,
}

impl SecretState {
    /// The state as `secret list` spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::UsedUp => "used-up",
            Self::Revoked => "revoked",
        }
    }
}

/// What may be shown of a secret: never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInfo {
    /// What administrators call it.
    pub label: String,
    /// When it was made.
    pub created_at: UnixSeconds,
    /// The end of its time.
    pub expires_at: UnixSeconds,
    /// How many devices it could enrol at first.
    pub uses: u64,
    /// How many it still can.
    pub uses_left: u64,
    /// When an administrator ended it.
    pub revoked_at: Option<UnixSeconds>,
}

impl SecretInfo {
    /// Whether it still enrols devices at `now`.
    #[must_use]
    pub fn state(&self, now: UnixSeconds) -> SecretState {
        if self.revoked_at.is_some() {
            SecretState::Revoked
        } else if self.expires_at <= now {
            SecretState::Expired
        } else if self.uses_left == 0 {
            SecretState::UsedUp
        } else {
            SecretState::Live
        }
    }
}

impl Registry {
    /// Files `secret` under `label`, good for `uses` devices until `lifetime` from `now`.
    ///
    /// # Errors
    /// [`RegistryError::SecretExists`], [`RegistryError::TooManySecrets`], [`RegistryError::Sqlite`].
    pub fn add_secret(
        &mut self,
        label: &str,
        secret: &MassSecret,
        uses: u64,
        lifetime: Duration,
        now: UnixSeconds,
    ) -> Result<(), RegistryError> {
        let path = self.path.clone();
        let failed = |source| RegistryError::Sqlite { path: path.clone(), operation: "add a secret", source };
        let transaction = self.begin("add a secret")?;
        let known: Option<i64> = transaction
            .query_row("SELECT 1 FROM secret WHERE label = ?1", [label], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if known.is_some() {
            return Err(RegistryError::SecretExists(label.to_owned()));
        }
        let live: i64 = transaction
            .query_row(
                "SELECT count(*) FROM secret WHERE revoked_at IS NULL AND uses_left > 0 AND expires_at > ?1",
                [now.to_sql()],
                |row| row.get(0),
            )
            .map_err(failed)?;
        if usize::try_from(live).unwrap_or(usize::MAX) >= SECRETS_LIVE_MAX {
            return Err(RegistryError::TooManySecrets);
        }
        let hex: Zeroizing<String> = secret.to_hex();
        let uses = i64::try_from(uses).unwrap_or(i64::MAX);
        transaction
            .execute(
                "INSERT INTO secret (label, secret, created_at, expires_at, uses, uses_left)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                params![label, hex.as_str(), now.to_sql(), now.plus(lifetime).to_sql(), uses],
            )
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// Every secret, without the secret, oldest first.
    ///
    /// # Errors
    /// [`RegistryError::Sqlite`].
    pub fn secrets(&self) -> Result<Vec<SecretInfo>, RegistryError> {
        let failed = |source| self.failed("list secrets", source);
        let mut statement = self
            .connection
            .prepare(
                "SELECT label, created_at, expires_at, uses, uses_left, revoked_at FROM secret ORDER BY created_at, label",
            )
            .map_err(failed)?;
        let rows = statement
            .query_map([], |row| {
                Ok(SecretInfo {
                    label: row.get(0)?,
                    created_at: UnixSeconds::from_sql(row.get(1)?),
                    expires_at: UnixSeconds::from_sql(row.get(2)?),
                    uses: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
                    uses_left: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
                    revoked_at: row.get::<_, Option<i64>>(5)?.map(UnixSeconds::from_sql),
                })
            })
            .map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Ends a secret at once. What it has enrolled stays enrolled.
    ///
    /// # Errors
    /// [`RegistryError::UnknownSecret`], [`RegistryError::Sqlite`].
    pub fn revoke_secret(&mut self, label: &str, now: UnixSeconds) -> Result<(), RegistryError> {
        // The bytes go as well: nothing may use them again.
        let wiped = "0".repeat(64);
        let changed = self
            .connection
            .execute(
                "UPDATE secret SET revoked_at = ?2, secret = ?3 WHERE label = ?1",
                params![label, now.to_sql(), wiped],
            )
            .map_err(|source| self.failed("revoke a secret", source))?;
        if changed == 0 { Err(RegistryError::UnknownSecret(label.to_owned())) } else { Ok(()) }
    }

    /// The secrets that a proof is tried with: live ones first, then the newest that are over (so that the log can say
    /// why), [`SECRETS_LIVE_MAX`] in all.
    pub(super) fn tried_secrets(&self, now: UnixSeconds) -> Result<Vec<TriedSecret>, RegistryError> {
        let failed = |source| self.failed("read secrets", source);
        let mut statement = self
            .connection
            .prepare(
                "SELECT label, secret, expires_at, uses_left FROM secret WHERE revoked_at IS NULL
                 ORDER BY (uses_left > 0 AND expires_at > ?1) DESC, created_at DESC, label LIMIT ?2",
            )
            .map_err(failed)?;
        let limit = i64::try_from(SECRETS_LIVE_MAX).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![now.to_sql(), limit]).map_err(failed)?;
        let mut secrets = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let label: String = row.get(0).map_err(failed)?;
            let hex: Zeroizing<String> = Zeroizing::new(row.get(1).map_err(failed)?);
            let secret = MassSecret::from_hex(&hex).map_err(|_| RegistryError::Corrupt {
                path: self.path.clone(),
                what: "secret",
                subject: label.clone(),
            })?;
            secrets.push(TriedSecret {
                label,
                secret,
                expires_at: UnixSeconds::from_sql(row.get(2).map_err(failed)?),
                uses_left: u64::try_from(row.get::<_, i64>(3).map_err(failed)?).unwrap_or(0),
            });
        }
        Ok(secrets)
    }
}
