//! The policies against the fields that Kubernetes publishes for NetworkPolicy (networking.k8s.io/v1).

use serde_json::{Map, Value, json};

use crate::kit::{SCENARIOS, printed};

/// Reads the YAML that this program writes: mappings and lists in block style, lists of words and empty lists in brackets.
pub fn read(text: &str) -> Vec<Value> {
    text.split("\n---\n")
        .skip(1)
        .map(|document| {
            let lines: Vec<(usize, &str)> = document
                .lines()
                .filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty())
                .map(|line| (line.len() - line.trim_start().len(), line.trim()))
                .collect();
            let mut lines = lines.into_iter().flat_map(dashes).collect::<Vec<_>>().into_iter().peekable();
            let value = block(&mut lines, 0);
            assert!(lines.next().is_none(), "all of it is read");
            value
        })
        .collect()
}

/// `- key: value` as a dash and a line of its own, further in.
fn dashes((indent, line): (usize, &str)) -> Vec<(usize, String)> {
    match line.strip_prefix("- ") {
        Some(rest) => [(indent, "-".to_owned())].into_iter().chain(dashes((indent + 2, rest))).collect(),
        None => vec![(indent, line.to_owned())],
    }
}

type Lines = std::iter::Peekable<std::vec::IntoIter<(usize, String)>>;

fn block(lines: &mut Lines, least: usize) -> Value {
    let Some((indent, first)) = lines.peek().cloned() else { return Value::Null };
    assert!(indent >= least, "{first}");
    if first == "-" {
        let mut list = Vec::new();
        while lines.peek().is_some_and(|(at, line)| *at == indent && line == "-") {
            lines.next();
            list.push(block(lines, indent + 1));
        }
        return Value::Array(list);
    }
    let mut mapping = Map::new();
    while let Some((_, line)) = lines.next_if(|(at, line)| *at == indent && line != "-") {
        let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("no key: {line}"));
        let value = match value.trim() {
            "" => block(lines, indent + 1),
            text => scalar(text),
        };
        assert!(mapping.insert(key.to_owned(), value).is_none(), "{key} twice");
    }
    Value::Object(mapping)
}

fn scalar(text: &str) -> Value {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.split(", ").filter(|word| !word.is_empty()).map(|word| json!(word)).collect();
    }
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => json!(inner),
        None => text.parse::<u16>().map_or_else(|_| json!(text), |number| json!(number)),
    }
}

/// No field but these, and these as they are published.
fn fields<'a>(value: &'a Value, allowed: &[&str]) -> &'a Map<String, Value> {
    let object = value.as_object().unwrap_or_else(|| panic!("an object: {value}"));
    for key in object.keys() {
        assert!(allowed.contains(&key.as_str()), "{key} is no field here: {value}");
    }
    object
}

/// Checks one policy.
pub fn check(policy: &Value) {
    fields(policy, &["apiVersion", "kind", "metadata", "spec"]);
    assert_eq!(policy["apiVersion"], "networking.k8s.io/v1");
    assert_eq!(policy["kind"], "NetworkPolicy");
    fields(&policy["metadata"], &["name", "namespace", "labels", "annotations"]);
    let name = policy["metadata"]["name"].as_str().unwrap();
    let dns = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    assert!(dns && name.len() <= 253 && !name.ends_with('-'), "{name} is a DNS subdomain");
    let spec = fields(&policy["spec"], &["podSelector", "policyTypes", "ingress", "egress"]);
    fields(&spec["podSelector"], &["matchLabels", "matchExpressions"]);
    for (key, value) in spec["podSelector"]["matchLabels"].as_object().unwrap() {
        let value = value.as_str().unwrap_or_else(|| panic!("{key}: a text, not {value}"));
        assert!(!value.is_empty() && value.len() <= 63, "{key}: {value}");
    }
    for kind in spec["policyTypes"].as_array().unwrap() {
        assert!(kind == "Ingress" || kind == "Egress", "{kind}");
        assert!(spec[&kind.as_str().unwrap().to_lowercase()].is_array(), "what it holds is said: {name}");
    }
    for (section, peer) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.get(section).and_then(Value::as_array).into_iter().flatten() {
            fields(rule, &[peer, "ports"]);
            for one in rule[peer].as_array().unwrap() {
                fields(one, &["ipBlock", "podSelector", "namespaceSelector"]);
                fields(&one["ipBlock"], &["cidr", "except"]);
                assert!(one["ipBlock"]["cidr"].as_str().unwrap().contains('/'), "{one}");
            }
            for port in rule["ports"].as_array().unwrap() {
                fields(port, &["protocol", "port", "endPort"]);
                assert!(port["protocol"] == "TCP" || port["protocol"] == "UDP", "{port}");
                assert!(port["port"].is_u64(), "{port}");
            }
        }
    }
}

#[test]
fn policies_have_the_published_fields_and_no_others() {
    for (name, scenario) in SCENARIOS {
        let policies = read(&printed(&[scenario, &["--format", "kubernetes"]].concat()));
        assert!(policies.len() >= 4, "{name}: {}", policies.len());
        policies.iter().for_each(check);
    }
}

#[test]
fn an_edge_has_no_way_out_and_a_backend_no_way_in() {
    let policies = read(&printed(&[crate::kit::PLAIN, &["--format", "kubernetes"]].concat()));
    for policy in &policies {
        let spec = &policy["spec"];
        match spec["podSelector"]["matchLabels"]["app.kubernetes.io/name"].as_str().unwrap() {
            "relay-backend" => assert_eq!(spec["ingress"], json!([])),
            "relay-edge" if spec["policyTypes"].as_array().unwrap().len() == 2 => assert_eq!(spec["egress"], json!([])),
            _ => assert!(policy["metadata"]["name"].as_str().unwrap().starts_with("sallyport-firewall-2")),
        }
    }
}
