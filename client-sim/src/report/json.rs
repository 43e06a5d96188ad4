//! The result of a run as one JSON object.

use super::Summary;
use crate::error::Error;

/// The object, on several lines, with a line end.
///
/// # Errors
/// [`Error::System`] if a value cannot be JSON; none of ours cannot.
pub fn render(summary: &Summary) -> Result<String, Error> {
    let mut text = serde_json::to_string_pretty(summary)
        .map_err(|error| Error::System { action: "write the report as JSON".into(), source: error.into() })?;
    text.push('\n');
    Ok(text)
}
