use relay_trust::Identity;
use relay_wire::grant::ServiceScope;

use super::*;
use crate::services::Service;

/// A folder with every file that the examples name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let identity = Identity::self_signed(&["node".to_owned()], 30).unwrap();
    identity.write(&at("backend.crt"), &at("backend.key")).unwrap();
    std::fs::copy(at("backend.crt"), at("master.crt")).unwrap();
    relay_trust::write_secret_file(&at("shared.key"), &SharedKey::generate().to_hex()).unwrap();
    crate::registry::Registry::create(&at("registry.db")).unwrap();
    folder
}

fn load(folder: &tempfile::TempDir, text: &str) -> Result<Config, Problems> {
    Config::from_text(text, &folder.path().join("backend.toml"))
}

fn problems(folder: &tempfile::TempDir, text: &str) -> Vec<String> {
    load(folder, text).err().map(|problems| problems.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// The example with every line `# key = value` and (if `all`) every `## ` line taken in.
fn uncommented(example: &str, all: bool) -> String {
    let is_key = |text: &str| {
        let word = text.split(" = ").next().unwrap_or_default();
        text.contains(" = ") && word.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
    };
    example
        .lines()
        .map(|line| match (line.strip_prefix("# "), line.strip_prefix("## ")) {
            (_, Some(rest)) if all => format!("{rest}\n"),
            (Some(rest), _) if is_key(rest) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn the_examples_load_and_say_what_the_defaults_are() {
    let folder = folder();
    for example in [EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE] {
        let short = load(&folder, example).map_err(|problems| problems.to_string()).unwrap();
        let spelled_out = uncommented(example, false);
        assert!(spelled_out.lines().count() == example.lines().count() && spelled_out != example);
        let long = load(&folder, &spelled_out).map_err(|problems| problems.to_string()).unwrap();
        assert_eq!(short.pool, long.pool);
        assert_eq!(short.services, long.services);
        assert_eq!(short.admin, long.admin);
        assert_eq!(
            (short.tunnels_max, short.tunnel_idle, short.reconnect_max, short.drain),
            (long.tunnels_max, long.tunnel_idle, long.reconnect_max, long.drain)
        );
        assert_eq!((short.log_format, &short.log_filter), (long.log_format, &long.log_filter));
        if let (Some(short), Some(long)) = (short.master(), long.master()) {
            assert_eq!(short.policy, long.policy);
            assert_eq!((short.clock_skew, short.grant_lifetime), (long.clock_skew, long.grant_lifetime));
            assert_eq!(short.registry, long.registry);
        }
        load(&folder, &uncommented(example, true)).map_err(|problems| problems.to_string()).unwrap();
    }
}

#[test]
fn what_is_printed_is_every_setting_and_reads_as_the_same() {
    let file = Path::new("/etc/sallyport/hq/backend.toml");
    let odd = EXAMPLE_MASTER
        .replace("[services]\n", "[services]\nenrol = false\nweb = \"tcp://[::1]:80\"\nsink = true\n")
        .replace("[policy]\n", "[policy]\nbackup = [\"sink\"]\n")
        .replace("[pool]\n", "[pool]\nmax = 0\nrotate = \"364d 23h 1ns\"\n")
        .replace("role = \"master\"\n", "role = \"master\"\nadmin = \"off\"\nregistry = \"a\\u0000 \\\"b\\\"\"\n");
    for text in [EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE, &uncommented(EXAMPLE_MASTER, true), &odd] {
        let settings = Settings::from_text(text, file).unwrap_or_else(|problems| panic!("{problems}"));
        let printed = settings.print().unwrap();
        assert_eq!(Settings::from_text(&printed, Path::new("elsewhere.toml")), Ok(settings), "{printed}");
        let keys = |text: &str| {
            let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.trim_start_matches(['#', ' ']).to_owned());
            text.lines()
                .filter_map(key)
                .filter(|key| key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'))
                .collect()
        };
        let (printed, example): (Vec<String>, Vec<String>) = (keys(&printed), keys(text));
        let missing: Vec<_> =
            example.iter().filter(|key| !printed.contains(key) && !OPTIONAL.contains(&key.as_str())).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

/// What need not be there: a pin that is not known, upstreams, another user.
const OPTIONAL: [&str; 4] = ["pin", "rsync", "web", "user"];

#[test]
fn durations_have_bounds() {
    let file = Path::new("/etc/sallyport/hq/backend.toml");
    for (given, accepted) in [("365d", true), ("366d", false), ("584542046090years", false), ("0s", false)] {
        let text = EXAMPLE_STORAGE_NODE.replace("[limits]\n", &format!("[limits]\ntunnel_idle = \"{given}\"\n"));
        assert_eq!(Settings::from_text(&text, file).is_ok(), accepted, "{given}");
    }
}

#[test]
fn every_key_stands_in_an_example() {
    let all = format!("{EXAMPLE_MASTER}{EXAMPLE_STORAGE_NODE}");
    let raw = include_str!("raw.rs");
    let keys = raw.lines().filter_map(|line| line.trim().strip_prefix("pub(super) ")?.split_once(':'));
    let missing: Vec<_> = keys
        .map(|(key, _)| key)
        .filter(|key| !all.contains(&format!("{key} =")) && !all.contains(&format!("[{key}]")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let folder = folder();
    let text = "role = \"boss\"\nname = \"Not a name\"\nadmin = \"here\"\n\
                [[edge]]\naddress = \"edge\"\nkey_file = \"missing.key\"\npin = \"short\"\n\
                [certificate]\nchain = \"no.crt\"\nkey = \"no.key\"\n\
                [pool]\nmin = 5\nmax = 3\nrotate = \"0s\"\n\
                [limits]\ntunnels = 0\ntunnel_idle = \"long\"\n\
                [services]\n\"Bad Name\" = \"tcp://127.0.0.1:1\"\nweb = \"http://x\"\nenrol = \"tcp://127.0.0.1:1\"\nrsync = true\n\
                slow = { target = \"tcp://127.0.0.1:1\", connect_timeout = \"1h\" }\n\
                [log]\nformat = \"yaml\"\nfilter = \"loud\"\n";
    let found = problems(&folder, text);
    for place in [
        "role",
        "name",
        "admin",
        "edge[0].address",
        "edge[0].key_file",
        "edge[0].pin",
        "certificate",
        "pool.min",
        "pool.rotate",
        "limits.tunnels",
        "limits.tunnel_idle",
        "services.Bad Name",
        "services.web",
        "services.enrol",
        "services.rsync",
        "services.slow.connect_timeout",
        "log.format",
        "log.filter",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(place)), "{place} not in {found:#?}");
    }
}

#[test]
fn unknown_keys_and_shapes_are_refused_with_their_place() {
    let folder = folder();
    let with = |lines: &str| format!("{EXAMPLE_STORAGE_NODE}\n{lines}");
    let table =
        EXAMPLE_STORAGE_NODE.replace("[services]\n", "[services]\nweb = { target = \"tcp://a:1\", proxy = true }\n");
    assert!(problems(&folder, &table)[0].contains("unknown field `proxy`"));
    let number = EXAMPLE_STORAGE_NODE.replace("[services]\n", "[services]\nweb = 5\n");
    assert!(problems(&folder, &number)[0].contains("tcp://HOST:PORT"));
    assert!(problems(&folder, &with("[extra]\n"))[0].contains("unknown field `extra`"));
    assert!(problems(&folder, "")[0].contains("missing field"));
}

#[test]
fn settings_of_the_other_role_are_refused() {
    let folder = folder();
    let node = EXAMPLE_STORAGE_NODE
        .replace("master_certificate = \"master.crt\"", "registry = \"registry.db\"\nclock_skew = \"1m\"");
    let found = problems(&folder, &node);
    assert_eq!(found.len(), 3, "{found:#?}");
    let master =
        EXAMPLE_MASTER.replace("role = \"master\"\n", "role = \"master\"\nmaster_certificate = \"master.crt\"\n");
    assert!(problems(&folder, &master)[0].contains("a master has no such setting"));
}

#[test]
fn a_storage_node_needs_the_masters_certificate_and_an_edge() {
    let folder = folder();
    let without = EXAMPLE_STORAGE_NODE.replace("master_certificate = \"master.crt\"", "");
    assert!(problems(&folder, &without)[0].starts_with("master_certificate"));
    let start = without.find("[[edge]]").unwrap();
    let end = without.find("[certificate]").unwrap();
    let no_edge = format!("{}{}", &without[..start], &without[end..]);
    assert!(problems(&folder, &no_edge).iter().any(|problem| problem.starts_with("edge")));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    for name in ["shared.key", "backend.key", "registry.db"] {
        let path = folder.path().join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let found = problems(&folder, EXAMPLE_MASTER);
        assert!(found.iter().any(|problem| problem.contains("600")), "{name}: {found:#?}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn services_and_policies_are_read() {
    let folder = folder();
    let node = EXAMPLE_STORAGE_NODE.replace(
        "[services]\n",
        "[services]\nsink = false\nweb = { target = \"tcp://[::1]:80\", proxy_protocol = true, connect_timeout = \"2s\" }\n",
    );
    let config = load(&folder, &node).unwrap();
    let names: Vec<_> = config.services.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["echo", "source", "web"]);
    let Some(Service::Tcp(web)) = config.services.values().nth(2) else { panic!("web is an upstream") };
    assert_eq!((web.target.to_string().as_str(), web.proxy_protocol), ("[::1]:80", true));

    let master = EXAMPLE_MASTER.replace("[policy]\n", "[policy]\nbackup = [\"sink\", \"rsync\", \"sink\"]\n");
    let policy = &load(&folder, &master).unwrap().master().unwrap().policy.clone();
    let ServiceScope::Only(services) = &policy.backup else { panic!("a list") };
    assert_eq!(services.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["rsync", "sink"]);
    assert_eq!(policy.sync, ServiceScope::Any);
    for wrong in ["\"all\"", "[]", "[\"enrol\"]", "[\"A b\"]"] {
        let text = EXAMPLE_MASTER.replace("[policy]\n", &format!("[policy]\nbackup = {wrong}\n"));
        assert!(problems(&folder, &text)[0].starts_with("policy.backup"), "{wrong}");
    }
}
