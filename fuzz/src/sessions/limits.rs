//! SPEC §3.1, copied from the text: the models do not read the limits of what they judge.

use std::time::Duration;

pub(crate) const FIRST_FRAME: Duration = Duration::from_secs(10);
pub(crate) const NEXT_FRAME: Duration = Duration::from_secs(10);
pub(crate) const UNAUTHENTICATED: Duration = Duration::from_secs(60);
pub(crate) const DEVICE_IDLE: Duration = Duration::from_secs(2_100);
pub(crate) const ANSWER: Duration = Duration::from_secs(5);
pub(crate) const RETRY_MILLIS: u64 = 5_000;
pub(crate) const REPLY: Duration = Duration::from_secs(15);
pub(crate) const NONCES_REMEMBERED: usize = 8;
pub(crate) const REFUSALS_MAX: usize = 8;
pub(crate) const TOKEN_MILLIS: u64 = 30_000;
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);
pub(crate) const HEARTBEAT_SILENCE: Duration = Duration::from_secs(15);
