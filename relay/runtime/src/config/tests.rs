use std::{fs, path::Path, time::Duration};

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    #[serde(default)]
    listen: Vec<String>,
}

fn problem(text: &str) -> Problem {
    parse_toml::<Raw>("edge.toml", text).unwrap_err().iter().next().unwrap().clone()
}

#[test]
fn toml_errors_show_line_and_column() {
    let unknown = problem("name = \"a\"\n\nlsten = []\n");
    assert_eq!(unknown.path, "edge.toml:3:1");
    assert!(unknown.problem.contains("unknown field `lsten`"), "{unknown}");
    let wrong = problem("# é\nname = 5\n");
    assert_eq!(wrong.path, "edge.toml:2:8");
    let broken = problem("name = \"a\nlisten = []");
    assert!(broken.path.starts_with("edge.toml:1:"), "{broken}");
    let missing = problem("listen = []");
    assert!(missing.problem.contains("missing field `name`"), "{missing}");
}

#[test]
fn files_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.toml");
    let error = load_toml::<Raw>(&file).unwrap_err().to_string();
    assert!(error.contains("file not found") && error.contains("--config") && error.contains("init"), "{error}");
    assert!(load_toml::<Raw>(folder.path()).unwrap_err().to_string().contains("folder"));
    fs::write(&file, [0xff, 0xfe]).unwrap();
    assert!(load_toml::<Raw>(&file).unwrap_err().to_string().contains("UTF-8"));
    fs::write(&file, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert!(load_toml::<Raw>(&file).unwrap_err().to_string().contains("larger than"));
    fs::write(&file, "name = \"a\"\nlisten = [\"x\"]").unwrap();
    let raw = load_toml::<Raw>(&file).unwrap();
    assert_eq!((raw.name.as_str(), raw.listen.len()), ("a", 1));
}

#[cfg(unix)]
#[test]
fn a_readable_key_file_is_a_problem() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.key");
    let mut problems = Problems::new();
    assert!(!problems.check_private_file("tls.key", &file));
    fs::write(&file, "secret").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(!problems.check_private_file("tls.key", &file));
    assert!(!problems.check_private_file("tls.key", folder.path()));
    let text = problems.to_string();
    assert!(text.contains("chmod 600") && text.contains("0640") && text.contains("file not found"), "{text}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(problems.check_private_file("tls.key", &file));
    assert_eq!(problems.iter().count(), 3);
}

#[test]
fn all_problems_are_collected() {
    let mut problems = Problems::new();
    assert_eq!(problems.parse::<ListenAddr>("listen[0]", "edge:443"), None);
    assert_eq!(problems.parse::<ByteSize>("memory", "1MiB"), Some(ByteSize(1 << 20)));
    assert_eq!(problems.parse::<HumanDuration>("drain", "10"), None);
    problems.add_value("name", "é".repeat(500), "too long", "use at most 64 characters");
    let lines: Vec<String> = problems.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].starts_with("listen[0] = \"edge:443\": not an IP address with a port; write IP:PORT"),
        "{lines:?}"
    );
    assert!(lines[2].chars().count() < 220);
    let json = problems.to_json();
    assert_eq!(json[0]["path"], "listen[0]");
    assert_eq!(json[0]["value"], "edge:443");
    assert!(problems.into_result(()).is_err());
    assert_eq!(Problems::new().into_result(7), Ok(7));
}

#[test]
fn values_are_read_and_shown() {
    for (text, bytes) in [("0", 0), ("65536", 65536), ("64KiB", 65536), ("1 MiB", 1 << 20), ("2GB", 2_000_000_000)] {
        assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
    }
    for text in ["", "KiB", "-1", "1.5MiB", "1 kib", "99999999999999999999", "18446744073709551615KiB"] {
        assert!(text.parse::<ByteSize>().is_err(), "{text}");
    }
    assert_eq!(ByteSize(3 << 20).to_string(), "3MiB");
    assert_eq!(ByteSize(1025).to_string(), "1025B");
    assert_eq!("2h 30m".parse(), Ok(HumanDuration(Duration::from_secs(9000))));
    assert_eq!(HumanDuration(Duration::from_secs(90)).to_string(), "1m 30s");
    assert!("soon".parse::<HumanDuration>().is_err());
    assert!("127.0.0.1:0".parse::<ListenAddr>().is_ok());
    assert!("localhost:80".parse::<ListenAddr>().is_err());
}

#[test]
fn hosts_are_read_and_shown() {
    for text in ["edge.example.org:443", "192.0.2.7:443", "[2001:db8::7]:443", "localhost:1", "a_b:65535", "x.:80"] {
        assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
    }
    for text in [
        "",
        ":443",
        "edge",
        "edge:",
        "edge:0",
        "edge:65536",
        "edge:+1",
        "2001:db8::7:443",
        "[edge]:443",
        "e dge:443",
        "192.0.2.777:443",
        "-a:1",
        "a..b:1",
        "https://edge:443",
    ] {
        assert!(text.parse::<HostPort>().is_err(), "{text}");
    }
    let host: HostPort = "[::1]:443".parse().unwrap();
    assert_eq!(host.as_pair(), ("::1", 443));
}

#[test]
fn values_work_in_serde() {
    #[derive(Deserialize)]
    struct Typed {
        wait: HumanDuration,
        edge: HostPort,
    }
    let typed: Typed = parse_toml("t", "wait = \"10s\"\nedge = \"edge:443\"").unwrap();
    assert_eq!((typed.wait.0, typed.edge.port()), (Duration::from_secs(10), 443));
    let error = parse_toml::<Typed>("t", "wait = \"10\"\nedge = \"edge:443\"").map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("t:1:8: \"10\" is not a duration"), "{error}");
    assert_eq!(serde_json::to_string(&typed.edge).unwrap(), "\"edge:443\"");
}

#[test]
fn paths_start_beside_the_configuration() {
    assert_eq!(beside(Path::new("/etc/relay/edge.toml"), Path::new("edge.key")), Path::new("/etc/relay/edge.key"));
    assert_eq!(beside(Path::new("edge.toml"), Path::new("/k")), Path::new("/k"));
}
