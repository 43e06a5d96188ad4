//! Every form of every scenario, as files; and what holds for all of them.

use serde_json::Value;

use crate::kit::{FORMATS, PLAIN, SCENARIOS, WHOLE, printed, run, snapshot, written};

#[test]
fn every_form_of_every_scenario_is_as_it_was() {
    for (name, scenario) in SCENARIOS {
        for format in FORMATS {
            let made = tempfile::tempdir().unwrap();
            for path in written(scenario, format, made.path()) {
                let file = path.file_name().unwrap().to_str().unwrap();
                snapshot(&format!("{name}/{file}"), &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}

#[test]
fn explanations_are_as_they_were() {
    for (name, scenario) in SCENARIOS {
        for (format, ending) in [("text", "txt"), ("svg", "svg"), ("html", "html"), ("json", "json")] {
            let text = printed(&[&["explain", "--format", format], scenario].concat());
            snapshot(&format!("{name}/explain.{ending}"), &text);
            assert!(!text.contains("http://") || text.contains("http://www.w3.org/2000/svg"), "nothing from outside");
        }
    }
}

#[test]
fn one_place_on_standard_output_is_the_same_as_its_file() {
    let made = tempfile::tempdir().unwrap();
    for path in written(WHOLE, "nftables", made.path()) {
        let place = path.file_stem().unwrap().to_str().unwrap().replace("edge-host-dmz", "edge-host=dmz");
        let text = printed(&[WHOLE, &["--place", &place]].concat());
        assert_eq!(text, std::fs::read_to_string(&path).unwrap());
    }
}

/// The rules of a scenario, as data.
fn rules(scenario: &[&str]) -> Vec<(String, Value)> {
    let json: Value = serde_json::from_str(&printed(&[scenario, &["--format", "json"]].concat())).unwrap();
    let sets = json["rule_sets"].as_array().unwrap();
    let rules = sets.iter().flat_map(|set| {
        let place = set["place"].as_str().unwrap().to_owned();
        set["rules"].as_array().unwrap().iter().map(move |rule| (place.clone(), rule.clone()))
    });
    rules.collect()
}

#[test]
fn every_rule_stands_in_every_form_with_its_reason() {
    for (name, scenario) in SCENARIOS {
        for (place, rule) in rules(scenario) {
            let (id, why) = (rule["id"].as_str().unwrap(), rule["why"].as_str().unwrap());
            assert!(why.len() > 10, "{id}: a reason");
            let place = place.replacen("edge-host-", "edge-host=", 1);
            for format in FORMATS {
                let host = place.starts_with("edge-host");
                if format == "windows" && !host {
                    continue;
                }
                let text = printed(&[scenario, &["--format", format, "--place", &place]].concat());
                // Clouds and Kubernetes do by themselves what is no connection of its own.
                let flow = rule["traffic"]["kind"] == "new";
                // Administrators are no pods.
                if format == "kubernetes" && !host && rule["purpose"] == "administration" {
                    continue;
                }
                if flow || !["aws-terraform", "azure-terraform", "kubernetes"].contains(&format) {
                    assert!(text.contains(id), "{name}, {place}: {format} without {id}");
                    assert!(text.contains(&why[..why.len().min(40)]), "{name}, {place}: {format} without why {id}");
                }
            }
        }
    }
}

#[test]
fn ids_are_unique_and_stay_when_others_come_and_go() {
    for (name, scenario) in SCENARIOS {
        let mut ids: Vec<String> =
            rules(scenario).iter().map(|(place, rule)| format!("{place} {}", rule["id"])).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}");
    }
    let fewer = rules(PLAIN);
    let more = rules(&[PLAIN, &["--node", "other=10.0.0.99", "--ssh-from", "10.0.9.0/24"]].concat());
    for (place, rule) in fewer {
        // The unnamed node's id is made of its address, not of its position.
        assert!(more.iter().any(|(other, one)| *other == place && one["id"] == rule["id"]), "{place}: {}", rule["id"]);
    }
}

#[test]
fn comments_fit_every_form() {
    let long = "a-name-of-63-letters-which-is-as-long-as-any-name-may-be-xxxxxx";
    let host = format!("{long}=2001:db8:1111:2222:3333:4444:5555:6666,2001:db8:1111:2222:3333:4444:5555:7777");
    let scenario = ["--edge", "[2001:db8:9999:8888:7777:6666:5555:4444]:65535", "--master", &host];
    for (_, rule) in rules(&scenario).into_iter().chain(rules(WHOLE)) {
        let (id, why) = (rule["id"].as_str().unwrap(), rule["why"].as_str().unwrap());
        assert!(id.len() <= 72, "{id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{id}");
        // What AWS takes in a description, but for what a shell or HCL would read.
        assert!(why.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ._-:/()#,@+=;".contains(&byte)), "{why}");
    }
    for place in ["firewall-1", "edge-host"] {
        let text = printed(&[scenario.as_slice(), &["--place", place]].concat());
        for comment in text.split("comment \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(comment.len() <= 127, "{comment}");
        }
    }
}

#[test]
fn no_rule_lets_anything_inward_through_firewall_1_or_out_of_the_edge_host() {
    for (name, scenario) in SCENARIOS {
        for (place, rule) in rules(scenario).into_iter().filter(|(_, rule)| rule["traffic"]["kind"] == "new") {
            let ends = &rule["ends"];
            if place == "firewall-1" {
                assert!(ends["to"].get("edge").is_some(), "{name}: {rule}");
                assert!(ends["from"].get("edge").is_none(), "{name}: {rule}");
            }
            if rule["direction"] == "output" {
                assert_eq!(rule["purpose"], "time-sync", "{name}: {rule}");
            }
        }
    }
}

#[test]
fn pages_and_completions_are_of_every_command() {
    let made = tempfile::tempdir().unwrap();
    printed(&["man", "--dir", made.path().to_str().unwrap()]);
    let pages: Vec<String> = std::fs::read_dir(made.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in ["firewall-rules.1", "firewall-rules-explain.1", "firewall-rules-diff.1"] {
        assert!(pages.iter().any(|name| name == page), "{page} is missing: {pages:?}");
    }
    assert!(printed(&["man"]).contains(".TH firewall-rules 1"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("clients-to"), "{shell}");
    }
}

#[test]
fn the_json_form_and_the_table_go_to_a_pipe_without_colours() {
    for format in ["json", "table"] {
        assert!(!printed(&[WHOLE, &["--format", format]].concat()).contains('\u{1b}'));
    }
    assert_eq!(run(&[]).code, 2);
}
