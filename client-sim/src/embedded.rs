//! The relay that `run` embeds when it is given no edge.

use crate::{error::Error, target::Target};

/// An embedded relay.
pub struct Embedded;

impl Embedded {
    /// Starts a relay and gives what `devices` devices need to use it.
    ///
    /// # Errors
    /// [`Error::Lab`] or [`Error::System`] if it cannot be started.
    pub fn start(devices: u32) -> Result<(Self, Target), Error> {
        Err(Error::Lab(format!("there is no lab yet for {devices} devices; give --edge HOST:PORT")))
    }

    /// Ends the relay.
    pub fn stop(self) {}
}
