//! The relay as a whole: what a device lives through, and what its owners see of it.

use alloc::{format, vec};
use core::time::Duration;

use super::{
    harness::{Cut, Loss},
    samples::{self, BACKEND_PROOF, GENERATION, Op, Who},
    world::{Mood, SECOND, Trio},
};
use crate::{
    ids::Generation,
    session::{
        control,
        data::DataClose,
        device::{self, DeviceClose, EdgeClose},
    },
};

fn trio() -> Trio {
    Trio::new(Cut::Pieces, 1)
}

#[test]
fn from_first_contact_to_a_tunnel_however_the_bytes_are_cut() {
    for (cut, seed) in [(Cut::Whole, 0), (Cut::Bytes, 0), (Cut::Pieces, 1), (Cut::Pieces, 2), (Cut::Pieces, 3)] {
        let mut trio = Trio::new(cut, seed);
        let id = "macos:4C4C4544-0042-3510-8052-B4C04F4A5931";
        assert_eq!(
            trio.ask(Who::Ana, Op::Register, 1),
            [&format!("edge: ask 1: register of {id}"), "edge: offered 1 for register", "device: tunnel 1 for 30s"]
        );
        assert_eq!(
            trio.ask(Who::Ana, Op::Auth, 2),
            [&format!("edge: ask 2: auth of {id}"), &format!("edge: authenticated {id}"), "device: accepted"]
        );
        assert_eq!(trio.ask(Who::Ana, Op::Ping, 3), ["edge: pinged", "device: accepted"]);
        for (op, name, nonce, token) in
            [(Op::Backup, "backup", 4, 3), (Op::Restore, "restore", 5, 4), (Op::Sync, "sync", 6, 5)]
        {
            assert_eq!(
                trio.ask(Who::Ana, op, nonce),
                [
                    format!("edge: ask {}: {name} of {id}", nonce - 1),
                    format!("edge: offered {token} for {name}"),
                    format!("device: tunnel {token} for 30s")
                ]
            );
        }
        trio.device.command_a(device::DeviceCommand::Close, trio.now);
        trio.pass(SECOND);
        assert_eq!(trio.closes(), (Some(DeviceClose::Left), Some(EdgeClose::Finished)));
    }
}

#[test]
fn a_spare_connection_carries_the_tunnel_or_one_is_dialled() {
    let mut trio = trio();
    trio.authenticate();
    trio.park();
    for nonce in [1, 2] {
        trio.ask(Who::Ana, Op::Backup, nonce);
        trio.claim(samples::token(nonce + 1));
        assert_eq!(trio.heard_after(SECOND), ["master: tunnel of grant 9"]);
    }
    assert_eq!(trio.datas.len(), 2);
    for pair in &trio.datas {
        assert_eq!((pair.a.closed, pair.b.closed), (Some(DataClose::HandOver), Some(DataClose::HandOver)));
    }
}

#[test]
fn without_a_master_the_device_comes_later() {
    let mut trio = Trio::without_master(Cut::Pieces, 4);
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: later 5s");
    trio.log_in(GENERATION, BACKEND_PROOF);
    trio.pass(100);
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 2).last().unwrap(), "device: accepted");
}

#[test]
fn a_busy_master_is_heard() {
    let mut trio = trio();
    trio.mood = Mood::Busy(Duration::from_secs(42));
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: later 42s");
}

#[test]
fn a_mute_master_makes_the_session_answer_by_itself() {
    let mut trio = trio();
    trio.mood = Mood::Mute;
    trio.send(Who::Ana, Op::Auth, 1);
    assert_eq!(trio.heard_after(4_900).len(), 1);
    assert_eq!(trio.heard_after(SECOND), ["edge: unanswered 1", "device: later 5s"]);
}

#[test]
fn a_late_answer_is_not_the_answer_to_the_next_question() {
    let mut trio = trio();
    trio.mood = Mood::Slow(Duration::from_secs(8));
    trio.send(Who::Ana, Op::Auth, 1);
    assert_eq!(trio.heard_after(7_000).last().unwrap(), "device: later 5s");
    // A second device id on the same connection, which the master will never accept.
    trio.mood = Mood::Mute;
    trio.send(Who::Ben, Op::Auth, 2);
    let heard = trio.heard_after(10_000);
    assert_eq!(heard.last().unwrap(), "device: later 5s");
    assert!(!heard.iter().any(|line| line.contains("authenticated")));
    assert_eq!(trio.device.b.session.device_id(), None);
}

#[test]
fn a_stranger_is_closed_when_the_master_refuses() {
    let mut trio = trio();
    trio.refuses = vec![samples::device_id(Who::Ben)];
    let heard = trio.ask(Who::Ben, Op::Register, 1);
    assert_eq!(heard[1..], ["edge: refused master", "device: refused"]);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Refused)));
    trio.reconnect();
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 2).last().unwrap(), "device: accepted");
}

#[test]
fn a_revoked_device_is_gone_at_once() {
    let mut trio = trio();
    trio.authenticate();
    let revoke = |who| control::BackendCommand::Revoke(samples::device_id(who));
    trio.controls[0].command_a(revoke(Who::Ben), trio.now);
    trio.pass(SECOND);
    assert_eq!(trio.closes(), (None, None));
    trio.mood = Mood::Mute;
    trio.send(Who::Ana, Op::Backup, 1);
    trio.pass(SECOND);
    trio.controls[0].command_a(revoke(Who::Ana), trio.now);
    trio.pass(SECOND);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Revoked)));
}

#[test]
fn draining_finishes_the_answer_under_way() {
    let mut trio = trio();
    trio.mood = Mood::Slow(Duration::from_secs(2));
    trio.send(Who::Ana, Op::Auth, 1);
    trio.pass(SECOND);
    trio.device.command_b(device::EdgeCommand::Drain(Duration::from_secs(3)), trio.now);
    let heard = trio.heard_after(3 * SECOND);
    assert_eq!(heard[1..], ["device: accepted", "device: draining 3s"]);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Draining)));
}

#[test]
fn a_request_that_meets_the_draining_is_not_answered() {
    let mut trio = trio();
    trio.authenticate();
    trio.send(Who::Ana, Op::Ping, 1);
    trio.device.command_b(device::EdgeCommand::Drain(Duration::from_secs(3)), trio.now);
    assert_eq!(trio.heard_after(SECOND), ["device: draining 3s"]);
    assert_eq!(trio.closes(), (Some(DeviceClose::Finished), Some(EdgeClose::Draining)));
}

#[test]
fn an_edge_that_leaves_tells_its_backends() {
    let mut trio = trio();
    trio.controls[0].command_b(control::EdgeCommand::Leave, trio.now);
    trio.controls[0].command_b(control::EdgeCommand::Leave, trio.now);
    assert_eq!(trio.heard_after(60 * SECOND), ["master: edge leaving"]);
    assert_eq!((trio.controls[0].a.closed, trio.controls[0].b.closed), (None, None));
    // What was asked before is still answered.
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).len(), 0, "the device's own minute has passed");
    trio.reconnect();
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 2).last().unwrap(), "device: accepted");
}

#[test]
fn a_master_that_leaves_gets_nothing_new() {
    let mut trio = trio();
    trio.controls[0].command_a(control::BackendCommand::Leave, trio.now);
    trio.pass(SECOND);
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: later 5s");
    trio.controls[0].command_a(control::BackendCommand::Close, trio.now);
    trio.pass(SECOND);
    let closes = (trio.controls[0].a.closed, trio.controls[0].b.closed);
    assert_eq!(closes, (Some(control::ControlClose::Left), Some(control::ControlClose::Finished)));
}

#[test]
fn a_newer_life_takes_over_and_an_older_one_is_refused() {
    let mut trio = trio();
    trio.controls[0].lose(Loss::Silence, trio.now);
    trio.log_in(Generation(GENERATION.0 + 1), BACKEND_PROOF);
    trio.pass(SECOND);
    assert_eq!(trio.up, Some(1));
    assert_eq!(trio.controls[0].b.closed, Some(control::ControlClose::Superseded));
    assert_eq!(trio.ask(Who::Ana, Op::Auth, 1).last().unwrap(), "device: accepted");
    trio.log_in(GENERATION, BACKEND_PROOF);
    trio.pass(SECOND);
    assert_eq!(trio.controls[2].b.closed, Some(control::ControlClose::NotProved));
    assert_eq!(trio.up, Some(1));
}

#[test]
fn a_backend_without_the_key_stays_outside() {
    let mut trio = Trio::without_master(Cut::Whole, 5);
    trio.log_in(GENERATION, [0; 32]);
    trio.pass(SECOND);
    assert_eq!(trio.up, None);
    let closes = (trio.controls[0].a.closed, trio.controls[0].b.closed);
    assert_eq!(closes, (Some(control::ControlClose::Finished), Some(control::ControlClose::NotProved)));
}

#[test]
fn a_day_of_quiet_costs_heartbeats_only() {
    let mut trio = trio();
    trio.authenticate();
    for minute in 0..24 * 60 {
        if minute % 30 == 0 {
            trio.send(Who::Ana, Op::Ping, u8::try_from(minute / 30 % 40 + 1).unwrap());
        }
        trio.pass(60 * SECOND);
    }
    assert_eq!((trio.controls[0].a.closed, trio.controls[0].b.closed), (None, None));
    assert_eq!(trio.closes(), (None, None));
}

#[test]
fn a_cut_cable_is_found_and_a_device_told_meanwhile() {
    let mut trio = trio();
    trio.controls[0].lose(Loss::Silence, trio.now);
    trio.send(Who::Ana, Op::Auth, 1);
    assert_eq!(trio.heard_after(7 * SECOND).last().unwrap(), "device: later 5s");
    trio.pass(9 * SECOND);
    let closes = (trio.controls[0].a.closed, trio.controls[0].b.closed);
    assert_eq!(closes, (Some(control::ControlClose::Silent), Some(control::ControlClose::Silent)));
}

#[test]
fn a_device_that_hears_nothing_gives_up() {
    let mut trio = trio();
    trio.authenticate();
    trio.send(Who::Ana, Op::Ping, 1);
    trio.device.lose(Loss::Silence, trio.now);
    trio.pass(14 * SECOND);
    assert_eq!(trio.closes(), (None, None));
    trio.pass(SECOND);
    assert_eq!(trio.closes(), (Some(DeviceClose::Timeout), None));
    trio.pass(40 * 60 * SECOND);
    assert_eq!(trio.closes(), (Some(DeviceClose::Timeout), Some(EdgeClose::Idle)));
}

#[test]
fn a_lost_connection_ends_both_sides_wherever_it_is_lost() {
    for moment in (0..400).step_by(7) {
        let mut trio = trio();
        trio.send(Who::Ana, Op::Auth, 1);
        trio.pass(moment);
        trio.device.lose(Loss::Reset, trio.now);
        for control in &mut trio.controls {
            control.lose(Loss::Reset, trio.now);
        }
        trio.pass(20 * SECOND);
        let (device, edge) = trio.closes();
        assert!(matches!(device, Some(DeviceClose::Finished | DeviceClose::Violation)), "{moment}: {device:?}");
        assert!(matches!(edge, Some(EdgeClose::Finished | EdgeClose::BadFrame(_))), "{moment}: {edge:?}");
        for half in [trio.controls[0].a.closed, trio.controls[0].b.closed] {
            assert!(matches!(half, Some(control::ControlClose::Finished | control::ControlClose::Violation(_))));
        }
    }
}
