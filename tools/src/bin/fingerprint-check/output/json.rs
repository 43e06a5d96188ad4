//! JSON, whole or a line per target.

use crate::record::{Document, Record, Summary};

pub fn line(record: &Record) -> String {
    made(serde_json::to_string(record))
}

pub fn document(records: &[Record], summary: Summary) -> String {
    made(serde_json::to_string_pretty(&Document::new(records, summary)))
}

fn made(text: serde_json::Result<String>) -> String {
    // Maps with keys that are no text are what it could fail for, and a record has none.
    text.expect("a record is JSON") + "\n"
}
