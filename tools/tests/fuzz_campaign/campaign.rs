//! Campaigns with targets that are scripts: past findings, to a report, whatever a target does.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::kit::{FIRST, SECOND, Tree};

/// What every target says first.
const BEGIN: &str =
    "echo 'INFO:        3 files found in x' >&2; echo '#3 INITED cov: 10 ft: 20 corp: 3/9b exec/s: 0' >&2\n";
const END: &str = "echo '#1000 DONE cov: 12 ft: 25 corp: 5/20b lim: 9 exec/s: 9' >&2\n\
                   echo 'stat::number_of_executed_units: 1000' >&2";

/// Stops at a finding of this class unless it is known, and writes an input.
fn finds(class: &str) -> String {
    format!(
        "for argument in \"$@\"; do case \"$argument\" in -artifact_prefix=*) prefix=${{argument#*=}};; esac; done\n\
         case \"$SALLYPORT_FUZZ_KNOWN\" in *'{class}'*) ;; *)\n\
         echo 'FINDING {class}' >&2; echo 'a detail' >&2; echo '==1== ERROR: libFuzzer: deadly signal' >&2\n\
         echo 'stat::number_of_executed_units: 500' >&2\n\
         echo input > ${{prefix}}crash-1; echo \"artifact_prefix='x'; Test unit written to ${{prefix}}crash-1\" >&2\n\
         exit 77;; esac\n"
    )
}

#[test]
fn a_clean_campaign_is_reported() {
    let tree = Tree::new(&format!("{BEGIN}{END}"));
    let (code, stdout, stderr) = tree.run(&["run", "--runs", "1000", "--seed", "7", "--shard", "2/3", "--out", "out"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("No finding in 2,000 executions of 2 targets"), "{stdout}");
    let report = tree.report();
    assert_eq!(report["complete"], true);
    for (target, name) in report["targets"].as_array().unwrap().iter().zip([FIRST, SECOND]) {
        assert_eq!(target["name"], name);
        assert_eq!(target["status"], "done");
        assert_eq!(target["figures"]["executions"], 1000);
        assert_eq!(target["figures"]["edges"], 12);
        assert_eq!(target["seeds"], 3);
    }
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(tree.path("out/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["seed"], 7);
    assert_eq!(manifest["shard"], "2/3");
    assert_eq!(manifest["toolchain"], "rustc 1.0.0");
    let page = fs::read_to_string(tree.path("out/report.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("http://") && !page.contains("https://"), "nothing from outside");
    // The result alone on standard output.
    let (code, stdout, _) = tree.run(&["run", "--runs", "1000", "--format", "json"]);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&stdout).unwrap()["version"], 1);
}

#[test]
fn a_campaign_goes_on_past_findings_and_merges() {
    let (one, two) = ("an_oracle: one", "panic: relay/wire/src/x.rs:1");
    let tree = Tree::new(&format!("{BEGIN}{}{}{END}", finds(one), finds(two)));
    let (code, stdout, stderr) = tree.run(&["run", "--runs", "3000", "--out", "out"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("2 findings") && stdout.contains("a detail"), "{stdout}");
    let report = tree.report();
    let findings = report["findings"].as_array().unwrap();
    let classes: Vec<&str> = findings.iter().map(|finding| finding["class"].as_str().unwrap()).collect();
    assert_eq!(classes, [one, two]);
    // The script shows its first class whatever the input, and the second only where the first is passed over.
    for (finding, (input, shown)) in findings.iter().zip([("", "binary"), ("input\n", "never")]) {
        let seen = finding["seen"].as_array().unwrap();
        assert_eq!(seen.len(), 2, "both targets saw it");
        for sighting in seen {
            let file = |name: &str| fs::read(tree.path("out").join(sighting[name].as_str().unwrap())).unwrap();
            assert_eq!(file("original"), b"input\n");
            assert_eq!((file("input"), &sighting["shown"]), (input.into(), &shown.into()));
        }
    }
    assert_eq!(report["targets"][0]["restarts"], 2);
    assert_eq!(report["targets"][0]["figures"]["executions"], 2000);

    assert_eq!(tree.run(&["run", "--runs", "3000", "--out", "other"]).0, 1);
    let (code, stdout, stderr) = tree.run(&["merge", "out", "other", "--out", "merged", "--format", "json"]);
    assert_eq!(code, 1, "{stderr}");
    let merged: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(merged["findings"].as_array().unwrap().len(), 2);
    assert_eq!(merged["findings"][0]["seen"].as_array().unwrap().len(), 4);
    assert_eq!(merged["targets"][0]["figures"]["executions"], 4000);
    assert_eq!(merged["targets"][0]["curves"].as_array().unwrap().len(), 2);
    assert_eq!(merged["manifests"].as_array().unwrap().len(), 2);
    let input = merged["findings"][1]["seen"][3]["original"].as_str().unwrap();
    assert_eq!(fs::read(tree.path("merged").join(input)).unwrap(), b"input\n");
    let (code, _, said) = tree.run(&["merge", "out", "out", "--out", "again"]);
    assert_eq!(code, 2);
    assert!(said.contains("twice"), "{said}");
}

#[test]
fn what_cannot_be_passed_over_ends_its_target_alone() {
    // It aborts in one target whatever it is told.
    let aborts =
        "case \"$0\" in *pin_spellings) echo '==1== ERROR: libFuzzer: timeout after 10 seconds' >&2; exit 70;; esac\n";
    let tree = Tree::new(&format!("{BEGIN}{aborts}{END}"));
    let (code, stdout, stderr) = tree.run(&["run", "--runs", "1000", "--out", "out"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("timeout cannot be passed over"), "{stdout}");
    let report = tree.report();
    assert_eq!(report["targets"][0]["status"], "blocked");
    assert_eq!(report["targets"][1]["status"], "done");
    assert_eq!(report["complete"], false);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_target_without_seeds_or_with_an_error_of_its_own_is_not_clean() {
    let tree = Tree::new(END);
    let (code, stdout, stderr) = tree.run(&["run", "--runs", "1000", "--out", "out"]);
    assert_eq!(code, 2, "{stdout}");
    assert!(stderr.contains("no seeds"), "{stderr}");
    assert!(tree.path("out/report.html").exists());
    let tree = Tree::new(&format!("{BEGIN}echo 'ParseDictionaryFile: error in line 3' >&2; exit 1"));
    let (code, _, stderr) = tree.run(&["run", "--runs", "1000", "--out", "out"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("ParseDictionaryFile: error in line 3"), "{stderr}");
}

#[test]
fn a_target_that_executes_nothing_or_ends_without_a_word_is_not_clean() {
    let tree = Tree::new("echo 'INFO:        3 files found in x' >&2");
    let (code, stdout, stderr) = tree.run(&["run", "--budget", "10s", "--target", FIRST, "--out", "out"]);
    assert_eq!(code, 2, "{stdout}");
    assert!(stderr.contains("executed nothing"), "{stderr}");
    let tree = Tree::new("exit 3");
    let (code, _, stderr) = tree.run(&["run", "--runs", "1000", "--target", FIRST, "--out", "out"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("no seeds") && stderr.contains("ended with exit status: 3"), "{stderr}");
}

#[test]
fn a_report_that_cannot_be_written_is_shown() {
    // A folder in the report's place, as a full disk would do.
    let prefix = "for word in \"$@\"; do case $word in -artifact_prefix=*) out=${word#*=}../..;; esac; done\n";
    let tree = Tree::new(&format!("{BEGIN}{prefix}mkdir $out/report.json\n{END}"));
    let (code, stdout, stderr) = tree.run(&["run", "--runs", "1000", "--target", FIRST, "--out", "out"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stdout.contains("No finding in 1,000 executions"), "{stdout}");
    assert!(stderr.contains("report.json") && !stderr.contains("Report:"), "{stderr}");
}

#[test]
fn a_foreign_report_moves_no_cursor_and_links_to_nothing_else() {
    let tree = Tree::new(&format!("{BEGIN}{}{END}", finds("an oracle: x")));
    let (code, _, stderr) = tree.run(&["run", "--runs", "1000", "--target", FIRST, "--out", "out"]);
    assert_eq!(code, 1, "{stderr}");
    let mut report = tree.report();
    report["findings"][0]["class"] = "an \u{1b}[31moracle".into();
    report["targets"][0]["figures"]["executions"] = u64::MAX.into();
    let write = |report: &serde_json::Value, folder: &str| {
        fs::create_dir_all(tree.path(folder)).unwrap();
        fs::write(tree.path(folder).join("report.json"), report.to_string()).unwrap();
    };
    report["findings"][0]["seen"][0]["input"] = serde_json::Value::Null;
    report["findings"][0]["seen"][0]["original"] = serde_json::Value::Null;
    write(&report, "one");
    write(&report, "two");
    let (code, stdout, stderr) = tree.run(&["merge", "one", "two", "--out", "merged"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
    for elsewhere in ["javascript:alert(1)", "findings/../../secret", "/etc/passwd"] {
        report["findings"][0]["seen"][0]["input"] = elsewhere.into();
        write(&report, "bad");
        let (code, _, stderr) = tree.run(&["merge", "bad", "--out", "none"]);
        assert_eq!(code, 2, "{elsewhere}");
        assert!(stderr.contains("not below findings/"), "{stderr}");
        fs::remove_dir_all(tree.path("none")).unwrap();
    }
}

#[test]
fn a_signal_ends_the_children_and_the_report_is_written() {
    let tree = Tree::new(&format!("{BEGIN}echo $$ > ${{0}}.pid; exec sleep 1000"));
    let mut child = tree
        .command(&["run", "--budget", "10m", "--jobs", "1", "--out", "out"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let file = tree.path("target/fuzz/none/here/release").join(format!("{FIRST}.pid"));
    let until = Instant::now() + Duration::from_secs(60);
    let pid = loop {
        match fs::read_to_string(&file) {
            Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
            _ => assert!(Instant::now() < until, "the target never began"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "incomplete");
    assert!(!std::path::Path::new("/proc").join(pid).exists(), "the target still runs");
    let report = tree.report();
    assert_eq!(report["targets"][0]["status"], "stopped");
    assert_eq!(report["targets"][1]["status"], "not-run");
}

#[test]
fn an_end_without_a_word_is_a_finding_with_its_input() {
    // As a stack overflow: killed by a signal, nothing said, nothing written; but the next process notes its input.
    let dies = "[ -n \"$SALLYPORT_FUZZ_LAST\" ] && echo deep > \"$SALLYPORT_FUZZ_LAST\"\nkill -SEGV $$\n";
    let tree = Tree::new(&format!("{BEGIN}{dies}"));
    let (code, stdout, stderr) = tree.run(&["run", "--runs", "1000", "--target", FIRST, "--out", "out"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("deadly signal cannot be passed over"), "{stdout}");
    let seen = &tree.report()["findings"][0]["seen"][0];
    assert_eq!(fs::read(tree.path("out").join(seen["original"].as_str().unwrap())).unwrap(), b"deep\n");
}
