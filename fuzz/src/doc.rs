//! Loose documents: any body of a format as a list of named fields, good or bad, and back to bytes.
//!
//! Nothing of `relay-wire` is used, so a body that these writers made is a witness of its own. Decoding never fails: what
//! is not a field is kept as it stands, and a document that nobody changed is written back byte by byte. Only fields that
//! were changed are written anew, in the plainest spelling of their format.

use std::{borrow::Cow, ops::Range};

pub mod escape;
mod json;
mod lists;
mod markup;
pub mod respell;
pub mod table;
pub mod template;
mod windows;

pub use crate::spec::Platform;
pub use table::{Slot, Wire, slots};

/// One field of a body: its name and its value as on the wire.
///
/// The value is what a mutation may replace without looking: in XML the whole element, in JSON the whole token, elsewhere
/// the bytes between the delimiters.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// The name with its escapes resolved; on Windows the two bytes of the tag.
    pub name: Cow<'a, [u8]>,
    /// The value as on the wire.
    pub value: Cow<'a, [u8]>,
    /// Its row of the table ([`slots`]), if the table has the name.
    pub slot: Option<usize>,
    /// Markup behind the value that belongs to no field (the header of SyncML).
    behind: Cow<'a, [u8]>,
    /// The field as it stood; `None` once it is to be written anew.
    raw: Option<Cow<'a, [u8]>>,
}

impl<'a> Field<'a> {
    /// A field that is written in the plainest spelling.
    #[must_use]
    pub fn new(name: impl Into<Cow<'a, [u8]>>, value: impl Into<Cow<'a, [u8]>>, slot: Option<usize>) -> Self {
        Self { name: name.into(), value: value.into(), slot, behind: Cow::Borrowed(b""), raw: None }
    }

    /// Bytes that are no field.
    #[must_use]
    pub fn raw(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let empty = Cow::Borrowed(&b""[..]);
        Self { name: empty.clone(), value: empty.clone(), slot: None, behind: empty, raw: Some(bytes.into()) }
    }

    /// The field, written as it stood until it is changed.
    fn standing(self, raw: &'a [u8]) -> Self {
        Self { raw: Some(Cow::Borrowed(raw)), ..self }
    }

    /// Replaces the value.
    pub fn set_value(&mut self, value: impl Into<Cow<'a, [u8]>>) {
        self.value = value.into();
        self.raw = None;
    }

    /// Replaces the name. The field stays at its row, so that it can be found.
    pub fn set_name(&mut self, name: impl Into<Cow<'a, [u8]>>) {
        self.name = name.into();
        self.raw = None;
    }

    /// Writes the whole field so, name and all.
    pub fn respell(&mut self, written: Vec<u8>) {
        self.raw = Some(Cow::Owned(written));
    }

    /// Whether these are bytes that could not be read as a field.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.name.is_empty() && self.raw.is_some()
    }
}

/// A body.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Its format.
    pub platform: Platform,
    /// What stands before the first field.
    pub head: Cow<'a, [u8]>,
    /// The fields in the order of the body.
    pub fields: Vec<Field<'a>>,
    /// What stands behind the last field.
    pub tail: Cow<'a, [u8]>,
    /// Windows: by how much the stated count differs from the fields that are there.
    pub miscount: u16,
}

impl<'a> Document<'a> {
    /// Reads a body.
    #[must_use]
    pub fn decode(platform: Platform, body: &'a [u8]) -> Self {
        match platform {
            Platform::Windows => windows::decode(body),
            Platform::MacOs => markup::decode_plist(body),
            Platform::Linux => lists::decode_lines(body),
            Platform::Ios => json::decode(body, ""),
            Platform::Android => lists::decode_form(body),
            Platform::WindowsPhone => markup::decode_syncml(body),
        }
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        if self.platform == Platform::Windows {
            windows::encode(self, &mut out);
            return out;
        }
        let separator = match self.platform {
            Platform::Linux => "\n",
            Platform::Android => "&",
            Platform::Ios => ",",
            Platform::Windows | Platform::MacOs | Platform::WindowsPhone => "",
        };
        out.extend_from_slice(&self.head);
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(separator.as_bytes());
            }
            match &field.raw {
                Some(raw) => out.extend_from_slice(raw),
                None => self.write_field(field, &mut out),
            }
        }
        out.extend_from_slice(&self.tail);
        out
    }

    fn write_field(&self, field: &Field<'_>, out: &mut Vec<u8>) {
        match self.platform {
            Platform::Windows => {}
            Platform::MacOs => markup::write_pair(field, out),
            Platform::Linux => lists::write_line(field, out),
            Platform::Ios => json::write_member(field, out),
            Platform::Android => lists::write_pair(field, out),
            Platform::WindowsPhone => markup::write_item(field, out),
        }
    }

    /// The place of the first field of this row.
    #[must_use]
    pub fn find(&self, slot: usize) -> Option<usize> {
        self.fields.iter().position(|field| field.slot == Some(slot))
    }

    /// The value of the first field of this row, as on the wire.
    #[must_use]
    pub fn get(&self, slot: usize) -> Option<Cow<'_, [u8]>> {
        let row = slots(self.platform).get(slot)?;
        let Some(parent) = row.parent else { return Some(Cow::Borrowed(&self.fields[self.find(slot)?].value)) };
        let object = &self.fields[self.find(parent)?].value;
        let inner = json::decode(object, slots(self.platform)[parent].name);
        inner.fields.into_iter().find(|field| field.slot == Some(slot)).map(|field| field.value)
    }

    /// Sets the value of the first field of this row, or puts the field where the table has it.
    pub fn set(&mut self, slot: usize, value: impl Into<Cow<'a, [u8]>>) {
        let Some(row) = slots(self.platform).get(slot) else { return };
        let value = value.into();
        if let Some(parent) = row.parent {
            self.change_object(parent, |inner| inner.set_flat(slot, Cow::Owned(value.into_owned())));
        } else {
            self.set_flat(slot, value);
        }
    }

    fn set_flat(&mut self, slot: usize, value: Cow<'a, [u8]>) {
        if let Some(at) = self.find(slot) {
            self.fields[at].set_value(value);
        } else {
            let at = self.place_for(slot);
            self.fields.insert(at, Field::new(table::wire_name(self.platform, slot), value, Some(slot)));
        }
    }

    /// Where a field of this row belongs among those that are there.
    #[must_use]
    pub fn place_for(&self, slot: usize) -> usize {
        let behind = self.fields.iter().position(|field| field.slot.is_some_and(|other| other > slot));
        let last = || self.fields.iter().rposition(|field| field.slot.is_some()).map_or(0, |at| at + 1);
        behind.unwrap_or_else(last)
    }

    /// Removes every field of this row.
    pub fn clear(&mut self, slot: usize) {
        let Some(row) = slots(self.platform).get(slot) else { return };
        if let Some(parent) = row.parent {
            self.change_object(parent, |inner| inner.fields.retain(|field| field.slot != Some(slot)));
        } else {
            self.fields.retain(|field| field.slot != Some(slot));
        }
    }

    /// Changes the members of the object at row `parent` (iOS). An absent object is begun anew.
    pub fn change_object(&mut self, parent: usize, change: impl FnOnce(&mut Document<'_>)) {
        let name = slots(self.platform)[parent].name;
        let old = self.find(parent).map_or(Cow::Borrowed(&b"{}"[..]), |at| self.fields[at].value.clone());
        let mut inner = json::decode(&old, name);
        change(&mut inner);
        let written = inner.encode();
        self.set_flat(parent, Cow::Owned(written));
    }

    /// The paths as on the wire: the values of the fields that repeat, or the elements of the list.
    #[must_use]
    pub fn paths(&self) -> Vec<Cow<'_, [u8]>> {
        let slot = table::path_slot(self.platform);
        match self.platform {
            Platform::MacOs => self.find(slot).map_or_else(Vec::new, |at| markup::elements(&self.fields[at].value)),
            Platform::Ios => self.find(slot).map_or_else(Vec::new, |at| json::elements(&self.fields[at].value)),
            Platform::Windows | Platform::Linux | Platform::Android | Platform::WindowsPhone => {
                let paths = self.fields.iter().filter(|field| field.slot == Some(slot));
                paths.map(|field| Cow::Borrowed(&*field.value)).collect()
            }
        }
    }

    /// Replaces all paths. No paths: the field is absent, in a list too; see [`Self::set_empty_list`].
    pub fn set_paths(&mut self, paths: &[Cow<'_, [u8]>]) {
        let slot = table::path_slot(self.platform);
        let joined = match self.platform {
            Platform::MacOs => Some([b"<array>", paths.concat().as_slice(), b"</array>"].concat()),
            Platform::Ios => Some([b"[", paths.join(&b","[..]).as_slice(), b"]"].concat()),
            Platform::Windows | Platform::Linux | Platform::Android | Platform::WindowsPhone => None,
        };
        match joined {
            _ if paths.is_empty() => self.clear(slot),
            Some(list) => self.set_flat(slot, Cow::Owned(list)),
            None => {
                let at = self.find(slot).unwrap_or_else(|| self.place_for(slot));
                self.clear(slot);
                let name = table::wire_name(self.platform, slot);
                let at = at.min(self.fields.len());
                let new = paths.iter().map(|path| Field::new(name.clone(), path.clone().into_owned(), Some(slot)));
                self.fields.splice(at..at, new);
            }
        }
    }

    /// Puts a list of paths that is there and empty, where the format has lists.
    pub fn set_empty_list(&mut self) {
        let slot = table::path_slot(self.platform);
        match self.platform {
            Platform::MacOs => self.set_flat(slot, Cow::Borrowed(b"<array/>")),
            Platform::Ios => self.set_flat(slot, Cow::Borrowed(b"[]")),
            Platform::Windows | Platform::Linux | Platform::Android | Platform::WindowsPhone => self.clear(slot),
        }
    }
}

/// Where `needle` stands in `bytes`, at or behind `from`.
pub(crate) fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

/// The last place of `needle` in `bytes`.
pub(crate) fn rfind(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len().max(1)).rposition(|window| window == needle)
}

/// `range` of `bytes` without white space at its ends.
pub(crate) fn trimmed(bytes: &[u8], range: Range<usize>) -> &[u8] {
    bytes.get(range).unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests;
