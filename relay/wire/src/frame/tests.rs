//! Every frame there and back, cut short, lengthened and changed.

use alloc::{string::String, vec, vec::Vec};
use core::{fmt::Debug, time::Duration};

use super::{
    control::{ControlFrame, Hello, Verdict, Welcome},
    data::{DataFrame, Remote},
    reply::{Offer, Reply},
};
use crate::{
    codec::Malformed,
    grant::SignedGrant,
    ids::{BackendName, DeviceId, Exporter, Generation, RequestId, Role, Token},
    limits,
    request::Platform,
};

fn grant(bytes: usize) -> SignedGrant {
    SignedGrant { grant: vec![5; bytes], signature: [6; 64] }
}

fn replies() -> Vec<Reply> {
    let offer =
        |bytes| Reply::Tunnel(Offer { token: Token::new([1; 16]), lifetime: limits::TOKEN, grant: grant(bytes) });
    vec![
        Reply::Accepted,
        Reply::Refused,
        Reply::Later(Duration::from_millis(1)),
        offer(1),
        offer(limits::GRANT_BYTES_MAX),
        Reply::Draining(Duration::from_millis(u64::from(u32::MAX))),
    ]
}

fn control_frames() -> Vec<ControlFrame> {
    let answer = |verdict| ControlFrame::Answer { id: RequestId(u64::MAX), verdict };
    let ask = |bytes| ControlFrame::Ask { id: RequestId(7), exporter: Exporter([8; 32]), request: vec![9; bytes] };
    let hello = |name| {
        let name = BackendName::new(name).unwrap();
        ControlFrame::Hello(Hello { role: Role::Master, name, generation: Generation(3), proof: [4; 32] })
    };
    let revoke = |bytes| ControlFrame::Revoke {
        device_id: DeviceId::new(Platform::Android, String::from_utf8(vec![b'a'; bytes]).unwrap()),
    };
    vec![
        hello("a"),
        hello(&String::from_utf8(vec![b'n'; 63]).unwrap()),
        ControlFrame::Welcome(Welcome { proof: [2; 32], spares_max: 0 }),
        ask(1),
        ask(limits::CANONICAL_BYTES_MAX),
        answer(Verdict::Accepted),
        answer(Verdict::Refused),
        answer(Verdict::Later(Duration::from_secs(5))),
        answer(Verdict::Granted(grant(100))),
        answer(Verdict::Granted(grant(limits::GRANT_BYTES_MAX))),
        ControlFrame::Dial { count: 1 },
        ControlFrame::Dial { count: u16::MAX },
        revoke(1),
        revoke(limits::DEVICE_ID_BYTES_MAX),
        ControlFrame::Leave,
        ControlFrame::Ping,
        ControlFrame::Pong,
    ]
}

fn data_frames() -> Vec<DataFrame> {
    let remote = Remote { address: [3; 16], port: 65_535 };
    vec![
        DataFrame::Hello {
            role: Role::StorageNode,
            name: BackendName::new("node-1").unwrap(),
            generation: Generation(u64::MAX),
            proof: [1; 32],
        },
        DataFrame::Parked { proof: [2; 32] },
        DataFrame::Assign { grant: grant(1), remote },
        DataFrame::Assign { grant: grant(limits::GRANT_BYTES_MAX), remote },
    ]
}

type Decoded<F> = Result<Option<(F, usize)>, Malformed>;

fn check<F: PartialEq>(
    frame: &F,
    encode: impl Fn(&F) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Decoded<F>,
    measure: impl Fn(&[u8]) -> Result<Option<usize>, Malformed>,
    length_at: usize,
) {
    let bytes = encode(frame);
    let header = length_at + 4;
    assert!(decode(&bytes) == Ok(Some((decode(&bytes).unwrap().unwrap().0, bytes.len()))));
    assert!(decode(&bytes).unwrap().unwrap().0 == *frame);
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]) == Ok(None), "cut at {end}");
        assert_eq!(measure(&bytes[..end]).unwrap(), (end >= header).then_some(bytes.len()), "cut at {end}");
    }
    // What follows belongs to the next frame.
    let mut behind = bytes.clone();
    behind.extend_from_slice(&[0xff; 9]);
    assert!(decode(&behind).unwrap().unwrap().1 == bytes.len());
    // A body that is longer than its content says.
    let mut longer = bytes.clone();
    longer.push(0);
    let length = u32::try_from(longer.len() - header).unwrap();
    longer[length_at..header].copy_from_slice(&length.to_be_bytes());
    assert!(decode(&longer).is_err(), "a byte left over");
    // A header that announces too much is refused before the body comes, and at its first impossible byte.
    longer[length_at] = 1;
    assert!(decode(&longer[..=length_at]).is_err());
    // Whatever a changed byte makes of it: one encoding.
    for place in 0..bytes.len().min(200) {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[place] ^= change;
            if let Ok(Some((other, length))) = decode(&changed) {
                assert!(encode(&other) == changed[..length], "byte {place} changed by {change:#x}");
            }
        }
    }
}

#[test]
fn replies_there_and_back() {
    for reply in replies() {
        check(&reply, Reply::encode, Reply::decode, Reply::measure, 8);
        assert!(reply.encode().len() <= super::reply::HEADER_BYTES + limits::REPLY_BYTES_MAX);
    }
}

#[test]
fn control_frames_there_and_back() {
    for frame in control_frames() {
        check(&frame, ControlFrame::encode, ControlFrame::decode, ControlFrame::measure, 1);
        assert!(frame.encode().len() <= 5 + limits::BACKHAUL_BYTES_MAX);
    }
}

#[test]
fn data_frames_there_and_back() {
    for frame in data_frames() {
        check(&frame, DataFrame::encode, DataFrame::decode, DataFrame::measure, 1);
        assert!(frame.encode().len() <= 5 + limits::BACKHAUL_BYTES_MAX);
    }
}

fn refused<F: Debug>(decoded: Decoded<F>) -> &'static str {
    decoded.unwrap_err().field
}

#[test]
fn what_no_owner_should_make_is_refused_by_the_peer() {
    let ask = ControlFrame::Ask { id: RequestId(1), exporter: Exporter([0; 32]), request: Vec::new() };
    assert_eq!(refused(ControlFrame::decode(&ask.encode())), "length");
    let ask = ControlFrame::Ask { id: RequestId(1), exporter: Exporter([0; 32]), request: vec![0; 100_000] };
    assert_eq!(refused(ControlFrame::decode(&ask.encode())), "length");
    assert_eq!(refused(ControlFrame::decode(&ControlFrame::Dial { count: 0 }.encode())), "count");
    let revoke = ControlFrame::Revoke { device_id: DeviceId::new(Platform::Ios, String::new()) };
    assert_eq!(refused(ControlFrame::decode(&revoke.encode())), "length");
    let remote = Remote { address: [0; 16], port: 0 };
    let assign = DataFrame::Assign { grant: grant(limits::GRANT_BYTES_MAX + 1), remote };
    assert_eq!(refused(DataFrame::decode(&assign.encode())), "length");
}

#[test]
fn durations_lose_parts_of_a_millisecond_and_saturate() {
    let there = |duration| match Reply::decode(&Reply::Later(duration).encode()) {
        Ok(Some((Reply::Later(after), _))) => after,
        _ => Duration::MAX,
    };
    assert_eq!(there(Duration::from_micros(1_999)), Duration::from_millis(1));
    assert_eq!(there(Duration::from_secs(10_000_000)), Duration::from_millis(u64::from(u32::MAX)));
}

#[test]
fn names_and_numbers_in_a_hello_are_judged() {
    let good = control_frames()[0].encode();
    for (place, byte, field) in [(5, 3, "role"), (15, 2, "name"), (16, b'-', "name"), (16, b'A', "name")] {
        let mut bytes = good.clone();
        bytes[place] = byte;
        assert_eq!(refused(ControlFrame::decode(&bytes)), field);
    }
}
