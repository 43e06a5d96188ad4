use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::yield_now,
};

use super::*;
use crate::{tasks::Tasks, test_tls::tcp_pair};

fn pools() -> [Pipes; 2] {
    [Pipes::new(2), Pipes::copying()]
}

fn pattern(bytes: usize, seed: usize) -> Vec<u8> {
    (0..bytes).map(|n| u8::try_from((n * 31 + n / 255 + seed) % 256).unwrap()).collect()
}

async fn send(mut to: impl AsyncWriteExt + Unpin, bytes: &[u8]) {
    to.write_all(bytes).await.unwrap();
    to.shutdown().await.unwrap();
}

async fn receive(mut from: impl AsyncReadExt + Unpin) -> Vec<u8> {
    let mut got = Vec::new();
    from.read_to_end(&mut got).await.unwrap();
    got
}

fn is_reset(result: io::Result<usize>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::ConnectionReset)
}

#[tokio::test]
async fn every_byte_goes_both_ways_at_once() {
    for pipes in pools() {
        let (device, a) = tcp_pair().await;
        let (b, upstream) = tcp_pair().await;
        let meter = Meter::new();
        let (there, back) = (pattern(5_000_003, 1), pattern(3_000_001, 2));
        let (device_reads, device_writes) = device.into_split();
        let (upstream_reads, upstream_writes) = upstream.into_split();
        let (moved, (), (), at_upstream, at_device) = tokio::join!(
            relay(a, b, &pipes, &meter, Some(Duration::from_secs(60))),
            send(device_writes, &there),
            send(upstream_writes, &back),
            receive(upstream_reads),
            receive(device_reads),
        );
        assert!(at_upstream == there && at_device == back, "content differs");
        let expected = Moved { a_to_b: 5_000_003, b_to_a: 3_000_001 };
        assert_eq!((moved.unwrap(), meter.read()), (expected, expected));
        assert!(pipes.kept() <= 2);
    }
}

#[tokio::test]
async fn a_half_close_goes_through_and_the_other_way_goes_on() {
    for pipes in pools() {
        let (mut device, a) = tcp_pair().await;
        let (b, mut upstream) = tcp_pair().await;
        let meter = Meter::new();
        let (moved, ()) = tokio::join!(relay(a, b, &pipes, &meter, None), async {
            device.write_all(b"question").await.unwrap();
            device.shutdown().await.unwrap();
            assert_eq!(receive(&mut upstream).await, b"question");
            for _ in 0..3 {
                upstream.write_all(b"answer").await.unwrap();
                let mut got = [0; 6];
                device.read_exact(&mut got).await.unwrap();
                assert_eq!(&got, b"answer");
            }
            drop(upstream);
            assert_eq!(device.read(&mut [0; 8]).await.unwrap(), 0);
        });
        assert_eq!(moved.unwrap(), Moved { a_to_b: 8, b_to_a: 18 });
    }
}

#[tokio::test]
async fn many_small_pieces_keep_their_order() {
    for pipes in pools() {
        let (device, a) = tcp_pair().await;
        let (b, upstream) = tcp_pair().await;
        device.set_nodelay(true).unwrap();
        let meter = Meter::new();
        let sent = pattern(20_000, 3);
        let (moved, (), got) = tokio::join!(
            relay(a, b, &pipes, &meter, None),
            async {
                let mut device = device;
                for piece in sent.chunks(7) {
                    device.write_all(piece).await.unwrap();
                }
                device.shutdown().await.unwrap();
            },
            async {
                let mut upstream = upstream;
                let got = receive(&mut upstream).await;
                drop(upstream);
                got
            },
        );
        assert!(got == sent, "content differs");
        assert_eq!(moved.unwrap().a_to_b, 20_000);
    }
}

/// Polls the tunnel until `done` holds.
async fn poll_until(tunnel: &mut Tunnel, pipes: &Pipes, meter: &Meter, done: impl Fn(&Tunnel) -> bool) {
    loop {
        poll_fn(|cx| {
            let _ = tunnel.poll(cx, pipes, meter);
            Poll::Ready(())
        })
        .await;
        if done(tunnel) {
            return;
        }
        yield_now().await;
    }
}

#[tokio::test]
async fn an_idle_tunnel_holds_no_pipe() {
    let pipes = Pipes::new(1);
    let (mut device, a) = tcp_pair().await;
    let (b, mut upstream) = tcp_pair().await;
    let meter = Meter::new();
    let mut tunnel = Tunnel { ends: Ends { a, b, clean: false }, a_to_b: Flow::default(), b_to_a: Flow::default() };
    poll_until(&mut tunnel, &pipes, &meter, |tunnel| !tunnel.a_to_b.holds_vessel()).await;
    device.write_all(b"ping").await.unwrap();
    poll_until(&mut tunnel, &pipes, &meter, |tunnel| tunnel.moved().a_to_b == 4).await;
    let mut got = [0; 4];
    upstream.read_exact(&mut got).await.unwrap();
    poll_until(&mut tunnel, &pipes, &meter, |tunnel| !tunnel.a_to_b.holds_vessel()).await;
    assert!(!tunnel.b_to_a.holds_vessel());
    assert_eq!(pipes.kept(), usize::from(cfg!(target_os = "linux")));
}

#[tokio::test]
async fn a_reset_on_one_side_is_a_reset_on_the_other() {
    for pipes in pools() {
        let (device, a) = tcp_pair().await;
        let (b, mut upstream) = tcp_pair().await;
        let meter = Meter::new();
        let (result, got) = tokio::join!(relay(a, b, &pipes, &meter, None), async {
            reset_on_close(&device);
            drop(device);
            upstream.read(&mut [0; 8]).await
        });
        let error = result.unwrap_err();
        assert_eq!((error.side, error.source.kind()), (Side::A, io::ErrorKind::ConnectionReset));
        assert!(is_reset(got));
    }
}

#[tokio::test]
async fn dropping_the_tunnel_resets_both_sides() {
    for pipes in pools() {
        let (mut device, a) = tcp_pair().await;
        let (b, mut upstream) = tcp_pair().await;
        let tasks = Tasks::new();
        let pool = pipes.clone();
        tasks.spawn("tunnel", async move {
            let _ = relay(a, b, &pool, &Meter::new(), None).await;
        });
        device.write_all(b"x").await.unwrap();
        assert_eq!(upstream.read_u8().await.unwrap(), b'x');
        drop(tasks);
        assert!(is_reset(device.read(&mut [0; 8]).await));
        assert!(is_reset(upstream.read(&mut [0; 8]).await));
    }
}

#[tokio::test]
async fn a_side_that_takes_nothing_is_cut_off() {
    for pipes in pools() {
        let (device, a) = tcp_pair().await;
        let (b, upstream) = tcp_pair().await;
        let meter = Meter::new();
        let feed = async {
            let mut device = device;
            let block = vec![0; 256 * 1024];
            while device.write_all(&block).await.is_ok() {}
        };
        let (result, ()) = tokio::join!(relay(a, b, &pipes, &meter, Some(Duration::from_millis(200))), feed);
        let error = result.unwrap_err();
        assert_eq!((error.side, error.source.kind()), (Side::B, io::ErrorKind::TimedOut));
        assert!(error.moved.a_to_b > 0);
        drop(upstream);
    }
}

#[test]
fn no_more_pipes_are_open_than_may_be() {
    let pipes = Pipes::new(1);
    pipes.bound(2);
    let is_pipe = |vessel: &pipes::Vessel| matches!(vessel, pipes::Vessel::Pipe(_));
    let [first, second, third] = [pipes.take(), pipes.take(), pipes.take()];
    assert_eq!([&first, &second].map(is_pipe), [cfg!(target_os = "linux"); 2]);
    assert!(!is_pipe(&third));
    // One is kept and one is closed; both places can be taken again.
    pipes.give(first);
    pipes.give(second);
    assert_eq!([pipes.take(), pipes.take()].iter().map(is_pipe).collect::<Vec<_>>(), [cfg!(target_os = "linux"); 2]);
}

#[tokio::test]
async fn an_idle_tunnel_is_not_stalled() {
    let pipes = Pipes::new(1);
    let (mut device, a): (TcpStream, TcpStream) = tcp_pair().await;
    let (b, mut upstream) = tcp_pair().await;
    let meter = Meter::new();
    let tunnel = relay(a, b, &pipes, &meter, Some(Duration::from_millis(1)));
    let talk = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            device.write_all(b"x").await.unwrap();
            assert_eq!(upstream.read_u8().await.unwrap(), b'x');
        }
        drop(device);
        drop(upstream);
    };
    let (moved, ()) = tokio::join!(tunnel, talk);
    assert_eq!(moved.unwrap().a_to_b, 5);
}

#[tokio::test]
async fn the_future_is_small() {
    let (_device, a) = tcp_pair().await;
    let (b, _upstream) = tcp_pair().await;
    let (pipes, meter) = (Pipes::new(1), Meter::new());
    let tunnel = relay(a, b, &pipes, &meter, None);
    let bytes = size_of_val(&tunnel);
    assert!(bytes < 1024, "the future has {bytes} bytes");
}
