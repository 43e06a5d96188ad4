//! `deploy/prometheus` and `docs/operations.md` speak of metrics that there are.

use std::{collections::BTreeSet, fs, path::Path};

use tests::{
    process::{PATIENCE, Process},
    relay::{Options, Relay, fleet_report},
};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Without comments.
fn rules() -> String {
    let text = read("deploy/prometheus/sallyport.rules.yml");
    text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n")
}

/// Every name of ours in a text, with what stands in braces behind it.
fn metrics(text: &str) -> BTreeSet<(String, String)> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts = ["sallyport_edge_", "sallyport_backend_"].into_iter().flat_map(|start| text.match_indices(start));
    let found = starts.map(|(at, _)| {
        let name: String = text[at..].chars().take_while(|c| is_name(*c)).collect();
        let labels = text[at + name.len()..].strip_prefix('{').and_then(|rest| rest.split('}').next());
        (name, labels.unwrap_or_default().to_owned())
    });
    // What ends in the middle of a name is a pattern.
    found.filter(|(name, _)| !name.ends_with('_')).collect()
}

/// The label values that matchers such as `reason=~"a|b",kind="c"` name, as samples spell them.
fn values(matchers: &str) -> Vec<String> {
    let matchers = matchers.split_inclusive("\"").collect::<Vec<_>>();
    let pairs = matchers.chunks(2).filter(|pair| pair.len() == 2);
    let values = pairs.flat_map(|pair| {
        let label = pair[0].trim_start_matches(',').trim().trim_end_matches(['"', '=', '~', '!']).to_owned();
        let values = pair[1].trim_end_matches('"').split('|');
        values.map(move |value| format!("{label}=\"{value}\"")).collect::<Vec<_>>()
    });
    values.collect()
}

#[test]
fn every_metric_that_an_alert_or_a_document_names_exists() {
    let relay = Relay::start(&Options::default());
    let secret = relay.mass_secret("fleet", 100);
    // With wrong devices among them, so that there are refusals of every kind that makes its series only then.
    let fleet = relay.fleet("node-a", &secret, &["--devices", "60", "--bytes", "1KiB"]);
    let (status, report) = fleet_report(&mut Process::start("fleet", fleet), PATIENCE * 2);
    assert!(status.success(), "{status}: {report:#}");
    let pages = [relay.edge.metrics(), relay.master.metrics(), relay.nodes[0].metrics()].join("\n");
    let samples: BTreeSet<&str> =
        pages.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next()).collect();
    let (rules, document) = (rules(), read("docs/operations.md"));
    let named = metrics(&rules);
    assert!(named.len() > 25, "only {} found: the search is broken", named.len());
    for (name, labels) in named.iter().chain(&metrics(&document)) {
        assert!(samples.contains(name.as_str()), "{name} is no metric; there are {samples:#?}");
        for value in values(labels) {
            let exists = pages.lines().any(|line| line.starts_with(&format!("{name}{{")) && line.contains(&value));
            assert!(exists, "{name} has no {value}");
        }
    }
}

#[test]
fn every_alert_is_explained_and_every_explanation_has_its_alert() {
    let (rules, document) = (rules(), read("docs/operations.md"));
    let alerts: BTreeSet<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 25, "only {} found: the search is broken", alerts.len());
    let table =
        document.lines().filter(|line| line.starts_with("| Sallyport")).filter_map(|line| line.split('|').nth(1));
    let explained: BTreeSet<&str> = table.flat_map(|names| names.split(',').map(str::trim)).collect();
    assert_eq!(explained, alerts);
}
