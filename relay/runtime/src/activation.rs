//! Listening sockets that a service manager has opened and hands over: sd_listen_fds(3), "socket activation".
//!
//! The port stays open while the process restarts, a port below 1024 needs no privilege of the process, and a process
//! that opens no socket itself can run where it could not even do so (another network namespace, no address families).

use std::{io, net::TcpListener};

/// Sockets that are taken at most.
pub const SOCKETS_MAX: usize = 32;

/// A socket that was handed over.
#[derive(Debug)]
pub struct Passed {
    /// Its name: `FileDescriptorName=` of the socket unit, by default the unit's own; `unknown` if it came without.
    pub name: String,
    /// The socket, which listens.
    pub listener: TcpListener,
}

/// Why what was handed over cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// `LISTEN_FDS` is no number, or a large one.
    #[error("LISTEN_FDS is {0:?}, which is no number from 0 to {SOCKETS_MAX}; correct the socket units")]
    Count(String),
    /// `LISTEN_FDNAMES` names more or fewer.
    #[error("LISTEN_FDNAMES has {names} names and LISTEN_FDS says {sockets}; correct what starts this program")]
    Names {
        /// How many names.
        names: usize,
        /// How many sockets.
        sockets: usize,
    },
    /// One is something else.
    #[error(
        "the socket {name:?} that was passed is not one that listens for TCP: {source}; a socket unit needs ListenStream=ADDRESS:PORT and Accept=no"
    )]
    NotListening {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: io::Error,
    },
}

/// Takes every socket that was handed to this process, in order; none if there are none. A second call finds none.
///
/// Call it once, before any thread runs: the variables are taken out of the environment.
///
/// # Errors
/// [`ActivationError`]: the socket units are wrong, and binding instead would hide that.
#[cfg(unix)]
pub fn take() -> Result<Vec<Passed>, ActivationError> {
    let variable = |name| std::env::var(name).ok();
    let (count, pid, names) = (variable("LISTEN_FDS"), variable("LISTEN_PID"), variable("LISTEN_FDNAMES"));
    let names = names_of(count.as_deref(), pid.as_deref(), names.as_deref(), std::process::id())?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut sockets = listenfd::ListenFd::from_env();
    let take = |(place, name): (usize, String)| match listener(&mut sockets, place) {
        Ok(listener) => Ok(Passed { name, listener }),
        Err(source) => Err(ActivationError::NotListening { name, source }),
    };
    names.into_iter().enumerate().map(take).collect()
}

/// Nothing is handed over here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn take() -> Result<Vec<Passed>, ActivationError> {
    Ok(Vec::new())
}

#[cfg(unix)]
fn listener(sockets: &mut listenfd::ListenFd, place: usize) -> io::Result<TcpListener> {
    let listener = sockets.take_tcp_listener(place)?.ok_or_else(|| io::Error::other("it is not there"))?;
    if socket2::SockRef::from(&listener).is_listener()? {
        Ok(listener)
    } else {
        Err(io::Error::other("it is connected or only bound"))
    }
}

/// The names of the sockets that are meant for the process `own`.
fn names_of(
    count: Option<&str>,
    pid: Option<&str>,
    names: Option<&str>,
    own: u32,
) -> Result<Vec<String>, ActivationError> {
    // What a parent process was handed is not for this one.
    let (Some(count), Some(Ok(pid))) = (count, pid.map(str::parse::<u32>)) else { return Ok(Vec::new()) };
    if pid != own {
        return Ok(Vec::new());
    }
    let sockets = count.parse::<usize>().ok().filter(|sockets| *sockets <= SOCKETS_MAX);
    let sockets = sockets.ok_or_else(|| ActivationError::Count(count.to_owned()))?;
    match names {
        None | Some("") => Ok(vec!["unknown".to_owned(); sockets]),
        Some(names) => {
            let names: Vec<String> = names.split(':').map(str::to_owned).collect();
            if names.len() == sockets { Ok(names) } else { Err(ActivationError::Names { names: names.len(), sockets }) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(count: &str, pid: &str, names: Option<&str>) -> Result<Vec<String>, ActivationError> {
        names_of(Some(count), Some(pid), names, 7)
    }

    #[test]
    fn what_is_for_this_process_is_taken_by_name() {
        assert_eq!(named("2", "7", Some("listen:admin")).unwrap(), ["listen", "admin"]);
        assert_eq!(named("2", "7", None).unwrap(), ["unknown", "unknown"]);
        assert_eq!(named("1", "7", Some("")).unwrap(), ["unknown"]);
        assert!(named("0", "7", None).unwrap().is_empty());
    }

    #[test]
    fn what_is_for_another_is_left_alone() {
        assert!(named("2", "8", None).unwrap().is_empty());
        assert!(named("2", "self", None).unwrap().is_empty());
        assert!(names_of(Some("2"), None, None, 7).unwrap().is_empty());
        assert!(names_of(None, Some("7"), None, 7).unwrap().is_empty());
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for count in ["", "-1", "33", "many", "99999999999999999999"] {
            assert!(matches!(named(count, "7", None), Err(ActivationError::Count(_))), "{count}");
        }
        let error = named("2", "7", Some("listen")).unwrap_err();
        assert!(matches!(error, ActivationError::Names { names: 1, sockets: 2 }), "{error}");
    }
}
