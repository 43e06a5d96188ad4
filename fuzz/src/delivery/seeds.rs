//! Streams of frames, as each peer sends them.

use super::{Hearer, control_frame, data_frame, hello};
use crate::{
    frames::{
        messages::{Message, opening, seal_reply},
        replies_controls_datas,
    },
    sessions::device::bodies,
};

fn stream(hearer: Hearer, cut: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let place = Hearer::ALL.iter().position(|known| *known == hearer).unwrap_or(0);
    [vec![u8::try_from(place).unwrap_or(0), cut], frames.concat()].concat()
}

/// Requests of one platform: the operation's place, the id, the nonce.
fn requests(platform: u8, requests: &[(usize, usize, u8)]) -> Vec<Vec<u8>> {
    let frame = |(operation, id, nonce): &(usize, usize, u8)| {
        let body = bodies::valid(platform, *operation, *id, *nonce);
        [opening(platform, u32::try_from(body.len()).unwrap_or(0)).to_vec(), body].concat()
    };
    requests.iter().map(frame).collect()
}

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let (replies, controls, datas) = replies_controls_datas();
    let mut seeds = Vec::new();
    for platform in [1, 3, 4, 5] {
        seeds.push(stream(Hearer::Edge, platform, &requests(platform, &[(0, 0, 1), (1, 0, 2), (4, 0, 3), (2, 0, 4)])));
        seeds.push(stream(Hearer::Edge, platform, &requests(platform, &[(1, 0, 2), (4, 1, 3), (4, 0, 2), (5, 0, 4)])));
    }
    let refused = bodies::refused(5, 1);
    let mut bad = requests(5, &[(1, 0, 9)]);
    bad.push([opening(5, u32::try_from(refused.len()).unwrap_or(0)).to_vec(), refused.to_vec()].concat());
    seeds.push(stream(Hearer::Edge, 9, &bad));
    for (cut, reply) in (0..).zip(&replies) {
        seeds.push(stream(Hearer::DeviceWaiting, cut, &[seal_reply(reply)]));
        seeds.push(stream(Hearer::DeviceReady, cut, &[seal_reply(reply)]));
    }
    let from_master: Vec<Vec<u8>> =
        controls.iter().filter(|frame| ![1, 2, 3, 5].contains(&frame.kind)).map(control_frame).collect();
    seeds.push(stream(Hearer::ControlEdge, 3, &from_master));
    seeds.push(stream(Hearer::ControlEdge, 0x83, &from_master));
    let lively: Vec<Vec<u8>> = [8, 9, 7, 7].map(|kind| control_frame(&Message::bare(kind))).to_vec();
    seeds.push(stream(Hearer::ControlEdge, 0x84, &lively));
    seeds.push(stream(Hearer::ControlHello, 5, &[control_frame(&hello(1, 2))]));
    seeds.push(stream(Hearer::ControlHello, 6, &[vec![control_frame(&hello(1, 1))], lively].concat()));
    for hearer in [Hearer::ControlMaster, Hearer::ControlNode] {
        let wanted = [2, 3, 5, 7, 8, 9];
        let from_edge = wanted.iter().filter_map(|kind| controls.iter().find(|frame| frame.kind == *kind));
        seeds.push(stream(hearer, 5, &from_edge.map(control_frame).collect::<Vec<_>>()));
    }
    seeds.push(stream(Hearer::DataEdge, 6, &[data_frame(&datas[0])]));
    seeds.push(stream(Hearer::DataBackend, 7, &[data_frame(&datas[1]), data_frame(&datas[2])]));
    seeds.push(stream(Hearer::DataBackend, 8, &[data_frame(&datas[1]), data_frame(&datas[2]), vec![0x16]]));
    seeds
}
