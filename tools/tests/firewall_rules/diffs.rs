//! `diff` on rule sets that nft has saved: those of this program, and others with mistakes in them.
//!
//! The files in `saved` are what `nft -j list ruleset` wrote; the ignored tests of `parsers` make them anew.

use serde_json::{Value, json};

use crate::kit::{WHOLE, folder, run, run_with, snapshot};

/// A saved rule set.
fn saved(name: &str) -> Value {
    let path = folder().join("saved").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The comparison of a rule set with what the whole scenario needs: exit code and record.
fn compared(saved: &Value, place: &str) -> (i32, Value) {
    let arguments = [&["diff", "-", "--format", "json", "--place", place], WHOLE].concat();
    let outcome = run_with(&arguments, &saved.to_string());
    assert!(outcome.code != 2 && outcome.code != 101, "{}", outcome.stderr);
    (outcome.code, serde_json::from_str(&outcome.stdout).unwrap())
}

const PLACES: [(&str, &str); 3] =
    [("firewall-1", "firewall-1.json"), ("firewall-2", "firewall-2.json"), ("edge-host", "edge-host-dmz.json")];

/// Where the rules stand in a saved rule set.
fn rules(saved: &Value) -> Vec<usize> {
    let list = saved["nftables"].as_array().unwrap();
    (0..list.len()).filter(|place| list[*place].get("rule").is_some()).collect()
}

#[test]
fn the_programs_own_rules_are_what_is_needed() {
    for (place, file) in PLACES {
        let (code, record) = compared(&saved(file), place);
        assert_eq!((code, &record["result"]), (0, &json!("same")), "{place}: {record}");
    }
}

#[test]
fn each_rule_that_is_taken_out_is_missing_and_no_other() {
    for (place, file) in PLACES {
        let whole = saved(file);
        for at in rules(&whole) {
            let mut less = whole.clone();
            let gone = less["nftables"].as_array_mut().unwrap().remove(at);
            let (code, record) = compared(&less, place);
            assert_eq!(code, 1, "{place}: {gone}");
            let findings = record["findings"].as_array().unwrap();
            assert_eq!(findings.len(), 1, "{place}: {record}");
            assert_eq!(findings[0]["kind"], "missing");
            assert_eq!(findings[0]["needed"], gone["rule"]["comment"]);
        }
    }
}

#[test]
fn each_match_that_is_taken_out_makes_its_rule_wider() {
    for (place, file) in PLACES {
        let whole = saved(file);
        for at in rules(&whole) {
            let expressions = whole["nftables"][at]["rule"]["expr"].as_array().unwrap().len();
            for gone in
                (0..expressions).filter(|gone| whole["nftables"][at]["rule"]["expr"][*gone].get("match").is_some())
            {
                let mut wide = whole.clone();
                let removed = wide["nftables"][at]["rule"]["expr"].as_array_mut().unwrap().remove(gone);
                let (code, record) = compared(&wide, place);
                assert_eq!(code, 1, "{place}: without {removed}: {record}");
                let findings = record["findings"].as_array().unwrap();
                assert!(
                    findings.iter().all(|finding| finding["kind"] == "wider"),
                    "{place}: without {removed}: {record}"
                );
                assert_eq!(findings[0]["saved"]["comment"], whole["nftables"][at]["rule"]["comment"], "{record}");
                assert!(findings[0]["example"].is_string(), "{record}");
            }
        }
    }
}

#[test]
fn each_rule_of_another_place_is_superfluous_here() {
    let mut mixed = saved("firewall-1.json");
    let extra = json!({ "rule": { "family": "inet", "table": "sallyport_firewall_1", "chain": "forward", "handle": 99,
        "comment": "telnet", "expr": [
            { "match": { "op": "==", "left": { "payload": { "protocol": "tcp", "field": "dport" } }, "right": 23 } },
            { "match": { "op": "in", "left": { "ct": { "key": "state" } }, "right": "new" } },
            { "accept": null } ] } });
    mixed["nftables"].as_array_mut().unwrap().push(extra);
    let (code, record) = compared(&mixed, "firewall-1");
    assert_eq!(code, 1);
    assert_eq!(record["findings"].as_array().unwrap().len(), 1, "{record}");
    assert_eq!(record["findings"][0]["kind"], "superfluous");
    assert_eq!(record["findings"][0]["saved"]["comment"], "telnet");
}

#[test]
fn a_policy_that_accepts_is_wider_than_needed() {
    for (place, file) in PLACES {
        let mut open = saved(file);
        for object in open["nftables"].as_array_mut().unwrap() {
            if let Some(chain) = object.get_mut("chain") {
                chain["policy"] = json!("accept");
            }
        }
        let (code, record) = compared(&open, place);
        assert_eq!(code, 1);
        assert!(record["findings"].as_array().unwrap().iter().all(|finding| finding["kind"] == "wider"), "{record}");
    }
}

#[test]
fn a_table_that_sleeps_filters_nothing() {
    // nft 1.0 writes the table's name where later ones write the flag.
    for flags in [json!("dormant"), json!(["dormant"]), json!("sallyport_firewall_1")] {
        for (place, file) in PLACES {
            let mut asleep = saved(file);
            let list = asleep["nftables"].as_array_mut().unwrap();
            list.iter_mut().filter_map(|one| one.get_mut("table")).for_each(|table| table["flags"] = flags.clone());
            let (code, record) = compared(&asleep, place);
            assert_eq!(code, 1, "{place}");
            let findings = record["findings"].as_array().unwrap();
            assert!(!findings.is_empty() && findings.iter().all(|finding| finding["kind"] == "wider"), "{record}");
            assert!(record["notes"].to_string().contains("is dormant"), "{record}");
        }
    }
    let mut owned = saved("firewall-1.json");
    let list = owned["nftables"].as_array_mut().unwrap();
    list.iter_mut().filter_map(|one| one.get_mut("table")).for_each(|table| table["flags"] = json!(["owner"]));
    assert_eq!(compared(&owned, "firewall-1").0, 0);
}

#[test]
fn what_packets_can_change_is_not_judged() {
    let mut grown = saved("firewall-1.json");
    let list = grown["nftables"].as_array_mut().unwrap();
    let at = list.iter().position(|one| one.get("rule").is_some()).unwrap();
    let mut rule = list[at].clone();
    let source = json!({ "payload": { "protocol": "ip", "field": "saddr" } });
    rule["rule"]["expr"] = json!([{ "match": { "op": "==", "left": source, "right": "@known" } }, { "accept": null }]);
    let table = rule["rule"]["table"].clone();
    let set = json!({ "family": "inet", "table": table, "name": "known", "type": "ipv4_addr", "flags": ["dynamic"] });
    list.splice(at..at, [json!({ "set": set }), rule]);
    assert_eq!(compared(&grown, "firewall-1").0, 3);
}

#[test]
fn a_chain_on_the_same_way_that_drops_is_not_passed_over() {
    for (hook, kind, place, code) in [
        ("prerouting", "filter", "firewall-1", 3),
        ("postrouting", "filter", "edge-host", 3),
        ("output", "route", "edge-host", 3),
        ("output", "route", "firewall-1", 0),
        ("prerouting", "nat", "firewall-1", 0),
    ] {
        let file = PLACES.iter().find(|(one, _)| *one == place).unwrap().1;
        let mut more = saved(file);
        let chain = json!({ "family": "ip", "table": "t", "name": "c", "type": kind, "hook": hook, "prio": -300, "policy": "accept" });
        let rule = json!({ "family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": [{ "drop": null }] });
        let list = more["nftables"].as_array_mut().unwrap();
        list.extend([json!({ "chain": chain }), json!({ "rule": rule })]);
        assert_eq!(compared(&more, place).0, code, "{hook} {kind} {place}");
    }
}

#[test]
fn rule_sets_that_grew_by_hand_are_judged_as_they_were() {
    for name in ["grown", "tangled", "two-tables", "iptables"] {
        let file = format!("saved/{name}.json");
        for (form, ending) in [("text", "txt"), ("json", "json")] {
            let outcome = run(&[&["diff", &file, "--format", form, "--place", "firewall-1"], WHOLE].concat());
            let text = format!("exit {}\n{}", outcome.code, outcome.stdout);
            snapshot(&format!("diff/{name}.{ending}"), &text);
        }
    }
}
