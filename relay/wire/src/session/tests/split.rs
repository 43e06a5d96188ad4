//! However a stream of bytes is cut, every machine says the same.

use alloc::{string::String, vec::Vec};

use super::{
    describe::{Readable, outputs},
    harness::{Chance, at},
    samples::{self, BACKEND_PROOF, EDGE_PROOF, GENERATION, Op, PLATFORM, Who},
};
use crate::{
    frame::{
        control::{ControlFrame, Hello, Verdict, Welcome},
        data::DataFrame,
        reply::{Offer, Reply},
    },
    ids::{Exporter, RequestId, Role},
    limits,
    session::{
        control, data,
        device::{self, Answer, QuestionId},
    },
    time::Timestamp,
};

/// Feeds a stream in pieces; `react` gives the owner's commands after each piece, told by what was said.
fn transcript<S: Readable>(
    mut session: S,
    stream: &[u8],
    pieces: &mut dyn FnMut(usize) -> usize,
    react: &dyn Fn(&str) -> Option<S::Command>,
) -> Vec<String> {
    let mut said = Vec::new();
    let mut rest = stream;
    let mut offered = 0;
    let drain = |session: &mut S, said: &mut Vec<String>| {
        let mut from = said.len();
        said.extend(outputs(session, None));
        while let Some(line) = said.get(from).cloned() {
            from += 1;
            if let Some(command) = react(&line) {
                session.handle_command(command, at(1));
                said.extend(outputs(session, None));
            }
        }
    };
    drain(&mut session, &mut said);
    while !rest.is_empty() && session.wants_input() {
        if offered == 0 {
            offered = pieces(rest.len());
        }
        let taken = session.handle_input(&rest[..offered], at(1));
        rest = &rest[taken..];
        offered -= taken;
        let before = said.len();
        drain(&mut session, &mut said);
        assert!(taken > 0 || said.len() > before, "nothing was taken and nothing said");
    }
    session.handle_end(at(1));
    drain(&mut session, &mut said);
    // A machine that is over says so at every poll.
    said.dedup();
    said
}

fn same_however_cut<S: Readable>(
    make: &dyn Fn() -> S,
    stream: &[u8],
    react: &dyn Fn(&str) -> Option<S::Command>,
    chance: &mut Chance,
) {
    let whole = transcript(make(), stream, &mut |rest| rest, react);
    let bytes = transcript(make(), stream, &mut |_| 1, react);
    assert_eq!(whole, bytes, "byte by byte");
    for _ in 0..3 {
        let most = 1 + chance.below(stream.len().max(1));
        let pieces = transcript(make(), stream, &mut |rest| 1 + chance.below(rest.min(most)), react);
        assert_eq!(whole, pieces, "in pieces of at most {most}");
    }
}

/// A good stream, and many with a byte changed, a part lost or something foreign in them.
fn streams(good: &[u8], chance: &mut Chance, check: &mut dyn FnMut(&[u8], &mut Chance)) {
    check(good, chance);
    for _ in 0..100 {
        let mut bytes = good.to_vec();
        let place = chance.below(bytes.len());
        match chance.below(3) {
            0 => bytes[place] ^= 1 << chance.below(8),
            1 => bytes.truncate(place),
            _ => {
                let mut foreign = alloc::vec![0; 1 + chance.below(9)];
                chance.fill(&mut foreign);
                bytes.splice(place..place, foreign);
            }
        }
        check(&bytes, chance);
    }
}

#[test]
fn a_device_connection_at_the_edge() {
    let mut good = Vec::new();
    let requests = [Op::Register, Op::Auth, Op::Ping, Op::Backup, Op::Ping, Op::Auth];
    for (nonce, op) in (1..).zip(requests) {
        good.extend(samples::frame(Who::Ana, op, nonce));
    }
    good.extend(samples::framed(PLATFORM, b"<plist/>"));
    good.extend(samples::frame(Who::Ben, Op::Ping, 9));
    let react = |line: &str| {
        let (number, what) = line.strip_prefix("event ask ")?.split_once(": ")?;
        let answer = match what.split(' ').next()? {
            "auth" => Answer::Accepted,
            _ => Answer::Granted { grant: samples::grant(1), token: samples::token(1) },
        };
        Some(device::EdgeCommand::Answer { question: QuestionId(number.parse().ok()?), answer })
    };
    let validator = samples::validator();
    let make = || device::EdgeSide::new(validator.clone(), Timestamp::ORIGIN);
    streams(&good, &mut Chance::new(11), &mut |bytes, chance| same_however_cut(&make, bytes, &react, chance));
}

#[test]
fn a_device_connection_at_the_device() {
    let offer = Offer { token: samples::token(1), lifetime: limits::TOKEN, grant: samples::grant(1) };
    let replies = [
        Reply::Accepted,
        Reply::Tunnel(offer),
        Reply::Refused,
        Reply::Later(limits::RETRY),
        Reply::Draining(limits::RETRY),
    ];
    let good: Vec<u8> = replies.iter().flat_map(Reply::encode).collect();
    let send = || device::DeviceCommand::Send { platform: PLATFORM, body: alloc::vec![1] };
    let make = || {
        let mut session = device::DeviceSide::new();
        crate::session::Session::handle_command(&mut session, send(), at(0));
        session
    };
    for reply in replies.iter().map(Reply::encode) {
        streams(&reply, &mut Chance::new(12), &mut |bytes, chance| same_however_cut(&make, bytes, &|_| None, chance));
    }
    let unasked = device::DeviceSide::new;
    streams(&good, &mut Chance::new(13), &mut |bytes, chance| same_however_cut(&unasked, bytes, &|_| None, chance));
}

#[test]
fn a_control_connection() {
    let role = Role::Master;
    let hello = Hello { role, name: samples::name(role), generation: GENERATION, proof: BACKEND_PROOF };
    let welcome = Welcome { proof: EDGE_PROOF, spares_max: 3 };
    let to_edge = [
        ControlFrame::Ping,
        ControlFrame::Answer { id: RequestId(1), verdict: Verdict::Granted(samples::grant(3)) },
        ControlFrame::Answer { id: RequestId(2), verdict: Verdict::Later(limits::RETRY) },
        ControlFrame::Revoke { device_id: samples::device_id(Who::Ana) },
        ControlFrame::Pong,
        ControlFrame::Leave,
        ControlFrame::Answer { id: RequestId(3), verdict: Verdict::Refused },
    ];
    let to_backend = [
        ControlFrame::Welcome(welcome.clone()),
        ControlFrame::Ask {
            id: RequestId(1),
            exporter: Exporter([4; 32]),
            request: samples::body(Who::Ana, Op::Auth, 1),
        },
        ControlFrame::Dial { count: 2 },
        ControlFrame::Ping,
        ControlFrame::Leave,
        ControlFrame::Ping,
    ];
    let encode = |frames: &[ControlFrame]| frames.iter().flat_map(ControlFrame::encode).collect::<Vec<u8>>();
    let up = || {
        let mut edge = control::EdgeSide::new(Timestamp::ORIGIN);
        crate::session::Session::handle_input(&mut edge, &ControlFrame::Hello(hello.clone()).encode(), at(0));
        crate::session::Session::handle_command(&mut edge, control::EdgeCommand::Welcome(welcome.clone()), at(0));
        edge
    };
    let fresh = || control::EdgeSide::new(Timestamp::ORIGIN);
    let backend = || control::BackendSide::new(role, samples::name(role), GENERATION, BACKEND_PROOF, at(0));
    let trust = |line: &str| line.starts_with("event prove").then_some(control::BackendCommand::Trust);
    let chance = &mut Chance::new(14);
    streams(&encode(&to_edge), chance, &mut |bytes, chance| same_however_cut(&up, bytes, &|_| None, chance));
    let hello = encode(&[ControlFrame::Hello(hello.clone())]);
    streams(&hello, chance, &mut |bytes, chance| same_however_cut(&fresh, bytes, &|_| None, chance));
    streams(&encode(&to_backend), chance, &mut |bytes, chance| same_however_cut(&backend, bytes, &trust, chance));
}

#[test]
fn a_data_connection() {
    let role = Role::StorageNode;
    let hello = DataFrame::Hello { role, name: samples::name(role), generation: GENERATION, proof: BACKEND_PROOF };
    let mut to_backend = DataFrame::Parked { proof: EDGE_PROOF }.encode();
    to_backend.extend(DataFrame::Assign { grant: samples::grant(1), remote: samples::remote() }.encode());
    let edge = || data::EdgeSide::new(Timestamp::ORIGIN);
    let backend = || data::BackendSide::new(role, samples::name(role), GENERATION, BACKEND_PROOF, at(0));
    let trust = |line: &str| line.starts_with("event prove").then_some(data::BackendCommand::Trust);
    let chance = &mut Chance::new(15);
    streams(&hello.encode(), chance, &mut |bytes, chance| same_however_cut(&edge, bytes, &|_| None, chance));
    streams(&to_backend, chance, &mut |bytes, chance| {
        // Bytes behind Assign: told at once if they come together with its last byte, else by the hand-over (§7.3.5).
        let whole = transcript(backend(), bytes, &mut |rest| rest, &trust);
        let behind = whole.last().is_some_and(|line| line.contains("behind assign"));
        if behind {
            let slow = transcript(backend(), bytes, &mut |_| 1, &trust);
            assert_eq!(slow.last().map(String::as_str), Some("close HandOver"));
        } else {
            same_however_cut(&backend, bytes, &trust, chance);
        }
    });
}
