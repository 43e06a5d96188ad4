//! Parts of certificates that matter to a reader: extensions, names, times, and odd ones of each.

use fastrand::Rng;

use super::tree::Node;

/// Identifiers that a certificate may have in places where others belong.
pub(super) const TAGS: [u8; 20] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1f, 0x30, 0x31, 0x80, 0x82, 0x87, 0xa0,
    0xa3,
];

/// Alternative names: kind, and text or octets.
const NAMES: [(u8, &[u8]); 24] = [
    (0x82, b"edge.example.org"),
    (0x82, b"EDGE.example.ORG"),
    (0x82, b"*.devices.example.org"),
    (0x82, b"*.example.org."),
    (0x82, b"e*.example.org"),
    (0x82, b"*.*.example.org"),
    (0x82, b"*"),
    (0x82, b"*.org"),
    (0x82, b""),
    (0x82, b"."),
    (0x82, b"a..b"),
    (0x82, b"edge.example.org\0.evil.example"),
    (0x82, b"edge.example.org."),
    (0x82, b"xn--bcher-kva.example"),
    (0x82, b"b\xfccher.example"),
    (0x82, b"192.0.2.7"),
    (0x87, &[192, 0, 2, 7]),
    (0x87, &[192, 0, 2, 7, 0]),
    (0x87, &[]),
    (0x87, &[0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
    (0x81, b"a@example.org"),
    (0x86, b"https://edge.example.org/"),
    (0xa4, &[0x30, 0]),
    (0xa0, &[0x06, 1, 0x2a, 0xa0, 2, 0x05, 0]),
];

/// Moments, in the two forms, right and wrong.
const TIMES: [(u8, &[u8]); 20] = [
    (0x17, b"200101000000Z"),
    (0x17, b"491231235959Z"),
    (0x17, b"500101000000Z"),
    (0x17, b"700101000000Z"),
    (0x17, b"691231235959Z"),
    (0x17, b"2001010000Z"),
    (0x17, b"200101000000+0100"),
    (0x17, b"200101000060Z"),
    (0x17, b"200230000000Z"),
    (0x17, b"201301000000Z"),
    (0x17, b"200101240000Z"),
    (0x18, b"20240229120000Z"),
    (0x18, b"20250229120000Z"),
    (0x18, b"21000229000000Z"),
    (0x18, b"99991231235959Z"),
    (0x18, b"00000101000000Z"),
    (0x18, b"19691231235959Z"),
    (0x18, b"20500101000000.5Z"),
    (0x18, b"20500101000000-0500"),
    (0x18, b"20500101000000"),
];

/// Extended key usages, the last of them no identifier at all.
const PURPOSES: [&[u8]; 7] = [
    &[0x2b, 6, 1, 5, 5, 7, 3, 1],
    &[0x2b, 6, 1, 5, 5, 7, 3, 2],
    &[0x55, 0x1d, 37, 0],
    &[0x2b, 6, 1, 5, 5, 7, 3, 9],
    &[0x2a, 3, 4],
    &[0x80, 1],
    &[],
];

/// The last byte of the identifiers 2.5.29.x of extensions that readers know.
const KNOWN: [u8; 10] = [14, 15, 17, 18, 19, 30, 31, 32, 35, 37];

pub(super) fn name(chance: &mut Rng) -> Node {
    let (tag, bytes) = NAMES[chance.usize(..NAMES.len())];
    Node::bytes(tag, bytes)
}

pub(super) fn moment(chance: &mut Rng) -> Node {
    let (tag, bytes) = TIMES[chance.usize(..TIMES.len())];
    Node::bytes(tag, bytes)
}

/// A whole extension.
pub(super) fn extension(chance: &mut Rng) -> Node {
    let names = |chance: &mut Rng| Node::nodes(0x30, (0..chance.usize(..4)).map(|_| name(chance)).collect::<Vec<_>>());
    let (id, value) = match chance.u8(..8) {
        0 | 1 => (vec![0x55, 0x1d, 17], names(chance)),
        2 => (vec![0x55, 0x1d, 19], constraints(chance)),
        3 => {
            let purposes: Vec<Node> =
                (0..chance.usize(..3)).map(|_| Node::bytes(0x06, PURPOSES[chance.usize(..PURPOSES.len())])).collect();
            (vec![0x55, 0x1d, 37], Node::nodes(0x30, purposes))
        }
        4 => (vec![0x55, 0x1d, 15], Node::bytes(0x03, [7, chance.u8(..)])),
        5 => {
            let subtrees = Node::nodes(0x30, [name(chance)]);
            (vec![0x55, 0x1d, 30], Node::nodes(0x30, [Node::nodes(0xa0 + chance.u8(..2), [subtrees])]))
        }
        6 => (vec![0x2a, 3, 4, chance.u8(..128)], Node::bytes(0x05, [])),
        // The value of one extension under the identifier of another.
        _ => (vec![0x55, 0x1d, KNOWN[chance.usize(..KNOWN.len())]], names(chance)),
    };
    let mut parts = vec![Node::bytes(0x06, id)];
    if chance.bool() {
        parts.push(Node::bytes(0x01, [*chance.choice(&[0xff, 0, 1]).unwrap_or(&0xff)]));
    }
    parts.push(Node::nodes(0x04, [value]));
    Node::nodes(0x30, parts)
}

/// basicConstraints: none, `CA:FALSE` left out or written, `CA:TRUE`, lengths of paths, and more than belongs there.
fn constraints(chance: &mut Rng) -> Node {
    let mut parts = Vec::new();
    if chance.bool() {
        parts.push(Node::bytes(0x01, [*chance.choice(&[0xff, 0, 1]).unwrap_or(&0)]));
    }
    if chance.u8(..4) == 0 {
        parts.push(Node::bytes(0x02, vec![*chance.choice(&[0, 1, 0x7f, 0x80, 0xff]).unwrap_or(&0); chance.usize(..3)]));
    }
    if chance.u8(..8) == 0 {
        parts.push(Node::bytes(0x05, []));
    }
    Node::nodes(0x30, parts)
}
