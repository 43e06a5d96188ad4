//! A certificate as a tree that can be changed anywhere and written again, with right lengths or wrong ones.

use super::view;

/// Nesting that is followed; a certificate has nine levels.
const DEPTH_MAX: usize = 16;

/// How the length of an element is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// As DER asks.
    Right,
    /// More or less than there is.
    Off(i8),
    /// With a leading byte that is not needed.
    Long,
    /// BER's indefinite form.
    Indefinite,
}

/// One element.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) tag: u8,
    pub(super) length: Length,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    /// Elements, behind bytes of another kind (the count of unused bits, in a bit string).
    Nodes(Vec<u8>, Vec<Node>),
}

impl Node {
    pub(super) fn bytes(tag: u8, bytes: impl Into<Vec<u8>>) -> Self {
        Self { tag, length: Length::Right, content: Content::Bytes(bytes.into()) }
    }

    pub(super) fn nodes(tag: u8, nodes: impl Into<Vec<Self>>) -> Self {
        Self { tag, length: Length::Right, content: Content::Nodes(Vec::new(), nodes.into()) }
    }

    /// The elements inside.
    pub(super) fn inside(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.content {
            Content::Nodes(_, nodes) => Some(nodes),
            Content::Bytes(_) => None,
        }
    }
}

/// The elements of `bytes`; `None` where they are no DER.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Node>> {
    nodes(bytes, DEPTH_MAX)
}

fn nodes(bytes: &[u8], depth: usize) -> Option<Vec<Node>> {
    let elements = view::all(bytes)?;
    Some(
        elements
            .iter()
            .map(|element| Node { tag: element.tag, length: Length::Right, content: content(element, depth) })
            .collect(),
    )
}

fn content(element: &view::Element<'_>, depth: usize) -> Content {
    let (head, inner): (&[u8], &[u8]) = match (element.tag, element.content) {
        // What is wrapped in strings is mostly DER again: the values of extensions, keys, signatures.
        (0x03, [0, inner @ ..]) => (&[0], inner),
        (0x04, inner) if inner.len() > 1 => (&[], inner),
        (tag, inner) if tag & 0x20 != 0 => (&[], inner),
        (_, inner) => return Content::Bytes(inner.to_vec()),
    };
    match depth.checked_sub(1).and_then(|depth| nodes(inner, depth)) {
        Some(nodes) => Content::Nodes(head.to_vec(), nodes),
        None => Content::Bytes(element.content.to_vec()),
    }
}

/// The bytes of these elements.
pub(super) fn write(nodes: &[Node]) -> Vec<u8> {
    let mut out = Vec::new();
    for node in nodes {
        let inner = match &node.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Nodes(head, nodes) => [head.as_slice(), &write(nodes)].concat(),
        };
        out.push(node.tag);
        match node.length {
            Length::Right => out.extend(length(inner.len())),
            Length::Off(by) => out.extend(length(inner.len().saturating_add_signed(by.into()))),
            Length::Long => {
                let bytes = length(inner.len());
                let digits = bytes.strip_prefix(&[0x81]).or(bytes.strip_prefix(&[0x82])).unwrap_or(&bytes);
                out.push(0x81 + u8::try_from(digits.len()).unwrap_or(2));
                out.push(0);
                out.extend(digits);
            }
            Length::Indefinite => out.push(0x80),
        }
        out.extend(inner);
        if node.length == Length::Indefinite {
            out.extend([0, 0]);
        }
    }
    out
}

fn length(length: usize) -> Vec<u8> {
    let [.., third, second, first] = length.to_be_bytes();
    match length {
        0..=0x7f => vec![first],
        0x80..=0xff => vec![0x81, first],
        0x100..=0xffff => vec![0x82, second, first],
        _ => vec![0x83, third, second, first],
    }
}

/// How many elements there are, at every level.
pub(super) fn count(nodes: &[Node]) -> usize {
    let inside = |node: &Node| match &node.content {
        Content::Nodes(_, nodes) => count(nodes),
        Content::Bytes(_) => 0,
    };
    nodes.iter().map(|node| 1 + inside(node)).sum()
}

/// Calls `change` with the list that holds the element of this number (as [`count`] counts), and its place there.
pub(super) fn at(nodes: &mut Vec<Node>, number: &mut usize, change: &mut dyn FnMut(&mut Vec<Node>, usize)) -> bool {
    for place in 0..nodes.len() {
        if *number == 0 {
            change(nodes, place);
            return true;
        }
        *number -= 1;
        if nodes[place].inside().is_some_and(|inner| at(inner, number, change)) {
            return true;
        }
    }
    false
}
