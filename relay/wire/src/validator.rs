//! SPEC §5: the only way from bytes to a [`Checked`] request.

use alloc::vec::Vec;
use core::ops::Deref;

use crate::{
    canonical,
    error::{Code, Rejection},
    limits,
    request::{self, Platform, Request},
};

mod releases;

pub use releases::{AndroidReleases, AppleRelease, Releases, Train, WindowsRelease};

/// A value that a [`Validator`] has found good. Nothing else makes one, and sessions take nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked<T>(T);

impl<T> Checked<T> {
    /// The value, without the mark.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Checks requests against the six formats, in the one fixed order of FORMATS §0.
#[derive(Clone, Debug, Default)]
pub struct Validator {
    releases: Releases,
}

impl Validator {
    /// A validator with these release tables.
    #[must_use]
    pub const fn new(releases: Releases) -> Self {
        Self { releases }
    }

    /// Checks a body whose opening frame named `platform`. The edge's session calls it for every request.
    ///
    /// # Errors
    /// The first failure in the order of checks; [`Code::Frame`] for an empty body or one over
    /// [`limits::BODY_BYTES_MAX`].
    pub fn check(&self, platform: Platform, body: &[u8]) -> Result<Checked<Request>, Rejection> {
        if body.is_empty() || body.len() > limits::BODY_BYTES_MAX {
            return Err(Rejection::new(Code::Frame, "body length"));
        }
        request::parse(platform, body, &self.releases).map(Checked)
    }

    /// Checks a canonical encoding. The master calls it for every request that an edge passes on, so that even a captured
    /// edge can pass on nothing that a validator would refuse: the request is decoded, emitted in its platform's
    /// format, judged like any other body, and must come back the same.
    ///
    /// # Errors
    /// [`Code::Frame`] if the encoding is malformed; else what [`Self::check`] would say.
    pub fn check_canonical(&self, encoded: &[u8]) -> Result<Checked<Request>, Rejection> {
        let decoded = canonical::decode(encoded).map_err(|malformed| Rejection::new(Code::Frame, malformed.field))?;
        let body: Vec<u8> = decoded.to_body();
        let judged = self.check(decoded.platform(), &body)?;
        if *judged == decoded { Ok(judged) } else { Err(Rejection::new(Code::Frame, "canonical form")) }
    }
}
