//! Two sessions and the link between them: latency, bytes in pieces, loss of the connection, and a clock that jumps.

use alloc::{collections::VecDeque, vec::Vec};
use core::time::Duration;

use crate::{
    builtin::Content,
    session::{Output, Session},
    time::Timestamp,
};

/// The time `millis` after the origin.
pub(super) const fn at(millis: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(millis))
}

/// Numbers that a seed decides.
#[derive(Clone)]
pub(super) struct Chance(Content);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(Content::new(seed))
    }

    /// 0..bound
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(u64::from_be_bytes(bytes) % bound).unwrap()
    }

    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

/// How a link cuts what is sent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// As it was sent.
    Whole,
    /// Byte by byte.
    Bytes,
    /// In random pieces, each a little later than the one before.
    Pieces,
}

/// How a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Both sides see the end.
    Reset,
    /// Nobody sees anything: a cable is cut.
    Silence,
}

enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// One direction.
struct Pipe {
    arriving: VecDeque<(Timestamp, Piece)>,
    last: Timestamp,
    dead: bool,
}

#[derive(Clone)]
pub(super) struct Link {
    pub(super) latency: Duration,
    pub(super) cut: Cut,
    pub(super) chance: Chance,
}

impl Pipe {
    const fn new() -> Self {
        Self { arriving: VecDeque::new(), last: Timestamp::ORIGIN, dead: false }
    }

    fn put(&mut self, piece: Piece, delay: Duration, now: Timestamp) {
        if !self.dead {
            self.last = self.last.max(now + delay);
            self.arriving.push_back((self.last, piece));
        }
    }

    fn send(&mut self, bytes: &[u8], link: &mut Link, now: Timestamp) {
        let mut rest = bytes;
        let mut delay = link.latency;
        while !rest.is_empty() {
            let length = match link.cut {
                Cut::Whole => rest.len(),
                Cut::Bytes => 1,
                Cut::Pieces => 1 + link.chance.below(rest.len().min(97)),
            };
            let (piece, behind) = rest.split_at(length);
            self.put(Piece::Bytes(piece.to_vec()), delay, now);
            rest = behind;
            if link.cut == Cut::Pieces {
                delay += Duration::from_micros(u64::try_from(link.chance.below(900)).unwrap());
            }
        }
    }
}

/// One side.
pub(super) struct Half<S: Session> {
    pub(super) session: S,
    pub(super) events: VecDeque<S::Event>,
    pub(super) closed: Option<S::Close>,
    wait: Option<Timestamp>,
}

impl<S: Session> Half<S> {
    fn new(session: S) -> Self {
        Self { session, events: VecDeque::new(), closed: None, wait: None }
    }

    /// Does what the calling contract asks for after every call.
    fn settle(&mut self, out: &mut Pipe, link: &mut Link, now: Timestamp) {
        if self.closed.is_some() {
            return;
        }
        loop {
            match self.session.poll_output() {
                Output::Send(bytes) => out.send(&bytes, link, now),
                Output::Event(event) => self.events.push_back(event),
                Output::Close(reason) => {
                    self.closed = Some(reason);
                    self.wait = None;
                    out.put(Piece::End, link.latency, now);
                    return;
                }
                Output::Wait(until) => {
                    self.wait = until;
                    return;
                }
            }
        }
    }

    /// When this side has something to do: input that it wants, or its deadline.
    fn next(&self, inbox: &Pipe) -> Option<Timestamp> {
        if self.closed.is_some() {
            return None;
        }
        let input = inbox.arriving.front().filter(|_| self.session.wants_input()).map(|(time, _)| *time);
        [input, self.wait].into_iter().flatten().min()
    }

    /// Delivers one piece, or fires the deadline, if it is time; whether anything was done.
    fn step(&mut self, inbox: &mut Pipe, out: &mut Pipe, link: &mut Link, now: Timestamp) -> bool {
        if self.closed.is_some() {
            inbox.arriving.clear();
            return false;
        }
        let due = inbox.arriving.front().is_some_and(|(time, _)| *time <= now);
        if due && self.session.wants_input() {
            match inbox.arriving.pop_front() {
                Some((time, Piece::Bytes(bytes))) => {
                    let taken = self.session.handle_input(&bytes, now);
                    assert!(taken <= bytes.len());
                    let (_, rest) = bytes.split_at(taken);
                    if !rest.is_empty() {
                        inbox.arriving.push_front((time, Piece::Bytes(rest.to_vec())));
                    }
                }
                Some((_, Piece::End)) => self.session.handle_end(now),
                None => {}
            }
        } else if self.wait.is_some_and(|wait| wait <= now) {
            self.session.handle_timeout(now);
        } else {
            return false;
        }
        self.settle(out, link, now);
        true
    }
}

/// Two sides of one connection.
pub(super) struct Pair<A: Session, B: Session> {
    pub(super) a: Half<A>,
    pub(super) b: Half<B>,
    to_a: Pipe,
    to_b: Pipe,
    link: Link,
}

impl<A: Session, B: Session> Pair<A, B> {
    pub(super) fn new(a: A, b: B, link: Link, now: Timestamp) -> Self {
        let mut pair = Self { a: Half::new(a), b: Half::new(b), to_a: Pipe::new(), to_b: Pipe::new(), link };
        pair.a.settle(&mut pair.to_b, &mut pair.link, now);
        pair.b.settle(&mut pair.to_a, &mut pair.link, now);
        pair
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        [self.a.next(&self.to_a), self.b.next(&self.to_b)].into_iter().flatten().min()
    }

    /// One thing that is due on either side; whether there was one.
    pub(super) fn step(&mut self, now: Timestamp) -> bool {
        self.a.step(&mut self.to_a, &mut self.to_b, &mut self.link, now)
            || self.b.step(&mut self.to_b, &mut self.to_a, &mut self.link, now)
    }

    pub(super) fn command_a(&mut self, command: A::Command, now: Timestamp) {
        self.a.session.handle_command(command, now);
        self.a.settle(&mut self.to_b, &mut self.link, now);
    }

    pub(super) fn command_b(&mut self, command: B::Command, now: Timestamp) {
        self.b.session.handle_command(command, now);
        self.b.settle(&mut self.to_a, &mut self.link, now);
    }

    /// Bytes to `b` that its peer's session did not make.
    pub(super) fn inject_to_b(&mut self, bytes: &[u8], now: Timestamp) {
        self.to_b.send(bytes, &mut self.link, now);
    }

    /// The end of `a`'s stream, without its session.
    pub(super) fn end_to_b(&mut self, now: Timestamp) {
        self.to_b.put(Piece::End, self.link.latency, now);
    }

    /// What has not arrived yet is lost, and nothing more arrives.
    pub(super) fn lose(&mut self, loss: Loss, now: Timestamp) {
        for pipe in [&mut self.to_a, &mut self.to_b] {
            pipe.arriving.clear();
            if loss == Loss::Reset {
                pipe.put(Piece::End, Duration::ZERO, now);
            }
            pipe.dead = true;
        }
    }

    /// Lets time pass up to `until`, with nobody to act on events.
    pub(super) fn run(&mut self, now: &mut Timestamp, until: Timestamp) {
        loop {
            while self.step(*now) {}
            match self.next() {
                Some(next) if next <= until => *now = (*now).max(next),
                Some(_) | None => break,
            }
        }
        *now = until;
    }
}
