//! Without a command: clients come by themselves; and what a signal leaves behind.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    os::unix::process::CommandExt,
    process::Child,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use relay_trust::{LastVerdict, RootSource, Roots, TlsProfile, client_config, edge_verifier};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use rustls::{ClientConnection, Stream, pki_types::ServerName};

use crate::kit::{Report, command};

const PATIENCE: Duration = Duration::from_secs(60);

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn a_client_that_comes_by_itself_is_judged() {
    let place = tempfile::tempdir().unwrap();
    let mut command = command();
    command.args(["serve", "--client-pins", "spki", "--trial", "possession", "--format", "json", "--dir"]);
    let mut child = command.arg(place.path()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut told = |name: &str| {
        let line =
            lines.find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{name} is not told"));
        line.split_whitespace().last().unwrap().to_owned()
    };
    let (address, roots, pin) = (told("address"), told("roots"), told("pin-spki"));
    let connect = || {
        let roots = Roots::load(&RootSource::File((&roots).into())).unwrap();
        let verifier = edge_verifier(pin.parse().unwrap(), Some(roots), LastVerdict::new());
        let config = client_config(TlsProfile::by_name("linux").unwrap(), verifier, None, b"x").unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut tcp = TcpStream::connect(&address).unwrap();
        Stream::new(&mut tls, &mut tcp).write_all(b"hello").is_ok()
    };
    told("1/2");
    assert!(connect(), "the control");
    told("2/2");
    assert!(!connect(), "possession");
    let rest: Vec<String> = lines.collect();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{rest:?} {stdout}");
    let report = Report(serde_json::from_str(&stdout).unwrap());
    assert_eq!(report.trial("control")["leaked_bytes"], 5);
    assert_eq!(report.trial("possession")["outcome"], "refused");
    assert!(place.path().join("roots.pem").exists(), "the folder was asked for, and stays");
}

#[test]
fn a_signal_ends_the_client_with_its_children_and_takes_the_folder_along() {
    let place = tempfile::tempdir().unwrap();
    let note = place.path().join("note");
    let mut command = command();
    // Its own group: the signal goes to it alone, and what it started is its to end.
    command.args(["serve", "--timeout", "10m", "--", "sh", "-c"]).process_group(0);
    command.arg(format!("sleep 1000 & echo $! \"$ROGUE_DIR\" > {0}.part; mv {0}.part {0}; sleep 1000", note.display()));
    let child = command.spawn().unwrap();
    let until = Instant::now() + PATIENCE;
    while !note.exists() {
        assert!(Instant::now() < until, "the client was not started");
        thread::sleep(Duration::from_millis(10));
    }
    let text = std::fs::read_to_string(&note).unwrap();
    let (sleeper, folder) = text.trim().split_once(' ').unwrap();
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("ended by a signal"));
    let sleeper = Pid::from_raw(sleeper.parse().unwrap()).unwrap();
    while test_kill_process(sleeper).is_ok() {
        assert!(Instant::now() < until, "the client's child lives on");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!std::path::Path::new(folder).exists(), "{folder} is left");
}
