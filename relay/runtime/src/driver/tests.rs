use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use relay_wire::{
    session::{Output, Session},
    time::Timestamp,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex},
    time::Instant,
};

use super::*;
use crate::mailbox::{TrySendError, mailbox};

/// A session that takes what it has room for, tells its owner, and may echo it.
#[derive(Default)]
struct Toy {
    outputs: VecDeque<Output<Vec<u8>, &'static str>>,
    room: usize,
    echo: bool,
    deadline: Option<Timestamp>,
    over: Option<&'static str>,
    offers: u32,
    timeouts: u32,
}

enum Command {
    Send(Vec<u8>),
    Room(usize),
    WakeAt(Timestamp),
    Close(&'static str),
}

impl Toy {
    fn with_room(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    fn close(&mut self, why: &'static str) {
        self.over = Some(why);
    }
}

impl Session for Toy {
    type Event = Vec<u8>;
    type Command = Command;
    type Close = &'static str;

    fn handle_input(&mut self, bytes: &[u8], _now: Timestamp) -> usize {
        self.offers += 1;
        let taken = self.room.min(bytes.len());
        self.room -= taken;
        if taken > 0 {
            if self.echo {
                self.outputs.push_back(Output::Send(bytes[..taken].to_vec()));
            }
            self.outputs.push_back(Output::Event(bytes[..taken].to_vec()));
        }
        taken
    }

    fn handle_end(&mut self, _now: Timestamp) {
        self.close("end");
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            self.timeouts += 1;
        }
    }

    fn handle_command(&mut self, command: Command, _now: Timestamp) {
        match command {
            Command::Send(bytes) => self.outputs.push_back(Output::Send(bytes)),
            Command::Room(more) => self.room += more,
            Command::WakeAt(at) => self.deadline = Some(at),
            Command::Close(why) => self.close(why),
        }
    }

    fn poll_output(&mut self) -> Output<Vec<u8>, &'static str> {
        match (self.outputs.pop_front(), self.over) {
            (Some(output), _) => output,
            (None, Some(why)) => Output::Close(why),
            (None, None) => Output::Wait(self.deadline),
        }
    }

    fn wants_input(&self) -> bool {
        self.room > 0
    }
}

fn ignore(_event: Vec<u8>, _commands: &mut Vec<Command>) {}

#[tokio::test]
async fn input_becomes_events_and_answers_until_the_end() {
    let (mut near, mut far) = duplex(64);
    let (_sender, mut commands) = mailbox(4);
    let mut session = Toy { echo: true, ..Toy::with_room(usize::MAX) };
    let mut seen = Vec::new();
    let mut owner = |event: Vec<u8>, _: &mut Vec<Command>| seen.extend(event);
    let clock = Clock::system();
    let (closed, echoed) = tokio::join!(drive(&mut near, &mut session, &mut commands, &mut owner, &clock), async {
        far.write_all(b"hello").await.unwrap();
        let mut echoed = [0; 5];
        far.read_exact(&mut echoed).await.unwrap();
        far.shutdown().await.unwrap();
        echoed
    });
    assert_eq!((closed.unwrap(), &echoed), ("end", b"hello"));
    assert_eq!(seen, b"hello");
}

#[tokio::test]
async fn what_the_session_does_not_take_is_offered_again_in_order() {
    let (mut near, mut far) = duplex(64);
    let (sender, mut commands) = mailbox(4);
    let mut session = Toy::with_room(3);
    let mut seen = Vec::new();
    let mut owner = |event: Vec<u8>, commands: &mut Vec<Command>| {
        seen.extend_from_slice(&event);
        match seen.len() {
            3 => sender.try_send(Command::Room(4)).unwrap(),
            7 => commands.push(Command::Room(100)),
            _ => {}
        }
    };
    far.write_all(b"0123456789").await.unwrap();
    drop(far);
    let clock = Clock::system();
    let closed = drive(&mut near, &mut session, &mut commands, &mut owner, &clock).await.unwrap();
    assert_eq!(closed, "end");
    assert_eq!(seen, b"0123456789");
    assert!(session.offers <= 4, "{} offers", session.offers);
}

#[tokio::test(start_paused = true)]
async fn a_full_session_is_not_asked_again_and_again() {
    let mut ignore = ignore;
    let (mut near, mut far) = duplex(64);
    let (sender, mut commands) = mailbox(4);
    let mut session = Toy::with_room(2);
    far.write_all(b"0123456789").await.unwrap();
    let clock = Clock::system();
    let close = async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        sender.try_send(Command::Close("told")).unwrap();
    };
    let (closed, ()) = tokio::join!(drive(&mut near, &mut session, &mut commands, &mut ignore, &clock), close);
    assert_eq!(closed.unwrap(), "told");
    assert_eq!(session.offers, 1);
}

#[tokio::test(start_paused = true)]
async fn deadlines_are_kept() {
    let mut ignore = ignore;
    let (mut near, _far) = duplex(64);
    let (sender, mut commands) = mailbox(4);
    let clock = Clock::system();
    let mut session = Toy::with_room(1);
    sender.try_send(Command::WakeAt(clock.now() + Duration::from_secs(35 * 60))).unwrap();
    {
        let mut driven = pin!(drive(&mut near, &mut session, &mut commands, &mut ignore, &clock));
        let early = tokio::time::timeout(Duration::from_secs(35 * 60 - 1), driven.as_mut()).await;
        assert!(early.is_err());
        assert!(tokio::time::timeout(Duration::from_secs(2), driven.as_mut()).await.is_err());
    }
    assert_eq!(session.timeouts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up() {
    let mut ignore = ignore;
    let (mut near, _far) = duplex(64);
    let (sender, mut commands) = mailbox(4);
    let clock = Clock::system();
    sender.try_send(Command::Send(vec![0; 1000])).unwrap();
    let start = Instant::now();
    let mut session = Toy::with_room(1);
    let error = drive(&mut near, &mut session, &mut commands, &mut ignore, &clock).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), limits::NEXT_FRAME.as_secs());
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_the_last_bytes_but_not_for_ever() {
    let mut ignore = ignore;
    let (mut near, mut far) = duplex(64);
    let (sender, mut commands) = mailbox(4);
    let clock = Clock::system();
    let mut session = Toy::with_room(1);
    sender.try_send(Command::Send(vec![7; 100])).unwrap();
    sender.try_send(Command::Close("told")).unwrap();
    let read = async {
        tokio::time::sleep(Duration::from_secs(9)).await;
        let mut bytes = vec![0; 100];
        far.read_exact(&mut bytes).await.unwrap();
        bytes
    };
    let (closed, bytes) = tokio::join!(drive(&mut near, &mut session, &mut commands, &mut ignore, &clock), read);
    assert_eq!((closed.unwrap(), bytes), ("told", vec![7; 100]));

    let mut session = Toy::with_room(1);
    sender.try_send(Command::Send(vec![7; 100])).unwrap();
    sender.try_send(Command::Close("told")).unwrap();
    let error = drive(&mut near, &mut session, &mut commands, &mut ignore, &clock).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_slow_peer_that_takes_each_frame_in_time_is_kept() {
    let mut ignore = ignore;
    let (mut near, mut far) = duplex(64);
    let (sender, mut commands) = mailbox(16);
    let clock = Clock::system();
    let mut session = Toy::with_room(1);
    let slow = async {
        for _ in 0..10 {
            sender.try_send(Command::Send(vec![7; 100])).unwrap();
        }
        let mut bytes = vec![0; 100];
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(900)).await;
            far.read_exact(&mut bytes).await.unwrap();
        }
        for _ in 0..10 {
            sender.try_send(Command::Send(vec![7; 100])).unwrap();
            tokio::time::sleep(Duration::from_secs(8)).await;
            far.read_exact(&mut bytes).await.unwrap();
        }
        sender.try_send(Command::Close("told")).unwrap();
    };
    let (closed, ()) = tokio::join!(drive(&mut near, &mut session, &mut commands, &mut ignore, &clock), slow);
    assert_eq!(closed.unwrap(), "told");
}

#[tokio::test(start_paused = true)]
async fn two_that_both_write_do_not_wait_for_each_other() {
    let (mut near, mut far) = duplex(64);
    let clock = Clock::system();
    let (near_sender, mut near_commands) = mailbox(64);
    let (far_sender, mut far_commands) = mailbox(64);
    for _ in 0..60 {
        near_sender.try_send(Command::Send(vec![1; 1000])).unwrap();
        far_sender.try_send(Command::Send(vec![2; 1000])).unwrap();
    }
    let (mut a, mut b) = (Toy::with_room(usize::MAX), Toy::with_room(usize::MAX));
    let (mut a_got, mut b_got) = (0, 0);
    let mut a_owner = |event: Vec<u8>, commands: &mut Vec<Command>| {
        a_got += event.len();
        if a_got == 60_000 {
            commands.push(Command::Close("all"));
        }
    };
    let mut b_owner = |event: Vec<u8>, commands: &mut Vec<Command>| {
        b_got += event.len();
        if b_got == 60_000 {
            commands.push(Command::Close("all"));
        }
    };
    let (a, b) = tokio::join!(
        drive(&mut near, &mut a, &mut near_commands, &mut a_owner, &clock),
        drive(&mut far, &mut b, &mut far_commands, &mut b_owner, &clock)
    );
    assert_eq!((a.unwrap(), b.unwrap()), ("all", "all"));
}

#[tokio::test(start_paused = true)]
async fn commands_stay_in_the_mailbox_while_the_peer_takes_nothing() {
    let mut ignore = ignore;
    let (mut near, _far) = duplex(64);
    let (sender, mut commands) = mailbox(8);
    let clock = Clock::system();
    let mut session = Toy::with_room(1);
    let mut driven = pin!(drive(&mut near, &mut session, &mut commands, &mut ignore, &clock));
    let mut cx = Context::from_waker(Waker::noop());
    let mut accepted = 0;
    while accepted < 1000 {
        match sender.try_send(Command::Send(vec![0; 1024])) {
            Ok(()) => accepted += 1,
            Err(TrySendError::Full(_)) => break,
            Err(TrySendError::Closed(_)) => panic!("the receiver lives"),
        }
        assert!(driven.as_mut().poll(&mut cx).is_pending());
    }
    assert!((17..=17 + 8).contains(&accepted), "{accepted} commands accepted");
}

/// A stream that always has more to read, and never lets anyone else run of its own accord.
struct Endless;

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.remaining().min(100);
        buf.put_slice(&[0; 100][..room]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn one_wake_does_a_bounded_amount_of_work() {
    let mut ignore = ignore;
    let (_sender, mut commands) = mailbox(1);
    let clock = Clock::system();
    let mut session = Toy::with_room(usize::MAX);
    {
        let mut io = Endless;
        let mut driven = pin!(drive(&mut io, &mut session, &mut commands, &mut ignore, &clock));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(driven.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(session.offers, STEPS_PER_WAKE);
}

#[tokio::test]
async fn a_busy_mailbox_and_a_busy_peer_take_turns() {
    let (sender, mut commands) = mailbox(64);
    while sender.try_send(Command::Room(1)).is_ok() {}
    let clock = Clock::system();
    let mut session = Toy::with_room(1000);
    {
        let (mut ignore, mut io) = (ignore, Endless);
        let mut driven = pin!(drive(&mut io, &mut session, &mut commands, &mut ignore, &clock));
        assert!(driven.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(session.offers, STEPS_PER_WAKE / 2);
    assert!(commands.try_recv().is_some());
}

/// A TLS stream whose peer left without close_notify.
struct Cut;

impl AsyncRead for Cut {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()))
    }
}

impl AsyncWrite for Cut {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(0))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn an_end_without_close_notify_is_an_end_of_input() {
    let mut ignore = ignore;
    let (sender, mut commands) = mailbox(1);
    let clock = Clock::system();
    let closed = drive(&mut Cut, &mut Toy::with_room(1), &mut commands, &mut ignore, &clock).await;
    assert_eq!(closed.unwrap(), "end");
    sender.try_send(Command::Send(vec![1])).unwrap();
    let error = drive(&mut Cut, &mut Toy::default(), &mut commands, &mut ignore, &clock).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
}

#[tokio::test]
async fn an_idle_connection_costs_little() {
    let mut ignore = ignore;
    let (mut near, _far) = duplex(64);
    let (_sender, mut commands) = mailbox(1);
    let clock = Clock::system();
    let mut session = Toy::with_room(1);
    let driven = drive(&mut near, &mut session, &mut commands, &mut ignore, &clock);
    let bytes = size_of_val(&driven);
    assert!(bytes < 1024, "the future has {bytes} bytes");
}
