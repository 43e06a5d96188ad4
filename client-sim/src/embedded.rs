//! The relay that `run` embeds when it is given no edge: on threads of its own, so that its processor time can be told from
//! the simulator's.

use std::{sync::Arc, time::Duration};

use relay_lab::{Lab, LabOptions};
use relay_runtime::buffers::Buffers;
use relay_trust::{PinSet, Roots};
use tokio::runtime::{Builder, Runtime};

use crate::{
    cpu::RELAY_THREADS,
    error::Error,
    target::{EdgeAddress, EdgeTarget, Target, server_name},
};

/// How long the mass-deployment secret of a run lives: longer than any run.
const SECRET_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// An embedded relay.
pub struct Embedded {
    lab: Lab,
    runtime: Runtime,
}

impl Embedded {
    /// Starts a relay and gives what `devices` devices need to use it.
    ///
    /// # Errors
    /// [`Error::Lab`] or [`Error::System`] if it cannot be started.
    pub fn start(devices: u32) -> Result<(Self, Target), Error> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name(RELAY_THREADS)
            .build()
            .map_err(|source| Error::System { action: "start the asynchronous runtime".into(), source })?;
        let lab = runtime
            .block_on(Lab::start(LabOptions::default()))
            .map_err(|error| Error::Lab(format!("cannot start: {error}")))?;
        let target = runtime.block_on(target(&lab, devices))?;
        Ok((Self { lab, runtime }, target))
    }

    /// Ends the relay.
    pub fn stop(self) {
        self.runtime.block_on(self.lab.stop());
    }
}

/// What `devices` devices need to use a lab: also for tests that start one themselves.
///
/// # Errors
/// [`Error::Lab`] if the lab gives something that no device could use.
pub async fn target(lab: &Lab, devices: u32) -> Result<Target, Error> {
    let unusable = |error: &dyn std::fmt::Display| Error::Lab(error.to_string());
    let edge = EdgeTarget {
        edges: vec![EdgeAddress::from(lab.edge_addr())],
        server_name: server_name("localhost")?,
        pins: lab.edge_pins().clone(),
        roots: Roots::from_der(std::slice::from_ref(lab.edge_certificate())).map_err(|error| unusable(&error))?,
        buffers: Buffers::default(),
    };
    let secret = lab.mass_secret(u64::from(devices), SECRET_LIFETIME).await.map_err(|error| unusable(&error))?;
    Ok(Target {
        edge,
        master_pins: PinSet::from(*lab.master_pin()),
        mass_secret: Some(Arc::new(secret)),
        node: lab.node_name().clone(),
    })
}
