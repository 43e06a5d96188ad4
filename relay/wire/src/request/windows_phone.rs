//! `request-formats` section 6.

use alloc::vec::Vec;

use crate::{
    codec::{Malformed, Reader, TooLong, Writer},
    error::Rejection,
    request::{Field, Request},
};

/// The table of fields.
pub const FIELDS: &[Field] = &[];

/// The platform's own facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {}

pub(crate) fn parse(_body: &[u8]) -> Result<Request, Rejection> {
    todo!()
}

pub(crate) fn emit(_request: &Request, _profile: &Profile) -> Vec<u8> {
    todo!()
}

/// Writes the facts into the canonical encoding.
pub(crate) fn write_profile(_profile: &Profile, _writer: &mut Writer) -> Result<(), TooLong> {
    todo!()
}

/// Reads exactly what [`write_profile`] writes.
pub(crate) fn read_profile(_reader: &mut Reader<'_>) -> Result<Profile, Malformed> {
    todo!()
}
