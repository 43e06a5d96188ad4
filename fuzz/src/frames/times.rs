//! SPEC §2.4: times of day, in 128 bits; and durations on the wire (§2.1.1).

use std::time::Duration;

use relay_wire::{
    frame::{
        control::{ControlFrame, Verdict},
        reply::Reply,
    },
    ids::RequestId,
    time::{Timestamp, WallTime},
};

use super::{
    disagree,
    layout::Value,
    messages::{CONTROL, Message, seal, seal_reply},
};

const TICKS: u128 = 10_000_000;
/// Days from 1970 to 2012 and to 2100.
const FIRST_DAY: u128 = 42 * 365 + 10;
const END_DAY: u128 = 130 * 365 + 32;

/// §2.1.1: parts of a millisecond are dropped, more than fits saturates.
pub(crate) fn millis(duration: Duration) -> u64 {
    let millis = u128::from(duration.as_secs()) * 1_000 + u128::from(duration.subsec_millis());
    u64::try_from(millis.min(u128::from(u32::MAX))).unwrap_or(0)
}

pub(crate) fn judge(message: &[u8]) {
    let Some((one, rest)) = message.split_first_chunk::<8>() else { return };
    let Some((other, rest)) = rest.split_first_chunk::<8>() else { return };
    let (one, other) = (u64::from_be_bytes(*one), u64::from_be_bytes(*other));
    wall(one, other);
    let Some((nanos, _)) = rest.split_first_chunk::<4>() else { return };
    let duration = Duration::new(other, u32::from_be_bytes(*nanos) % 1_000_000_000);
    durations(duration, one);
    saturating(one, duration);
}

fn wall(one: u64, other: u64) {
    let time = WallTime::from_ticks(one);
    let day = u128::from(one) / (86_400 * TICKS);
    let apart = u128::from(one).abs_diff(u128::from(other));
    let distance = time.distance(WallTime::from_ticks(other));
    let same = time.ticks() == one
        && u128::from(time.unix_seconds()) == u128::from(one) / TICKS
        && time.is_in_range() == (FIRST_DAY..END_DAY).contains(&day)
        && distance.as_nanos() == apart * 100;
    if !same {
        disagree("time of day", "", "another meaning", "this meaning", (one, other));
    }
}

fn saturating(one: u64, duration: Duration) {
    let ticks = (duration.as_nanos() / 100).min(u128::from(u64::MAX));
    let later = (u128::from(one) + ticks).min(u128::from(u64::MAX));
    let cut = WallTime::from_unix(duration).ticks();
    let added = WallTime::from_ticks(one).plus(duration).ticks();
    if u128::from(cut) != ticks || u128::from(added) != later {
        disagree("time of day", "", "another sum", "this sum", (one, duration));
    }
    let (start, origin) = (Duration::from_nanos(one), Timestamp::ORIGIN);
    let later = Timestamp::from_origin(start) + duration;
    let same = later.since_origin() == start.checked_add(duration).unwrap_or(Duration::MAX)
        && origin.since(later) == Duration::ZERO
        && later.since(origin) == later.since_origin();
    if !same {
        disagree("timestamp", "", "another sum", "this sum", (one, duration));
    }
}

fn durations(duration: Duration, id: u64) {
    let value = Value::Number(millis(duration));
    for (kind, reply) in [(3, Reply::Later(duration)), (5, Reply::Draining(duration))] {
        if reply.encode() != seal_reply(&Message::new(kind, vec![value.clone()])) {
            disagree("reply", &format!(" of kind {kind}"), "another duration", "this duration", duration);
        }
    }
    let answer = ControlFrame::Answer { id: RequestId(id), verdict: Verdict::Later(duration) };
    if answer.encode() != seal(CONTROL, &Message::new(4, vec![id.into(), Value::Number(3), value])) {
        disagree("control frame", " of kind 4", "another duration", "this duration", duration);
    }
}
