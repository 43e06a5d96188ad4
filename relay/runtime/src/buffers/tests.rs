use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

async fn copy<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    direction: &mut Direction,
    reader: &mut R,
    writer: &mut W,
) -> Result<(), Broken> {
    std::future::poll_fn(|cx| direction.poll_copy(reader, writer, cx)).await
}

#[tokio::test]
async fn a_direction_moves_everything_and_passes_the_end_on() {
    let (mut source, mut reader) = duplex(1_000);
    let (mut writer, mut target) = duplex(700);
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let buffers = Buffers::default();
    let mut direction = Direction::new(buffers.clone());
    let mut got = Vec::new();
    let (done, _, _) = tokio::join!(
        copy(&mut direction, &mut reader, &mut writer),
        async {
            source.write_all(&content).await.unwrap();
            source.shutdown().await.unwrap();
        },
        target.read_to_end(&mut got),
    );
    done.unwrap();
    assert!(got == content);
    assert_eq!(direction.moved(), 300_000);
    assert_eq!(buffers.free.lock().unwrap().len(), 1, "the buffer went back");
}

#[tokio::test]
async fn an_idle_direction_holds_no_buffer() {
    let (_source, mut reader) = duplex(10);
    let (mut writer, _target) = duplex(10);
    let mut direction = Direction::new(Buffers::default());
    let waits = std::future::poll_fn(|cx| Poll::Ready(direction.poll_copy(&mut reader, &mut writer, cx).is_pending()));
    assert!(waits.await);
    assert!(direction.buffer.is_none());
}

#[tokio::test]
async fn it_says_which_end_broke() {
    let (source, mut reader) = duplex(10);
    let (mut writer, target) = duplex(10);
    drop(target);
    let (mut direction, mut source) = (Direction::new(Buffers::default()), source);
    source.write_all(b"x").await.unwrap();
    assert!(matches!(copy(&mut direction, &mut reader, &mut writer).await, Err(Broken::Writer(_))));
}

#[tokio::test]
async fn reading_ahead_changes_nothing_but_the_steps() {
    let (mut source, reader) = duplex(10_000);
    let buffers = Buffers::default();
    let mut ahead = ReadAhead::new(reader, buffers.clone());
    let content: Vec<u8> = (0..9_000_u32).map(|n| (n % 251) as u8).collect();
    source.write_all(&content).await.unwrap();
    drop(source);
    let mut first = [0; 5];
    ahead.read_exact(&mut first).await.unwrap();
    assert_eq!(first, content[..5]);
    assert!(ahead.ahead.is_some());
    let mut rest = Vec::new();
    ahead.read_to_end(&mut rest).await.unwrap();
    assert!(rest == content[5..]);
    assert!(ahead.ahead.is_none());
    assert_eq!(buffers.free.lock().unwrap().len(), 1);
}
