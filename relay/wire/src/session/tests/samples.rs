//! Requests, grants and names that the tests share.

use alloc::{string::String, sync::Arc, vec, vec::Vec};

use crate::{
    Operation, Platform, Proof, Request, Validator,
    frame::{data::Remote, opening::Header},
    grant::SignedGrant,
    ids::{BackendName, DeviceId, Generation, Nonce, Role, Token},
    request::TransferKind,
};

/// FORMATS §2, V1.
const MAC_PING: &[u8] = include_bytes!("../../../vectors/macos/V1.ok");

/// The platform of every sample request.
pub(super) const PLATFORM: Platform = Platform::MacOs;

/// One of the sample devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Ana,
    Ben,
}

/// What a sample request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Register,
    Auth,
    Ping,
    Backup,
    Restore,
    Sync,
}

pub(super) fn validator() -> Arc<Validator> {
    Arc::new(Validator::default())
}

pub(super) fn device_id(who: Who) -> DeviceId {
    let text = match who {
        Who::Ana => "4C4C4544-0042-3510-8052-B4C04F4A5931",
        Who::Ben => "4C4C4544-0042-3510-8052-B4C04F4A5932",
    };
    DeviceId::new(PLATFORM, String::from(text))
}

/// A request; `nonce` must not be 0.
pub(super) fn request(who: Who, op: Op, nonce: u8) -> Request {
    let mut request = Validator::default().check(PLATFORM, MAC_PING).unwrap().into_inner();
    let transfer = |kind| Operation::Transfer {
        kind,
        node: BackendName::new("node-eu-02").unwrap(),
        paths: vec![b"/Users/ana".to_vec()],
    };
    request.content.operation = match op {
        Op::Register => Operation::Register { user: String::from("ana.lopez@example.com") },
        Op::Auth => Operation::Auth,
        Op::Ping => Operation::Ping,
        Op::Backup => transfer(TransferKind::Backup),
        Op::Restore => transfer(TransferKind::Restore),
        Op::Sync => transfer(TransferKind::Sync),
    };
    if op == Op::Register {
        request.proof = Proof::Mass([7; 32]);
    }
    request.content.device_id = device_id(who);
    request.content.nonce = Nonce::new([nonce; 16]).unwrap();
    request
}

/// A request's body in its platform's format.
pub(super) fn body(who: Who, op: Op, nonce: u8) -> Vec<u8> {
    request(who, op, nonce).to_body()
}

/// A body behind its opening frame's header.
pub(super) fn framed(platform: Platform, body: &[u8]) -> Vec<u8> {
    let mut frame = Header::encode(platform, u32::try_from(body.len()).unwrap()).to_vec();
    frame.extend_from_slice(body);
    frame
}

/// A request's frame.
pub(super) fn frame(who: Who, op: Op, nonce: u8) -> Vec<u8> {
    framed(PLATFORM, &body(who, op, nonce))
}

pub(super) fn grant(number: u8) -> SignedGrant {
    SignedGrant { grant: vec![number; 120], signature: [number; 64] }
}

pub(super) const fn token(number: u8) -> Token {
    Token::new([number; 16])
}

pub(super) fn name(role: Role) -> BackendName {
    BackendName::new(match role {
        Role::Master => "head",
        Role::StorageNode => "node-eu-02",
    })
    .unwrap()
}

pub(super) const GENERATION: Generation = Generation(1_778_751_000_000_000_000);
/// What the tests' owners take for a good proof of a backend.
pub(super) const BACKEND_PROOF: [u8; 32] = [0xb0; 32];
/// What the tests' owners take for a good proof of the edge.
pub(super) const EDGE_PROOF: [u8; 32] = [0xe0; 32];

pub(super) const fn remote() -> Remote {
    Remote { address: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7], port: 50_123 }
}
