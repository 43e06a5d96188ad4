//! Changes a certificate as a tree of elements, so that what comes out is mostly one, and now and then barely none.

use fastrand::Rng;

use super::{
    fragments::{TAGS, extension, moment, name},
    pem_of, seeds,
    tree::{self, Content, Length, Node},
};

/// One to three changes, each anywhere; sometimes the result is written as an administrator's file.
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    // Texts, and what is no DER at all, are left to libFuzzer now and then.
    if input.starts_with(b"-----") && chance.bool() {
        return None;
    }
    let mut nodes = match tree::read(input) {
        Some(nodes) if !nodes.is_empty() => nodes,
        Some(_) | None if chance.u8(..8) == 0 => return None,
        Some(_) | None => donor(chance),
    };
    for _ in 0..1 + chance.usize(..3) {
        change(&mut nodes, chance);
    }
    let mut bytes = tree::write(&nodes);
    if chance.u8(..32) == 0 {
        bytes.extend([0; 2]);
    }
    if chance.u8(..32) == 0 {
        let others = (0..chance.usize(..3)).map(|_| pem_of(seeds::ALL[chance.usize(..seeds::ALL.len())]));
        bytes = [pem_of(&bytes)].into_iter().chain(others).collect::<String>().into_bytes();
    }
    (bytes.len() <= max_len).then_some(bytes)
}

/// Another certificate.
fn donor(chance: &mut Rng) -> Vec<Node> {
    tree::read(seeds::ALL[chance.usize(..seeds::ALL.len())]).unwrap_or_default()
}

/// An element of another certificate, of the same identifier if there is one.
fn part(tag: u8, chance: &mut Rng) -> Option<Node> {
    let mut nodes = donor(chance);
    let mut fitting = Vec::new();
    for number in 0..tree::count(&nodes) {
        tree::at(&mut nodes, &mut number.clone(), &mut |list, place| {
            if list[place].tag == tag {
                fitting.push(list[place].clone());
            }
        });
    }
    let place = chance.usize(..fitting.len().max(1));
    (place < fitting.len()).then(|| fitting.swap_remove(place))
}

fn change(nodes: &mut Vec<Node>, chance: &mut Rng) {
    if chance.u8(..3) == 0 && extensions(nodes).is_some_and(|list| change_extensions(list, chance)) {
        return;
    }
    let mut number = chance.usize(..tree::count(nodes).max(1));
    tree::at(nodes, &mut number, &mut |list, place| change_element(list, place, chance));
}

/// The list of extensions, where the certificate has one.
fn extensions(nodes: &mut [Node]) -> Option<&mut Vec<Node>> {
    let signed = nodes.first_mut()?.inside()?.first_mut()?.inside()?;
    signed.iter_mut().find(|node| node.tag == 0xa3)?.inside()?.first_mut()?.inside()
}

fn change_extensions(list: &mut Vec<Node>, chance: &mut Rng) -> bool {
    let place = chance.usize(..=list.len());
    match chance.u8(..3) {
        0 => list.insert(place, extension(chance)),
        1 if place < list.len() => list[place] = extension(chance),
        _ => {
            // A name among those that are there.
            let Some(names) = list.iter_mut().find_map(alternative_names) else { return false };
            let place = chance.usize(..=names.len());
            if place < names.len() && chance.bool() {
                names[place] = name(chance);
            } else {
                names.insert(place, name(chance));
            }
        }
    }
    true
}

/// The names in an extension, if it is subjectAltName.
fn alternative_names(extension: &mut Node) -> Option<&mut Vec<Node>> {
    let parts = extension.inside()?;
    let is_it = matches!(&parts.first()?.content, Content::Bytes(id) if id == &[0x55, 0x1d, 17]);
    if is_it { parts.last_mut()?.inside()?.first_mut()?.inside() } else { None }
}

fn change_element(list: &mut Vec<Node>, place: usize, chance: &mut Rng) {
    let tag = list[place].tag;
    match chance.u8(..12) {
        0 => list[place].tag = TAGS[chance.usize(..TAGS.len())],
        1 => list.insert(place, list[place].clone()),
        2 => drop(list.remove(place)),
        3 => {
            let other = chance.usize(..list.len());
            list.swap(place, other);
        }
        4 | 5 => {
            if let Some(part) = part(tag, chance) {
                list[place] = part;
            }
        }
        6 => list[place] = Node::nodes(0x30, [list[place].clone()]),
        7 => {
            list[place].length = *chance
                .choice(&[Length::Off(1), Length::Off(-1), Length::Long, Length::Indefinite])
                .unwrap_or(&Length::Long);
        }
        _ if tag == 0x17 || tag == 0x18 => list[place] = moment(chance),
        _ => change_bytes(&mut list[place], chance),
    }
}

fn change_bytes(node: &mut Node, chance: &mut Rng) {
    let mut bytes = match &node.content {
        Content::Bytes(bytes) => bytes.clone(),
        // As bytes from now on.
        Content::Nodes(head, nodes) if chance.u8(..4) == 0 => [head.as_slice(), &tree::write(nodes)].concat(),
        Content::Nodes(..) => return,
    };
    let place = chance.usize(..=bytes.len());
    match chance.u8(..5) {
        0 => bytes.insert(place, *chance.choice(&[0, 1, 0x7f, 0x80, 0xff, b'.', b'*']).unwrap_or(&0)),
        1 => bytes.truncate(place),
        2 if place < bytes.len() => drop(bytes.remove(place)),
        3 if place < bytes.len() => bytes[place] = chance.u8(..),
        _ if place < bytes.len() => bytes[place] ^= 1 << chance.u8(..8),
        _ => bytes.push(chance.u8(..)),
    }
    node.content = Content::Bytes(bytes);
}
