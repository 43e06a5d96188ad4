//! `serve`: the control, then one trial after another, then the report.

mod handout;
mod progress;

use std::{
    io::{self, IsTerminal},
    thread,
    time::{Duration, Instant},
};

use tools::stop::Stop;

use crate::{
    cli::{self, ServeArgs},
    client::{self, Exit, Ran},
    error::Error,
    judge::{self, Control, Judgement, Outcome},
    report::{NOT_RUN, Overall, Report, SCHEMA, TrialReport},
    seen::Seen,
    server::Server,
    trial::{self, CONTROL, ClientPins, Declared, Trial},
    world::{PinOf, Staged, Staging, Wishes, World},
};

use handout::Handout;
use progress::Progress;

/// By how much a command outlives its connections at the deadline: then a connection that still stood is seen as one.
const AFTER: Duration = Duration::from_millis(500);
/// Without a command: a trial is over when nothing has come for so long after its last connection.
const QUIET: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(10);

/// Runs the trials.
///
/// # Errors
/// What cannot be used, listened on, made or started.
pub fn execute(arguments: &ServeArgs) -> Result<Overall, Error> {
    let stop =
        Stop::on_signals().map_err(|source| Error::System { action: "listen for signals".to_owned(), source })?;
    let declared = declared(arguments)?;
    let trials = chosen(&arguments.trials);
    let server = Server::bind(arguments.listen)?;
    let pin_of = arguments.pin_of.clone().map(|certificate| PinOf { certificate, key: arguments.pin_key.clone() });
    let world = World::make(&Wishes {
        name: arguments.name.clone(),
        addresses: Some(arguments.listen.ip())
            .filter(|ip| !ip.is_unspecified())
            .map(|ip| ip.to_string())
            .into_iter()
            .collect(),
        pin_of,
        kinds: trials.iter().map(|trial| trial.kind).collect(),
    })?;
    let handout = Handout::prepare(arguments.dir.as_deref(), &world, server.address)?;
    let mut run = Run {
        arguments,
        declared,
        server: &server,
        world: &world,
        handout: &handout,
        stop: &stop,
        control: None,
        progress: Progress::new(arguments, trials.len()),
    };
    if arguments.command.is_empty() {
        run.progress.handout(&handout.told(&world, world.pinned(), "")?, declared);
    }
    let report = run.all(&trials)?;
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // First, so that a file that cannot be written costs nobody the result.
    cli::print(&report.render(arguments.format, colour)?)?;
    for (path, format) in &arguments.reports {
        std::fs::write(path, report.render(*format, false)?).map_err(Error::file("write", path))?;
    }
    Ok(report.overall())
}

/// The control, then the chosen trials in the catalogue's order.
fn chosen(wanted: &[&'static Trial]) -> Vec<&'static Trial> {
    let wants = |trial: &&Trial| {
        wanted.is_empty() || trial.name == CONTROL.name || wanted.iter().any(|wanted| wanted.name == trial.name)
    };
    trial::all().filter(wants).collect()
}

/// What the client claims to check: as declared, or as the placeholders say.
fn declared(arguments: &ServeArgs) -> Result<Declared, Error> {
    let uses = |names: [&str; 3]| {
        arguments.command.iter().any(|word| {
            names.iter().any(|name| word.contains(&format!("{{{name}}}")) || word.contains(&client::variable(name)))
        })
    };
    let (leaf, spki) = (uses(["pin-leaf", "leaf-sha256", "cert"]), uses(["pin-spki", "pin-curl", "spki-sha256"]));
    let pins = match (arguments.client_pins, leaf, spki) {
        (Some(pins), _, _) => pins,
        (None, _, _) if arguments.command.is_empty() => {
            return Err(Error::Usage(
                "a client that comes by itself must be described: give --client-pins leaf, spki or none".to_owned(),
            ));
        }
        (None, true, true) => {
            return Err(Error::Usage(
                "the command uses both a leaf pin and an SPKI pin: give --client-pins leaf or spki".to_owned(),
            ));
        }
        (None, true, false) => ClientPins::Leaf,
        (None, false, true) => ClientPins::Spki,
        (None, false, false) => ClientPins::None,
    };
    Ok(Declared { pins, chain: arguments.client_chain })
}

/// What one trial left behind.
struct Left {
    seen: Vec<Seen>,
    ran: Option<Ran>,
}

struct Run<'a> {
    arguments: &'a ServeArgs,
    declared: Declared,
    server: &'a Server,
    world: &'a World,
    handout: &'a Handout,
    stop: &'a Stop,
    /// What the control showed; `None` before it and where it could not be staged.
    control: Option<Control>,
    progress: Progress,
}

impl Run<'_> {
    fn all(&mut self, trials: &[&'static Trial]) -> Result<Report, Error> {
        let mut report = Report {
            schema: SCHEMA,
            label: self.label(),
            command: self.arguments.command.clone(),
            declared: self.declared,
            complete: true,
            trials: Vec::with_capacity(trials.len()),
        };
        let mut refused_control = false;
        for trial in trials {
            if refused_control {
                report.trials.push(TrialReport::new(trial, judge::left_out(trial, self.declared, NOT_RUN)));
                continue;
            }
            self.progress.begin(trial);
            let done = match self.one(trial) {
                Ok(done) => done,
                Err(Error::Stopped) if !report.trials.is_empty() => {
                    report.complete = false;
                    break;
                }
                Err(error) => return Err(error),
            };
            self.progress.end(&done);
            if trial.name == CONTROL.name {
                refused_control =
                    matches!(done.judgement.outcome, Outcome::Refused | Outcome::NotSeen | Outcome::WentAlong);
            }
            report.trials.push(done);
        }
        self.progress.finish();
        Ok(report)
    }

    fn label(&self) -> String {
        let program = self.arguments.command.first().map(|program| {
            std::path::Path::new(program)
                .file_name()
                .map_or(program.clone(), |name| name.to_string_lossy().into_owned())
        });
        self.arguments.label.clone().or(program).unwrap_or_else(|| "the client".to_owned())
    }

    fn one(&mut self, trial: &'static Trial) -> Result<TrialReport, Error> {
        let began = Instant::now();
        let staged = match self.world.stage(trial.kind)? {
            Staging::Ready(staged) => *staged,
            Staging::LeftOut(reason) => {
                return Ok(TrialReport::new(trial, judge::left_out(trial, self.declared, reason)));
            }
        };
        let left =
            if self.arguments.command.is_empty() { self.wait(staged)? } else { self.run_command(trial, staged)? };
        let exit = left.ran.as_ref().map(|ran| ran.exit);
        let judgement = judge::judge(trial, self.declared, self.control, &left.seen, exit);
        if trial.name == CONTROL.name {
            self.control = judge::habit(&left.seen).map(|habit| Control { habit, exit });
        }
        Ok(written(trial, judgement, left, exit, began.elapsed()))
    }

    /// Runs the command; twice where the server changes and the client has not come back by itself.
    fn run_command(&self, trial: &Trial, staged: Staged) -> Result<Left, Error> {
        let changes = staged.first.is_some();
        let told = self.handout.told(self.world, &staged.pinned, trial.name)?;
        let runs = if changes { 2 } else { 1 };
        self.server.begin(staged, Instant::now() + self.arguments.timeout * runs)?;
        let mut ran = None;
        for _ in 0..runs {
            let until = Instant::now() + self.arguments.timeout + AFTER;
            let command = told.command(&self.arguments.command);
            match client::run(command, until, self.stop) {
                Ok(done) => ran = Some(done),
                Err(error) => {
                    self.server.end();
                    return Err(error);
                }
            }
            if self.server.met() {
                break;
            }
        }
        Ok(Left { seen: self.server.end(), ran })
    }

    /// Waits for a client to come.
    fn wait(&self, staged: Staged) -> Result<Left, Error> {
        let until = Instant::now() + self.arguments.timeout;
        self.server.begin(staged, until)?;
        let mut known = (0, 0);
        let mut changed = Instant::now();
        while Instant::now() < until {
            if self.stop.requested() {
                self.server.end();
                return Err(Error::Stopped);
            }
            let now = self.server.connections();
            if now != known {
                (known, changed) = (now, Instant::now());
            }
            if self.server.met() && known.1 == 0 && changed.elapsed() >= QUIET {
                break;
            }
            thread::sleep(TICK);
        }
        Ok(Left { seen: self.server.end(), ran: None })
    }
}

fn written(trial: &'static Trial, judgement: Judgement, left: Left, exit: Option<Exit>, took: Duration) -> TrialReport {
    let hostile = left.seen.iter().filter(|seen| !seen.genuine);
    let connections = hostile.clone().count();
    let (stdout, stderr) = left.ran.map(|ran| (ran.stdout, ran.stderr)).unwrap_or_default();
    TrialReport {
        leaked_bytes: hostile.map(Seen::leaked).sum(),
        connections,
        retries: connections.saturating_sub(1),
        exit,
        stdout,
        stderr,
        seen: left.seen,
        milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        ..TrialReport::new(trial, judgement)
    }
}
