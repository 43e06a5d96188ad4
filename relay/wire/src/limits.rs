//! SPEC §3: every bound of the protocol, with its unit, its reason and what the worst case costs.

use core::time::Duration;

/// Bytes of the opening frame's header (FORMATS §0).
pub const DEVICE_HEADER_BYTES: usize = 12;
/// Bytes of a request body at most. Worst case per device connection: one body and one header buffered, 16,396 bytes.
pub const BODY_BYTES_MAX: usize = 16_384;
/// Bytes of an edge-to-device reply body at most: a tunnel offer (a grant, its signature, a token) fits four times.
pub const REPLY_BYTES_MAX: usize = 4_096;
/// Bytes of a canonical request at most. A body of [`BODY_BYTES_MAX`] never becomes longer than twice its size.
pub const CANONICAL_BYTES_MAX: usize = 2 * BODY_BYTES_MAX;
/// Bytes of a control or data frame body at most: a canonical request and its envelope.
pub const BACKHAUL_BYTES_MAX: usize = CANONICAL_BYTES_MAX + 1_024;
/// Bytes of an encoded grant at most.
pub const GRANT_BYTES_MAX: usize = 2_048;
/// Bytes of a device id at most, in any message: the longest of the six platforms has 40.
pub const DEVICE_ID_BYTES_MAX: usize = 255;
/// Services that one grant may name; more is a mistake in the master's policy.
pub const GRANT_SERVICES_MAX: usize = 16;
/// Paths of a transfer on a desktop (C2).
pub const PATHS_DESKTOP_MAX: usize = 64;
/// Paths of a transfer on a phone (C2).
pub const PATHS_PHONE_MAX: usize = 16;

/// From accept to the end of the first frame: TLS, header and body. A stranger that is silent or slow is gone then.
pub const FIRST_FRAME: Duration = Duration::from_secs(10);
/// From the first byte of a later frame to its last.
pub const NEXT_FRAME: Duration = Duration::from_secs(10);
/// How long a device may hold a connection without having authenticated, register and enrol included.
pub const UNAUTHENTICATED: Duration = Duration::from_secs(60);
/// Silence after which an authenticated device is let go: longer than the 30 minutes that phones sleep (FORMATS §7).
pub const DEVICE_IDLE: Duration = Duration::from_secs(35 * 60);
/// How long the edge waits for the master before it says "later" to the device.
pub const ANSWER: Duration = Duration::from_secs(5);
/// After how long a device may ask again when nobody answered in time.
pub const RETRY: Duration = Duration::from_secs(5);
/// Nonces of one device connection that the edge remembers: a first net only, the master has the full cache. 128 bytes.
pub const NONCES_REMEMBERED: usize = 8;
/// How long a device waits for a reply: longer than [`ANSWER`], so that the edge's word arrives first.
pub const REPLY: Duration = Duration::from_secs(15);
/// How long a tunnel token may be used.
pub const TOKEN: Duration = Duration::from_secs(30);
/// From a device's tunnel hello to a data connection that carries it.
pub const TUNNEL_MATCH: Duration = Duration::from_secs(10);
/// From `Assign` to the backend's close_notify.
pub const HAND_OVER: Duration = Duration::from_secs(5);
/// From the first raw byte to the end of TLS and the service preface, on device and backend.
pub const TUNNEL_HANDSHAKE: Duration = Duration::from_secs(10);
/// Between two heartbeats on a control connection, in each direction.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Silence on a control connection after which the other side is gone: three heartbeats.
pub const HEARTBEAT_SILENCE: Duration = Duration::from_secs(15);
/// How far a request's time may be from the master's clock. Nonces are remembered for twice as long.
pub const CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);
/// Refused requests after which an authenticated device's connection is closed; a stranger's closes at the first.
pub const REFUSALS_MAX: u8 = 8;

const _: () = assert!(ANSWER.as_secs() < REPLY.as_secs());
const _: () = assert!(TUNNEL_MATCH.as_secs() < TOKEN.as_secs());
const _: () = assert!(HEARTBEAT.as_secs() * 2 < HEARTBEAT_SILENCE.as_secs());
const _: () = assert!(BACKHAUL_BYTES_MAX < u16::MAX as usize);
const _: () = assert!(GRANT_BYTES_MAX + 256 < REPLY_BYTES_MAX);
