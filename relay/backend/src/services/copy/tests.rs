use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

const IDLE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn half_close_travels_both_ways() {
    let (mut device, mut tunnel) = duplex(64);
    let (mut upstream, mut server) = duplex(64);
    let metrics = Metrics::default();
    let buffers = Buffers::default();
    let device_side = async {
        device.write_all(b"question").await.unwrap();
        device.shutdown().await.unwrap();
        let mut answer = String::new();
        device.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let server_side = async {
        let mut question = String::new();
        // Ends only because the device's half-close came through, while the other direction is still open.
        server.read_to_string(&mut question).await.unwrap();
        server.write_all(format!("{question}: answer").as_bytes()).await.unwrap();
        server.shutdown().await.unwrap();
    };
    let (end, answer, ()) =
        tokio::join!(both_ways(&mut tunnel, &mut upstream, &buffers, &metrics, IDLE), device_side, server_side);
    assert!(matches!(end, End::Finished));
    assert_eq!(answer, "question: answer");
    assert_eq!((metrics.bytes_from_devices.get(), metrics.bytes_to_devices.get()), (8, 16));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_it_and_movement_keeps_it() {
    let (mut device, mut tunnel) = duplex(64);
    let (mut upstream, mut server) = duplex(64);
    let metrics = Metrics::default();
    let buffers = Buffers::default();
    let began = Instant::now();
    let talk = async {
        for _ in 0..5 {
            tokio::time::sleep(IDLE / 2).await;
            device.write_all(b"x").await.unwrap();
            server.read_u8().await.unwrap();
        }
        std::future::pending::<()>().await;
    };
    let end = tokio::select! {
        end = both_ways(&mut tunnel, &mut upstream, &buffers, &metrics, IDLE) => end,
        () = talk => panic!("it talks for ever"),
    };
    assert!(matches!(end, End::Idle));
    let stood = began.elapsed();
    assert!(stood >= IDLE * 5 / 2 + IDLE && stood <= IDLE * 5 / 2 + IDLE * 2, "{stood:?}");
}
