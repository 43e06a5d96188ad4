//! SPEC §7.1: the master's word, carried by an edge that cannot mint one.
//!
//! One signed object serves both ends of a tunnel: the storage node learns from it which device key to accept for which
//! services, and the device learns from it which certificate to expect.

use alloc::{string::String, vec::Vec};

use crate::{
    codec::{Malformed, Reader, TooLong, Writer},
    frame::control::read_device_id,
    ids::{BackendName, DeviceId, ServiceName},
    limits,
    request::OperationName,
    time::WallTime,
};

/// What a pin is the SHA-256 of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PinKind {
    /// The whole certificate (DER).
    Leaf,
    /// Its SubjectPublicKeyInfo (DER).
    Spki,
}

/// The fingerprint by which a device knows a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodePin {
    /// What was hashed.
    pub kind: PinKind,
    /// SHA-256 of it.
    pub digest: [u8; 32],
}

/// Which device key a tunnel accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKey {
    /// Any P-256 key: only for `register`, where the tunnel is there to enrol it.
    ToBeEnrolled,
    /// The key whose SubjectPublicKeyInfo has this SHA-256.
    Spki([u8; 32]),
}

/// Which services of the node a tunnel may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceScope {
    /// All that the node offers, but never `enrol`.
    Any,
    /// These; 1 to [`limits::GRANT_SERVICES_MAX`], ascending.
    Only(Vec<ServiceName>),
}

impl ServiceScope {
    /// Whether `service` is among them.
    #[must_use]
    pub fn allows(&self, service: &ServiceName) -> bool {
        match self {
            Self::Any => service.as_str() != "enrol",
            Self::Only(services) => services.contains(service),
        }
    }
}

/// What the master allows one device to do at one backend until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// 128 random bits: a backend accepts each id once.
    pub id: [u8; 16],
    /// The device.
    pub device_id: DeviceId,
    /// Its key.
    pub device_key: DeviceKey,
    /// Its user.
    pub user: String,
    /// The operation that was authorised.
    pub operation: OperationName,
    /// The services it may ask for.
    pub services: ServiceScope,
    /// The backend.
    pub node: BackendName,
    /// The backend's certificate.
    pub node_pin: NodePin,
    /// The end of its validity, by the master's clock.
    pub expires_at: WallTime,
}

/// An encoded grant and the master's signature over it (ECDSA P-256, SHA-256, (r,s)), as edges pass it on unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedGrant {
    /// [`Grant::encode`].
    pub grant: Vec<u8>,
    /// Over [`crate::proof::grant`] of those bytes.
    pub signature: [u8; 64],
}

const VERSION: u8 = 1;

impl Grant {
    /// The one encoding of this grant.
    ///
    /// # Errors
    /// [`TooLong`] if a text does not fit or there are too many services: a mistake of the master's policy.
    pub fn encode(&self) -> Result<Vec<u8>, TooLong> {
        let mut writer = Writer::new();
        if self.device_id.text().len() > limits::DEVICE_ID_BYTES_MAX {
            return Err(TooLong { field: "device id" });
        }
        writer.u8(VERSION).raw(&self.id).u8(self.device_id.platform().number());
        writer.text16(self.device_id.text(), "device id")?;
        match self.device_key {
            DeviceKey::ToBeEnrolled => writer.u8(0),
            DeviceKey::Spki(digest) => writer.u8(1).raw(&digest),
        };
        writer.text16(&self.user, "user")?.u8(operation_number(self.operation));
        match &self.services {
            ServiceScope::Any => {
                writer.u8(0);
            }
            ServiceScope::Only(services) => {
                let count = u8::try_from(services.len())
                    .ok()
                    .filter(|count| usize::from(*count) <= limits::GRANT_SERVICES_MAX)
                    .ok_or(TooLong { field: "services" })?;
                writer.u8(1).u8(count);
                for service in services {
                    writer.text16(service.as_str(), "service")?;
                }
            }
        }
        writer.text16(self.node.as_str(), "node")?;
        writer.u8(match self.node_pin.kind {
            PinKind::Leaf => 1,
            PinKind::Spki => 2,
        });
        writer.raw(&self.node_pin.digest).u64(self.expires_at.ticks());
        let bytes = writer.into_bytes();
        if bytes.len() > limits::GRANT_BYTES_MAX { Err(TooLong { field: "grant" }) } else { Ok(bytes) }
    }

    /// The grant of an encoding. Only after its signature was verified does it mean anything.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not exactly what [`Self::encode`] writes, or name a device without an id.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > limits::GRANT_BYTES_MAX {
            return Err(Malformed { field: "length" });
        }
        let mut reader = Reader::new(bytes);
        if reader.u8("version")? != VERSION {
            return Err(Malformed { field: "version" });
        }
        let id = reader.array("id")?;
        let device_id = read_device_id(&mut reader)?;
        let device_key = match reader.u8("device key")? {
            0 => DeviceKey::ToBeEnrolled,
            1 => DeviceKey::Spki(reader.array("device key")?),
            _ => return Err(Malformed { field: "device key" }),
        };
        let user = String::from(reader.text16("user")?);
        let operation = operation_from_number(reader.u8("operation")?).ok_or(Malformed { field: "operation" })?;
        let services = read_services(&mut reader)?;
        let node = BackendName::new(reader.text16("node")?).map_err(|_| Malformed { field: "node" })?;
        let kind = match reader.u8("node pin")? {
            1 => PinKind::Leaf,
            2 => PinKind::Spki,
            _ => return Err(Malformed { field: "node pin" }),
        };
        let node_pin = NodePin { kind, digest: reader.array("node pin")? };
        let expires_at = WallTime::from_ticks(reader.u64("expiry")?);
        reader.finish("end of grant")?;
        Ok(Self { id, device_id, device_key, user, operation, services, node, node_pin, expires_at })
    }
}

fn read_services(reader: &mut Reader<'_>) -> Result<ServiceScope, Malformed> {
    let field = "services";
    match reader.u8(field)? {
        0 => Ok(ServiceScope::Any),
        1 => {
            let count = usize::from(reader.u8(field)?);
            if count == 0 || count > limits::GRANT_SERVICES_MAX {
                return Err(Malformed { field });
            }
            let mut services: Vec<ServiceName> = Vec::with_capacity(count);
            for _ in 0..count {
                let service = ServiceName::new(reader.text16(field)?).map_err(|_| Malformed { field })?;
                if services.last().is_some_and(|last| *last >= service) {
                    return Err(Malformed { field });
                }
                services.push(service);
            }
            Ok(ServiceScope::Only(services))
        }
        _ => Err(Malformed { field }),
    }
}

/// The operation's number in grants and canonical requests.
#[must_use]
pub const fn operation_number(operation: OperationName) -> u8 {
    match operation {
        OperationName::Register => 1,
        OperationName::Auth => 2,
        OperationName::Backup => 3,
        OperationName::Restore => 4,
        OperationName::Ping => 5,
        OperationName::Sync => 6,
    }
}

/// The operation with this number.
#[must_use]
pub fn operation_from_number(number: u8) -> Option<OperationName> {
    OperationName::ALL.into_iter().find(|operation| operation_number(*operation) == number)
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;
    use crate::request::Platform;

    fn grant(device_id: usize, user: usize) -> Grant {
        let text = |length| String::from_utf8(vec![b'a'; length]).unwrap();
        Grant {
            id: [1; 16],
            device_id: DeviceId::new(Platform::Linux, text(device_id)),
            device_key: DeviceKey::ToBeEnrolled,
            user: text(user),
            operation: OperationName::Register,
            services: ServiceScope::Any,
            node: BackendName::new("head").unwrap(),
            node_pin: NodePin { kind: PinKind::Spki, digest: [2; 32] },
            expires_at: WallTime::MIN,
        }
    }

    /// A grant as another implementation might write it, without regard to lengths.
    fn written(device_id: usize, user: usize) -> Vec<u8> {
        let mut bytes = grant(1, 0).encode().unwrap();
        let mut lengthen = |place: usize, length: usize, had: usize| {
            bytes[place..place + 2].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            bytes.splice(place + 2..place + 2 + had, vec![b'a'; length]);
        };
        lengthen(22, user, 0);
        lengthen(18, device_id, 1);
        bytes
    }

    #[test]
    fn a_device_id_has_1_to_255_bytes() {
        for length in [1, 255] {
            assert_eq!(Grant::decode(&written(length, 5)), Ok(grant(length, 5)));
            assert_eq!(grant(length, 5).encode(), Ok(written(length, 5)));
        }
        for length in [0, 256] {
            assert_eq!(Grant::decode(&written(length, 5)), Err(Malformed { field: "device id" }));
        }
        assert_eq!(grant(256, 5).encode(), Err(TooLong { field: "device id" }));
    }

    #[test]
    fn a_grant_has_2048_bytes_at_most() {
        let room = limits::GRANT_BYTES_MAX - written(36, 0).len();
        assert_eq!(Grant::decode(&written(36, room)), Ok(grant(36, room)));
        assert_eq!(Grant::decode(&written(36, room + 1)), Err(Malformed { field: "length" }));
        assert_eq!(grant(36, room + 1).encode(), Err(TooLong { field: "grant" }));
    }
}
