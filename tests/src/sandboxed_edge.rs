//! An edge as `relay-edge run` starts it, which on SIGUSR1 tries everything that its sandbox forbids, from a thread of its own
//! runtime, and prints what the kernel said as one line of JSON.
#![allow(clippy::print_stdout, reason = "the outcome is the result")]

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("there is a sandbox on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::{fs::File, path::PathBuf};

    use relay_edge::{Config, Edge, sockets::Sockets};
    use relay_runtime::{drain::Drain, sandbox, telemetry};
    use tokio::signal::unix::{SignalKind, signal};

    let file = std::env::args_os().nth(1).map(PathBuf::from).ok_or("name the configuration")?;
    let config = Config::load(&file)?;
    let policy = config.policy();
    let sockets = Sockets::bind(&config)?;
    let attempts = sandbox::attempts(&policy.network)?;
    let namespace = File::open("/proc/self/ns/user")?;
    let report = policy.enter()?;
    let _logging = telemetry::init(config.log.format, &config.log.level)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let edge = Edge::serve(config, sockets, report)?;
        let drain = Drain::new();
        let mut asked = signal(SignalKind::user_defined1())?;
        let trial = async move {
            asked.recv().await;
            let tried = tokio::task::spawn_blocking(move || {
                let mut tried = attempts();
                tried.extend(more::attempts(&namespace));
                tried
            });
            println!("{}", serde_json::json!({ "attempts": tried.await? }));
            std::future::pending::<Result<(), Box<dyn std::error::Error>>>().await
        };
        tokio::select! {
            () = edge.run(drain.clone()) => Ok(()),
            failed = relay_runtime::drain::signals(drain) => Ok(failed?),
            failed = trial => failed,
        }
    })
}

/// What only libraries for tests can try.
#[cfg(target_os = "linux")]
mod more {
    use std::{fs::File, io};

    use nix::{
        sched::{CloneFlags, setns, unshare},
        sys::ptrace,
        unistd::Pid,
    };
    use relay_runtime::sandbox::{Attempt, Outcome};

    pub(super) fn attempts(namespace: &File) -> Vec<Attempt> {
        let new = |flag| unshare(flag).map_err(io::Error::from);
        vec![
            attempt("trace the parent (ptrace)", ptrace::attach(Pid::parent()).map_err(io::Error::from)),
            attempt("be traced (ptrace)", ptrace::traceme().map_err(io::Error::from)),
            attempt("make a ring for system calls (io_uring_setup)", io_uring::IoUring::new(2).map(drop)),
            attempt("make a user namespace (unshare)", new(CloneFlags::CLONE_NEWUSER)),
            attempt("make a network namespace (unshare)", new(CloneFlags::CLONE_NEWNET)),
            attempt("make a mount namespace (unshare)", new(CloneFlags::CLONE_NEWNS)),
            attempt(
                "enter its own user namespace (setns)",
                setns(namespace, CloneFlags::empty()).map_err(io::Error::from),
            ),
        ]
    }

    fn attempt(what: &'static str, result: io::Result<()>) -> Attempt {
        let outcome = match result {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Outcome::Refused(error.to_string()),
            Err(error) => Outcome::Passed(error.to_string()),
            Ok(()) => Outcome::Passed("it was done".to_owned()),
        };
        Attempt { what, outcome }
    }
}
