//! SPEC §8: prefaces, orders and receipts there and back, and cut short.

use alloc::{string::String, vec};

use super::{
    Content, EnrolOrder, EnrolReceipt, PREFACE_BYTES_MAX, SinkReceipt, SourceOrder, Status, decode_preface, preface,
};
use crate::{
    ids::{DeviceId, ServiceName},
    request::Platform,
};

#[test]
fn prefaces_there_and_back() {
    for name in ["a", "restic-rest", &String::from_utf8(vec![b'z'; 63]).unwrap()] {
        let service = ServiceName::new(name).unwrap();
        let mut bytes = preface(&service);
        assert!(bytes.len() <= PREFACE_BYTES_MAX);
        for end in 0..bytes.len() {
            assert_eq!(decode_preface(&bytes[..end]), Ok(None));
        }
        let length = bytes.len();
        bytes.extend_from_slice(b"the service's own");
        assert_eq!(decode_preface(&bytes), Ok(Some((service, length))));
    }
    for bytes in [&b"\x02"[..], b"\0", b"\x01\0", b"\x01\x40", b"\x01\x01-", b"\x01\x02aA", b"\x01\x02\xc3\xa9"] {
        assert!(decode_preface(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn enrol_orders_there_and_back() {
    for length in [1, 36, 255] {
        let text = String::from_utf8(vec![b'7'; length]).unwrap();
        let order = EnrolOrder { device_id: DeviceId::new(Platform::WindowsPhone, text), proof: [3; 32] };
        let mut bytes = order.encode();
        assert!(bytes.len() <= EnrolOrder::BYTES_MAX);
        for end in 0..bytes.len() {
            assert_eq!(EnrolOrder::decode(&bytes[..end]), Ok(None));
        }
        let total = bytes.len();
        bytes.push(0);
        assert_eq!(EnrolOrder::decode(&bytes), Ok(Some((order, total))));
    }
    for bytes in [&b"\0"[..], b"\x07", b"\x01\0\0", b"\x01\x01", b"\x01\x01\0"] {
        assert!(EnrolOrder::decode(bytes).is_err(), "{bytes:?}");
    }
    let mut bytes = vec![1, 0, 1, 0xff];
    bytes.extend_from_slice(&[0; 32]);
    assert!(EnrolOrder::decode(&bytes).is_err(), "not UTF-8");
}

#[test]
fn bytes_of_status_and_receipts() {
    for number in 0..=255 {
        assert_eq!(Status::from_number(number).map(Status::number), (number < 3).then_some(number));
        assert_eq!(EnrolReceipt::from_number(number).map(EnrolReceipt::number), (number < 2).then_some(number));
    }
    let receipt = SinkReceipt { bytes: 1 << 40, sha256: [9; 32] };
    assert_eq!(SinkReceipt::decode(&receipt.encode()), receipt);
    let order = SourceOrder { seed: 5, bytes: SourceOrder::BYTES_MAX };
    assert_eq!(SourceOrder::decode(&order.encode()), Some(order));
    let order = SourceOrder { seed: 5, bytes: SourceOrder::BYTES_MAX + 1 };
    assert_eq!(SourceOrder::decode(&order.encode()), None);
}

#[test]
fn content_is_one_stream_however_it_is_read() {
    // The first word of SplitMix64 for seed 0, as its author publishes it.
    let mut whole = [0; 64];
    Content::new(0).fill(&mut whole);
    assert_eq!(whole[..8], 0xe220_a839_7b1d_cdaf_u64.to_be_bytes());
    for step in 1..20 {
        let mut content = Content::new(0);
        let mut parts = [0; 64];
        for part in parts.chunks_mut(step) {
            content.fill(part);
        }
        assert_eq!(parts, whole, "in steps of {step}");
    }
}
