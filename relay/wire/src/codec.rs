//! SPEC §2.1: big-endian integers and length-prefixed fields, read and written in exactly one way.

use alloc::vec::Vec;
use core::{fmt, ops::RangeInclusive};

/// Bytes that are not a message of the kind being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The field at which reading stopped.
    pub field: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed message at field {}", self.field)
    }
}

impl core::error::Error for Malformed {}

/// Reads fields from a slice; each names itself, so that an error does too.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over all of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `length` bytes.
    ///
    /// # Errors
    /// [`Malformed`] if there are fewer.
    pub fn slice(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(Malformed { field })?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Malformed`] if there are fewer.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Malformed { field })?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Malformed`] at the end.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`Malformed`] if there are fewer.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// [`Malformed`] if there are fewer.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// [`Malformed`] if there are fewer.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// A u16 length and that many bytes.
    ///
    /// # Errors
    /// [`Malformed`] if either is cut short.
    pub fn bytes16(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.u16(field)?;
        self.slice(usize::from(length), field)
    }

    /// A u16 length within `bounds` and that many bytes.
    ///
    /// # Errors
    /// [`Malformed`] if the length is out of bounds, or if anything is cut short.
    pub fn bytes16_within(
        &mut self,
        bounds: RangeInclusive<usize>,
        field: &'static str,
    ) -> Result<&'a [u8], Malformed> {
        let length = usize::from(self.u16(field)?);
        if bounds.contains(&length) { self.slice(length, field) } else { Err(Malformed { field }) }
    }

    /// A u16 length and that many bytes of UTF-8.
    ///
    /// # Errors
    /// [`Malformed`] if either is cut short, or if the bytes are not UTF-8.
    pub fn text16(&mut self, field: &'static str) -> Result<&'a str, Malformed> {
        core::str::from_utf8(self.bytes16(field)?).map_err(|_| Malformed { field })
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`Malformed`] if anything is left.
    pub const fn finish(self, field: &'static str) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed { field }) }
    }
}

/// A field longer than its length prefix can say. Our own mistake, never a peer's: types and limits keep it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The field.
    pub field: &'static str,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field {} is longer than its length prefix can say", self.field)
    }
}

impl core::error::Error for TooLong {}

/// Writes fields, each the way [`Reader`] reads it.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes bytes without a length.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Writes one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.raw(&[value])
    }

    /// Writes two bytes, big-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Writes four bytes, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Writes eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Writes a u16 length and the bytes.
    ///
    /// # Errors
    /// [`TooLong`] if there are more than 65,535.
    pub fn bytes16(&mut self, bytes: &[u8], field: &'static str) -> Result<&mut Self, TooLong> {
        let length = u16::try_from(bytes.len()).map_err(|_| TooLong { field })?;
        self.u16(length);
        Ok(self.raw(bytes))
    }

    /// Writes a u16 length and the bytes; of more than 65,535 bytes only the first 65,535.
    ///
    /// For fields whose reader has a bound below that ([`Reader::bytes16_within`]): an over-long field, which types and
    /// limits keep away, is then refused by the peer and never misread.
    pub fn bounded16(&mut self, bytes: &[u8]) -> &mut Self {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let (head, _) = bytes.split_at(usize::from(length));
        self.u16(length).raw(head)
    }

    /// Writes a u16 length and the text.
    ///
    /// # Errors
    /// [`TooLong`] if it has more than 65,535 bytes.
    pub fn text16(&mut self, text: &str, field: &'static str) -> Result<&mut Self, TooLong> {
        self.bytes16(text.as_bytes(), field)
    }
}
