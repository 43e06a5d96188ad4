//! `fuzz-campaign coverage`.

use clap::Args;

use crate::{Verdict, error::Error, stop::Stop, targets::Workspace};

/// The options of `coverage`.
#[derive(Args, Clone, Debug)]
pub struct CoverageArgs {}

/// Runs `fuzz-campaign coverage`.
///
/// # Errors
/// What the user can put right.
pub fn execute(_arguments: &CoverageArgs, _workspace: &Workspace, _stop: &Stop) -> Result<Verdict, Error> {
    Err(Error::Usage("`coverage` is not part of this build".to_owned()))
}
