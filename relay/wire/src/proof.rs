//! SPEC §6.1: what is signed and what is authenticated, byte by byte. The cryptography itself is `relay-trust`'s.
//!
//! Every message begins with its own label and a zero byte, so that no proof of one kind is a proof of another.

use alloc::vec::Vec;

use crate::ids::{BackendName, DeviceId, Exporter, Generation, Role};

/// The TLS exporter label (RFC 5705) for connections of this kind; 32 bytes, no context.
pub mod exporter_label {
    /// Device to edge.
    pub const DEVICE: &[u8] = b"EXPORTER-sallyport-device-1";
    /// Backend to edge, control connection.
    pub const CONTROL: &[u8] = b"EXPORTER-sallyport-control-1";
    /// Backend to edge, data connection.
    pub const DATA: &[u8] = b"EXPORTER-sallyport-data-1";
    /// Device to backend, inside a tunnel.
    pub const TUNNEL: &[u8] = b"EXPORTER-sallyport-tunnel-1";
}

/// The ALPN protocol names (RFC 7301) by which the edge tells connections apart.
pub mod alpn {
    /// A device's persistent connection; TLS ends at the edge.
    pub const DEVICE: &[u8] = b"sallyport/device";
    /// A backend's control connection; TLS ends at the edge.
    pub const CONTROL: &[u8] = b"sallyport/control";
    /// A backend's data connection; TLS ends at the edge until the hand-over.
    pub const DATA: &[u8] = b"sallyport/data";
    /// A device's tunnel; TLS ends at the backend.
    pub const TUNNEL: &[u8] = b"sallyport/tunnel";
}

/// Who speaks in a proof between backend and edge, and on which kind of connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The backend on its control connection.
    ControlBackend,
    /// The edge on a control connection.
    ControlEdge,
    /// The backend on a data connection.
    DataBackend,
    /// The edge on a data connection.
    DataEdge,
}

impl Speaker {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::ControlBackend => b"sallyport/1 control backend",
            Self::ControlEdge => b"sallyport/1 control edge",
            Self::DataBackend => b"sallyport/1 data backend",
            Self::DataEdge => b"sallyport/1 data edge",
        }
    }
}

fn labelled(label: &[u8], capacity: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(label.len() + 1 + capacity);
    message.extend_from_slice(label);
    message.push(0);
    message
}

/// The HMAC-SHA256 message, keyed with a backend's shared key, by which backend and edge know each other.
#[must_use]
pub fn backhaul(
    speaker: Speaker,
    exporter: &Exporter,
    role: Role,
    name: &BackendName,
    generation: Generation,
) -> Vec<u8> {
    let mut message = labelled(speaker.label(), 32 + 1 + 8 + name.as_str().len());
    message.extend_from_slice(&exporter.0);
    message.push(role.number());
    message.extend_from_slice(&generation.0.to_be_bytes());
    message.extend_from_slice(name.as_str().as_bytes());
    message
}

/// The HMAC-SHA256 message of a MASS proof in `register`: keyed with the mass-deployment secret.
///
/// `exporter` is the device-edge connection's; `content` is [`crate::canonical::encode_content`].
#[must_use]
pub fn mass_register(exporter: &Exporter, content: &[u8]) -> Vec<u8> {
    let mut message = labelled(b"sallyport/1 mass register", 32 + content.len());
    message.extend_from_slice(&exporter.0);
    message.extend_from_slice(content);
    message
}

/// The HMAC-SHA256 message of the MASS proof that is repeated inside the `enrol` tunnel.
///
/// `exporter` is the tunnel's, `spki` the DER of the device's public key: an edge that took the token cannot enrol a key
/// of its own.
#[must_use]
pub fn mass_enrol(exporter: &Exporter, device_id: &DeviceId, spki: &[u8]) -> Vec<u8> {
    let mut message = labelled(b"sallyport/1 mass enrol", 32 + 3 + device_id.text().len() + spki.len());
    message.extend_from_slice(&exporter.0);
    message.push(device_id.platform().number());
    message.extend_from_slice(device_id.text().as_bytes());
    message.push(0);
    message.extend_from_slice(spki);
    message
}

/// The message of a DEV proof: the device key's ECDSA P-256 signature over its SHA-256.
#[must_use]
pub fn device_request(exporter: &Exporter, content: &[u8]) -> Vec<u8> {
    let mut message = labelled(b"sallyport/1 device request", 32 + content.len());
    message.extend_from_slice(&exporter.0);
    message.extend_from_slice(content);
    message
}

/// The message of the master's signature over a grant.
#[must_use]
pub fn grant(encoded: &[u8]) -> Vec<u8> {
    let mut message = labelled(b"sallyport/1 grant", encoded.len());
    message.extend_from_slice(encoded);
    message
}
