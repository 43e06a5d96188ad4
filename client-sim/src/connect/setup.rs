//! From options and state to an enrolled device.

use std::{path::Path, sync::Arc};

use relay_runtime::buffers::Buffers;
use relay_trust::{MassSecret, PinSet, random};
use relay_wire::{
    Platform,
    ids::{BackendName, DeviceId},
};
use tokio::time::sleep;

use super::{Clock, Device, Error, Failure, Folder, Halted, Saved, facts, session::Backoff, unix_seconds};
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
        let mass_secret = match &args.deployment.mass_secret_file {
            Some(file) if saved.master_key.is_none() => Some(load_mass_secret(file)?),
            // Of use after an administrator's `device reset`; a start that names a secret long since removed is as good.
            Some(file) if file.exists() => Some(load_mass_secret(file)?),
            // Who may be enrolled already may not need it any more.
            None if saved.master_key.is_none() && saved.pending_master_key.is_none() => return Err(not_enrolled()),
            Some(_) | None => None,
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
            buffers: Buffers::default(),
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
        let was_enrolled = self.saved.master_key.is_some();
        let reset = was_enrolled && self.mass_secret.is_some() && is_unknown(&device).await;
        if reset || !was_enrolled {
            let mut backoff = Backoff::default();
            while let Err(error) = self.enrol(&mut device).await {
                let Error::Device(failure) = error else { return Err(error) };
                if failure.halts() {
                    return Err(self.halt(&Arc::new(failure)));
                }
                if !failure.is_passing() {
                    return Err(explained(failure));
                }
                let wait = failure.retry_after().unwrap_or_else(|| backoff.wait());
                tracing::warn!(%failure, retry_in = ?wait, "not enrolled yet");
                sleep(wait).await;
            }
            self.saved.master_key = device.master_spki().map(hex::encode);
            self.saved.pending_master_key = None;
            self.folder.save(&self.saved)?;
            tracing::info!(device = %device.persona().id, "enrolled");
        }
        Ok(Arc::new(device))
    }

    /// One attempt. Whoever was about to enrol before asks first whether the master knows the device: this process, or an
    /// earlier one, may have ended between the order and its receipt.
    async fn enrol(&mut self, device: &mut Device) -> Result<(), Error> {
        if device.is_enrolled().await? {
            return Ok(());
        }
        let secret = self.mass_secret.as_ref().ok_or_else(not_enrolled)?;
        let (mut link, _) = device.connect().await?;
        let (folder, saved) = (&self.folder, &mut self.saved);
        let result = device.enrol_noting(&mut link, secret, &self.master_pins, |master_key| {
            saved.pending_master_key = Some(hex::encode(master_key));
            folder.save(saved).map_err(|error| Failure::Local(error.to_string()))
        });
        let result = result.await;
        link.close().await;
        match result {
            // The order of an earlier attempt may have arrived meanwhile.
            Err(Failure::Refused { .. }) if device.is_enrolled().await? => Ok(()),
            other => Ok(other?),
        }
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

fn not_enrolled() -> Error {
    Error::Usage("this device is not enrolled: --mass-secret-file FILE and --user USER are needed".into())
}

/// Whether the master refuses what this device believes to be its enrolment. An edge out of reach says nothing about that.
async fn is_unknown(device: &Device) -> bool {
    let Ok((mut link, _)) = device.connect().await else { return false };
    let answer = device.authenticate(&mut link).await;
    link.close().await;
    matches!(answer, Err(Failure::Refused { .. }))
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
        pending_master_key: None,
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
        let pins: Vec<String> = pins.iter().map(ToString::to_string).collect();
        if pins != saved.master_pins {
            // It was checked against the other pins.
            saved.pending_master_key = None;
        }
        saved.master_pins = pins;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;
    use relay_lab::{Lab, LabOptions};
    use relay_trust::write_secret_file;

    use super::*;
    use crate::cli::{Cli, Command};

    /// The options of a first start, and of later ones.
    struct Deployed {
        lab: Lab,
        place: tempfile::TempDir,
    }

    impl Deployed {
        async fn start() -> Self {
            let lab = Lab::start(LabOptions::default()).await.unwrap();
            let place = tempfile::tempdir().unwrap();
            let secret = lab.mass_secret(1, Duration::from_secs(600)).await.unwrap();
            write_secret_file(&place.path().join("mass.secret"), &secret.to_hex()).unwrap();
            Self { lab, place }
        }

        fn prepare(&self, with_secret: bool) -> Setup {
            let state = self.place.path().join("state");
            let mut line = format!(
                "client-sim connect --state {} --edge {} --server-name localhost --pin {} --roots {} --master-pin {} --node {}",
                state.display(),
                self.lab.edge_addr(),
                self.lab.edge_pins().iter().next().unwrap(),
                self.lab.folder().join("edge.crt").display(),
                self.lab.master_pin(),
                self.lab.node_name(),
            );
            if with_secret {
                let file = self.place.path().join("mass.secret");
                line += &format!(" --user ana@example.com --mass-secret-file {}", file.display());
            }
            let Command::Connect(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else { unreachable!() };
            Setup::prepare(&args, Folder::open(&state).unwrap()).unwrap()
        }
    }

    #[tokio::test]
    async fn a_kill_between_the_order_and_its_receipt_does_not_lose_the_device() {
        let deployed = Deployed::start().await;
        let mut setup = deployed.prepare(true);
        let mut device = setup.device.take().unwrap();
        let key = device.key().spki();
        // The master has it, and nothing after the order is saved.
        setup.enrol(&mut device).await.unwrap();
        drop((setup, device));
        // The one use of the secret is gone, and it is not needed.
        let mut setup = deployed.prepare(false);
        assert!(setup.saved.master_key.is_none() && setup.saved.pending_master_key.is_some());
        let device = setup.enrolled().await.unwrap();
        assert_eq!(device.key().spki(), key);
        let saved = setup.folder.load().unwrap().unwrap();
        assert!(saved.master_key.is_some() && saved.pending_master_key.is_none());
        deployed.lab.stop().await;
    }

    #[tokio::test]
    async fn a_kill_before_the_order_costs_another_start_with_the_secret() {
        let deployed = Deployed::start().await;
        let mut setup = deployed.prepare(true);
        let master = relay_trust::Identity::self_signed(&["master".to_owned()], 1).unwrap().spki();
        setup.saved.pending_master_key = Some(hex::encode(&master));
        setup.folder.save(&setup.saved).unwrap();
        drop(setup);
        let refused = deployed.prepare(false).enrolled().await.err().unwrap();
        assert!(refused.exit_code() == 2 && refused.to_string().contains("--mass-secret-file"), "{refused}");
        let mut setup = deployed.prepare(true);
        setup.enrolled().await.unwrap();
        // What is kept is the key of the master that enrolled it.
        let saved = setup.folder.load().unwrap().unwrap();
        assert!(saved.pending_master_key.is_none() && saved.master_key != Some(hex::encode(&master)));
        deployed.lab.stop().await;
    }
}
