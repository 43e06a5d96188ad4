//! The rules as data, with the needs that they are made of.

use serde::Serialize;

use super::Document;
use crate::{cli, error::Error, needs::Needs, rules::RuleSet};

/// The version of this form; it changes when a reader of the old one would misread the new one.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Whole<'a> {
    version: u32,
    needs: &'a Needs,
    /// What no rule of a set names is dropped.
    default: &'static str,
    rule_sets: &'a [RuleSet],
}

/// The file.
///
/// # Errors
/// [`Error::Defect`]: these values can all be written.
pub fn render(needs: &Needs, sets: &[RuleSet]) -> Result<Document, Error> {
    let text = cli::json(&Whole { version: VERSION, needs, default: "drop", rule_sets: sets })?;
    Ok(Document { name: "sallyport-rules.json".to_owned(), text })
}
