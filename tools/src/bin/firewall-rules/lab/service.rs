//! The relay at work under the rules: fleets of all platforms, and a forwarder per platform whose tunnels are counted.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tools::stop::Stop;

use super::{
    agent::{Answer, Ask},
    error::LabError,
    namespaces::Namespaces,
    processes::{Files, Process},
    program,
    sockets::{self, Census},
    topology::{Host, Space},
    world::World,
};
use crate::network::Family;

/// How long a process may take until it is ready.
const READY: Duration = Duration::from_secs(30);
/// How long a fleet may take.
const FLEET: Duration = Duration::from_secs(120);
/// How long `ss` may take.
const LIST: Duration = Duration::from_secs(20);
/// How long the number of connections may take to become what it shall be, and how long it then has to stay so.
const SETTLE: Duration = Duration::from_secs(15);
const STAY: Duration = Duration::from_millis(250);
/// Bytes that go through a tunnel and back before it counts.
const ECHOED: u32 = 100_000;
/// The first local port of forwarders.
const LOCAL: u16 = 9000;
/// The platforms by the names that `client-sim` takes.
pub const PLATFORMS: [&str; 6] = ["win", "mac", "linux", "ios", "android", "wp"];

/// A fleet's result.
#[derive(Clone, Debug, Serialize)]
pub struct Fleet {
    /// What its devices connected over.
    pub devices_over: Family,
    /// What the backends connected over.
    pub backends_over: Family,
    /// Which node it used.
    pub node: Host,
    /// Devices.
    pub devices: u64,
    /// Devices that did not get what they should.
    pub wrong: u64,
    /// Bytes that were backed up and restored, checked at both ends.
    pub bytes_checked: u64,
    /// From the first arrival to the last outcome.
    pub seconds: f64,
    /// Whether every device got what it should.
    pub passed: bool,
}

/// What is read of the simulator's own result.
#[derive(Deserialize)]
struct Summary {
    passed: bool,
    devices: u64,
    wrong: u64,
    bytes_checked: u64,
    elapsed_s: f64,
}

/// Runs a fleet of all platforms.
///
/// # Errors
/// If it cannot be run; a fleet that ran and failed is a result.
pub fn fleet(
    world: &World<'_>,
    files: &Files,
    devices: u32,
    devices_over: Family,
    backends_over: Family,
    node: Host,
) -> Result<Fleet, LabError> {
    let mut command = files.command(&world.namespaces, Host::Devices, "client-sim", None);
    command.arg("run").args(files.device_options(devices_over, node));
    command.args(["--devices", &devices.to_string(), "--bytes", "64KiB", "--format", "json"]);
    let ended = program::run(command, "", FLEET, world.stop)?;
    let summary: Summary = serde_json::from_str(&ended.stdout)
        .map_err(|_| LabError::failed(format!("run a fleet over {devices_over}"), ended.stderr.trim()))?;
    Ok(Fleet {
        devices_over,
        backends_over,
        node,
        devices: summary.devices,
        wrong: summary.wrong,
        bytes_checked: summary.bytes_checked,
        seconds: summary.elapsed_s,
        passed: summary.passed && ended.code == Some(0),
    })
}

/// Starts the backends over one protocol and waits until each is connected.
///
/// # Errors
/// If one of them is not ready in time.
pub fn start_backends(world: &World<'_>, files: &Files, family: Family) -> Result<Vec<Process>, LabError> {
    files.dial_over(family)?;
    let mut backends = Vec::new();
    for host in Host::BACKENDS {
        backends.push((host, files.start_backend(&world.namespaces, host)?));
    }
    for (host, process) in &mut backends {
        let what = format!("connected over {family}");
        process
            .wait_until(&what, READY, world.stop, |_| is_ready(world, Files::backend_admin(*host), Space::Inside))?;
    }
    Ok(backends.into_iter().map(|(_, process)| process).collect())
}

/// Whether `/readyz` says so.
pub fn is_ready(world: &World<'_>, admin: SocketAddr, space: Space) -> Result<bool, LabError> {
    let ask = Ask::Get { from: admin, path: "/readyz".to_owned() };
    let answer = world.root(space)?.ask(ask, Duration::from_secs(2)).wait(world.stop)?;
    Ok(matches!(answer, Answer::Page { status: 200, .. }))
}

/// Starts the edge and waits until it listens.
///
/// # Errors
/// If it is not ready in time.
pub fn start_edge(world: &World<'_>, files: &Files, strace: Option<&std::path::Path>) -> Result<Process, LabError> {
    let mut edge = files.start_edge(&world.namespaces, strace)?;
    edge.wait_until("listen", READY, world.stop, |_| {
        let ask = Ask::Get { from: Files::edge_admin(), path: "/healthz".to_owned() };
        let answer = world.root(Space::Dmz)?.ask(ask, Duration::from_secs(2)).wait(world.stop)?;
        Ok(matches!(answer, Answer::Page { status: 200, .. }))
    })?;
    Ok(edge)
}

/// What `ss` lists in every namespace.
///
/// # Errors
/// If it fails.
pub fn census(namespaces: &Namespaces, port: u16, stop: &Stop) -> Result<Census, LabError> {
    let mut spaces = Vec::new();
    for space in Space::ALL {
        let mut command = namespaces.command(space, "ss");
        command.arg("-Htan");
        spaces.push((space, sockets::parse(&program::succeed(command, "", LIST, stop)?)));
    }
    Ok(sockets::judge(&spaces, port))
}

/// The number of connections from the inside before and after a tunnel was opened.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Of which platform the device is.
    pub platform: &'static str,
    /// What it connected over.
    pub over: Family,
    /// Which node the tunnel leads to.
    pub node: Host,
    /// Connections that the inside had opened to the edge before.
    pub before: usize,
    /// And with the tunnel open.
    pub after: usize,
}

/// A device of each platform, with a forwarder to a node's echo; half of them over IPv6, half of them to each node.
///
/// # Errors
/// If one does not come up.
pub fn start_forwarders(world: &World<'_>, files: &Files) -> Result<Vec<Process>, LabError> {
    let mut forwarders = Vec::new();
    for (place, platform) in PLATFORMS.into_iter().enumerate() {
        let (family, node) = way(place);
        let mut command = files.command(&world.namespaces, Host::Devices, "client-sim", None);
        command.args(["connect", "--state"]).arg(files.path("devices").join(platform));
        command.args(files.device_options(family, node));
        command.args(["--user", "lab@example.com", "--platform", platform, "--service", "echo"]);
        command.args(["--listen", &local(place).to_string()]);
        forwarders.push(files.start(&format!("connect-{platform}"), command)?);
    }
    for forwarder in &mut forwarders {
        forwarder.wait_until("ready", READY, world.stop, |process| Ok(process.has_said("listening on")))?;
    }
    Ok(forwarders)
}

/// The protocol and the node of a forwarder.
fn way(place: usize) -> (Family, Host) {
    let family = if place.is_multiple_of(2) { Family::Ipv4 } else { Family::Ipv6 };
    let node = if place < PLATFORMS.len() / 2 { Host::NodeA } else { Host::NodeB };
    (family, node)
}

fn local(place: usize) -> SocketAddr {
    let port = LOCAL + u16::try_from(place).unwrap_or_default();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Opens a tunnel of each device, one after the other, and counts the connections that the inside has opened to the edge.
///
/// # Errors
/// If a tunnel cannot be opened, or `ss` fails.
pub fn count_tunnels(world: &World<'_>) -> Result<(Vec<Step>, Census), LabError> {
    let mut now = settled(world, None)?;
    let mut steps = Vec::new();
    for (place, platform) in PLATFORMS.into_iter().enumerate() {
        let (over, node) = way(place);
        let before = now.opened_in(Space::Inside);
        let ask = Ask::Hold { to: local(place), bytes: ECHOED };
        let answer = world.root(Space::Internet)?.ask(ask, READY).wait(world.stop)?;
        if !matches!(answer, Answer::Open { .. }) {
            return Err(LabError::failed(format!("open a tunnel of the {platform} device"), format!("{answer:?}")));
        }
        now = settled(world, Some(before + 1))?;
        steps.push(Step { platform, over, node, before, after: now.opened_in(Space::Inside) });
    }
    Ok((steps, now))
}

/// The sockets once their number has stopped changing, at `wanted` if one is.
fn settled(world: &World<'_>, wanted: Option<usize>) -> Result<Census, LabError> {
    let until = Instant::now() + SETTLE;
    let mut last = census(&world.namespaces, world.port, world.stop)?;
    let mut since = Instant::now();
    loop {
        thread::sleep(Duration::from_millis(30));
        let now = census(&world.namespaces, world.port, world.stop)?;
        if now.opened_in(Space::Inside) != last.opened_in(Space::Inside) {
            since = Instant::now();
        }
        let right = wanted.is_none_or(|wanted| now.opened_in(Space::Inside) == wanted);
        if (right && since.elapsed() >= STAY) || Instant::now() >= until {
            return Ok(now);
        }
        last = now;
    }
}
