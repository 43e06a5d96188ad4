//! What relay-wire decoded, in the second decoder's words.

use std::time::Duration;

use relay_wire::{
    frame::{
        control::{ControlFrame, Hello, Verdict, Welcome},
        data::DataFrame,
        reply::Reply,
    },
    grant::{DeviceKey, Grant, PinKind, ServiceScope, SignedGrant},
    ids::{DeviceId, ServiceName},
    request::{OperationName, Platform},
};

use super::{
    disagree,
    layout::Value,
    messages::{GRANT_FIELDS, Message},
};

/// §2.2.2, by hand.
pub(crate) fn platform(platform: Platform) -> u64 {
    match platform {
        Platform::Windows => 1,
        Platform::MacOs => 2,
        Platform::Linux => 3,
        Platform::Ios => 4,
        Platform::Android => 5,
        Platform::WindowsPhone => 6,
    }
}

fn operation(operation: OperationName) -> u64 {
    match operation {
        OperationName::Register => 1,
        OperationName::Auth => 2,
        OperationName::Backup => 3,
        OperationName::Restore => 4,
        OperationName::Ping => 5,
        OperationName::Sync => 6,
    }
}

fn role(role: relay_wire::ids::Role) -> u64 {
    match role {
        relay_wire::ids::Role::Master => 1,
        relay_wire::ids::Role::StorageNode => 2,
    }
}

/// What a duration read from the wire says in milliseconds; a part of one makes it no number that can be on the wire.
fn millis(duration: Duration) -> Value {
    let whole = duration.subsec_nanos().is_multiple_of(1_000_000);
    Value::Number(if whole { u64::try_from(duration.as_millis()).unwrap_or(u64::MAX) } else { u64::MAX })
}

fn signed(signed: &SignedGrant) -> [Value; 2] {
    [signed.grant.as_slice().into(), signed.signature.as_slice().into()]
}

/// §2.2.3
pub(crate) fn device_id(id: &DeviceId) -> [Value; 2] {
    [platform(id.platform()).into(), id.text().into()]
}

pub(crate) fn reply(reply: &Reply) -> Message {
    match reply {
        Reply::Accepted => Message::bare(1),
        Reply::Refused => Message::bare(2),
        Reply::Later(after) => Message::new(3, vec![millis(*after)]),
        Reply::Tunnel(offer) => {
            let [grant, signature] = signed(&offer.grant);
            let token = offer.token.bytes().as_slice().into();
            Message::new(4, vec![token, millis(offer.lifetime), grant, signature])
        }
        Reply::Draining(after) => Message::new(5, vec![millis(*after)]),
    }
}

pub(crate) fn control(frame: &ControlFrame) -> Message {
    match frame {
        ControlFrame::Hello(Hello { role: of, name, generation, proof }) => {
            let of = role(*of).into();
            Message::new(1, vec![of, generation.0.into(), name.as_str().into(), proof.as_slice().into()])
        }
        ControlFrame::Welcome(Welcome { proof, spares_max }) => {
            Message::new(2, vec![proof.as_slice().into(), u64::from(*spares_max).into()])
        }
        ControlFrame::Ask { id, exporter, request } => {
            Message::new(3, vec![id.0.into(), exporter.0.as_slice().into(), request.as_slice().into()])
        }
        ControlFrame::Answer { id, verdict } => {
            let mut values = vec![id.0.into()];
            match verdict {
                Verdict::Accepted => values.push(Value::Number(1)),
                Verdict::Refused => values.push(Value::Number(2)),
                Verdict::Later(after) => values.extend([Value::Number(3), millis(*after)]),
                Verdict::Granted(grant) => {
                    values.push(Value::Number(4));
                    values.extend(signed(grant));
                }
            }
            Message::new(4, values)
        }
        ControlFrame::Dial { count } => Message::new(5, vec![u64::from(*count).into()]),
        ControlFrame::Revoke { device_id: id } => Message::new(6, device_id(id).to_vec()),
        ControlFrame::Leave => Message::bare(7),
        ControlFrame::Ping => Message::bare(8),
        ControlFrame::Pong => Message::bare(9),
    }
}

pub(crate) fn data(frame: &DataFrame) -> Message {
    match frame {
        DataFrame::Hello { role: of, name, generation, proof } => {
            let of = role(*of).into();
            Message::new(0x11, vec![of, generation.0.into(), name.as_str().into(), proof.as_slice().into()])
        }
        DataFrame::Parked { proof } => Message::new(0x12, vec![proof.as_slice().into()]),
        DataFrame::Assign { grant, remote } => {
            let [grant, signature] = signed(grant);
            let address = remote.address.as_slice().into();
            Message::new(0x13, vec![address, u64::from(remote.port).into(), grant, signature])
        }
    }
}

pub(crate) fn grant(grant: &Grant) -> Vec<Value> {
    let mut values = vec![Value::Number(1), grant.id.as_slice().into()];
    values.extend(device_id(&grant.device_id));
    match grant.device_key {
        DeviceKey::ToBeEnrolled => values.push(Value::Number(0)),
        DeviceKey::Spki(digest) => values.extend([Value::Number(1), digest.as_slice().into()]),
    }
    values.extend([grant.user.as_str().into(), operation(grant.operation).into()]);
    match &grant.services {
        ServiceScope::Any => values.push(Value::Number(0)),
        ServiceScope::Only(names) => {
            values.extend([Value::Number(1), Value::Number(names.len() as u64)]);
            values.extend(names.iter().map(|name| name.as_str().into()));
        }
    }
    let kind = match grant.node_pin.kind {
        PinKind::Leaf => 1,
        PinKind::Spki => 2,
    };
    values.extend([grant.node.as_str().into(), Value::Number(kind), grant.node_pin.digest.as_slice().into()]);
    values.push(grant.expires_at.ticks().into());
    values
}

/// §7.1.1: which services a grant allows. Asked of each that it names, of `enrol`, and of one that nobody names.
pub(crate) fn scope(grant: &Grant, values: &[Value]) {
    let any = GRANT_FIELDS.len() == values.len() - usize::from(values[4] == Value::Number(1));
    let named: Vec<&[u8]> = match &grant.services {
        ServiceScope::Any => Vec::new(),
        ServiceScope::Only(names) => names.iter().map(|name| name.as_str().as_bytes()).collect(),
    };
    for asked in named.iter().copied().chain([b"enrol".as_slice(), b"sink-0"]) {
        let Some(service) = std::str::from_utf8(asked).ok().and_then(|name| ServiceName::new(name).ok()) else {
            continue;
        };
        let allowed = if any { asked != b"enrol" } else { named.contains(&asked) };
        if grant.services.allows(&service) != allowed {
            disagree("grant", "", "another scope", "this scope", (grant, &service));
        }
    }
}
