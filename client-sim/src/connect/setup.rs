//! From options and state to an enrolled device.

use std::{path::Path, sync::Arc};

use relay_trust::{MassSecret, PinSet, random};
use relay_wire::{
    Platform,
    ids::{BackendName, DeviceId},
};
use tokio::time::sleep;

use super::{Clock, Device, Error, Failure, Folder, Halted, Saved, facts, session::Backoff, unix_seconds};
use crate::device::Step;
use crate::{
    cli::ConnectArgs,
    hex,
    profiles::Persona,
    target::{EdgeTarget, load_mass_secret, load_roots, server_name},
};

/// All that the forwarder needs, checked before it starts.
pub struct Setup {
    folder: Folder,
    saved: Saved,
    device: Option<Device>,
    master_pins: PinSet,
    mass_secret: Option<MassSecret>,
    /// The storage node.
    pub node: BackendName,
    /// The paths that requests name.
    pub paths: Vec<Vec<u8>>,
}

impl Setup {
    /// Joins the options with the state and saves the result.
    ///
    /// # Errors
    /// [`Failure::Halted`] if the state says so; [`Error::Usage`] for what is missing or cannot be used.
    pub fn prepare(args: &ConnectArgs, folder: Folder) -> Result<Self, Error> {
        let earlier = folder.load()?;
        if let Some(halted) = earlier.as_ref().and_then(|saved| saved.halted.clone()) {
            return Err(still_halted(&halted, &args.state));
        }
        let saved = match earlier {
            Some(saved) => updated(saved, args, &folder)?,
            None => first(args, &folder)?,
        };
        let mass_secret = match (&args.deployment.mass_secret_file, &saved.master_key) {
            (Some(file), None) => Some(load_mass_secret(file)?),
            (None, None) => {
                return Err(Error::Usage(
                    "this device is not enrolled: --mass-secret-file FILE and --user USER are needed".into(),
                ));
            }
            (_, Some(_)) => None,
        };
        if mass_secret.is_some() && saved.user.is_none() {
            return Err(Error::Usage("--user USER is needed to enrol: whose device it is, as name@example.com".into()));
        }
        let persona = persona(&saved)?;
        let edge = EdgeTarget {
            edges: saved.edges()?,
            server_name: server_name(&saved.server_name)?,
            pins: saved.pins()?,
            roots: load_roots(&folder.roots(&saved)?)?,
        };
        let paths = persona.paths();
        let device = Device::new(persona, Arc::new(edge), folder.key()?, saved.master_key()?, Clock::system())?;
        let (node, master_pins) = (saved.node()?, saved.master_pins()?);
        folder.save(&saved)?;
        Ok(Self { folder, saved, device: Some(device), master_pins, mass_secret, node, paths })
    }

    /// The device, enrolled: at the first start it introduces itself now, again and again while the edge is out of reach.
    ///
    /// # Errors
    /// What the relay said if it is not a matter of reach. A halt is in the state then.
    pub async fn enrolled(&mut self) -> Result<Arc<Device>, Error> {
        let Some(mut device) = self.device.take() else {
            return Err(Error::Usage("the device is in use already".into()));
        };
        if let Some(secret) = self.mass_secret.take() {
            let mut backoff = Backoff::default();
            while let Err(failure) = enrol(&mut device, &secret, &self.master_pins).await {
                if failure.halts() {
                    return Err(self.halt(&Arc::new(failure)));
                }
                if matches!(failure, Failure::Refused { step: Step::Register }) && device.is_enrolled().await {
                    break;
                }
                if !failure.is_passing() {
                    return Err(explained(failure));
                }
                let wait = failure.retry_after().unwrap_or_else(|| backoff.wait());
                tracing::warn!(%failure, retry_in = ?wait, "not enrolled yet");
                sleep(wait).await;
            }
            self.saved.master_key = device.master_spki().map(hex::encode);
            self.folder.save(&self.saved)?;
            tracing::info!(device = %device.persona().id, "enrolled");
        }
        Ok(Arc::new(device))
    }

    /// Writes the halt into the state; gives the error to end with.
    pub fn halt(&mut self, failure: &Arc<Failure>) -> Error {
        let (peer, reason) = if let Failure::Halted { peer, reason } = failure.as_ref() {
            (*peer, reason.clone())
        } else {
            ("the relay", failure.to_string())
        };
        self.saved.halted = Some(Halted { peer: peer.to_owned(), reason: reason.clone(), at_unix_s: unix_seconds() });
        if let Err(error) = self.folder.save(&self.saved) {
            tracing::error!(%error, "the halt could not be written into the state");
        }
        Error::Device(Failure::Halted { peer, reason })
    }
}

async fn enrol(device: &mut Device, secret: &MassSecret, master_pins: &PinSet) -> Result<(), Failure> {
    let (mut link, _) = device.connect().await?;
    let result = device.enrol(&mut link, secret, master_pins).await;
    link.close().await;
    result
}

/// A refusal at enrolment has few causes; naming them saves a call.
fn explained(failure: Failure) -> Error {
    if matches!(failure, Failure::Refused { .. }) {
        tracing::error!(
            "not enrolled: the mass-deployment secret may be unknown, expired or used up; or this id is enrolled \
             already, and an administrator must run `relay-backend device reset` for it"
        );
    }
    Error::Device(failure)
}

fn still_halted(halted: &Halted, state: &Path) -> Error {
    Error::Device(Failure::Halted {
        peer: if halted.peer == "the master" { "the master" } else { "the edge" },
        reason: format!(
            "since {} (unix seconds): {}. When a person has found out why, run `client-sim connect --state {} --reset-halt`",
            halted.at_unix_s,
            halted.reason,
            state.display()
        ),
    })
}

/// The state of a first start.
fn first(args: &ConnectArgs, folder: &Folder) -> Result<Saved, Error> {
    let target = EdgeTarget::from_args(&args.edge)?;
    let missing = |what: &str| Error::Usage(format!("{what} is needed at the first start"));
    let master_pins = args.deployment.master_pins.as_ref().ok_or_else(|| missing("--master-pin PIN"))?;
    let roots = args.edge.roots.as_ref().ok_or_else(|| missing("--roots FILE|system|mozilla"))?;
    if args.deployment.mass_secret_file.is_none() {
        return Err(missing("--mass-secret-file FILE"));
    }
    let platform = args.platform.unwrap_or(Platform::Linux);
    // A positive number of 63 bits: TOML has no more.
    let seed = u64::from_be_bytes(random()) >> 1;
    Ok(Saved {
        platform: platform.as_str().to_owned(),
        id: Persona::generate(platform, 0, seed).id.text().to_owned(),
        seed,
        user: args.user.clone(),
        edges: target.edges.iter().map(ToString::to_string).collect(),
        server_name: target.server_name.to_str().into_owned(),
        pins: target.pins.iter().map(ToString::to_string).collect(),
        roots: folder.adopt_roots(roots)?,
        master_pins: master_pins.iter().map(ToString::to_string).collect(),
        node: args.deployment.node.as_ref().map(ToString::to_string),
        path: args.path.clone(),
        master_key: None,
        halted: None,
    })
}

/// The state with what the options say differently now.
fn updated(mut saved: Saved, args: &ConnectArgs, folder: &Folder) -> Result<Saved, Error> {
    if let Some(platform) = args.platform
        && platform.as_str() != saved.platform
    {
        return Err(Error::Usage(format!(
            "--platform {platform}: this device is enrolled as {}; another platform is another device, with its own --state",
            saved.platform
        )));
    }
    if !args.edge.edges.is_empty() {
        saved.edges = args.edge.edges.iter().map(ToString::to_string).collect();
        saved.server_name = args.edge.edges[0].host().to_owned();
    }
    if let Some(name) = &args.edge.server_name {
        saved.server_name.clone_from(name);
    }
    if let Some(pins) = &args.edge.pins {
        saved.pins = pins.iter().map(ToString::to_string).collect();
    }
    if let Some(roots) = &args.edge.roots {
        saved.roots = folder.adopt_roots(roots)?;
    }
    if let Some(pins) = &args.deployment.master_pins {
        saved.master_pins = pins.iter().map(ToString::to_string).collect();
    }
    if let Some(node) = &args.deployment.node {
        saved.node = Some(node.to_string());
    }
    if let Some(path) = &args.path {
        saved.path = Some(path.clone());
    }
    if saved.master_key.is_none()
        && let Some(user) = &args.user
    {
        saved.user = Some(user.clone());
    }
    Ok(saved)
}

/// The device of a state: its id, and what it can truthfully say about this machine.
fn persona(saved: &Saved) -> Result<Persona, Error> {
    let platform = saved.platform()?;
    let mut persona = Persona::generate(platform, 0, saved.seed);
    persona.id = DeviceId::new(platform, saved.id.clone());
    if let Some(user) = &saved.user {
        persona.user.clone_from(user);
    }
    persona.set_paths(vec![saved.path.clone().unwrap_or_else(|| facts::path(platform))]);
    Ok(facts::of_this_machine(persona))
}
