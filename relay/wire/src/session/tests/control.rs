//! SPEC §9.2, rule by rule.

use alloc::{string::String, vec, vec::Vec};

use super::{
    describe::{Readable, outputs},
    harness::at,
    samples::{self, BACKEND_PROOF, EDGE_PROOF, GENERATION},
};
use crate::{
    frame::control::{ControlFrame, Hello, Verdict, Welcome},
    ids::{Exporter, RequestId, Role},
    session::{
        Session,
        control::{BackendCommand, BackendSide, EdgeCommand, EdgeSide},
    },
    time::Timestamp,
};

fn hello(role: Role) -> Vec<u8> {
    let hello = Hello { role, name: samples::name(role), generation: GENERATION, proof: BACKEND_PROOF };
    ControlFrame::Hello(hello).encode()
}

fn welcome() -> Welcome {
    Welcome { proof: EDGE_PROOF, spares_max: 4 }
}

fn edge(role: Role) -> EdgeSide {
    let mut edge = EdgeSide::new(at(0));
    edge.handle_input(&hello(role), at(0));
    edge.handle_command(EdgeCommand::Welcome(welcome()), at(0));
    outputs(&mut edge, None);
    edge
}

fn backend(role: Role) -> BackendSide {
    let mut backend = BackendSide::new(role, samples::name(role), GENERATION, BACKEND_PROOF, at(0));
    backend.handle_input(&ControlFrame::Welcome(welcome()).encode(), at(0));
    backend.handle_command(BackendCommand::Trust, at(0));
    outputs(&mut backend, None);
    backend
}

fn hear<S: Readable>(session: &mut S, frame: &ControlFrame, now: Timestamp) -> Vec<String> {
    session.handle_input(&frame.encode(), now);
    outputs(session, None)
}

/// Both sides in turn, as far as a rule is the same for both.
fn both(check: impl Fn(&mut dyn FnMut(&[u8], u64) -> Vec<String>, &mut dyn FnMut(u64) -> Vec<String>)) {
    macro_rules! side {
        ($session:expr) => {{
            let session = core::cell::RefCell::new($session);
            check(
                &mut |bytes, now| {
                    session.borrow_mut().handle_input(bytes, at(now));
                    outputs(&mut *session.borrow_mut(), None)
                },
                &mut |now| {
                    session.borrow_mut().handle_timeout(at(now));
                    outputs(&mut *session.borrow_mut(), None)
                },
            );
        }};
    }
    side!(edge(Role::Master));
    side!(backend(Role::Master));
}

#[test]
fn a_handshake_has_ten_seconds_also_while_the_owner_thinks() {
    for bytes in [&[][..], &hello(Role::Master)[..20], &hello(Role::Master)] {
        let mut edge = EdgeSide::new(at(0));
        edge.handle_input(bytes, at(9_000));
        outputs(&mut edge, None);
        edge.handle_timeout(at(9_999));
        assert_eq!(outputs(&mut edge, None), Vec::<String>::new());
        edge.handle_timeout(at(10_000));
        assert_eq!(outputs(&mut edge, None), ["close HandshakeTimeout"]);
    }
    let bytes = ControlFrame::Welcome(welcome()).encode();
    for bytes in [&[][..], &bytes[..20], &bytes] {
        let role = Role::Master;
        let mut backend = BackendSide::new(role, samples::name(role), GENERATION, BACKEND_PROOF, at(0));
        backend.handle_input(bytes, at(9_000));
        outputs(&mut backend, None);
        backend.handle_timeout(at(10_000));
        assert_eq!(outputs(&mut backend, None), ["close HandshakeTimeout"]);
    }
}

#[test]
fn a_quiet_side_pings_and_a_ping_is_answered() {
    both(|input, timeout| {
        assert_eq!(timeout(4_999), Vec::<String>::new());
        assert_eq!(timeout(5_000), ["send ping"]);
        assert_eq!(input(&ControlFrame::Pong.encode(), 5_010), Vec::<String>::new());
        assert_eq!(input(&ControlFrame::Ping.encode(), 7_000), ["send pong"]);
        // The pong was a sign of life as good as a ping.
        assert_eq!(timeout(10_000), Vec::<String>::new());
        assert_eq!(timeout(12_000), ["send ping"]);
    });
}

#[test]
fn a_silent_peer_is_gone_after_three_heartbeats() {
    both(|_, timeout| {
        assert_eq!(timeout(5_000), ["send ping"]);
        assert_eq!(timeout(10_000), ["send ping"]);
        assert_eq!(timeout(15_000), ["close Silent"]);
    });
    // A clock that jumps does not ask the dead.
    both(|_, timeout| assert_eq!(timeout(60_000), ["close Silent"]));
}

#[test]
fn bytes_that_make_no_frame_are_no_sign_of_life() {
    let bytes = ControlFrame::Revoke { device_id: samples::device_id(samples::Who::Ana) }.encode();
    let mut edge = edge(Role::Master);
    for second in 0..14_u64 {
        let byte = usize::try_from(second).unwrap();
        edge.handle_input(&bytes[byte..=byte], at(second * 1_000));
        edge.handle_timeout(at(second * 1_000));
        assert!(!outputs(&mut edge, None).iter().any(|line| line.starts_with("close")));
    }
    edge.handle_timeout(at(15_000));
    assert_eq!(outputs(&mut edge, None), ["close Silent"]);
}

#[test]
fn a_stranger_makes_the_edge_hold_no_more_than_a_hello() {
    let ask = ControlFrame::Ask { id: RequestId(1), exporter: Exporter([0; 32]), request: vec![0; 32_768] };
    let mut stranger = EdgeSide::new(at(0));
    assert_eq!(hear(&mut stranger, &ask, at(1)), [r#"close Violation("frame before hello")"#]);
    let mut stranger = EdgeSide::new(at(0));
    // A hello that announces more than a hello can have.
    stranger.handle_input(b"\x01\0\0\x01", at(1));
    assert_eq!(outputs(&mut stranger, None), [r#"close Violation("length")"#]);
}

#[test]
fn the_edge_speaks_right_behind_its_welcome() {
    let role = Role::Master;
    let mut backend = BackendSide::new(role, samples::name(role), GENERATION, BACKEND_PROOF, at(0));
    let mut bytes = ControlFrame::Welcome(welcome()).encode();
    let first = bytes.len();
    bytes.extend(ControlFrame::Dial { count: 3 }.encode());
    assert_eq!(backend.handle_input(&bytes, at(1)), first);
    assert!(!backend.wants_input());
    assert_eq!(outputs(&mut backend, None), ["send hello of master head", "event prove with 4 spares"]);
    backend.handle_command(BackendCommand::Trust, at(2));
    assert!(backend.wants_input());
    backend.handle_input(&bytes[first..], at(2));
    assert_eq!(outputs(&mut backend, None), ["event dial 3"]);
}

#[test]
fn an_edge_that_does_not_prove_itself_is_left() {
    let role = Role::StorageNode;
    let mut backend = BackendSide::new(role, samples::name(role), GENERATION, BACKEND_PROOF, at(0));
    backend.handle_input(&ControlFrame::Welcome(welcome()).encode(), at(1));
    backend.handle_command(BackendCommand::Distrust, at(1));
    assert_eq!(outputs(&mut backend, None).last().unwrap(), "close NotProved");
}

#[test]
fn only_a_master_judges_and_is_asked() {
    let answer = ControlFrame::Answer { id: RequestId(1), verdict: Verdict::Accepted };
    let revoke = ControlFrame::Revoke { device_id: samples::device_id(samples::Who::Ana) };
    let ask = ControlFrame::Ask { id: RequestId(1), exporter: Exporter([0; 32]), request: vec![1] };
    for frame in [&answer, &revoke] {
        assert_eq!(hear(&mut edge(Role::StorageNode), frame, at(1)), [r#"close Violation("frame of a master")"#]);
    }
    assert_eq!(hear(&mut backend(Role::StorageNode), &ask, at(1)), [r#"close Violation("frame for a master")"#]);
    // Our own side does not say it either.
    let mut node = edge(Role::StorageNode);
    node.handle_command(EdgeCommand::Ask { id: RequestId(1), exporter: Exporter([0; 32]), request: vec![1] }, at(1));
    assert_eq!(outputs(&mut node, None), Vec::<String>::new());
    let mut node = backend(Role::StorageNode);
    node.handle_command(BackendCommand::Answer { id: RequestId(1), verdict: Verdict::Accepted }, at(1));
    node.handle_command(BackendCommand::Revoke(samples::device_id(samples::Who::Ana)), at(1));
    assert_eq!(outputs(&mut node, None), Vec::<String>::new());
}

#[test]
fn malformed_frames_close_with_the_field() {
    let cases: [(&[u8], &str); 6] = [
        (b"\0", "kind"),
        (b"\x0a", "kind"),
        (b"\x04\x01", "length"),
        (b"\x04\0\0\0\x08", "length"),
        (b"\x04\0\0\0\x09\0\0\0\0\0\0\0\x01\x05", "verdict"),
        (b"\x04\0\0\0\x0a\0\0\0\0\0\0\0\x01\x01\x00", "end of frame"),
    ];
    for (bytes, field) in cases {
        let mut edge = edge(Role::Master);
        edge.handle_input(bytes, at(1));
        assert_eq!(outputs(&mut edge, None), [alloc::format!("close Violation({field:?})")]);
    }
}
