//! SPEC §9.3, rule by rule.

use alloc::{string::String, vec::Vec};

use super::{
    describe::outputs,
    harness::at,
    samples::{self, BACKEND_PROOF, EDGE_PROOF, GENERATION},
};
use crate::{
    frame::data::DataFrame,
    ids::Role,
    session::{
        Session,
        data::{BackendCommand, BackendSide, EdgeCommand, EdgeSide},
    },
};

const ROLE: Role = Role::StorageNode;

fn hello() -> Vec<u8> {
    DataFrame::Hello { role: ROLE, name: samples::name(ROLE), generation: GENERATION, proof: BACKEND_PROOF }.encode()
}

fn parked_edge() -> EdgeSide {
    let mut edge = EdgeSide::new(at(0));
    edge.handle_input(&hello(), at(1));
    edge.handle_command(EdgeCommand::Park { proof: EDGE_PROOF }, at(1));
    assert_eq!(outputs(&mut edge, None), ["event prove storage-node node-eu-02", "send parked"]);
    edge
}

fn backend() -> BackendSide {
    BackendSide::new(ROLE, samples::name(ROLE), GENERATION, BACKEND_PROOF, at(0))
}

fn parked_backend() -> BackendSide {
    let mut backend = backend();
    backend.handle_input(&DataFrame::Parked { proof: EDGE_PROOF }.encode(), at(1));
    backend.handle_command(BackendCommand::Trust, at(1));
    outputs(&mut backend, None);
    backend
}

fn assign() -> Vec<u8> {
    DataFrame::Assign { grant: samples::grant(1), remote: samples::remote() }.encode()
}

#[test]
fn a_parked_connection_waits_for_ever() {
    assert_eq!(outputs(&mut parked_edge(), Some(at(1))), ["wait"]);
    assert_eq!(outputs(&mut parked_backend(), Some(at(1))), ["wait"]);
    let year = at(365 * 24 * 3_600_000);
    let (mut edge, mut backend) = (parked_edge(), parked_backend());
    edge.handle_timeout(year);
    backend.handle_timeout(year);
    assert_eq!(
        (outputs(&mut edge, Some(year)), outputs(&mut backend, Some(year))),
        (["wait".into()].into(), ["wait".into()].into())
    );
}

#[test]
fn a_handshake_has_ten_seconds_also_while_the_owner_thinks() {
    for bytes in [&[][..], &hello()[..9], &hello()] {
        let mut edge = EdgeSide::new(at(0));
        edge.handle_input(bytes, at(9_000));
        edge.handle_timeout(at(10_000));
        assert_eq!(outputs(&mut edge, None).last().unwrap(), "close HandshakeTimeout");
    }
    let parked = DataFrame::Parked { proof: EDGE_PROOF }.encode();
    for bytes in [&[][..], &parked[..9], &parked] {
        let mut backend = backend();
        backend.handle_input(bytes, at(9_000));
        backend.handle_timeout(at(10_000));
        assert_eq!(outputs(&mut backend, None).last().unwrap(), "close HandshakeTimeout");
    }
}

#[test]
fn proofs_that_do_not_hold_end_it() {
    let mut edge = EdgeSide::new(at(0));
    edge.handle_input(&hello(), at(1));
    edge.handle_command(EdgeCommand::Reject, at(1));
    assert_eq!(outputs(&mut edge, None).last().unwrap(), "close NotProved");
    let mut backend = backend();
    backend.handle_input(&DataFrame::Parked { proof: EDGE_PROOF }.encode(), at(1));
    backend.handle_command(BackendCommand::Distrust, at(1));
    assert_eq!(outputs(&mut backend, None).last().unwrap(), "close NotProved");
}

#[test]
fn a_backend_says_nothing_behind_its_hello() {
    let mut bytes = hello();
    bytes.push(0x11);
    let mut edge = EdgeSide::new(at(0));
    edge.handle_input(&bytes, at(1));
    assert_eq!(outputs(&mut edge, None).last().unwrap(), r#"close Violation("bytes behind hello")"#);
    let mut edge = parked_edge();
    edge.handle_input(&[0], at(2));
    assert_eq!(outputs(&mut edge, None), [r#"close Violation("bytes behind hello")"#]);
}

#[test]
fn assign_may_stand_right_behind_parked_and_is_the_last_that_is_taken() {
    let mut bytes = DataFrame::Parked { proof: EDGE_PROOF }.encode();
    let first = bytes.len();
    bytes.extend(assign());
    let mut backend = backend();
    assert_eq!(backend.handle_input(&bytes, at(1)), first);
    assert!(!backend.wants_input());
    backend.handle_command(BackendCommand::Trust, at(1));
    assert_eq!(backend.handle_input(&bytes[first..], at(1)), bytes.len() - first);
    let said = outputs(&mut backend, None);
    assert_eq!(said[2..], ["event assigned from port 50123", "close HandOver"]);
    assert!(!backend.wants_input());
    assert_eq!(backend.handle_input(b"\x16\x03\x01", at(2)), 0);
    assert_eq!(outputs(&mut backend, None), ["close HandOver"]);
}

#[test]
fn not_one_byte_behind_assign_is_taken() {
    for behind in 1..40 {
        let mut bytes = assign();
        let length = bytes.len();
        bytes.extend(core::iter::repeat_n(0x16, behind));
        let mut backend = parked_backend();
        assert_eq!(backend.handle_input(&bytes, at(2)), length);
        assert_eq!(outputs(&mut backend, None), [r#"close Violation("bytes behind assign")"#]);
    }
}

#[test]
fn the_edge_hands_over_behind_its_assign() {
    let mut edge = parked_edge();
    edge.handle_command(EdgeCommand::Assign { grant: samples::grant(1), remote: samples::remote() }, at(2));
    assert_eq!(outputs(&mut edge, None), ["send assign from port 50123", "close HandOver"]);
    assert_eq!(edge.handle_input(b"\x15", at(3)), 0);
}

#[test]
fn an_end_inside_a_frame_is_a_violation() {
    let mut edge = EdgeSide::new(at(0));
    edge.handle_input(&hello()[..3], at(1));
    edge.handle_end(at(2));
    assert_eq!(outputs(&mut edge, None), [r#"close Violation("end inside a frame")"#]);
    let mut backend = parked_backend();
    backend.handle_input(&assign()[..30], at(1));
    backend.handle_end(at(2));
    assert_eq!(outputs(&mut backend, None), [String::from(r#"close Violation("end inside a frame")"#)]);
}
