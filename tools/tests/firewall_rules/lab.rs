//! The lab's plan, and what it says where it cannot run. The lab itself needs root: `.ci/run` runs it.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::kit::{printed, run, snapshot};

#[test]
fn the_plan_is_printed_without_root() {
    snapshot("lab/plan.txt", &printed(&["lab", "--plan"]));
    let anywhere = printed(&["lab", "--plan", "--clients", "0.0.0.0/0,::/0"]);
    snapshot("lab/plan-anywhere.txt", &anywhere);
    assert!(!anywhere.contains("Does not fit together"), "{anywhere}");
}

#[test]
fn the_plan_as_json_has_the_rules_and_the_expected_matrix() {
    let plan: Value = serde_json::from_str(&printed(&["lab", "--plan", "--format", "json"])).unwrap();
    let rules: usize =
        plan["plan"]["sets"].as_array().unwrap().iter().map(|set| set["rules"].as_array().unwrap().len()).sum();
    let (lines, rows) = (plan["matrix"]["lines"].as_array().unwrap(), plan["matrix"]["rows"].as_array().unwrap());
    assert_eq!(lines.len(), rules + 1, "one for each rule, and one for all of them");
    assert!(lines.iter().all(|line| line["cells"].as_array().unwrap().len() == rows.len()));
    assert_eq!(plan["plan"]["gaps"], serde_json::json!([]));
}

#[test]
fn wrong_options_are_told_before_anything_is_made() {
    for (arguments, said) in [
        (&["--port", "9443"][..], "the lab has something else on port 9443"),
        (&["--port", "0"], "give a port between 1 and 65535"),
        (&["--report", "lab.pdf"], "the ending must be .txt, .json or .html"),
        (&["--report", "no-such-folder/lab.html"], "there is no such folder; make it first"),
        (&["--devices", "5"], "5 is not in 6..=600"),
        (&["--plan", "--clients", "10.0.0.0/8"], "leaves out the lab's own devices, at 203.0.113.50"),
        (&["--plan", "--clean"], "cannot be used with"),
    ] {
        let outcome = run(&[&["lab"], arguments].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(outcome.stderr.contains(said), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn an_agent_ends_with_its_input_and_answers_what_it_can() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_firewall-rules"))
        .arg("lab-agent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let questions = format!(
        "no question\n{{\"id\":7,\"wait_ms\":5000,\"ask\":{{\"tcp\":{{\"to\":\"{to}\",\"from_port\":null}}}}}}\n\
         {{\"id\":8,\"wait_ms\":5000,\"ask\":{{\"sweep\":{{\"to\":\"127.0.0.1\",\"first\":{0},\"last\":{0}}}}}}}\n",
        to.port()
    );
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), questions.as_bytes()).unwrap();
    let mut answers: Vec<Value> = Vec::new();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    while answers.len() < 2 {
        answers.push(serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap());
    }
    answers.sort_by_key(|answer| answer["id"].as_u64());
    assert!(answers[0]["answer"]["open"].is_object(), "{answers:?}");
    assert_eq!(answers[1]["answer"]["swept"]["open"], serde_json::json!([to.port()]), "{answers:?}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
