//! Every target's kept inputs hold: seeds, committed corpus, regressions. On stable Rust, without a fuzzer.

use std::{
    panic::resume_unwind,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use fuzz::{Target, corpus, run, targets::ALL};

/// Targets at work at one time.
const THREADS: usize = 2;

/// What a target's inputs show: a line per finding.
fn replay(target: &Target, fuzz: &Path, findings: &Mutex<Vec<String>>) {
    if (target.seeds)().is_empty() {
        findings.lock().unwrap().push(format!("{}: no seeds; a target needs inputs of our own writers", target.name));
    }
    let inputs = corpus::kept(fuzz, target).unwrap_or_else(|error| panic!("{}: {error}", target.name));
    for input in inputs {
        if let Err((class, detail)) = run::judge(target, &input.bytes) {
            findings.lock().unwrap().push(format!("{}: {}: {class}\n{detail}", target.name, input.origin));
        }
    }
}

#[test]
fn every_kept_input_holds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let findings = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(target) = ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                        replay(target, &fuzz, &findings);
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let findings = findings.into_inner().unwrap();
    let shown = findings.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(findings.is_empty(), "{} findings; `fuzz-campaign replay` says more:\n{shown}", findings.len());
}
