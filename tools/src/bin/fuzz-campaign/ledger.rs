//! `fuzz-campaign ledger`.

mod hunk;
mod patch;

use clap::Args;

use crate::{Verdict, error::Error, stop::Stop, targets::Workspace};

/// The options of `ledger`.
#[derive(Args, Clone, Debug)]
pub struct LedgerArgs {}

/// Runs `fuzz-campaign ledger`.
///
/// # Errors
/// What the user can put right.
pub fn execute(_arguments: &LedgerArgs, _workspace: &Workspace, _stop: &Stop) -> Result<Verdict, Error> {
    Err(Error::Usage("`ledger` is not part of this build".to_owned()))
}
