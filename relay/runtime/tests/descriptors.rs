//! Running out of descriptors, which concerns the whole process, so this is a process of its own.
#![cfg(unix)]

use std::{fs::File, time::Duration};

use relay_runtime::{
    listen::{Listener, TcpOptions},
    resources,
    splice::{Meter, Pipes, relay},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn pair(listener: &Listener) -> (TcpStream, TcpStream) {
    let address = listener.local_addr().expect("it listens");
    let (near, (far, _)) = tokio::join!(TcpStream::connect(address), listener.accept());
    (near.expect("it is on loopback"), far)
}

#[tokio::test]
async fn without_descriptors_accept_waits_and_tunnels_go_on() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: limit.maximum }).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), TcpOptions::default()).unwrap();
    let ((mut device, a), (b, mut upstream)) = (pair(&listener).await, pair(&listener).await);
    // A client that is in the backlog before the descriptors are gone.
    let waiting = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }

    // No pipe can be had: the tunnel copies.
    let (pipes, meter) = (Pipes::new(4), Meter::new());
    let (moved, ()) = tokio::join!(relay(a, b, &pipes, &meter, None), async {
        device.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        upstream.read_exact(&mut got).await.unwrap();
        assert_eq!(pipes.kept(), 0);
        drop(device);
        drop(upstream);
    });
    assert_eq!(moved.unwrap().a_to_b, 4);
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }

    // Accept does not fail, and in a second of trying it does not spin.
    assert!(tokio::time::timeout(Duration::from_secs(1), listener.accept()).await.is_err());
    assert!((1..=20).contains(&listener.accept_errors()), "{} errors", listener.accept_errors());
    drop(hoard);
    let (_stream, peer) = listener.accept().await;
    assert_eq!(peer, waiting.local_addr().unwrap());

    let raised = resources::raise_descriptor_limit().unwrap();
    assert_eq!((raised.before, raised.now), (Some(64), limit.maximum));
}
