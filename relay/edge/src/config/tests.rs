use std::path::Path;

use relay_runtime::config::parse_toml;

use super::*;

fn resolve(text: &str) -> Result<Config, Problems> {
    Config::from_text(text, Path::new("/etc/sallyport/edge.toml"))
}

fn problems(text: &str) -> String {
    resolve(text).expect_err("the configuration is refused").to_string()
}

/// The example with its commented settings switched on: a comment is a line whose `#` has one blank behind it.
fn all_switched_on() -> String {
    let switch = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') || setting.starts_with("  ") => setting.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(switch).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_holds_every_key_with_its_default() {
    let defaults = Config::defaults(Path::new("/etc/sallyport"));
    for text in [String::new(), EXAMPLE.to_owned(), all_switched_on()] {
        let config = resolve(&text).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(config, defaults);
    }
    let raw = parse_toml::<RawConfig>("example.toml", &all_switched_on()).unwrap();
    assert!(raw.listen.is_some() && raw.admin.is_some() && raw.keys.is_some());
    assert!(raw.certificate.chain.is_some() && raw.certificate.key.is_some());
    assert!(raw.log.format.is_some() && raw.log.level.is_some());
    assert!(raw.drain.deadline.is_some() && raw.drain.retry_after.is_some());
    let RawReleases { windows, macos, ios, android, android_open_from } = raw.releases;
    assert!(windows.is_some() && macos.is_some() && ios.is_some() && android.is_some() && android_open_from.is_some());
    for (name, default) in Limits::default().pairs() {
        assert!(EXAMPLE.contains(&format!("\n{name} = {default}\n")), "{name}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = problems(
        r#"
        listen = ["edge:443", "0.0.0.0:443", "0.0.0.0:443"]
        admin = "somewhere"
        [log]
        format = "xml"
        level = "loud"
        [drain]
        deadline = "2 days"
        retry_after = "soon"
        [limits]
        connections = 1
        handshakes = -1
        early_refusal_from = 5000
        [releases]
        windows = []
        macos = [{ majors = [11, 10], minors = [0, 9], train = "major9" }]
        "#,
    );
    let expected = [
        "listen[0] = \"edge:443\"",
        "listen[2] = \"0.0.0.0:443\": listed twice",
        "admin = \"somewhere\"",
        "log.format = \"xml\"",
        "log.level = \"loud\"",
        "drain.deadline = \"2days\": too long",
        "drain.retry_after = \"soon\"",
        "limits.connections = \"1\": out of range; give a whole number from 16 to 1000000",
        "limits.handshakes = \"-1\"",
        "limits.early_refusal_from = \"5000\"",
        "releases.windows: 0 rows",
        "releases.macos[0].majors = \"[11, 10]\"",
        "releases.macos[0].train = \"major9\"",
    ];
    assert_eq!(text.lines().count(), expected.len(), "{text}");
    for part in expected {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn unknown_keys_and_impossible_combinations_are_refused() {
    assert!(problems("listn = []").contains("edge.toml:1:1"));
    assert!(problems("[limits]\nconections = 5").contains("unknown field `conections`"));
    assert!(problems("listen = []").contains("0 addresses"));
    assert!(problems("listen = [\"127.0.0.1:1\"]\nadmin = \"127.0.0.1:1\"").contains("also in `listen`"));
    assert!(problems("[limits]\nconnections = 100").contains("larger than limits.connections"));
}

#[test]
fn paths_start_at_the_file_and_admin_can_be_off() {
    let config = resolve("admin = \"off\"\nkeys = \"../k\"\n[certificate]\nkey = \"/secret/edge.key\"").unwrap();
    assert_eq!(config.admin, None);
    assert_eq!(config.keys, Path::new("/etc/sallyport/../k"));
    assert_eq!(config.certificate.key, Path::new("/secret/edge.key"));
    assert_eq!(config.certificate.chain, Path::new("/etc/sallyport/edge.crt"));
}

#[test]
fn what_is_printed_is_every_setting_and_reads_as_the_same() {
    let odd = r#"
        listen = ["[::1]:0", "0.0.0.0:443"]
        admin = "off"
        keys = "a \"quoted\" folder\n#"
        [log]
        level = "info,relay_edge::tunnel=debug"
        [drain]
        deadline = "1h 30m 7ms"
        [limits]
        spares_per_backend = 0
        [releases]
        macos = [{ majors = [0, 255], minors = [7, 7], train = "minor-128" }]
        android = [{ sdk = 255, releases = [] }]
    "#;
    for text in ["", EXAMPLE, odd] {
        let config = resolve(text).unwrap_or_else(|problems| panic!("{problems}"));
        let printed = config.print().unwrap();
        assert_eq!(resolve(&printed), Ok(config), "{printed}");
        let again = Config::from_text(&printed, Path::new("elsewhere.toml"));
        assert_eq!(again, resolve(&printed), "paths are absolute");
        let raw = parse_toml::<RawConfig>("printed", &printed).unwrap();
        // `user` has no default: nobody is named.
        let settings = format!("{raw:?}").replace("user: None", "");
        assert!(!settings.contains("None"), "a setting is missing: {printed}");
    }
}
