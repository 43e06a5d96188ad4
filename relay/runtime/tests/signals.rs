//! Signals act on the whole process, so this is a process of its own.
#![cfg(unix)]

use relay_runtime::{
    drain::{Drain, Phase, signals},
    tasks::Tasks,
};
use rustix::process::{Signal, getpid, kill_process};

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn hangup_reloads_and_terminate_drains_then_stops() {
    let drain = Drain::new();
    let mut reloads = drain.reloads();
    let tasks = Tasks::new();
    let handler = drain.clone();
    tasks.spawn("signals", async move {
        signals(handler).await.unwrap();
    });
    // The handlers are installed in the task's first poll; before that a signal would end this process.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    kill_process(getpid(), Signal::HUP).unwrap();
    reloads.next().await.done();
    assert_eq!(drain.phase(), Phase::Running);
    kill_process(getpid(), Signal::TERM).unwrap();
    until(|| drain.phase() == Phase::Draining).await;
    kill_process(getpid(), Signal::INT).unwrap();
    until(|| drain.phase() == Phase::Stopped).await;
}
