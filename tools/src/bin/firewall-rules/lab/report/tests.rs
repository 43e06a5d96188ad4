//! Every form of a result, and each thing that can be wrong with it.

use std::net::IpAddr;

use super::*;
use crate::{
    lab::{
        attempts::Means,
        matrix::Seen,
        sockets::{Calls, Tracked, judge_tracked},
        topology::Host,
    },
    network::Family,
};

fn address() -> IpAddr {
    Host::Edge.address(Family::Ipv4)
}

fn attempt(how: &str) -> Attempt {
    let seen = Seen { works: how == "open", how: how.to_owned() };
    Attempt {
        host: Host::Master,
        address: Host::Master.address(Family::Ipv6),
        means: Means::Icmp,
        seen,
        arrived: false,
    }
}

/// A run in which everything was as it must be.
fn passed() -> Report {
    let plan = Plan::new(8443, &[]).unwrap();
    let fleet = Fleet {
        devices_over: Family::Ipv4,
        backends_over: Family::Ipv6,
        node: Host::NodeB,
        devices: 12,
        wrong: 0,
        bytes_checked: 1_572_864,
        seconds: 0.4,
        passed: true,
    };
    let step = Step { platform: "wp", over: Family::Ipv6, node: Host::NodeB, before: 11, after: 12 };
    let sweep = Sweep { address: address(), ports: 65_535, open: vec![8443], refused: Vec::new(), silent: 65_534 };
    Report {
        seconds: 93.4,
        control: Control { probes: 294, failed: Vec::new() },
        fleets: vec![fleet],
        tunnels: Tunnels { steps: vec![step], census: Census::default() },
        captured: Captured {
            with_own_rules: vec![attempt("barred: <no>")],
            without_own_rules: vec![attempt("silent")],
        },
        strangers: vec![Stranger { guard: "firewall 2 alone", sweep: vec![sweep], attempts: vec![attempt("silent")] }],
        matrix: plan.expected(),
        tracked: vec![Tracking { place: Space::Firewall1, connections: Some(3), problems: Vec::new() }],
        strace: Some(Calls { accepts: 7, ..Calls::default() }),
        ..Report::new(&plan)
    }
}

#[test]
fn a_run_that_passed_says_so_in_every_form() {
    let report = passed();
    assert!(report.passed(), "{:?}", report.problems());
    let text = report.render(Form::Text, false).unwrap();
    assert!(text.contains("It works with exactly these 32 rules"), "{text}");
    assert!(text.contains("fw1-established") && !text.contains('\x1b'), "{text}");
    assert!(report.render(Form::Text, true).unwrap().contains('\x1b'));
    let json: serde_json::Value = serde_json::from_str(&report.render(Form::Json, false).unwrap()).unwrap();
    assert_eq!((json["passed"].as_bool(), json["schema"].as_u64()), (Some(true), Some(1)));
    assert_eq!(json["matrix"]["lines"].as_array().unwrap().len(), 33);
}

#[test]
fn the_page_is_whole_by_itself_and_escapes_what_it_shows() {
    let page = passed().render(Form::Html, false).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    for outside in ["http://", "https://", "src=", "href=", "@import", "url(h"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("<svg") && page.contains("barred: &lt;no&gt;") && !page.contains("<no>"));
    assert!(!page.contains("<td class=\"bad\""), "no cell is wrong");
}

/// What is wrong with a run that differs from one that passed.
fn problems(change: impl FnOnce(&mut Report)) -> Vec<String> {
    let mut report = passed();
    change(&mut report);
    let problems = report.problems();
    assert_eq!(report.passed(), problems.is_empty());
    for form in [Form::Text, Form::Html, Form::Json] {
        report.render(form, false).unwrap();
    }
    problems
}

#[test]
fn each_thing_that_is_wrong_fails_the_run() {
    let wrong: [(&str, Vec<String>); 11] = [
        ("did not come through: x", problems(|report| report.control.failed.push("x".to_owned()))),
        ("12 of 12 devices", problems(|report| (report.fleets[0].passed, report.fleets[0].wrong) = (false, 12))),
        ("from 11 to 13", problems(|report| report.tunnels.steps[0].after = 13)),
        ("nobody should", problems(|report| report.tunnels.census.problems.push("nobody should".to_owned()))),
        ("the edge's host reached", problems(|report| report.captured.with_own_rules[0] = attempt("open"))),
        ("the edge's host reached", problems(|report| report.captured.without_own_rules[0].arrived = true)),
        ("a stranger reached", problems(|report| report.strangers[0].attempts[0] = attempt("refused"))),
        ("these ports open: 22, 8443", problems(|report| report.strangers[0].sweep[0].open = vec![22, 8443])),
        (
            "was silent",
            problems(|report| report.matrix.lines[0].cells[0].seen = Seen { works: false, how: "silent".into() }),
        ),
        (
            "the edge called connect",
            problems(|report| {
                report.strace.as_mut().unwrap().connects_inet.push("connect(3, ...)".to_owned());
            }),
        ),
        ("accept nothing", problems(|report| report.strace = Some(Calls::default()))),
    ];
    for (words, problems) in wrong {
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(words), "{problems:?}");
    }
    let inward = Tracked { from: Host::Edge.socket(Family::Ipv4, 40_000), to: Host::Master.socket(Family::Ipv4, 22) };
    let found = judge_tracked(Space::Firewall1, &[inward], 8443);
    assert_eq!(problems(|report| report.tracked[0].problems = found).len(), 1);
}
