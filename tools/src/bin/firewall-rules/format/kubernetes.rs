//! Kubernetes: NetworkPolicies. They select pods; firewall 1 selects backends, firewall 2 and the edge host's rules edges.

use std::{collections::BTreeMap, fmt::Write as _};

use super::Document;
use crate::{
    needs::slug,
    rules::{Direction, Flow, Party, Place, Protocol, Purpose, Rule, RuleSet},
};

/// The file: a stream of policies.
pub fn render(sets: &[RuleSet]) -> Document {
    let mut text = String::from(
        "# Sallyport: NetworkPolicies. They let answers pass by themselves; a selected pod has what its policies name, and nothing\n\
         # else. They select pods by the labels app.kubernetes.io/name (relay-edge, relay-backend) and app.kubernetes.io/instance\n\
         # (the name of the edge or backend), in the namespace that they are applied to; the addresses are those of the other end\n\
         # as the pod sees them, so clients need externalTrafficPolicy: Local where only some networks may connect.\n\
         # Administrators are no pods: what they may do stands at the edge alone.\n\
         # Pods with hostNetwork are not held by policies. Neighbour discovery and path MTU errors are the node's own.\n\
         # What backends reach inside (their upstreams, name servers) needs policies of its own.\n",
    );
    for set in sets {
        for policy in policies(set) {
            text.push_str("---\n");
            text.push_str(&super::header(set));
            text.push_str(&written(&policy));
        }
    }
    Document { name: "sallyport-kubernetes.yaml".to_owned(), text }
}

/// One policy.
struct Policy<'a> {
    name: String,
    /// The labels of the pods that it holds.
    app: &'static str,
    instance: Option<String>,
    /// Whether it holds what leaves the pods, too.
    types: &'static [&'static str],
    inbound: Vec<(&'a Rule, &'a Flow)>,
    outbound: Vec<(&'a Rule, &'a Flow)>,
}

const BOTH: &[&str] = &["Ingress", "Egress"];

fn policies(set: &RuleSet) -> Vec<Policy<'_>> {
    // By name: one for each pod that an end of the rules is.
    let mut policies: BTreeMap<String, Policy<'_>> = BTreeMap::new();
    for rule in &set.rules {
        let (Some(flow), Some(ends)) = (rule.flow(), &rule.ends) else { continue };
        let outbound = match (&set.place, rule.direction) {
            (Place::Firewall1, _) | (_, Direction::Output) => true,
            (Place::Firewall2, _) => rule.purpose == Purpose::TimeSync,
            (Place::EdgeHost(_), Direction::Input | Direction::Forward) => false,
        };
        let (app, instance) = match if outbound { &ends.from } else { &ends.to } {
            Party::Backend(name) => ("relay-backend", name),
            Party::Edge(name) => ("relay-edge", name),
            // Their pods, if they are pods, are not the relay's.
            Party::Devices | Party::Administrators | Party::Monitoring | Party::TimeServer => continue,
        };
        let place = match &set.place {
            Place::Firewall1 => "firewall-1",
            Place::Firewall2 => "firewall-2",
            Place::EdgeHost(_) => "edge-host",
        };
        let name = format!("sallyport-{place}-{}", slug(instance.as_str()));
        let policy = policies.entry(name.clone()).or_insert_with(|| Policy {
            name,
            app,
            instance: Some(instance.to_string()),
            types: if set.place == Place::Firewall2 { &["Ingress"] } else { BOTH },
            inbound: Vec::new(),
            outbound: Vec::new(),
        });
        if outbound {
            policy.types = BOTH;
            policy.outbound.push((rule, flow));
        } else {
            policy.inbound.push((rule, flow));
        }
    }
    policies.into_values().collect()
}

fn written(policy: &Policy<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {}\nspec:\n  podSelector:\n    \
         matchLabels:\n      app.kubernetes.io/name: {}\n",
        policy.name, policy.app
    );
    if let Some(instance) = &policy.instance {
        let _ = writeln!(text, "      app.kubernetes.io/instance: \"{instance}\"");
    }
    let _ = writeln!(text, "  policyTypes: [{}]", policy.types.join(", "));
    section(&mut text, "ingress", "from", &policy.inbound);
    if policy.types.contains(&"Egress") {
        section(&mut text, "egress", "to", &policy.outbound);
    }
    text
}

fn section(text: &mut String, section: &str, peer: &str, rules: &[(&Rule, &Flow)]) {
    if rules.is_empty() {
        let _ = writeln!(text, "  # nothing\n  {section}: []");
        return;
    }
    let _ = writeln!(text, "  {section}:");
    for (rule, flow) in rules {
        let other = if section == "egress" { flow.destination } else { flow.source };
        let protocol = match flow.protocol {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        };
        let _ = write!(
            text,
            "    # {}\n    - {peer}:\n        - ipBlock:\n            cidr: \"{}\"\n      ports:\n        - protocol: \
             {protocol}\n          port: {}\n",
            rule.comment(),
            other.cidr(),
            flow.port
        );
    }
}
