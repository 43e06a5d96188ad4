//! A lab starts, its parts find each other, and it ends.

use std::time::Duration;

use relay_lab::{Lab, LabOptions};
use relay_wire::ids::BackendName;

#[tokio::test(flavor = "multi_thread")]
async fn starts_connects_and_stops() {
    let nodes = vec![BackendName::new("node-a").unwrap(), BackendName::new("node-b").unwrap()];
    let lab = Lab::start(LabOptions { nodes, ..LabOptions::default() }).await.unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(lab.edge_addr().port(), 0);
    assert!(lab.edge_pins().matches(lab.edge_certificate()));
    lab.mass_secret(1, Duration::from_secs(60)).await.unwrap_or_else(|error| panic!("{error}"));
    let folder = lab.folder().to_owned();
    lab.stop().await;
    assert!(!folder.exists(), "the lab's files go with it");
}
