//! A run from the empty machine to the report, part by part.

use std::{fs, path::Path};

use tools::stop::Stop;

use super::{
    LabArgs,
    attempts::{self, Attempt},
    error::LabError,
    matrix::{self, Line, Matrix},
    namespaces::{self, Maker, Namespaces},
    plan::Plan,
    processes::Files,
    progress::Progress,
    report::{Captured, Control, Loaded, Report, Stranger, Tracking, Tunnels},
    requirements, rows,
    service::{self, Fleet},
    sockets::{self, Calls},
    topology::{Host, Space},
    world::{PATIENCE, World},
};
use crate::{
    diff,
    format::nftables,
    network::Family,
    rules::{Rule, RuleSet},
};

/// Steps besides the lines of the matrix, for the bar.
const PARTS: usize = 10;

/// Runs the lab.
///
/// # Errors
/// If there can be no result. What was made is removed in any case.
pub fn run(arguments: &LabArgs) -> Result<Report, LabError> {
    requirements::root_and_programs(arguments.strace)?;
    let binaries = requirements::binaries(arguments.binaries.as_deref())?;
    let mut plan = Plan::new(arguments.port, &arguments.clients)?;
    let stop = Stop::on_signals().map_err(LabError::io("take signals"))?;
    let progress = Progress::new(PARTS + plan.rules().len());
    progress.part("five namespaces, their cables and addresses");
    // Left-overs hold nothing up; whoever wants to know why they stay asks with --clean.
    let _ = namespaces::clean(&stop);
    let maker = Maker::this()?;
    // Dropped in the opposite order: the processes, the namespaces, then the files.
    let files = Files::create(maker, &binaries, plan.port)?;
    files.prepare(&stop)?;
    plan.compare_with_config(&files.path("edge/edge.toml"), &arguments.clients)?;
    let namespaces = Namespaces::create(maker, &stop)?;
    let world = World::create(namespaces, &files, &plan.sets, plan.port, &stop)?;
    let mut report = Report::new(&plan);
    let outcome = parts(arguments, &plan, &files, &world, &progress, &mut report);
    if let Some(out) = &arguments.out {
        keep(&files, &plan, out)?;
    }
    outcome?;
    report.seconds = progress.seconds();
    Ok(report)
}

/// What is shown, in its order.
fn parts(
    arguments: &LabArgs,
    plan: &Plan,
    files: &Files,
    world: &World<'_>,
    progress: &Progress,
    report: &mut Report,
) -> Result<(), LabError> {
    let trace = arguments.strace.then(|| files.path("edge").join("strace.txt"));
    let edge = service::start_edge(world, files, trace.as_deref())?;
    progress.part("without rules: every probe must come through");
    report.control = control(plan, files, world)?;
    progress.part("every rule loaded: the relay at work over IPv4 and IPv6");
    world.load_all()?;
    report.gaps.extend(other_rules(plan, world)?);
    let mut backends = Vec::new();
    // IPv4 last: under the matrix the edge sends nothing over IPv6 by itself, and so nobody learns where it is but by asking.
    for backends_over in [Family::Ipv6, Family::Ipv4] {
        for backend in backends.drain(..) {
            super::processes::Process::terminate(backend);
        }
        backends = service::start_backends(world, files, backends_over)?;
        for (devices_over, node) in ways(backends_over) {
            progress.step(&format!("a fleet over {devices_over}, backends over {backends_over}, {}", node.name()));
            report.fleets.push(fleet(arguments, files, world, devices_over, backends_over, node)?);
        }
    }
    progress.part("a tunnel of each platform: who opens which connection");
    let forwarders = service::start_forwarders(world, files)?;
    report.tunnels = tunnels(world)?;
    drop(forwarders);
    progress.part("from the edge's host, as root: every way in and out");
    report.captured = captured(plan, world)?;
    progress.part("from the internet: every port of the edge");
    report.strangers = strangers(plan, world)?;
    progress.part("each rule taken out in turn");
    report.matrix = take_out(plan, files, world, progress)?;
    report.gaps.extend(other_rules(plan, world)?);
    progress.part("every rule back: the relay at work again");
    for (devices_over, node) in ways(Family::Ipv4) {
        report.fleets.push(fleet(arguments, files, world, devices_over, Family::Ipv4, node)?);
    }
    report.tracked = tracked(world)?;
    for backend in backends {
        backend.terminate();
    }
    edge.terminate();
    report.strace = trace.map(|file| read_trace(&file)).transpose()?;
    Ok(())
}

/// Over which protocol devices come, and to which node, for backends over one.
const fn ways(backends_over: Family) -> [(Family, Host); 2] {
    match backends_over {
        Family::Ipv4 => [(Family::Ipv4, Host::NodeA), (Family::Ipv6, Host::NodeB)],
        Family::Ipv6 => [(Family::Ipv4, Host::NodeB), (Family::Ipv6, Host::NodeA)],
    }
}

fn fleet(
    arguments: &LabArgs,
    files: &Files,
    world: &World<'_>,
    devices_over: Family,
    backends_over: Family,
    node: Host,
) -> Result<Fleet, LabError> {
    service::fleet(world, files, arguments.devices, devices_over, backends_over, node)
}

fn pin(files: &Files) -> String {
    files.path("handout/edge.crt").display().to_string()
}

/// Everything that must fail later works while nothing is filtered: so a later failure is the filters' doing.
fn control(plan: &Plan, files: &Files, world: &World<'_>) -> Result<Control, LabError> {
    let opened = world.open_connections()?;
    let everything = vec![true; plan.rows.len()];
    let seen = world.probe(&plan.rows, &everything, &opened, &pin(files))?;
    world.close_connections()?;
    let failed_rows = plan.rows.iter().zip(&seen).filter(|(_, seen)| !seen.works);
    let mut failed: Vec<String> = failed_rows.map(|(row, seen)| format!("{}: {}", row.what, seen.how)).collect();
    let mut attempts = attempts::from_the_edge(world, PATIENCE)?;
    attempts.extend(attempts::from_the_internet(world, PATIENCE)?);
    failed.extend(attempts.iter().filter(|attempt| !attempt.seen.works).map(Attempt::shown));
    let mut ports = 0;
    for swept in attempts::control_sweep(world)? {
        ports += swept.ports as usize;
        if swept.silent > 0 {
            failed.push(format!("{} of {} ports of {} said nothing", swept.silent, swept.ports, swept.address));
        }
    }
    Ok(Control { probes: seen.len() + attempts.len() + ports, failed })
}

fn tunnels(world: &World<'_>) -> Result<Tunnels, LabError> {
    let (steps, census) = service::count_tunnels(world)?;
    Ok(Tunnels { steps, census })
}

/// Calls `act` while the generated rules of the places in this namespace are not there.
fn without<T>(
    plan: &Plan,
    world: &World<'_>,
    space: Space,
    act: impl FnOnce() -> Result<T, LabError>,
) -> Result<T, LabError> {
    let sets = || plan.sets.iter().filter(|set| rows::space(&set.place) == space);
    for set in sets() {
        world.unload(set)?;
    }
    let result = act()?;
    for set in sets() {
        world.load(set, None)?;
    }
    Ok(result)
}

/// With the host's own rules and, since a captured root can flush these, without them.
fn captured(plan: &Plan, world: &World<'_>) -> Result<Captured, LabError> {
    Ok(Captured {
        with_own_rules: attempts::from_the_edge(world, world.silence)?,
        without_own_rules: without(plan, world, Space::Dmz, || attempts::from_the_edge(world, world.silence))?,
    })
}

/// Firewall 2 and the edge's host guard the same thing: each is tried without the other, so that neither hides a hole of the
/// other one's.
fn strangers(plan: &Plan, world: &World<'_>) -> Result<Vec<Stranger>, LabError> {
    let mut all = Vec::new();
    for (guard, off) in [("firewall 2 alone", Space::Dmz), ("the edge host's own rules alone", Space::Firewall2)] {
        all.push(without(plan, world, off, || {
            let attempts = attempts::from_the_internet(world, world.silence)?;
            Ok(Stranger { guard, attempts, sweep: attempts::sweep(world)? })
        })?);
    }
    Ok(all)
}

fn take_out(plan: &Plan, files: &Files, world: &World<'_>, progress: &Progress) -> Result<Matrix, LabError> {
    let mut matrix = Matrix { rows: plan.rows.clone(), lines: vec![line(plan, files, world, None)?] };
    for (set, rule) in plan.rules() {
        progress.step(&format!("without {}", rule.id));
        matrix.lines.push(line(plan, files, world, Some((set, rule)))?);
    }
    // Read place by place, whatever the order in which they were taken out.
    let in_order: Vec<String> = plan.sets.iter().flat_map(|set| &set.rules).map(|rule| rule.id.to_string()).collect();
    matrix.lines.sort_by_key(|line| line.rule.as_ref().and_then(|id| in_order.iter().position(|other| other == id)));
    Ok(matrix)
}

fn line(plan: &Plan, files: &Files, world: &World<'_>, removed: Option<(&RuleSet, &Rule)>) -> Result<Line, LabError> {
    let expected = matrix::expected(&plan.rows, removed);
    let opened = world.open_connections()?;
    if let Some((set, rule)) = removed {
        world.load(set, Some(&rule.id))?;
    }
    // Who is known needs no discovery, and would hide that a rule for it is missing.
    world.namespaces.forget_neighbours(world.stop)?;
    let seen = world.probe(&plan.rows, &expected, &opened, &pin(files))?;
    if let Some((set, _)) = removed {
        world.load(set, None)?;
    }
    world.close_connections()?;
    Ok(Line::new(removed, removed.map(|(_, rule)| nftables::statement(rule)), &expected, seen))
}

/// What the kernel lets pass beside the rules that shall be there, packet by packet: probes try some ports, this all.
fn other_rules(plan: &Plan, world: &World<'_>) -> Result<Vec<String>, LabError> {
    let mut all = Vec::new();
    for set in &plan.sets {
        let listed = world.namespaces.listed(rows::space(&set.place), world.stop)?;
        let found = diff::differences(&listed, set);
        let found = found.map_err(|problem| LabError::failed("compare what is loaded with the rules", problem))?;
        all.extend(found.into_iter().map(|what| format!("as loaded at {}: {what}", set.place.slug())));
    }
    Ok(all)
}

/// What the firewalls remember of who opened connections through them, where the kernel shows it.
fn tracked(world: &World<'_>) -> Result<Vec<Tracking>, LabError> {
    let mut all = Vec::new();
    for space in [Space::Firewall1, Space::Firewall2] {
        let ask = super::agent::Ask::Tracked;
        let answer = world.root(space)?.ask(ask, PATIENCE).wait(world.stop)?;
        let super::agent::Answer::Lines { lines } = answer else {
            return Err(LabError::failed("read what a firewall tracks", format!("{answer:?}")));
        };
        let tracked = lines.map(|lines| sockets::tracked(&lines));
        let problems = tracked.iter().flat_map(|tracked| sockets::judge_tracked(space, tracked, world.port)).collect();
        all.push(Tracking { place: space, connections: tracked.map(|tracked| tracked.len()), problems });
    }
    Ok(all)
}

fn read_trace(file: &Path) -> Result<Calls, LabError> {
    let text = fs::read_to_string(file).map_err(LabError::io("read what strace wrote"))?;
    Ok(sockets::calls(&text))
}

/// The rules that were loaded and the logs of all processes.
fn keep(files: &Files, plan: &Plan, out: &Path) -> Result<(), LabError> {
    let logs = out.join("logs");
    fs::create_dir_all(&logs).map_err(LabError::io(format!("create {}", logs.display())))?;
    let kept = fs::read_dir(files.path("logs")).map_err(LabError::io("read the logs"))?;
    for entry in kept.flatten() {
        fs::copy(entry.path(), logs.join(entry.file_name())).map_err(LabError::io("copy a log"))?;
    }
    for set in &plan.sets {
        let file = out.join(format!("{}.nft", set.place.slug()));
        fs::write(&file, World::ruleset(set, None)).map_err(LabError::io(format!("write {}", file.display())))?;
    }
    Ok(())
}

/// What is loaded at a place, for the report.
#[must_use]
pub fn loaded(set: &RuleSet) -> Loaded {
    let rules = set.rules.iter().map(|rule| (rule.id.to_string(), nftables::statement(rule), rule.why.clone()));
    Loaded::new(&set.place, rules)
}
