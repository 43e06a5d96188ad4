//! Devices: add, list, revoke, reset, enrol.

use relay_trust::secret::MassSecret;
use relay_wire::{Platform, ids::DeviceId};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Registry, RegistryError, UnixSeconds, next_revision};

/// Whether a device may use the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// It has a key, and its requests are judged by it.
    Active,
    /// Refused, and it cannot enrol again until it is reset.
    Revoked,
    /// It has no key; a mass secret may enrol it again.
    Reset,
}

impl DeviceState {
    /// The state as the registry and `device list` spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Reset => "reset",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        [Self::Active, Self::Revoked, Self::Reset].into_iter().find(|state| state.as_str() == text)
    }
}

/// A device as the registry holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its identity, as it was spelled when it was added or enrolled.
    pub id: DeviceId,
    /// Whose it is.
    pub user: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Its public key (SubjectPublicKeyInfo, DER, P-256); none after a reset.
    pub spki: Option<Vec<u8>>,
    /// Whether it may use the relay.
    pub state: DeviceState,
    /// When its key was registered.
    pub enrolled_at: Option<UnixSeconds>,
    /// When it was revoked.
    pub revoked_at: Option<UnixSeconds>,
    /// When a request of it was last found good (written with some seconds of delay).
    pub last_seen_at: Option<UnixSeconds>,
    /// Grows with every change of a device in this registry.
    pub revision: i64,
}

/// A device to be added with its key: by an administrator, or by enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDevice {
    /// Its identity.
    pub id: DeviceId,
    /// Whose it is.
    pub user: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Its public key: SubjectPublicKeyInfo, DER, P-256.
    pub spki: Vec<u8>,
}

/// Why an enrolment was refused; each is a fixed word in log and metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnrolRefusal {
    /// The secret is gone since it was matched, or was revoked.
    UnknownSecret,
    /// The secret's time is over.
    SecretExpired,
    /// The secret has no uses left.
    SecretUsedUp,
    /// The device has a key already.
    AlreadyEnrolled,
    /// The device was revoked.
    Revoked,
}

impl Registry {
    /// Adds a device with its key; for administrators. `import` adds many.
    ///
    /// # Errors
    /// [`RegistryError::DeviceExists`] unless the device is new or was reset; [`RegistryError::Sqlite`].
    pub fn add_device(&mut self, device: &NewDevice, now: UnixSeconds) -> Result<Device, RegistryError> {
        self.add_devices(std::slice::from_ref(device), now)?;
        self.device(&device.id.registry_key())
    }

    /// Adds all of these devices or, if one of them cannot be added, none.
    ///
    /// # Errors
    /// As [`Self::add_device`], for the first that cannot be added.
    pub fn add_devices(&mut self, devices: &[NewDevice], now: UnixSeconds) -> Result<(), RegistryError> {
        let path = self.path.clone();
        let failed = |source| RegistryError::Sqlite { path: path.clone(), operation: "add devices", source };
        let transaction = self.begin("add devices")?;
        for device in devices {
            let key = device.id.registry_key();
            match state_of(&transaction, &key).map_err(failed)? {
                Some(DeviceState::Active | DeviceState::Revoked) => return Err(RegistryError::DeviceExists(key)),
                Some(DeviceState::Reset) | None => upsert(&transaction, device, now).map_err(failed)?,
            }
        }
        transaction.commit().map_err(failed)
    }

    /// The device filed under `key` ([`DeviceId::registry_key`]).
    ///
    /// # Errors
    /// [`RegistryError::UnknownDevice`], [`RegistryError::Sqlite`].
    pub fn device(&self, key: &str) -> Result<Device, RegistryError> {
        let found = self
            .connection
            .query_row(&format!("{SELECT} WHERE registry_key = ?1"), [key], |row| Ok(self.read(row)))
            .optional()
            .map_err(|source| self.failed("look up a device", source))?;
        found.unwrap_or_else(|| Err(RegistryError::UnknownDevice(key.to_owned())))
    }

    /// Calls `each` with every device, in the order of their registry keys, until it says to stop with `false`.
    ///
    /// # Errors
    /// [`RegistryError::Sqlite`], [`RegistryError::Corrupt`].
    pub fn for_each_device(&self, each: impl FnMut(Device) -> bool) -> Result<(), RegistryError> {
        self.select(&format!("{SELECT} ORDER BY registry_key"), params![], each)
    }

    /// Calls `each` with every device that changed after `revision`, oldest change first.
    pub(super) fn for_each_changed(&self, revision: i64, mut each: impl FnMut(Device)) -> Result<(), RegistryError> {
        self.select(&format!("{SELECT} WHERE revision > ?1 ORDER BY revision"), params![revision], |device| {
            each(device);
            true
        })
    }

    fn select(
        &self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        mut each: impl FnMut(Device) -> bool,
    ) -> Result<(), RegistryError> {
        let failed = |source| self.failed("list devices", source);
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query(parameters).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if !each(self.read(row)?) {
                break;
            }
        }
        Ok(())
    }

    /// Revokes a device: the daemon ends its sessions and tunnels within about a second. Revoking twice is no error.
    ///
    /// # Errors
    /// [`RegistryError::UnknownDevice`], [`RegistryError::Sqlite`].
    pub fn revoke_device(&mut self, key: &str, now: UnixSeconds) -> Result<(), RegistryError> {
        self.change(
            key,
            "UPDATE device SET status = 'revoked', revoked_at = ?3, revision = ?2 WHERE registry_key = ?1",
            Some(now),
        )
    }

    /// Forgets a device's key and any revocation, so that a mass secret (or `device add`) may enrol it again.
    ///
    /// # Errors
    /// [`RegistryError::UnknownDevice`], [`RegistryError::Sqlite`].
    pub fn reset_device(&mut self, key: &str) -> Result<(), RegistryError> {
        self.change(
            key,
            "UPDATE device SET status = 'reset', spki = NULL, revoked_at = ?3, revision = ?2 WHERE registry_key = ?1",
            None,
        )
    }

    fn change(&mut self, key: &str, sql: &str, at: Option<UnixSeconds>) -> Result<(), RegistryError> {
        let path = self.path.clone();
        let failed = |source| RegistryError::Sqlite { path: path.clone(), operation: "change a device", source };
        let transaction = self.begin("change a device")?;
        let revision = next_revision(&transaction).map_err(failed)?;
        let changed = transaction.execute(sql, params![key, revision, at.map(UnixSeconds::to_sql)]).map_err(failed)?;
        if changed == 0 {
            return Err(RegistryError::UnknownDevice(key.to_owned()));
        }
        transaction.commit().map_err(failed)
    }

    /// Enrols a device with the secret `label`: its checks, the new key and the used-up use are one transaction, so that of
    /// two devices that race for the last use exactly one wins.
    ///
    /// # Errors
    /// Outer: [`RegistryError::Sqlite`]. Inner: the refusal.
    pub fn enrol(
        &mut self,
        label: &str,
        device: &NewDevice,
        now: UnixSeconds,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        let mut outcomes = self.enrol_all(&[(label, device)], now)?;
        Ok(outcomes.pop().unwrap_or(Ok(())))
    }

    /// Enrols several devices, each as [`Self::enrol`] would after those before it, at the price of one commit. If the
    /// commit fails, none is enrolled.
    ///
    /// # Errors
    /// Outer: [`RegistryError::Sqlite`]. Inner: the refusal of each, in their order.
    pub fn enrol_all(
        &mut self,
        orders: &[(&str, &NewDevice)],
        now: UnixSeconds,
    ) -> Result<Vec<Result<(), EnrolRefusal>>, RegistryError> {
        let path = self.path.clone();
        let failed = |source| RegistryError::Sqlite { path: path.clone(), operation: "enrol devices", source };
        let transaction = self.begin("enrol devices")?;
        let mut outcomes = Vec::with_capacity(orders.len());
        for (label, device) in orders {
            let key = device.id.registry_key();
            let refusal = enrolment_refusal(&transaction, label, &key, now).map_err(failed)?;
            outcomes.push(match refusal {
                Some(refusal) => Err(refusal),
                None => {
                    upsert(&transaction, device, now).map_err(failed)?;
                    use_up(&transaction, label, &key, now).map_err(failed)?;
                    Ok(())
                }
            });
        }
        transaction.commit().map_err(failed)?;
        Ok(outcomes)
    }

    /// Notes when devices were last seen. Not a change that others must hear of: no new revision.
    ///
    /// # Errors
    /// [`RegistryError::Sqlite`].
    pub fn note_seen(&mut self, seen: &[(String, UnixSeconds)]) -> Result<(), RegistryError> {
        let path = self.path.clone();
        let failed = |source| RegistryError::Sqlite { path: path.clone(), operation: "note devices seen", source };
        let transaction = self.begin("note devices seen")?;
        {
            let mut statement = transaction
                .prepare_cached("UPDATE device SET last_seen_at = ?2 WHERE registry_key = ?1")
                .map_err(failed)?;
            for (key, at) in seen {
                statement.execute(params![key, at.to_sql()]).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }

    fn read(&self, row: &Row<'_>) -> Result<Device, RegistryError> {
        let failed = |source| self.failed("read a device", source);
        let key: String = row.get(0).map_err(failed)?;
        let corrupt = |what| RegistryError::Corrupt { path: self.path.clone(), what, subject: key.clone() };
        let platform: String = row.get(1).map_err(failed)?;
        let platform = Platform::from_name(&platform).ok_or_else(|| corrupt("platform"))?;
        let status: String = row.get(6).map_err(failed)?;
        let time =
            |column| row.get::<_, Option<i64>>(column).map(|value| value.map(UnixSeconds::from_sql)).map_err(failed);
        Ok(Device {
            id: DeviceId::new(platform, row.get(2).map_err(failed)?),
            user: row.get(3).map_err(failed)?,
            name: row.get(4).map_err(failed)?,
            spki: row.get(5).map_err(failed)?,
            state: DeviceState::from_text(&status).ok_or_else(|| corrupt("status"))?,
            enrolled_at: time(7)?,
            revoked_at: time(8)?,
            last_seen_at: time(9)?,
            revision: row.get(10).map_err(failed)?,
        })
    }
}

const SELECT: &str = "SELECT registry_key, platform, id, user, name, spki, status, enrolled_at, revoked_at, last_seen_at, \
                      revision FROM device";

fn state_of(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<Option<DeviceState>> {
    let status: Option<String> = transaction
        .prepare_cached("SELECT status FROM device WHERE registry_key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    // A status that the schema's CHECK would not have let in counts as revoked: never as permission.
    Ok(status.map(|text| DeviceState::from_text(&text).unwrap_or(DeviceState::Revoked)))
}

fn upsert(transaction: &Transaction<'_>, device: &NewDevice, now: UnixSeconds) -> rusqlite::Result<()> {
    let revision = next_revision(transaction)?;
    transaction
        .prepare_cached(
            "INSERT INTO device (registry_key, platform, id, user, name, spki, status, enrolled_at, revision)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'active', ?7, ?8)
             ON CONFLICT (registry_key) DO UPDATE SET id = excluded.id, user = excluded.user, spki = excluded.spki,
                 name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END,
                 status = 'active', enrolled_at = excluded.enrolled_at, revoked_at = NULL, revision = excluded.revision",
        )?
        .execute(params![
            device.id.registry_key(),
            device.id.platform().as_str(),
            device.id.text(),
            device.user,
            device.name,
            device.spki,
            now.to_sql(),
            revision
        ])?;
    Ok(())
}

/// Takes one use of a secret, and notes who had it.
fn use_up(transaction: &Transaction<'_>, label: &str, key: &str, now: UnixSeconds) -> rusqlite::Result<()> {
    transaction.prepare_cached("UPDATE secret SET uses_left = uses_left - 1 WHERE label = ?1")?.execute([label])?;
    transaction
        .prepare_cached("INSERT INTO enrolment (registry_key, secret, at) VALUES (?1, ?2, ?3)")?
        .execute(params![key, label, now.to_sql()])?;
    Ok(())
}

fn enrolment_refusal(
    transaction: &Transaction<'_>,
    label: &str,
    key: &str,
    now: UnixSeconds,
) -> rusqlite::Result<Option<EnrolRefusal>> {
    let secret: Option<(i64, i64, Option<i64>)> = transaction
        .query_row("SELECT expires_at, uses_left, revoked_at FROM secret WHERE label = ?1", [label], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let refusal = match secret {
        None | Some((_, _, Some(_))) => Some(EnrolRefusal::UnknownSecret),
        Some((expires_at, _, None)) if expires_at <= now.to_sql() => Some(EnrolRefusal::SecretExpired),
        Some((_, 0, None)) => Some(EnrolRefusal::SecretUsedUp),
        Some((_, _, None)) => match state_of(transaction, key)? {
            Some(DeviceState::Active) => Some(EnrolRefusal::AlreadyEnrolled),
            Some(DeviceState::Revoked) => Some(EnrolRefusal::Revoked),
            Some(DeviceState::Reset) | None => None,
        },
    };
    Ok(refusal)
}

/// A mass secret that is being tried, with what decides whether it counts.
pub struct TriedSecret {
    /// What administrators call it; safe to log.
    pub label: String,
    /// The secret.
    pub secret: MassSecret,
    /// The end of its time.
    pub expires_at: UnixSeconds,
    /// How many devices it may still enrol.
    pub uses_left: u64,
}
