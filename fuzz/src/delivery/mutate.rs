//! Mutations of whole frames: left out, repeated, in another order, or one of them changed.

use fastrand::Rng;

use super::Hearer;
use crate::frames::edit_bytes;

/// Where the length of a frame stands: the bytes before its four.
fn before_length(hearer: Hearer) -> usize {
    match hearer {
        Hearer::Edge | Hearer::DeviceReady | Hearer::DeviceWaiting => 8,
        Hearer::ControlHello
        | Hearer::ControlEdge
        | Hearer::ControlMaster
        | Hearer::ControlNode
        | Hearer::DataEdge
        | Hearer::DataBackend => 1,
    }
}

/// The stream's frames by their lengths alone; the last is what is left.
fn frames(mut stream: &[u8], before: usize) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(length) = stream.get(before..before + 4).and_then(|length| length.first_chunk()) {
        let total = before + 4 + u32::from_be_bytes(*length) as usize;
        let Some((frame, rest)) = stream.split_at_checked(total) else { break };
        frames.push(frame.to_vec());
        stream = rest;
    }
    if !stream.is_empty() {
        frames.push(stream.to_vec());
    }
    frames
}

/// Changes the order of frames or one of them, its length put right; leaves a third to libFuzzer.
#[must_use]
pub fn mutate(data: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let [hearer, cut, stream @ ..] = data else { return None };
    let before = before_length(Hearer::of(*hearer));
    let mut all = frames(stream, before);
    if all.is_empty() || chance.u8(..) < 80 {
        return None;
    }
    let place = chance.usize(..all.len());
    let other = chance.usize(..all.len());
    match chance.u8(..8) {
        0 if all.len() > 1 => drop(all.remove(place)),
        1 => {
            let again = all[place].clone();
            all.insert(other, again);
        }
        2 => all.swap(place, other),
        3 => all[place].truncate(chance.usize(..8)),
        _ => {
            let frame = &mut all[place];
            let mut body = frame.split_off(frame.len().min(before + 4));
            if chance.bool() {
                edit_bytes(&mut body, chance);
            } else {
                edit_bytes(frame, chance);
            }
            if let (Some(length), true) = (frame.get_mut(before..before + 4), chance.u8(..) < 224) {
                length.copy_from_slice(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
            }
            frame.extend(body);
        }
    }
    let changed = [vec![*hearer, if chance.bool() { *cut } else { chance.u8(..) }], all.concat()].concat();
    (changed.len() <= max_len).then_some(changed)
}
