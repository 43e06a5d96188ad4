//! SPEC §9.1, rule by rule, and what an idle device costs.

use alloc::{string::String, vec, vec::Vec};
use core::time::Duration;

use super::{
    describe::outputs,
    harness::{Chance, Cut, Link, Pair, at},
    samples::{self, Op, PLATFORM, Who},
};
use crate::{
    Code, Platform, Rejection, Validator,
    frame::{
        opening::Header,
        reply::{Offer, Reply},
    },
    ids::{DeviceId, Nonce},
    limits,
    session::{
        Output, Session,
        device::{Answer, DeviceClose, DeviceCommand, DeviceSide, EdgeClose, EdgeCommand, EdgeSide, QuestionId},
    },
    time::Timestamp,
};

fn stranger() -> EdgeSide {
    EdgeSide::new(samples::validator(), Timestamp::ORIGIN)
}

fn answer(number: u32, answer: Answer) -> EdgeCommand {
    EdgeCommand::Answer { question: QuestionId(number), answer }
}

/// A session of Ana's that authenticated at `now` with the nonce 200.
fn authenticated(now: Timestamp) -> EdgeSide {
    let mut edge = EdgeSide::new(samples::validator(), now);
    edge.handle_input(&samples::frame(Who::Ana, Op::Auth, 200), now);
    edge.handle_command(answer(1, Answer::Accepted), now);
    outputs(&mut edge, None);
    assert_eq!(edge.device_id(), Some(&samples::device_id(Who::Ana)));
    edge
}

/// Feeds bytes and returns what was said.
fn hear(edge: &mut EdgeSide, bytes: &[u8], now: Timestamp) -> Vec<String> {
    edge.handle_input(bytes, now);
    outputs(edge, None)
}

fn ask(edge: &mut EdgeSide, who: Who, op: Op, nonce: u8) -> Vec<String> {
    hear(edge, &samples::frame(who, op, nonce), at(2_000))
}

fn closed(edge: &mut EdgeSide) -> Option<EdgeClose> {
    loop {
        match edge.poll_output() {
            Output::Close(reason) => return Some(reason),
            Output::Wait(_) => return None,
            Output::Send(_) | Output::Event(_) => {}
        }
    }
}

const fn bad_frame(field: &'static str) -> EdgeClose {
    EdgeClose::BadFrame(Rejection::new(Code::Frame, field))
}

#[test]
fn the_magic_is_judged_byte_by_byte_and_the_header_before_the_body() {
    let good = Header::encode(PLATFORM, 448);
    let cases: [(usize, u8, &'static str, usize); 9] = [
        (0, b'e', "magic", 1),
        (1, 0, "magic", 2),
        (2, b'H', "magic", 3),
        (3, b'2', "magic", 4),
        (4, 0, "platform", 12),
        (4, 7, "platform", 12),
        (5, 2, "version", 12),
        (7, 1, "flags", 12),
        (9, 1, "body length", 12),
    ];
    for (place, byte, field, judged_at) in cases {
        let mut bytes = good;
        bytes[place] = byte;
        let mut edge = stranger();
        for (index, byte) in bytes.iter().enumerate() {
            assert_eq!(closed(&mut edge), None, "{field} before byte {index}");
            assert_eq!(edge.handle_input(&[*byte], at(1)), 1);
            if index + 1 == judged_at {
                assert_eq!(closed(&mut edge), Some(bad_frame(field)));
                break;
            }
        }
    }
    for length in [0, 16_385, u32::MAX] {
        let mut edge = stranger();
        edge.handle_input(&Header::encode(PLATFORM, length), at(1));
        assert_eq!(closed(&mut edge), Some(bad_frame("body length")));
    }
}

#[test]
fn the_platform_of_the_first_frame_is_that_of_all() {
    let mut edge = authenticated(at(0));
    edge.handle_input(&Header::encode(Platform::Windows, 448), at(1));
    assert_eq!(closed(&mut edge), Some(bad_frame("platform")));
}

#[test]
fn a_first_frame_has_ten_seconds_from_accept_whatever_has_come_of_it() {
    let frame = samples::frame(Who::Ana, Op::Auth, 1);
    for part in [0, 1, 12, frame.len() - 1] {
        let mut edge = stranger();
        edge.handle_input(&frame[..part], at(5_000));
        edge.handle_timeout(at(9_999));
        assert_eq!(closed(&mut edge), None);
        edge.handle_timeout(at(10_000));
        assert_eq!(closed(&mut edge), Some(bad_frame("deadline")));
    }
    // The clock decides, not the order in which the owner calls.
    let mut edge = stranger();
    assert_eq!(edge.handle_input(&frame, at(10_000)), 0);
    assert_eq!(closed(&mut edge), Some(bad_frame("deadline")));
}

#[test]
fn a_later_frame_has_ten_seconds_from_its_first_byte() {
    let frame = samples::frame(Who::Ana, Op::Ping, 1);
    let mut edge = authenticated(at(0));
    edge.handle_input(&frame[..1], at(100_000));
    edge.handle_input(&frame[1..50], at(109_999));
    assert_eq!(closed(&mut edge), None);
    edge.handle_timeout(at(110_000));
    assert_eq!(closed(&mut edge), Some(bad_frame("deadline")));
}

#[test]
fn a_stranger_is_gone_after_a_minute_whatever_it_does() {
    let register = samples::frame(Who::Ana, Op::Register, 1);
    let begin = || {
        let mut edge = stranger();
        edge.handle_input(&register, at(1_000));
        edge.handle_command(answer(1, Answer::Later(Duration::ZERO)), at(1_000));
        outputs(&mut edge, None);
        edge
    };
    let second = samples::frame(Who::Ana, Op::Register, 2);
    for bytes in [&[][..], &second[..40], &second] {
        let mut edge = begin();
        edge.handle_input(bytes, at(58_000));
        edge.handle_timeout(at(59_999));
        assert_eq!(closed(&mut edge), None);
        edge.handle_timeout(at(60_000));
        assert_eq!(closed(&mut edge), Some(EdgeClose::Unauthenticated));
    }
}

#[test]
fn an_authenticated_device_is_let_go_after_long_silence() {
    let mut edge = authenticated(at(0));
    let idle = u64::try_from(limits::DEVICE_IDLE.as_millis()).unwrap();
    edge.handle_timeout(at(idle - 1));
    assert_eq!(hear(&mut edge, &samples::frame(Who::Ana, Op::Ping, 1), at(idle - 1)).len(), 2);
    edge.handle_timeout(at(2 * idle - 2));
    assert_eq!(closed(&mut edge), None);
    edge.handle_timeout(at(2 * idle - 1));
    assert_eq!(closed(&mut edge), Some(EdgeClose::Idle));
}

#[test]
fn what_can_be_refused_without_the_master_is() {
    for op in [Op::Ping, Op::Backup, Op::Restore, Op::Sync] {
        let mut edge = stranger();
        let said = ask(&mut edge, Who::Ana, op, 1);
        assert_eq!(said, ["event refused unauthenticated", "send refused", "close Refused"]);
    }
    for op in [Op::Register, Op::Auth, Op::Ping, Op::Backup] {
        let said = ask(&mut authenticated(at(0)), Who::Ben, op, 1);
        assert_eq!(said, ["event refused other-device", "send refused"]);
    }
}

#[test]
fn the_last_eight_nonces_are_remembered() {
    let mut edge = authenticated(at(0));
    for nonce in 1..=8 {
        assert_eq!(ask(&mut edge, Who::Ana, Op::Ping, nonce), ["event pinged", "send accepted"]);
    }
    let again = |edge: &mut EdgeSide, nonce| ask(edge, Who::Ana, Op::Ping, nonce);
    for nonce in 1..=3 {
        assert_eq!(again(&mut edge, nonce), ["event refused nonce-reused", "send refused"]);
    }
    // The ninth oldest is forgotten here, and the master's to refuse.
    assert_eq!(again(&mut edge, 200), ["event pinged", "send accepted"]);
    assert_eq!(again(&mut edge, 1), ["event pinged", "send accepted"]);
    assert_eq!(again(&mut edge, 3), ["event refused nonce-reused", "send refused"]);
}

#[test]
fn an_authenticated_device_is_closed_at_its_eighth_refusal_of_any_kind() {
    let mut edge = authenticated(at(0));
    let malformed = samples::framed(PLATFORM, b"<plist>");
    for refusal in 1..=limits::REFUSALS_MAX {
        let said = match refusal % 3 {
            0 => hear(&mut edge, &malformed, at(3_000)),
            1 => ask(&mut edge, Who::Ben, Op::Auth, refusal),
            _ => {
                ask(&mut edge, Who::Ana, Op::Backup, refusal);
                let question = if refusal == 2 {
                    2
                } else if refusal == 5 {
                    3
                } else {
                    4
                };
                edge.handle_command(answer(question, Answer::Refused), at(3_000));
                outputs(&mut edge, None)
            }
        };
        let last = refusal == limits::REFUSALS_MAX;
        assert_eq!(said.last().unwrap(), if last { "close Refused" } else { "send refused" }, "{refusal}");
    }
}

#[test]
fn pipelined_requests_wait_for_the_answer() {
    let mut edge = stranger();
    let mut bytes = samples::frame(Who::Ana, Op::Auth, 1);
    let first = bytes.len();
    bytes.extend(samples::frame(Who::Ana, Op::Ping, 2));
    bytes.extend(samples::frame(Who::Ana, Op::Ping, 3));
    assert_eq!(edge.handle_input(&bytes, at(1)), first);
    assert!(!edge.wants_input());
    assert_eq!(edge.handle_input(&bytes[first..], at(2)), 0);
    edge.handle_command(answer(1, Answer::Accepted), at(3));
    outputs(&mut edge, None);
    assert!(edge.wants_input());
    assert_eq!(edge.handle_input(&bytes[first..], at(4)), bytes.len() - first);
    let said = outputs(&mut edge, None);
    assert_eq!(said, ["event pinged", "send accepted", "event pinged", "send accepted"]);
}

#[test]
fn an_answer_that_fits_no_open_question_is_ignored() {
    let granted = || Answer::Granted { grant: samples::grant(1), token: samples::token(1) };
    let mut edge = stranger();
    edge.handle_command(answer(0, Answer::Accepted), at(1));
    assert_eq!(ask(&mut edge, Who::Ana, Op::Auth, 1).len(), 1);
    for (number, word) in [(1, granted()), (2, Answer::Accepted), (0, Answer::Refused)] {
        edge.handle_command(answer(number, word), at(2_000));
        assert_eq!(outputs(&mut edge, None), Vec::<String>::new());
    }
    edge.handle_command(answer(1, Answer::Accepted), at(2_000));
    edge.handle_command(answer(1, Answer::Refused), at(2_000));
    assert_eq!(outputs(&mut edge, None).len(), 2);
    ask(&mut edge, Who::Ana, Op::Backup, 2);
    edge.handle_command(answer(2, Answer::Accepted), at(2_000));
    assert_eq!(outputs(&mut edge, None), Vec::<String>::new());
    edge.handle_command(answer(2, granted()), at(2_000));
    assert_eq!(outputs(&mut edge, None).len(), 2);
}

#[test]
fn a_second_auth_is_accepted_without_a_second_notice() {
    let mut edge = authenticated(at(0));
    ask(&mut edge, Who::Ana, Op::Auth, 1);
    edge.handle_command(answer(2, Answer::Accepted), at(2_000));
    assert_eq!(outputs(&mut edge, None), ["send accepted"]);
}

#[test]
fn an_end_between_frames_is_ordinary_and_one_inside_is_not() {
    let frame = samples::frame(Who::Ana, Op::Ping, 1);
    for (part, expected) in
        [(0, EdgeClose::Finished), (1, bad_frame("end of stream")), (100, bad_frame("end of stream"))]
    {
        for mut edge in [stranger(), authenticated(at(0))] {
            edge.handle_input(&frame[..part], at(1));
            edge.handle_end(at(2));
            assert_eq!(closed(&mut edge), Some(expected));
        }
    }
}

#[test]
fn an_android_id_is_one_device_with_and_without_its_leading_zeros() {
    let body = include_bytes!("../../../vectors/android/V1.ok");
    let mut request = Validator::default().check(Platform::Android, body).unwrap().into_inner();
    let mut send = |id: &str, nonce: u8, auth: bool| {
        request.content.device_id = DeviceId::new(Platform::Android, String::from(id));
        request.content.nonce = Nonce::new([nonce; 16]).unwrap();
        request.content.operation = if auth { crate::Operation::Auth } else { crate::Operation::Ping };
        samples::framed(Platform::Android, &request.to_body())
    };
    let mut edge = stranger();
    edge.handle_input(&send("00c1d27be8643f5a", 1, true), at(1));
    edge.handle_command(answer(1, Answer::Accepted), at(1));
    outputs(&mut edge, None);
    assert_eq!(hear(&mut edge, &send("c1d27be8643f5a", 2, false), at(2)), ["event pinged", "send accepted"]);
    assert_eq!(hear(&mut edge, &send("1c1d27be8643f5a", 3, false), at(2))[0], "event refused other-device");
}

#[test]
fn an_idle_device_costs_little_and_nothing_for_a_buffer() {
    let size = size_of::<EdgeSide>();
    assert!(size <= 200, "{size} bytes");
    let frame = samples::frame(Who::Ana, Op::Ping, 1);
    let mut edge = authenticated(at(0));
    let held = edge.heap_bytes();
    // The device id, and room for eight nonces at most.
    assert!(held <= 36 + 8 * 16, "{held} bytes");
    edge.handle_input(&frame[..frame.len() - 1], at(1));
    let partial = edge.heap_bytes();
    assert!(partial >= held + frame.len() - 1 && partial <= held + frame.len(), "{partial} bytes");
    edge.handle_input(&frame[frame.len() - 1..], at(2));
    outputs(&mut edge, None);
    assert!(edge.heap_bytes() <= 36 + 8 * 16);
}

#[test]
fn an_announced_length_costs_nothing_until_bytes_come() {
    let mut edge = stranger();
    edge.handle_input(&Header::encode(PLATFORM, 16_384), at(1));
    assert!(edge.heap_bytes() <= 64, "{} bytes", edge.heap_bytes());
    for _ in 0..16_383 {
        edge.handle_input(b" ", at(2));
    }
    assert!(edge.heap_bytes() <= limits::DEVICE_HEADER_BYTES + limits::BODY_BYTES_MAX);
}

fn device_hears(bytes: &[u8], asked: bool) -> (Vec<String>, DeviceSide) {
    let mut device = DeviceSide::new();
    if asked {
        device.handle_command(DeviceCommand::Send { platform: PLATFORM, body: vec![1] }, at(0));
        outputs(&mut device, None);
    }
    device.handle_input(bytes, at(1));
    (outputs(&mut device, None), device)
}

#[test]
fn a_device_takes_only_replies_it_asked_for() {
    let offer = Offer { token: samples::token(1), lifetime: limits::TOKEN, grant: samples::grant(1) };
    for reply in [Reply::Accepted, Reply::Refused, Reply::Later(limits::RETRY), Reply::Tunnel(offer)] {
        assert_eq!(device_hears(&reply.encode(), false).0, ["close Violation"]);
        let (said, mut device) = device_hears(&reply.encode(), true);
        assert_eq!(said.len(), 1);
        device.handle_input(&reply.encode(), at(2));
        assert_eq!(outputs(&mut device, None), ["close Violation"]);
    }
}

#[test]
fn a_device_judges_a_reply_at_its_first_wrong_byte() {
    let good = Reply::Later(limits::RETRY).encode();
    for (place, byte) in
        [(0, b'H'), (3, b'2'), (4, 0), (4, 6), (5, 2), (6, 1), (7, 1), (8, 1), (9, 1), (10, 1), (11, 5)]
    {
        let mut bytes = good.clone();
        bytes[place] = byte;
        assert_eq!(device_hears(&bytes[..place], true).0, Vec::<String>::new(), "{place}");
        assert_eq!(device_hears(&bytes[..=place], true).0, ["close Violation"], "{place}");
    }
}

#[test]
fn a_second_request_waits_for_its_owner_to_ask_again() {
    let (_, mut device) = device_hears(b"", true);
    device.handle_command(DeviceCommand::Send { platform: PLATFORM, body: vec![2] }, at(1));
    assert_eq!(outputs(&mut device, None), Vec::<String>::new());
    device.handle_end(at(2));
    assert_eq!(outputs(&mut device, None), ["close Finished"]);
}

#[test]
fn a_burst_of_pings_is_answered_one_by_one_over_a_link() {
    let link = Link { latency: Duration::from_millis(3), cut: Cut::Pieces, chance: Chance::new(7) };
    let mut now = at(0);
    let mut pair = Pair::new(DeviceSide::new(), authenticated(now), link, now);
    for nonce in 1..=50 {
        let body = samples::body(Who::Ana, Op::Ping, nonce);
        pair.command_a(DeviceCommand::Send { platform: PLATFORM, body }, now);
        let until = now + Duration::from_secs(1);
        pair.run(&mut now, until);
        assert!(pair.a.events.pop_front() == Some(crate::session::device::DeviceEvent::Accepted), "{nonce}");
    }
    pair.inject_to_b(b"EDG1", now);
    pair.end_to_b(now);
    let until = now + Duration::from_secs(1);
    pair.run(&mut now, until);
    assert_eq!(pair.b.closed, Some(bad_frame("end of stream")));
    assert_eq!(pair.a.closed, Some(DeviceClose::Finished));
}
