//! `connect`: local TCP ports through the relay to the services of a storage node.
//!
//! ```text
//! program ─TCP─▶ listener ─ a request on a shared session ─▶ edge ─▶ master: a grant
//!                    └───── a tunnel of its own ═══TLS═══▶ edge (blind) ═══▶ storage node ─TCP─▶ service
//! ```

use std::{
    fmt,
    io::{self, Write},
    net::SocketAddr,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use relay_runtime::{
    clock::Clock,
    drain::{self, Drain},
    resources,
    tasks::{Spawner, Tasks},
    telemetry::{self, LogFilter},
};
use relay_wire::ids::ServiceName;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use crate::{
    cli::{ConnectArgs, LogFormat},
    device::{Device, Failure},
    error::Error,
};

mod facts;
mod forward;
mod session;
mod setup;
mod state;

pub use forward::OPEN;
pub use session::Backoff;
pub use state::{Folder, Halted, Saved};

use session::{Requests, Sessions};
use setup::Setup;

/// How long running connections may take to end after the first signal.
const DRAIN: Duration = Duration::from_secs(30);
/// Pause after an accept that failed: it is the process or the machine that is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A local address and the service that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What is behind it.
    pub service: ServiceName,
}

/// A text that is no forward.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no forward; give ADDR:PORT=SERVICE, such as 127.0.0.1:9000=web")]
pub struct InvalidForward(String);

impl FromStr for Forward {
    type Err = InvalidForward;

    fn from_str(text: &str) -> Result<Self, InvalidForward> {
        let parts = text
            .split_once('=')
            .and_then(|(listen, service)| Some(Self { listen: listen.parse().ok()?, service: service.parse().ok()? }));
        parts.ok_or_else(|| InvalidForward(text.to_owned()))
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.listen, self.service)
    }
}

/// Runs the forwarder until a signal ends it.
///
/// # Errors
/// [`Error::Device`] with a halting failure if a certificate was wrong, now or at an earlier start; [`Error::Usage`] if
/// options or state cannot be used; others if it could not go on.
pub fn run(args: ConnectArgs) -> Result<(), Error> {
    let folder = Folder::open(&args.state)?;
    if args.reset_halt {
        return reset_halt(&folder);
    }
    let _logging = start_log(args.log, args.verbose)?;
    let forwards = forwards(&args)?;
    let setup = Setup::prepare(&args, folder)?;
    if let Err(error) = resources::raise_descriptor_limit() {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name("client-sim")
        .build()
        .map_err(|source| Error::System { action: "start the asynchronous runtime".into(), source })?;
    runtime.block_on(serve(&args, forwards, setup))
}

fn reset_halt(folder: &Folder) -> Result<(), Error> {
    let Some(mut saved) = folder.load()? else {
        return Err(Error::Usage("there is no device in this folder yet, so nothing is halted".into()));
    };
    let text = match saved.halted.take() {
        Some(halted) => format!(
            "no longer halted; it was since {} (unix seconds): {}: {}\nthis device still expects {} of the edge and {} of the \
             master; if it is these that are wrong, give the right --pin or --master-pin at the next start",
            halted.at_unix_s,
            halted.peer,
            halted.reason,
            saved.pins.join(","),
            saved.master_pins.join(",")
        ),
        None => "was not halted".to_owned(),
    };
    folder.save(&saved)?;
    let _ = writeln!(io::stderr(), "{text}");
    Ok(())
}

fn start_log(format: LogFormat, verbose: bool) -> Result<telemetry::Logging, Error> {
    let format = match format {
        LogFormat::Text => telemetry::LogFormat::Text,
        LogFormat::Json => telemetry::LogFormat::Json,
    };
    let filter = if verbose { "info,client_sim::connect=debug".parse() } else { Ok(LogFilter::default()) };
    filter.and_then(|filter| telemetry::init(format, &filter)).map_err(|error| Error::Usage(error.to_string()))
}

/// The pairs of --listen and --service, then those of --forward.
fn forwards(args: &ConnectArgs) -> Result<Vec<Forward>, Error> {
    if args.listen.len() != args.service.len() {
        return Err(Error::Usage(format!(
            "--listen is given {} times and --service {} times; each --listen needs its --service",
            args.listen.len(),
            args.service.len()
        )));
    }
    let pairs = args.listen.iter().zip(&args.service);
    let mut all: Vec<Forward> =
        pairs.map(|(listen, service)| Forward { listen: *listen, service: service.clone() }).collect();
    all.extend(args.forward.iter().cloned());
    if all.is_empty() {
        return Err(Error::Usage("give --listen ADDR:PORT --service NAME, or --forward ADDR:PORT=NAME".into()));
    }
    Ok(all)
}

async fn serve(args: &ConnectArgs, forwards: Vec<Forward>, mut setup: Setup) -> Result<(), Error> {
    // Bound first: a port that is taken must be found before a secret is used up.
    let mut listeners = Vec::with_capacity(forwards.len());
    for Forward { listen, service } in forwards {
        let bound = TcpListener::bind(listen).await;
        listeners
            .push((bound.map_err(|source| Error::System { action: format!("listen on {listen}"), source })?, service));
    }
    let drain = Drain::new();
    let tasks = Tasks::new();
    let signals = drain.clone();
    tasks.spawn("signals", async move {
        if let Err(error) = drain::signals(signals).await {
            tracing::error!(%error, "signals are not handled");
        }
    });
    let device = tokio::select! {
        enrolled = setup.enrolled() => enrolled?,
        () = draining(&drain) => return Ok(()),
    };
    let (sessions, requests) = Sessions::new(device, setup.node.clone(), setup.paths.clone());
    let session_tasks = Tasks::new();
    for number in 0..args.sessions.get() {
        session_tasks.spawn("session", Arc::clone(&sessions).run(number));
    }
    let connections = Tasks::new();
    let room = Arc::new(Semaphore::new(usize::try_from(args.connections_max.get()).unwrap_or(usize::MAX >> 4)));
    let accepting = Tasks::new();
    for (listener, service) in listeners {
        let address =
            listener.local_addr().map_err(|source| Error::System { action: "see the local address".into(), source })?;
        let _ = writeln!(io::stderr(), "listening on {address} for {service}");
        let acceptor = Acceptor {
            service,
            sessions: Arc::clone(&sessions),
            requests: requests.clone(),
            room: Arc::clone(&room),
            spawner: connections.spawner(),
        };
        accepting.spawn("listener", acceptor.run(listener));
    }
    let ended = tokio::select! {
        failure = sessions.halted() => Err(failure),
        () = draining(&drain) => Ok(()),
    };
    // Stops listening: the listeners live in these tasks.
    drop(accepting);
    match ended {
        Err(failure) => Err(setup.halt(&failure)),
        Ok(()) => {
            let mut watch = drain.watch();
            let left = tokio::select! {
                left = connections.shutdown(DRAIN) => left,
                () = watch.stopped() => 0,
            };
            tracing::info!(cut = left, "drained");
            Ok(())
        }
    }
}

async fn draining(drain: &Drain) {
    drain.watch().draining().await;
}

/// Takes the connections of one local address.
struct Acceptor {
    service: ServiceName,
    sessions: Arc<Sessions>,
    requests: Requests,
    room: Arc<Semaphore>,
    spawner: Spawner,
}

impl Acceptor {
    async fn run(self, listener: TcpListener) {
        loop {
            // Taken before the accept, so that at the bound further connections wait in the listen queue.
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((local, _)) => self.spawn(local, permit),
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, local: TcpStream, permit: OwnedSemaphorePermit) {
        let (sessions, requests, service) = (Arc::clone(&self.sessions), self.requests.clone(), self.service.clone());
        self.spawner.spawn("connection", async move {
            forward::serve(sessions, requests, service, local).await;
            drop(permit);
        });
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwards_are_pairs() {
        let forward: Forward = "127.0.0.1:9000=web".parse().unwrap();
        assert_eq!(forward.to_string(), "127.0.0.1:9000=web");
        assert!("[::1]:0=postgres-15".parse::<Forward>().is_ok());
        for wrong in
            ["", "web", "127.0.0.1=web", "127.0.0.1:9000", "127.0.0.1:9000=", "127.0.0.1:9000=Web", "localhost:1=web"]
        {
            assert!(wrong.parse::<Forward>().is_err(), "{wrong}");
        }
    }
}
