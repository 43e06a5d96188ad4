//! The relay's own edge, of the lab.

use relay_lab::{Lab, LabOptions};

use crate::kit::{run, settled, snapshot, without_digests};

#[tokio::test(flavor = "multi_thread")]
async fn the_labs_edge_is_one_that_every_platform_connects_to() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("edge.pem");
    std::fs::write(&root, pem(lab.edge_certificate())).unwrap();
    let target = lab.edge_addr().to_string();
    let pins = lab.edge_pins().to_string();
    let root = root.to_str().unwrap().to_owned();
    let outcome = tokio::task::spawn_blocking({
        let root = root.clone();
        move || run(&["host", &target, "--pin", &pins, "--roots", &root, "--strict", "--warn-days", "7"])
    })
    .await
    .unwrap();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{}", outcome.stdout);
    // Its key is made on the spot, and it lives from then on.
    let text = settled(&outcome.stdout, &[(lab.edge_addr().port(), "PORT")]).replace(&root, "edge.pem");
    let lines = without_digests(&text)
        .lines()
        .map(|line| match line.split_once("it expires on ") {
            Some((before, _)) => format!("{before}it expires on DATE\n"),
            None => format!("{line}\n"),
        })
        .collect::<String>();
    snapshot("lab-edge.txt", &format!("{lines}exit {}\n", outcome.code));
    lab.stop().await;
}

fn pem(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
