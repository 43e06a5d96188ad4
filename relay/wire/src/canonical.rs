//! SPEC §5.3: the relay's one encoding of a request. What crosses the DMZ is this, never a device's bytes; and what a
//! device's proof is made over is this, without the proof.

use alloc::vec::Vec;

use crate::{
    codec::{Malformed, TooLong},
    request::{Content, Request},
};

/// The encoding of a request's content: what a proof is made over ([`crate::proof`]).
///
/// # Errors
/// [`TooLong`] if a text or path is longer than 65,535 bytes; a checked request never is.
pub fn encode_content(_content: &Content) -> Result<Vec<u8>, TooLong> {
    todo!()
}

/// The encoding of a request: the encoding of its content, then the proof.
///
/// # Errors
/// [`TooLong`] as [`encode_content`].
pub fn encode(_request: &Request) -> Result<Vec<u8>, TooLong> {
    todo!()
}

/// The request of an encoding. Not yet checked: [`crate::Validator::check_canonical`] does that.
///
/// # Errors
/// [`Malformed`] if the bytes are not exactly what [`encode`] writes.
pub fn decode(_encoded: &[u8]) -> Result<Request, Malformed> {
    todo!()
}
