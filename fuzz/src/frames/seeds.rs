//! Real messages of every family, written by the second decoder's writer.

use super::{
    Family,
    layout::{Field, Value},
    messages::{CONTROL, DATA, ENROL, GRANT_FIELDS, Message, REPLY, Table, seal, seal_reply},
};

const NAME: &str = "node-eu-02";
const ANDROID: &str = "00c1d27be8643f5a";

/// A grant's values: for any service, or for these.
fn grant_values(services: &[&str]) -> Vec<Value> {
    let mut values = vec![Value::Number(1), Value::Bytes(vec![9; 16]), Value::Number(5), ANDROID.into()];
    if services == ["enrol"] {
        values.push(Value::Number(0));
    } else {
        values.extend([Value::Number(1), Value::Bytes(vec![0xab; 32])]);
    }
    values.push("ana.lopez@example.com".into());
    values.push(Value::Number(if services == ["enrol"] { 1 } else { 3 }));
    if services.is_empty() {
        values.push(Value::Number(0));
    } else {
        values.extend([Value::Number(1), Value::Number(services.len() as u64)]);
        values.extend(services.iter().map(|name| Value::from(*name)));
    }
    let pin = if services.is_empty() { 1 } else { 2 };
    values.extend([NAME.into(), Value::Number(pin), Value::Bytes(vec![0xcd; 32])]);
    values.push(Value::Number(17_787_510_000_000_000));
    values
}

/// An encoded grant: what travels in offers, answers and assignments.
pub(crate) fn grant(services: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    super::layout::write(GRANT_FIELDS, &mut grant_values(services).into_iter(), &mut bytes);
    bytes
}

fn signed(services: &[&str]) -> [Value; 2] {
    [Value::Bytes(grant(services)), Value::Bytes(vec![0x51; 64])]
}

fn replies() -> Vec<Message> {
    let [grant, signature] = signed(&[]);
    vec![
        Message::bare(1),
        Message::bare(2),
        Message::new(3, vec![Value::Number(5_000)]),
        Message::new(4, vec![Value::Bytes(vec![7; 16]), Value::Number(30_000), grant, signature]),
        Message::new(5, vec![Value::Number(1_500)]),
    ]
}

fn hello(kind: u8) -> Message {
    let generation = Value::Number(1_778_751_000_000_000_000);
    Message::new(kind, vec![Value::Number(2), generation, NAME.into(), Value::Bytes(vec![0xb0; 32])])
}

fn controls() -> Vec<Message> {
    let [grant, signature] = signed(&["enrol"]);
    let canonical = include_bytes!("../../../relay/wire/vectors/android/V1.canonical");
    vec![
        hello(1),
        Message::new(2, vec![Value::Bytes(vec![0xe0; 32]), Value::Number(4)]),
        Message::new(3, vec![Value::Number(1), Value::Bytes(vec![4; 32]), canonical.as_slice().into()]),
        Message::new(4, vec![Value::Number(1), Value::Number(1)]),
        Message::new(4, vec![Value::Number(2), Value::Number(2)]),
        Message::new(4, vec![Value::Number(3), Value::Number(3), Value::Number(5_000)]),
        Message::new(4, vec![Value::Number(4), Value::Number(4), grant, signature]),
        Message::new(5, vec![Value::Number(2)]),
        Message::new(6, vec![Value::Number(5), ANDROID.into()]),
        Message::bare(7),
        Message::bare(8),
        Message::bare(9),
    ]
}

fn datas() -> Vec<Message> {
    let [grant, signature] = signed(&["rsync", "sink"]);
    let address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7];
    vec![
        hello(0x11),
        Message::new(0x12, vec![Value::Bytes(vec![0xe0; 32])]),
        Message::new(0x13, vec![address.as_slice().into(), Value::Number(50_123), grant, signature]),
    ]
}

/// A message of every kind: replies, frames of a control connection, frames of a data connection.
pub(crate) fn replies_controls_datas() -> (Vec<Message>, Vec<Message>, Vec<Message>) {
    (replies(), controls(), datas())
}

/// A message with each value at its least, or at its most: zeros or ones, as short or as long as may be.
fn extreme(kind: u8, fields: &[Field], most: bool) -> Message {
    let mut values = Vec::new();
    fill(fields, most, &mut values);
    Message::new(kind, values)
}

fn fill(fields: &[Field], most: bool, values: &mut Vec<Value>) {
    // A canonical request may be longer than an input.
    let length = |bounds: (usize, usize)| if most { bounds.1.min(2_048) } else { bounds.0 };
    let byte = if most { 0xff } else { 0 };
    for field in fields {
        match *field {
            Field::Number { least, most: greatest, .. } => values.push(if most { greatest } else { least }.into()),
            Field::Fixed(bytes) => values.push(Value::Bytes(vec![byte; bytes])),
            Field::Bytes { least, most } => values.push(Value::Bytes(vec![byte; length((least, most))])),
            Field::Text { least, most } => values.push(Value::Bytes(vec![b'0'; length((least, most))])),
            Field::Name => values.push(Value::Bytes(vec![b'z'; length((1, 63))])),
            Field::Choice(choices) => {
                let Some((tag, fields)) = (if most { choices.last() } else { choices.first() }) else { continue };
                values.push(u64::from(*tag).into());
                fill(fields, most, values);
            }
            Field::Names => values.extend([Value::Number(1), "z".into()]),
        }
    }
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        (1..=6).map(|platform| Family::Opening.input(&super::messages::opening(platform, 448))).collect();
    for length in [0, 1, 16_384, 16_385] {
        seeds.push(Family::Opening.input(&super::messages::opening(3, length)));
    }
    seeds.extend(replies().iter().map(|reply| Family::Reply.input(&seal_reply(reply))));
    seeds.extend(controls().iter().map(|frame| Family::Control.input(&seal(CONTROL, frame))));
    seeds.extend(datas().iter().map(|frame| Family::Data.input(&seal(DATA, frame))));
    for most in [false, true] {
        let all = |table: &Table| -> Vec<Message> {
            table.iter().map(|(kind, fields)| extreme(*kind, fields, most)).collect()
        };
        seeds.extend(all(REPLY).iter().map(|reply| Family::Reply.input(&seal_reply(reply))));
        seeds.extend(all(CONTROL).iter().map(|frame| Family::Control.input(&seal(CONTROL, frame))));
        seeds.extend(all(DATA).iter().map(|frame| Family::Data.input(&seal(DATA, frame))));
    }
    let services: [&[&str]; 3] = [&[], &["enrol"], &["echo", "rsync", "sink", "source"]];
    seeds.extend(services.iter().map(|services| Family::Grant.input(&grant(services))));
    let most: Vec<String> = (0..16).map(|number| format!("s{number:02}")).collect();
    seeds.push(Family::Grant.input(&grant(&most.iter().map(String::as_str).collect::<Vec<_>>())));
    for name in ["sink", "a", "rsync-2"] {
        let length = u8::try_from(name.len()).unwrap_or(0);
        seeds.push(Family::Preface.input(&join(&[&[1, length], name.as_bytes()])));
    }
    let mut order = Vec::new();
    let values = [Value::Number(5), ANDROID.into(), Value::Bytes(vec![0x0d; 32])];
    super::layout::write(ENROL, &mut values.into_iter(), &mut order);
    seeds.push(Family::Enrol.input(&order));
    let seed_and_length = [7_u64.to_be_bytes(), 4_096_u64.to_be_bytes()].concat();
    seeds.push(Family::Builtins.input(&join(&[&[1], &seed_and_length, &[3, 9, 250, 1, 0, 8, 40], &[0; 24]])));
    for (number, texts) in [(4, [ANDROID, "c1d27be8643f5a"]), (1, ["node-eu-02", "-x"]), (0, ["aa", "ab"])] {
        seeds.push(Family::Names.input(&join(&[&[number], &[0x1f; 16], texts.join("\0").as_bytes()])));
    }
    let name = format!("{}.tunnel.sallyport", "0123456789abcdef".repeat(2));
    seeds.push(Family::Names.input(&join(&[&[2], &[0; 16], name.as_bytes(), b"\0"])));
    for kind in 0..8 {
        seeds.push(Family::Proofs.input(&join(&[&[kind], &[4; 32], &[1], &[8; 8], NAME.as_bytes(), b"\0content"])));
    }
    let time = 17_787_510_000_000_000_u64.to_be_bytes();
    seeds.push(Family::Times.input(&join(&[&time, &7_u64.to_be_bytes(), &1_500_000_u32.to_be_bytes()])));
    seeds
}
