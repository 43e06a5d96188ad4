//! `request-formats` section 5.

use alloc::vec::Vec;

use crate::{error::Rejection, request::Request, validator::Releases};

/// The platform's own facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {}

pub(crate) fn parse(_body: &[u8], _releases: &Releases) -> Result<Request, Rejection> {
    todo!()
}

pub(crate) fn emit(_request: &Request, _profile: &Profile) -> Vec<u8> {
    todo!()
}
