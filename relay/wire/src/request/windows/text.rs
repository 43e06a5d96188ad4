//! UTF-16LE as FORMATS §1 has it: no byte order mark, no NUL, no lone surrogate.

use alloc::string::String;

/// Characters that [`Utf16::narrow`] gives at most: one more than the longest text field that is not a path.
pub(super) const NARROW_MAX: usize = 255;
/// What [`Utf16::narrow`] writes for a character that is not ASCII: one that no grammar of a text field admits.
const FOREIGN: u8 = 0x7F;

/// Bytes of UTF-16LE.
#[derive(Clone, Copy)]
pub(super) struct Utf16<'a>(pub(super) &'a [u8]);

impl<'a> Utf16<'a> {
    /// Whether the bytes are text: an even number of them, every surrogate in its pair, no U+0000, no U+FEFF first.
    pub(super) fn is_well_formed(bytes: &[u8]) -> bool {
        if !bytes.len().is_multiple_of(2) || bytes.starts_with(&[0xFF, 0xFE]) {
            return false;
        }
        let mut rest = bytes;
        while let Some((four, behind)) = rest.split_first_chunk() {
            if !is_ascii_without_nul(u64::from_le_bytes(*four)) {
                break;
            }
            rest = behind;
        }
        let mut units = Utf16(rest).units();
        while let Some(unit) = units.next() {
            let good = match unit {
                0 | 0xDC00..=0xDFFF => false,
                0xD800..=0xDBFF => matches!(units.next(), Some(0xDC00..=0xDFFF)),
                _ => true,
            };
            if !good {
                return false;
            }
        }
        true
    }

    fn units(self) -> impl Iterator<Item = u16> + 'a {
        self.0.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
    }

    /// The text, one byte per code point and at most [`NARROW_MAX`] of them, for a field whose grammar is ASCII: a
    /// character that is not becomes one that the grammar refuses, and the length stays what it was.
    #[allow(clippy::cast_possible_truncation, reason = "the unit is ASCII")]
    pub(super) fn narrow(self, buffer: &mut [u8; NARROW_MAX]) -> &str {
        let mut count = 0;
        for unit in self.units() {
            // The second half of a pair: its character is counted already.
            if matches!(unit, 0xDC00..=0xDFFF) {
                continue;
            }
            let Some(byte) = buffer.get_mut(count) else { break };
            *byte = if unit < 0x80 { unit as u8 } else { FOREIGN };
            count += 1;
        }
        core::str::from_utf8(&buffer[..count]).unwrap_or_default()
    }

    /// The text, whatever its characters.
    pub(super) fn decode(self) -> String {
        let mut text = String::with_capacity(self.0.len() / 2 + 8);
        if self.units().fold(0, |union, unit| union | unit) < 0x80 {
            text.extend(self.0.chunks_exact(2).map(|unit| char::from(unit[0])));
            return text;
        }
        text.extend(char::decode_utf16(self.units()).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
        text
    }
}

/// Whether four units are all U+0001..U+007F.
const fn is_ascii_without_nul(units: u64) -> bool {
    const ONES: u64 = 0x0001_0001_0001_0001;
    units & (0xFF80 * ONES) == 0 && units.wrapping_sub(ONES) & !units & (0x8000 * ONES) == 0
}
