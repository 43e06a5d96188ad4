//! Every frame, grant and preface is refused, or means what the second decoder says and encodes to the same bytes.
//!
//! The first byte of an input chooses the family, the rest is the message. The second decoder is `layout` and `messages`,
//! written from `relay/wire/SPEC.md`; the models of the sessions speak and hear through it too.

use relay_wire::{
    frame::{control::ControlFrame, data::DataFrame, opening::Header, reply::Reply},
    grant::Grant,
};

use crate::run::{bounded, finding};

mod builtins;
pub(crate) mod compare;
pub(crate) mod layout;
pub(crate) mod messages;
mod mutate;
pub(crate) mod names;
mod proofs;
mod seeds;
pub(crate) mod times;

pub(crate) use mutate::edit_bytes;
pub use mutate::mutate;
pub(crate) use seeds::replies_controls_datas;
pub use seeds::seeds;

use layout::{Come, Value};
use messages::Message;

const ORACLE: &str = "frames_canonical";
/// Memory that a decoder may hold: so many times its input, and this beside.
const FACTOR: usize = 8;
const ALLOWANCE: usize = 4_096;
/// A header is judged byte by byte: every beginning up to here is looked at.
const BEGINNINGS: usize = 16;

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Opening,
    Reply,
    Control,
    Data,
    Grant,
    Preface,
    Enrol,
    Builtins,
    Names,
    Proofs,
    Times,
}

impl Family {
    pub(crate) const ALL: [Self; 11] = [
        Self::Opening,
        Self::Reply,
        Self::Control,
        Self::Data,
        Self::Grant,
        Self::Preface,
        Self::Enrol,
        Self::Builtins,
        Self::Names,
        Self::Proofs,
        Self::Times,
    ];

    pub(crate) fn of(first: u8) -> Self {
        Self::ALL[usize::from(first) % Self::ALL.len()]
    }

    /// An input of this family.
    pub(crate) fn input(self, message: &[u8]) -> Vec<u8> {
        let place = Self::ALL.iter().position(|family| *family == self).unwrap_or(0);
        let mut input = vec![u8::try_from(place).unwrap_or(0)];
        input.extend_from_slice(message);
        input
    }
}

/// Every frame, grant and preface is refused, or means what the second decoder says and encodes to the same bytes.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn oracle(data: &[u8]) {
    let Some((first, message)) = data.split_first() else { return };
    match Family::of(*first) {
        Family::Opening => opening(message),
        Family::Reply => {
            stream("reply", message, decode_reply, messages::open_reply, messages::seal_reply);
        }
        Family::Control => {
            let ours = |come: &[u8]| messages::open(messages::CONTROL, come);
            stream("control frame", message, decode_control, ours, |frame| messages::seal(messages::CONTROL, frame));
        }
        Family::Data => {
            let ours = |come: &[u8]| messages::open(messages::DATA, come);
            stream("data frame", message, decode_data, ours, |frame| messages::seal(messages::DATA, frame));
        }
        Family::Grant => grant(message),
        Family::Preface => builtins::preface(message),
        Family::Enrol => builtins::enrol(message),
        Family::Builtins => builtins::numbers(message),
        Family::Names => names::judge(message),
        Family::Proofs => proofs::judge(message),
        Family::Times => times::judge(message),
    }
}

/// What relay-wire makes of bytes, in words of the second decoder, and the bytes that it makes of that again.
type Decoded = Come<(Message, Vec<u8>)>;

fn decoded<T, E>(result: Result<Option<(T, usize)>, E>, encode: impl FnOnce(T) -> (Message, Vec<u8>)) -> Decoded {
    match result {
        Ok(None) => Come::Part,
        Err(_) => Come::Wrong,
        Ok(Some((frame, length))) => Come::Whole(encode(frame), length),
    }
}

fn decode_reply(bytes: &[u8]) -> Decoded {
    decoded(Reply::decode(bytes), |reply| (compare::reply(&reply), reply.encode()))
}

fn decode_control(bytes: &[u8]) -> Decoded {
    decoded(ControlFrame::decode(bytes), |frame| (compare::control(&frame), frame.encode()))
}

fn decode_data(bytes: &[u8]) -> Decoded {
    decoded(DataFrame::decode(bytes), |frame| (compare::data(&frame), frame.encode()))
}

/// Both decoders on the message and on its beginnings.
fn stream(
    what: &str,
    message: &[u8],
    theirs: fn(&[u8]) -> Decoded,
    ours: impl Fn(&[u8]) -> Come<Message>,
    seal: impl Fn(&Message) -> Vec<u8>,
) {
    for length in 0..message.len().min(BEGINNINGS) {
        agree(what, &message[..length], theirs(&message[..length]), &ours, &seal);
    }
    let whole = bounded(ORACLE, message.len(), FACTOR, ALLOWANCE, || theirs(message));
    agree(what, message, whole, &ours, &seal);
    // One message in about a dozen, always the same ones.
    if message.iter().map(|byte| u32::from(*byte)).sum::<u32>().is_multiple_of(13)
        && let Come::Whole(message, _) = ours(message)
    {
        long(what, &message, theirs, &ours, &seal);
    }
}

/// The message with a canonical request in it as long as no input is: as long as may be, about half of that, and one byte longer.
fn long(
    what: &str,
    message: &Message,
    theirs: fn(&[u8]) -> Decoded,
    ours: &impl Fn(&[u8]) -> Come<Message>,
    seal: &impl Fn(&Message) -> Vec<u8>,
) {
    const LENGTHS: [usize; 5] =
        [4_097, messages::BODY_BYTES_MAX + 1, 20_000, messages::CANONICAL_BYTES_MAX, messages::CANONICAL_BYTES_MAX + 1];
    if (what, message.kind) != ("control frame", messages::ASK) {
        return;
    }
    for length in LENGTHS {
        let mut message = message.clone();
        if let Some(Value::Bytes(request)) = message.values.last_mut() {
            let last = request.last().copied().unwrap_or_default();
            request.resize(length, last);
        }
        let bytes = seal(&message);
        agree(what, &bytes, theirs(&bytes), ours, seal);
    }
}

/// What a decoder says, in a word.
fn word<T>(come: &Come<T>) -> &'static str {
    match come {
        Come::Part => "a beginning",
        Come::Wrong => "malformed",
        Come::Whole(..) => "whole",
    }
}

pub(crate) fn disagree(what: &str, place: &str, theirs: &str, ours: &str, detail: impl std::fmt::Debug) {
    finding(
        ORACLE,
        format_args!("{what}{place}: relay-wire says {theirs}, the text says {ours}"),
        format_args!("{detail:?}"),
    );
}

fn agree(
    what: &str,
    bytes: &[u8],
    theirs: Decoded,
    ours: &impl Fn(&[u8]) -> Come<Message>,
    seal: &impl Fn(&Message) -> Vec<u8>,
) {
    let ours = ours(bytes);
    match (&theirs, &ours) {
        (Come::Part, Come::Part) | (Come::Wrong, Come::Wrong) => {}
        (Come::Whole((meant, encoded), length), Come::Whole(message, expected)) => {
            let kind = format!(" of kind {}", message.kind);
            if length != expected {
                disagree(what, &kind, "another length", "this length", (length, expected));
            }
            if meant != message {
                disagree(what, &kind, "another meaning", "this meaning", (meant, message));
            }
            let bytes = &bytes[..*expected];
            if encoded != bytes {
                disagree(what, &kind, "another encoding", "one encoding", (encoded, bytes));
            }
            if seal(message) != bytes {
                disagree(what, &kind, "nothing", "another encoding of its own", (message, bytes));
            }
        }
        (Come::Part | Come::Wrong | Come::Whole(..), _) => {
            let kind = format!(" of kind {:?}", bytes.get(if what == "reply" { 4 } else { 0 }));
            disagree(what, &kind, word(&theirs), word(&ours), (&theirs, &ours));
        }
    }
}

/// §4.1.1: relay-wire judges a header when it is whole.
fn opening(message: &[u8]) {
    let Some(header) = message.first_chunk::<12>() else { return };
    let theirs = Header::decode(header);
    match (messages::open_opening(header, None), theirs) {
        (Ok(Some((platform, length))), Ok(decoded)) => {
            let said = (decoded.platform.number(), decoded.body_bytes);
            if said != (platform, length) {
                disagree("opening", "", "another meaning", "this meaning", (said, platform, length));
            }
            let again = Header::encode(decoded.platform, u32::try_from(decoded.body_bytes).unwrap_or(0));
            if again != *header || messages::opening(platform, u32::try_from(length).unwrap_or(0)) != *header {
                disagree("opening", "", "another encoding", "one encoding", (again, header));
            }
        }
        (Err(field), Err(rejection)) => {
            if (rejection.code.as_str(), rejection.field) != ("E_FRAME", field) {
                disagree("opening", "", &rejection.to_string(), &format!("E_FRAME at {field}"), header);
            }
        }
        (Err(field), Ok(_)) => disagree("opening", "", "whole", &format!("E_FRAME at {field}"), header),
        (Ok(_), Err(rejection)) => disagree("opening", "", &rejection.to_string(), "whole", header),
        (Ok(None), Ok(_)) => disagree("opening", "", "whole", "a beginning", header),
    }
}

/// §7.1.1
fn grant(message: &[u8]) {
    let theirs = bounded(ORACLE, message.len(), FACTOR, ALLOWANCE, || Grant::decode(message));
    let fits = message.len() <= messages::GRANT_BYTES_MAX;
    let ours = layout::read_all(messages::GRANT_FIELDS, message).filter(|_| fits);
    match (theirs, ours) {
        (Err(_), None) => {}
        (Ok(grant), Some(values)) => {
            let said = compare::grant(&grant);
            if said != values {
                disagree("grant", "", "another meaning", "this meaning", (&said, &values));
            }
            if grant.encode().as_deref() != Ok(message) {
                disagree("grant", "", "another encoding", "one encoding", (&grant, message));
            }
            compare::scope(&grant, &values);
        }
        (Ok(grant), None) => disagree("grant", "", "whole", "malformed", grant),
        (Err(malformed), Some(_)) => {
            disagree("grant", "", &format!("malformed at {}", malformed.field), "whole", message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{churn::churn, targets::FRAMES_CANONICAL};

    #[test]
    fn both_decoders_agree() {
        churn(&FRAMES_CANONICAL, 100_000, 2_304);
    }
}
