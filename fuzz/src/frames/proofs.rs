//! SPEC §6.1: what is signed and authenticated. Built a second time it is the same, and it can be taken apart again: so no two
//! proofs are about the same bytes.

use relay_wire::{
    ids::{BackendName, DeviceId, Exporter, Generation, Role},
    proof::{self, Speaker},
    request::Platform,
};

use super::{disagree, layout::is_name};

/// The labels of 6.1.2 to 6.1.6.
const LABELS: [&str; 8] = [
    "sallyport/1 control backend",
    "sallyport/1 control edge",
    "sallyport/1 data backend",
    "sallyport/1 data edge",
    "sallyport/1 mass register",
    "sallyport/1 mass enrol",
    "sallyport/1 device request",
    "sallyport/1 grant",
];
const SPEAKERS: [Speaker; 4] = [Speaker::ControlBackend, Speaker::ControlEdge, Speaker::DataBackend, Speaker::DataEdge];

/// What goes into a proof; each kind uses some of it.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    kind: usize,
    exporter: [u8; 32],
    number: u8,
    generation: u64,
    text: String,
    content: Vec<u8>,
}

impl Parts {
    fn read(message: &[u8]) -> Option<Self> {
        let (first, rest) = message.split_first()?;
        let kind = usize::from(*first) % LABELS.len();
        let (exporter, rest) = rest.split_first_chunk::<32>()?;
        let (number, rest) = rest.split_first()?;
        let (generation, rest) = rest.split_first_chunk::<8>()?;
        let mut halves = rest.splitn(2, |byte| *byte == 0);
        let text = std::str::from_utf8(halves.next()?).ok()?.to_owned();
        let content = halves.next().unwrap_or(&[]).to_vec();
        let mut parts = Self {
            kind,
            exporter: *exporter,
            number: *number,
            generation: u64::from_be_bytes(*generation),
            text,
            content,
        };
        parts.keep_used();
        Some(parts)
    }

    /// Leaves nothing in the parts that this kind does not use.
    fn keep_used(&mut self) {
        match self.kind {
            0..=3 => {
                self.number = 1 + self.number % 2;
                self.content.clear();
                if !is_name(self.text.as_bytes()) {
                    "head".clone_into(&mut self.text);
                }
            }
            5 => (self.number, self.generation) = (1 + self.number % 6, 0),
            7 => {
                (self.exporter, self.number, self.generation) = ([0; 32], 0, 0);
                self.text.clear();
            }
            _ => {
                (self.number, self.generation) = (0, 0);
                self.text.clear();
            }
        }
    }

    fn theirs(&self) -> Option<Vec<u8>> {
        let exporter = Exporter(self.exporter);
        Some(match self.kind {
            0..=3 => {
                let role = Role::from_number(self.number)?;
                let name = BackendName::new(&self.text).ok()?;
                proof::backhaul(SPEAKERS[self.kind], &exporter, role, &name, Generation(self.generation))
            }
            4 => proof::mass_register(&exporter, &self.content),
            5 => {
                let id = DeviceId::new(Platform::from_number(self.number)?, self.text.clone());
                proof::mass_enrol(&exporter, &id, &self.content)
            }
            6 => proof::device_request(&exporter, &self.content),
            _ => proof::grant(&self.content),
        })
    }

    fn ours(&self) -> Vec<u8> {
        let label = [LABELS[self.kind].as_bytes(), b"\0"].concat();
        let exporter = &self.exporter[..];
        match self.kind {
            0..=3 => [&label, exporter, &[self.number], &self.generation.to_be_bytes(), self.text.as_bytes()].concat(),
            5 => [&label, exporter, &[self.number], self.text.as_bytes(), b"\0", &self.content].concat(),
            7 => [&label[..], &self.content].concat(),
            _ => [&label, exporter, &self.content].concat(),
        }
    }

    /// The parts that a message was made of.
    fn apart(message: &[u8]) -> Option<Self> {
        let end = message.iter().position(|byte| *byte == 0)?;
        let kind = LABELS.iter().position(|label| label.as_bytes() == &message[..end])?;
        let mut parts =
            Self { kind, exporter: [0; 32], number: 0, generation: 0, text: String::new(), content: Vec::new() };
        let mut rest = &message[end + 1..];
        if kind != 7 {
            let (exporter, behind) = rest.split_first_chunk()?;
            (parts.exporter, rest) = (*exporter, behind);
        }
        match kind {
            0..=3 => {
                let (number, behind) = rest.split_first()?;
                let (generation, name) = behind.split_first_chunk()?;
                (parts.number, parts.generation) = (*number, u64::from_be_bytes(*generation));
                parts.text = String::from_utf8(name.to_vec()).ok()?;
            }
            5 => {
                let (number, behind) = rest.split_first()?;
                let mut halves = behind.splitn(2, |byte| *byte == 0);
                parts.number = *number;
                parts.text = String::from_utf8(halves.next()?.to_vec()).ok()?;
                parts.content = halves.next()?.to_vec();
            }
            _ => parts.content = rest.to_vec(),
        }
        Some(parts)
    }
}

pub(crate) fn judge(message: &[u8]) {
    let Some(parts) = Parts::read(message) else { return };
    let Some(theirs) = parts.theirs() else { return };
    let ours = parts.ours();
    if theirs != ours {
        disagree("proof", &format!(" {}", LABELS[parts.kind]), "other bytes", "these bytes", (&parts, theirs, ours));
    } else if Parts::apart(&theirs).as_ref() != Some(&parts) {
        disagree("proof", &format!(" {}", LABELS[parts.kind]), "this", "it could be another", parts);
    }
}
