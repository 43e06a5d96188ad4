//! SPEC §4, §6.2, §7 and §8 as tables of fields, and frames read and written by them.

use super::layout::{Come, Field, U16, U32, U64, Value, length_may_be, put, read_all, write};

/// Bytes of a grant at most (§3.1).
pub(crate) const GRANT_BYTES_MAX: usize = 2_048;
/// A canonical request at most (§3.1).
pub(crate) const CANONICAL_BYTES_MAX: usize = 32_768;
const DEVICE_ID_BYTES_MAX: usize = 255;
/// A request's body at most (§4.1.1).
pub(crate) const BODY_BYTES_MAX: usize = 16_384;

const ROLE: Field = Field::Number { bytes: 1, least: 1, most: 2 };
const PLATFORM: Field = Field::Number { bytes: 1, least: 1, most: 6 };
const OPERATION: Field = PLATFORM;
const DEVICE_ID: Field = Field::Text { least: 1, most: DEVICE_ID_BYTES_MAX };
const GRANT: Field = Field::Bytes { least: 1, most: GRANT_BYTES_MAX };
const SIGNATURE: Field = Field::Fixed(64);
const PROOF: Field = Field::Fixed(32);
const VERDICT: Field = Field::Choice(&[(1, &[]), (2, &[]), (3, &[U32]), (4, &[GRANT, SIGNATURE])]);

/// A kind of message and its body.
pub(crate) type Table = [(u8, &'static [Field])];

/// The kind of control frame that holds a canonical request.
pub(crate) const ASK: u8 = 3;

/// §6.2.1
pub(crate) const CONTROL: &Table = &[
    (1, &[ROLE, U64, Field::Name, PROOF]),
    (2, &[PROOF, U16]),
    (ASK, &[U64, Field::Fixed(32), Field::Bytes { least: 1, most: CANONICAL_BYTES_MAX }]),
    (4, &[U64, VERDICT]),
    (5, &[Field::Number { bytes: 2, least: 1, most: 0xffff }]),
    (6, &[PLATFORM, DEVICE_ID]),
    (7, &[]),
    (8, &[]),
    (9, &[]),
];
/// §7.3.1
pub(crate) const DATA: &Table =
    &[(0x11, &[ROLE, U64, Field::Name, PROOF]), (0x12, &[PROOF]), (0x13, &[Field::Fixed(16), U16, GRANT, SIGNATURE])];
/// §4.2.1
pub(crate) const REPLY: &Table =
    &[(1, &[]), (2, &[]), (3, &[U32]), (4, &[Field::Fixed(16), U32, GRANT, SIGNATURE]), (5, &[U32])];
/// §7.1.1
pub(crate) const GRANT_FIELDS: &[Field] = &[
    Field::Number { bytes: 1, least: 1, most: 1 },
    Field::Fixed(16),
    PLATFORM,
    DEVICE_ID,
    Field::Choice(&[(0, &[]), (1, &[Field::Fixed(32)])]),
    Field::Text { least: 0, most: 0xffff },
    OPERATION,
    Field::Choice(&[(0, &[]), (1, &[Field::Names])]),
    Field::Name,
    Field::Number { bytes: 1, least: 1, most: 2 },
    Field::Fixed(32),
    U64,
];
/// §8.4.1
pub(crate) const ENROL: &[Field] = &[PLATFORM, DEVICE_ID, PROOF];

/// A frame: its kind and the values of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    pub(crate) values: Vec<Value>,
}

impl Message {
    pub(crate) fn new(kind: u8, values: Vec<Value>) -> Self {
        Self { kind, values }
    }

    /// A frame without a body.
    pub(crate) fn bare(kind: u8) -> Self {
        Self::new(kind, Vec::new())
    }
}

/// The body's fields of a kind.
pub(crate) fn fields(table: &Table, kind: u8) -> Option<&'static [Field]> {
    table.iter().find(|(known, _)| *known == kind).map(|(_, fields)| *fields)
}

fn body(table: &Table, message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(fields(table, message.kind).unwrap_or(&[]), &mut message.values.iter().cloned(), &mut bytes);
    bytes
}

/// §2.1.4: kind, length, body.
pub(crate) fn seal(table: &Table, message: &Message) -> Vec<u8> {
    let body = body(table, message);
    let mut frame = vec![message.kind];
    put(body.len() as u64, 4, &mut frame);
    frame.extend(body);
    frame
}

/// §2.1.4, on what has come of a frame of a control or data connection.
pub(crate) fn open(table: &Table, come: &[u8]) -> Come<Message> {
    let Some((kind, rest)) = come.split_first() else { return Come::Part };
    let Some(fields) = fields(table, *kind) else { return Come::Wrong };
    opened(*kind, fields, rest, 1)
}

/// §4.2.1, on what has come of a reply.
pub(crate) fn open_reply(come: &[u8]) -> Come<Message> {
    let magic = b"EDR1";
    let common = come.len().min(4);
    if come[..common] != magic[..common] {
        return Come::Wrong;
    }
    let Some(kind) = come.get(4) else { return Come::Part };
    let Some(fields) = fields(REPLY, *kind) else { return Come::Wrong };
    let behind = [1, 0, 0];
    let common = come.len().min(8) - 5;
    if come[5..5 + common] != behind[..common] {
        return Come::Wrong;
    }
    match come.get(8..) {
        None => Come::Part,
        Some(rest) => opened(*kind, fields, rest, 8),
    }
}

/// A length u32 and a body behind `before` bytes.
fn opened(kind: u8, fields: &[Field], rest: &[u8], before: usize) -> Come<Message> {
    if !length_may_be(rest, super::layout::bounds(fields)) {
        return Come::Wrong;
    }
    let Some(length) = rest.first_chunk().map(|length| u32::from_be_bytes(*length) as usize) else { return Come::Part };
    let Some(body) = rest.get(4..4 + length) else { return Come::Part };
    match read_all(fields, body) {
        Some(values) => Come::Whole(Message { kind, values }, before + 4 + length),
        None => Come::Wrong,
    }
}

/// A reply's bytes.
pub(crate) fn seal_reply(message: &Message) -> Vec<u8> {
    let body = body(REPLY, message);
    let mut frame = b"EDR1".to_vec();
    frame.extend([message.kind, 1, 0, 0]);
    put(body.len() as u64, 4, &mut frame);
    frame.extend(body);
    frame
}

/// §4.1.1: an opening frame's header.
pub(crate) fn opening(platform: u8, body_bytes: u32) -> [u8; 12] {
    let mut header = *b"EDG1\0\x01\0\0\0\0\0\0";
    header[4] = platform;
    header[8..].copy_from_slice(&body_bytes.to_be_bytes());
    header
}

/// §4.1.1, §4.1.2, on what has come of an opening frame: its platform and the bytes of its body, or what is wrong with it. The
/// platform must be `bound`, if there is one.
pub(crate) fn open_opening(come: &[u8], bound: Option<u8>) -> Result<Option<(u8, usize)>, &'static str> {
    let common = come.len().min(4);
    if come[..common] != b"EDG1"[..common] {
        return Err("magic");
    }
    let Some(header) = come.first_chunk::<12>() else { return Ok(None) };
    let platform = header[4];
    let length = header[8..].iter().fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte));
    if platform == 0 || platform > 6 {
        Err("platform")
    } else if header[5] != 1 {
        Err("version")
    } else if header[6] != 0 || header[7] != 0 {
        Err("flags")
    } else if length == 0 || length > BODY_BYTES_MAX {
        Err("body length")
    } else if bound.is_some_and(|bound| bound != platform) {
        Err("platform")
    } else {
        Ok(Some((platform, length)))
    }
}

/// Whether a header of so many bytes, the last four of which are the length, has come and its body has not: then there is nothing
/// to judge.
pub(crate) fn only_body_is_missing(come: &[u8], header: usize) -> bool {
    let length = come.get(header - 4..header).and_then(|length| length.first_chunk());
    length.is_some_and(|length| come.len() > header && come.len() < header + u32::from_be_bytes(*length) as usize)
}
